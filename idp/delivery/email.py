"""Mails by SMTP, or as `.eml` files where there is no server.

Owns connections, time-outs and what a server's answers mean. The mail itself is made by `message.py`.
"""

import contextlib
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

from idp.delivery.channel import Envelope, Later, Never, Unreachable
from idp.delivery.message import MessageBuilder, recipient_of
from idp.delivery.write_once import write_once

LOOPBACK = ("localhost", "127.0.0.1", "::1")
PERMANENT = range(500, 600)


@dataclass(frozen=True)
class SmtpServer:
    """Where mails leave from. `implicit_tls`: TLS from the first byte, else STARTTLS (asked of all but our machine)."""

    host: str
    port: int
    implicit_tls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def from_url(cls, url: str) -> "SmtpServer":
        """Read `smtp(s)://user:password@host:port`. Raises `ValueError`, without the URL: it holds a password."""
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("IDP_SMTP_URL doit avoir la forme smtp(s)://utilisateur:mot-de-passe@serveur:port")
        implicit_tls = parts.scheme == "smtps"
        return cls(
            parts.hostname,
            parts.port or (465 if implicit_tls else 587),
            implicit_tls,
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
        )


class SmtpChannel:
    """Mails by SMTP, one connection for a batch. `timeout`: seconds that each exchange with the server may take."""

    def __init__(self, builder: MessageBuilder, server: SmtpServer, *, timeout: float = 20.0) -> None:
        self._builder = builder
        self._server = server
        self._timeout = timeout
        self._tls = ssl.create_default_context()
        self._connection: smtplib.SMTP | None = None

    def deliver(self, envelope: Envelope) -> None:
        """Hand the mail to the server. At least once: after a crash the same Message-ID may leave again."""
        message = self._builder.message(envelope)
        connection = self._connected()
        try:
            connection.sendmail(self._builder.sender.addr_spec, [recipient_of(envelope)], message.as_bytes())
        except smtplib.SMTPRecipientsRefused as refused:
            [(code, _said)] = refused.recipients.values()
            raise _refusal(refused, code) from None
        except smtplib.SMTPDataError as refused:
            raise _refusal(refused, refused.smtp_code) from None
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise Unreachable(_reason(error)) from None

    def close(self) -> None:
        """Leave the server, if one is connected."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                connection.quit()
            connection.close()

    def _connected(self) -> smtplib.SMTP:
        """The batch's connection if it is still alive, else a new one."""
        try:
            if self._connection is not None and self._connection.noop()[0] == 250:
                return self._connection
        except (smtplib.SMTPException, OSError):
            self._connection = None
        try:
            self._connection = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            raise Unreachable(_reason(error)) from None
        return self._connection

    def _connect(self) -> smtplib.SMTP:
        # Our name for the greeting is given: looking it up would hang on a broken resolver (F-41).
        host, port, name = self._server.host, self._server.port, self._builder.sender.domain
        if self._server.implicit_tls:
            connection: smtplib.SMTP = smtplib.SMTP_SSL(host, port, name, timeout=self._timeout, context=self._tls)
        else:
            connection = smtplib.SMTP(host, port, name, timeout=self._timeout)
        try:
            if not self._server.implicit_tls and (host not in LOOPBACK or self._server.user):
                connection.starttls(context=self._tls)
            if self._server.user is not None:
                connection.login(self._server.user, self._server.password or "")
        except (smtplib.SMTPException, OSError):
            connection.close()
            raise
        return connection


class FileChannel:
    """Mails as `.eml` files in `folder`, each written once: for demonstrations, tests, and a first installation."""

    def __init__(self, builder: MessageBuilder, folder: Path) -> None:
        self._builder = builder
        self._folder = folder

    def deliver(self, envelope: Envelope) -> None:
        """Write `<id>.eml`, unless an earlier attempt did."""
        message: EmailMessage = self._builder.message(envelope)
        write_once(self._folder, f"{envelope.id}.eml", message.as_bytes())

    def close(self) -> None:
        """Nothing is held."""


def _refusal(error: Exception, code: int) -> Later | Never:
    reason = f"{type(error).__name__} {code}"
    return Never(reason) if code in PERMANENT else Later(reason)


def _reason(error: Exception) -> str:
    code = getattr(error, "smtp_code", None) or getattr(error, "errno", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__
