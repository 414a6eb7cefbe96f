"""A mailing as a mail: text and HTML, one recipient, nothing that follows the reader.

Owns the headers and the look of mails. Sends nothing: `email.py` does.
"""

import textwrap
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape

from idp.delivery.channel import Envelope
from idp.delivery.wording import Labelled, Paragraph, Wordings

COLUMNS = 78

_PAGE = """\
<!DOCTYPE html>
<html lang="fr">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title></head>
<body style="margin:0;padding:24px 16px;background:#f7f2e8;color:#20302f;\
font:17px/1.55 Charter,Cambria,Georgia,serif">
<div style="max-width:36em;margin:0 auto;padding:28px 32px;background:#fff;border-top:6px solid #17403d">
<p style="margin:0 0 24px;font-size:19px;color:#17403d">Mon Compte <strong>Partenaire</strong></p>
{body}
<p style="margin:28px 0 0;padding-top:14px;border-top:1px solid #ded4c1;font-size:14px;color:#4b5a58">{footer}</p>
</div>
</body>
</html>
"""
_PARAGRAPH = '<p style="margin:0 0 14px">{text}</p>'
_LABELLED = """\
<div style="margin:0 0 14px;padding:12px 16px;background:#e9f1ee;border-left:4px solid #24615b">
<div style="font-size:15px;color:#20302f">{label}</div>
<div style="font:bold 22px/1.4 Consolas,Menlo,'DejaVu Sans Mono',monospace;color:#17403d">{value}</div>
</div>"""


class MessageBuilder:
    """Makes the mail of an envelope. `sender`: « Name <address> », in ASCII. Raises `ValueError` for a wrong one."""

    def __init__(self, wordings: Wordings, sender: str) -> None:
        name, address = parseaddr(sender)
        if "@" not in address:
            raise ValueError("IDP_MAIL_FROM doit être une adresse mail, avec ou sans nom devant.")
        self.sender = Address(name, addr_spec=address)
        self._wordings = wordings

    def message(self, envelope: Envelope) -> EmailMessage:
        """The mail, complete. Same envelope, same contents and same Message-ID; the Date is the envelope's `at`."""
        wording = self._wordings.of_mail(envelope.mailing)
        footer = self._wordings.footer()
        message = EmailMessage(policy=SMTP)
        message["From"] = self.sender
        # The bare address: a name beside it could be taken for a second recipient (ML-01, ML-02).
        message["To"] = Address(addr_spec=recipient_of(envelope))
        message["Subject"] = wording.subject
        message["Date"] = format_datetime(datetime.fromtimestamp(envelope.at, UTC))
        message["Message-ID"] = envelope.message_id
        message["Auto-Submitted"] = "auto-generated"
        message["Content-Language"] = "fr"
        message["X-MCP-Envoi"] = envelope.mailing.envoi
        message.set_content(_text((*wording.body, footer)), cte="quoted-printable")
        html = _PAGE.format(
            title=escape(wording.subject), body="\n".join(map(_html, wording.body)), footer=escape(footer)
        )
        message.add_alternative(html, subtype="html", cte="quoted-printable")
        return message


def recipient_of(envelope: Envelope) -> str:
    """The one address; what has none never comes this way."""
    email = envelope.mailing.recipient.email
    if email is None:
        raise ValueError("a mail without an address")
    return email


def _text(body: tuple[Paragraph, ...]) -> str:
    return "\n\n".join(_lines(paragraph) for paragraph in body) + "\n"


def _lines(paragraph: Paragraph) -> str:
    if isinstance(paragraph, Labelled):
        return f"{paragraph.label}\n{paragraph.value}"
    return textwrap.fill(paragraph, COLUMNS, break_long_words=False, break_on_hyphens=False)


def _html(paragraph: Paragraph) -> str:
    if isinstance(paragraph, Labelled):
        return _LABELLED.format(label=escape(paragraph.label), value=escape(paragraph.value))
    return _PARAGRAPH.format(text=escape(paragraph))
