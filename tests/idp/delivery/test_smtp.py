"""Mails over a real SMTP server, in all its moods."""

import socket
import ssl
from collections.abc import Callable
from time import monotonic

import pytest
from sqlalchemy.orm import Session

from idp.delivery.channel import Envelope, Later, Never, NotDelivered, Unreachable
from idp.delivery.email import SmtpChannel, SmtpServer
from idp.delivery.outbox import Outbox
from idp.delivery.worker import Counts, OutboxWorker
from tests.conftest import Clock
from tests.idp.delivery.conftest import IDENTIFIER, identifier_mailing, message_builder, smtp_channel
from tests.idp.delivery.smtp_server import Behaviour, SmtpServerForTests

MakeWorker = Callable[..., OutboxWorker]
ENVELOPE = Envelope("e" * 32, "<e@idp.example>", identifier_mailing(), 1_795_532_400)


def refusal_of(channel: SmtpChannel) -> NotDelivered:
    with pytest.raises(NotDelivered) as refused:
        channel.deliver(ENVELOPE)
    channel.close()
    return refused.value


def test_a_mail_arrives_whole_for_one_recipient(smtp: SmtpServerForTests) -> None:
    channel = smtp_channel(smtp.url)
    channel.deliver(ENVELOPE)
    channel.close()
    [mail] = smtp.mails
    assert mail["Message-ID"] == "<e@idp.example>"
    body = mail.get_body(("plain",))
    assert body is not None
    assert IDENTIFIER in body.get_content()
    assert [line.split(" ")[1] for line in smtp.recipients] == ["TO:<odile.lefevre@bailleur.example>"]


def test_a_batch_uses_one_connection_and_notices_when_it_died(smtp: SmtpServerForTests) -> None:
    channel = smtp_channel(smtp.url)
    channel.deliver(ENVELOPE)
    channel.deliver(ENVELOPE)
    assert smtp.connections == 1
    assert channel._connection is not None
    assert channel._connection.sock is not None
    channel._connection.sock.shutdown(socket.SHUT_RDWR)
    channel.deliver(ENVELOPE)
    channel.close()
    assert (smtp.connections, len(smtp.raw)) == (2, 3)


@pytest.mark.security("F-15")
@pytest.mark.parametrize(
    ("behaviour", "kind", "reason"),
    [
        (Behaviour(rcpt=["550 no such user"]), Never, "SMTPRecipientsRefused 550"),
        (Behaviour(rcpt=["451 greylisted"]), Later, "SMTPRecipientsRefused 451"),
        (Behaviour(data=["554 no"]), Never, "SMTPDataError 554"),
        (Behaviour(data=["451 later"]), Later, "SMTPDataError 451"),
        (Behaviour(banner="554 closed"), Unreachable, "SMTPConnectError 554"),
        (Behaviour(hang_at="EHLO"), Unreachable, "SMTPServerDisconnected"),
        (Behaviour(hang_at="MAIL"), Unreachable, "SMTPServerDisconnected"),
        (Behaviour(hang_at="RCPT"), Unreachable, "SMTPServerDisconnected"),
        (Behaviour(hang_at="DATA"), Unreachable, "SMTPServerDisconnected"),
        (Behaviour(drop_after_data=True), Unreachable, "SMTPServerDisconnected"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_mood_of_the_server_has_its_meaning(
    smtp: SmtpServerForTests, behaviour: Behaviour, kind: type[NotDelivered], reason: str
) -> None:
    smtp.behaviour = behaviour
    started = monotonic()
    refused = refusal_of(smtp_channel(smtp.url, timeout=0.3))
    assert type(refused) is kind
    assert refused.reason.split(" ")[0] in (reason.split(" ")[0], "TimeoutError")
    assert refused.reason == reason or "hang" in repr(behaviour)
    assert monotonic() - started < 5


@pytest.mark.security("F-15")
def test_a_server_that_is_down_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    refused = refusal_of(smtp_channel(f"smtp://127.0.0.1:{port}"))
    assert isinstance(refused, Unreachable)
    assert refused.reason.startswith("ConnectionRefusedError")


@pytest.mark.security("F-15")
def test_a_greylisted_mail_leaves_once_a_minute_later(
    smtp: SmtpServerForTests, make_worker: MakeWorker, outbox: Outbox, session: Session, clock: Clock
) -> None:
    smtp.behaviour.rcpt = ["451 come back"]
    worker = make_worker(smtp_channel(smtp.url))
    outbox.queue(identifier_mailing())
    session.commit()
    assert worker.send_due() == Counts(postponed=1)
    clock.advance(60)
    assert worker.send_due() == Counts(sent=1)
    assert len(smtp.raw) == 1


@pytest.mark.security("F-15", "F-16")
def test_a_line_cut_after_the_message_gives_the_same_mail_again(
    smtp: SmtpServerForTests, make_worker: MakeWorker, outbox: Outbox, session: Session, clock: Clock
) -> None:
    smtp.behaviour.drop_after_data = True
    worker = make_worker(smtp_channel(smtp.url))
    outbox.queue(identifier_mailing())
    session.commit()
    assert worker.send_due() == Counts(postponed=1)
    smtp.behaviour.drop_after_data = False
    clock.advance(60)
    assert worker.send_due() == Counts(sent=1)
    first, second = smtp.mails
    assert first["Message-ID"] == second["Message-ID"]


def test_another_machine_must_speak_tls_before_anything_is_said(smtp: SmtpServerForTests) -> None:
    server = SmtpServer("127.0.0.1", smtp.port, implicit_tls=False, user="idp", password="pass-phrase")
    refused = refusal_of(SmtpChannel(message_builder(), server, timeout=1))
    assert isinstance(refused, Unreachable)
    assert refused.reason == "SMTPNotSupportedError"
    assert smtp.raw == []


def test_implicit_tls_never_falls_back_to_clear_text(smtp: SmtpServerForTests) -> None:
    refused = refusal_of(smtp_channel(f"smtps://127.0.0.1:{smtp.port}", timeout=1))
    assert isinstance(refused, Unreachable)
    assert issubclass(getattr(ssl, refused.reason.split(" ")[0], ssl.SSLError), ssl.SSLError)


def test_the_url_is_read_and_never_repeated() -> None:
    server = SmtpServer.from_url("smtps://idp:p%40ss@mail.example")
    assert server == SmtpServer("mail.example", 465, True, "idp", "p@ss")
    assert "p@ss" not in repr(server)
    assert SmtpServer.from_url("smtp://mail.example").port == 587
    for wrong in ("http://idp:p%40ss@mail.example", "mail.example:25", "smtp://"):
        with pytest.raises(ValueError, match="IDP_SMTP_URL") as refused:
            SmtpServer.from_url(wrong)
        assert "p%40ss" not in str(refused.value)
