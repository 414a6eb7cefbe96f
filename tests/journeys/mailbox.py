"""What a landlord holds: mails and letters, read as a person reads them, the value on the line after its label."""

import re
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from functools import cache
from itertools import pairwise
from pathlib import Path

import pdfplumber

from tests.journeys.processes import wait_until

IDENTIFIANT, MOT_DE_PASSE, NUMERO, CODE = (
    "Identifiant",
    "Mot de passe provisoire",
    "Numéro utilisateur",
    "Code",
)


def values(text: str) -> dict[str, str]:
    """Label -> the line that follows it, for each label of the contract found alone on a line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found: dict[str, str] = {}
    for label, value in pairwise(lines):
        name = label.rstrip(": \u00a0\u202f")
        if name in (IDENTIFIANT, MOT_DE_PASSE, NUMERO, CODE):
            found.setdefault(name, value)
    return found


def text_part(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    body = mail.get_body(("plain",))
    assert body is not None, f"the mail « {mail['Subject']} » has no text part"
    return str(body.get_content())


@cache
def _parsed(file: Path) -> EmailMessage:
    mail = BytesParser(policy=policy.default).parsebytes(file.read_bytes())
    assert isinstance(mail, EmailMessage)
    return mail


class Mailbox:
    """The mails of one address, in the folder of `.eml` files, oldest first."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address
        self.read: set[Path] = set()

    def all(self, kind: str | None = None) -> list[EmailMessage]:
        """Every mail received, of one `X-MCP-Envoi` kind if told."""
        return [mail for _file, mail in self._files(kind)]

    def wait_for(self, kind: str) -> EmailMessage:
        """The first mail of this kind that was not taken yet; waits for the server to send it."""
        taken = wait_until(lambda: self._first_unread(kind), f"a mail « {kind} » to {self.address}")
        assert taken is not None
        file, mail = taken
        self.read.add(file)
        return mail

    def code(self) -> str:
        """The digits of the next e-mail code."""
        return values(text_part(self.wait_for("code")))[CODE]

    def _first_unread(self, kind: str) -> tuple[Path, EmailMessage] | None:
        return next((found for found in self._files(kind) if found[0] not in self.read), None)

    def _files(self, kind: str | None) -> Iterator[tuple[Path, EmailMessage]]:
        files = sorted(self.folder.rglob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        for file in files:
            mail = _parsed(file)
            if self.address in str(mail["To"]) and kind in (None, mail["X-MCP-Envoi"]):
                yield file, mail


@cache
def letter_text(file: Path) -> str:
    """The text of a letter, as a reader copies it out."""
    with pdfplumber.open(file) as pdf:
        return "\n".join(page.extract_text() or "" for page in pdf.pages)


def letter_for(folder: Path, name: str) -> str:
    """The text of the letter in `folder` that bears `name` (case and accents of postal addresses aside)."""

    def found() -> str:
        texts = (letter_text(file) for file in sorted(folder.glob("*.pdf")))
        return next((text for text in texts if _plain(name) in _plain(text)), "")

    return wait_until(found, f"a letter to {name} in {folder}")


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text).casefold()
