"""Letters: print-ready PDF (A4, PDF/UA-1), one file each, the two halves of a pair in two folders.

Owns what goes where on the sheet and the files. The look is `letter.typ`. A file is for the printer only: 0600,
random name, nothing in it tells of the other half.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import typst

from idp.delivery.channel import Envelope, Never
from idp.delivery.mailings import IdentifierMailing, PasswordMailing
from idp.delivery.postal import address_block
from idp.delivery.spelling import spelled
from idp.delivery.wording import Labelled, Paragraph, Wordings
from idp.delivery.write_once import write_once
from idp.web.translations import date_longue

SHEET = Path(__file__).with_name("letter.typ")
BRAND = ("Mon Compte", "Partenaire")
FOLDERS = {IdentifierMailing: "identifiers", PasswordMailing: "passwords"}


class Typesetter:
    """Sets letters. Only the fonts inside the typst wheel are used, so that every machine makes the same sheet."""

    def __init__(self, wordings: Wordings, t: Callable[..., str]) -> None:
        self._wordings = wordings
        self._t = t
        self._source = SHEET.read_bytes()
        self._compiler = typst.Compiler(self._source, ignore_system_fonts=True)

    def pdf(self, mailing: IdentifierMailing | PasswordMailing, at: int) -> bytes:
        """The letter, dated `at` (epoch seconds). Raises `typst.TypstError` when a sign of the name has no glyph."""
        written = json.dumps(self._sheet(mailing, at), ensure_ascii=False)
        made = self._compiler.compile(
            self._source, format="pdf", sys_inputs={"letter": written}, pdf_standards=["ua-1"], timestamp=at
        )
        return cast(bytes, made)

    def _sheet(self, mailing: IdentifierMailing | PasswordMailing, at: int) -> dict[str, Any]:
        wording = self._wordings.of_letter(mailing)
        fields = [paragraph for paragraph in wording.body if isinstance(paragraph, Labelled)]
        first = wording.body.index(fields[0])
        return {
            "subject": wording.subject,
            "brand": BRAND,
            "service": self._t("courrier.service"),
            "address": address_block(mailing.recipient.name, mailing.recipient.address),
            "date": self._t("courrier.date", date=date_longue(at)),
            "before": _items(wording.body[:first]),
            "fields": [{"label": field.label, "value": field.value} for field in fields],
            "after": _items(wording.body[first + len(fields) :]),
            "signature": self._t("courrier.signature"),
            "aid": self._aid(mailing),
        }

    def _aid(self, mailing: IdentifierMailing | PasswordMailing) -> dict[str, Any] | None:
        if isinstance(mailing, IdentifierMailing):
            return None
        return {"label": self._t("courrier.mdp.aide"), "groups": spelled(mailing.provisional_password)}


class LetterChannel:
    """Letters as files below `folder`: `identifiers/` and `passwords/`, exactly one file for each envelope."""

    def __init__(self, typesetter: Typesetter, folder: Path) -> None:
        self._typesetter = typesetter
        self._folder = folder

    def deliver(self, envelope: Envelope) -> None:
        """Write `<id>.pdf`, unless an earlier attempt did."""
        mailing = envelope.mailing
        if not isinstance(mailing, IdentifierMailing | PasswordMailing):
            raise Never("NoLetterForThis")
        folder = self._folder / FOLDERS[type(mailing)]
        try:
            made = self._typesetter.pdf(mailing, envelope.at)
        except typst.TypstError as error:
            raise Never(type(error).__name__) from None  # its message quotes the letter
        write_once(folder, f"{envelope.id}.pdf", made)

    def close(self) -> None:
        """Nothing is held."""


def _items(body: tuple[Paragraph, ...]) -> list[dict[str, str]]:
    """Paragraphs as the sheet wants them: « 1. … » is a step of a list."""
    return [
        {"step": text.split(". ", 1)[1]} if text[:1].isdigit() and ". " in text[:4] else {"text": text}
        for text in body
        if isinstance(text, str)
    ]
