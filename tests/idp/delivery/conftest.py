"""An outbox on a real database, the texts, and sample mailings."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from sqlalchemy import select
from sqlalchemy.orm import Session

import idp
from idp.delivery.email import FileChannel, SmtpChannel, SmtpServer
from idp.delivery.letter import LetterChannel, Typesetter
from idp.delivery.mailings import IdentifierMailing, PasswordMailing, Recipient
from idp.delivery.message import MessageBuilder
from idp.delivery.models import OutboxRow
from idp.delivery.outbox import Gaps, Outbox
from idp.delivery.wording import Wordings
from idp.delivery.worker import OutboxWorker
from keys.sealing import Sealer
from tests.conftest import Clock, Recorded
from tests.idp.delivery.smtp_server import SmtpServerForTests

IDENTIFIER = "K7MP4XWD"
PASSWORD = "4XWD-9HTR-2QFA-KM7P"
NUMBER = "U7H3KQ9XM2RTPA"
BY_MAIL = Recipient("Odile Lefèvre", "odile.lefevre@bailleur.example")
BY_POST = Recipient("Odile Lefèvre", None, ("12 rue de l’Église", "63000 Clermont-Ferrand"))

GAPS = Gaps(600, 2)
SENDER = "Mon Compte Partenaire <ne-pas-repondre@idp.example>"
CONTACT = "www.caf.fr, rubrique « Contacter ma Caf »"
_CATALOGUE = Path(idp.__file__).with_name("translations") / "fr" / "LC_MESSAGES" / "messages.po"
with _CATALOGUE.open("rb") as file:
    TEXTS = {str(message.id): str(message.string) for message in read_po(file)}
"""The French texts as they are shipped."""


def t(key: str, **values: str) -> str:
    """The catalogue."""
    return str(TEXTS[key]).format(**values)


def message_builder() -> MessageBuilder:
    return MessageBuilder(Wordings(t, CONTACT), SENDER)


def smtp_channel(url: str, timeout: float = 5.0) -> SmtpChannel:
    return SmtpChannel(message_builder(), SmtpServer.from_url(url), timeout=timeout)


def identifier_mailing(recipient: Recipient = BY_MAIL, **given: Any) -> IdentifierMailing:
    """One half."""
    fields = {
        "account_id": "a" * 32,
        "user_number": NUMBER,
        "identifier": IDENTIFIER,
        "departement": "2A",
        "organisation_name": None,
        "partner_type": "physique",
        "recipient": recipient,
    }
    return IdentifierMailing(**{**fields, **given})


def password_mailing(recipient: Recipient = BY_MAIL, **given: Any) -> PasswordMailing:
    """The other half."""
    fields = {
        "account_id": "a" * 32,
        "user_number": NUMBER,
        "provisional_password": PASSWORD,
        "expires_at": 1_800_000_000 + 30 * 86400,
        "partner_type": "physique",
        "recipient": recipient,
    }
    return PasswordMailing(**{**fields, **given})


@pytest.fixture
def sealer() -> Sealer:
    return Sealer([b"k" * 32])


@pytest.fixture
def make_outbox(session: Session, sealer: Sealer, clock: Clock, recorded: Recorded) -> Callable[[int, int], Outbox]:
    """An outbox with these gaps: seconds for mails, working days for letters."""

    def build(mail: int = 600, letter: int = 2) -> Outbox:
        return Outbox(lambda: session, sealer, clock, recorded.record, Gaps(mail, letter), "idp.example")

    return build


@pytest.fixture
def outbox(make_outbox: Callable[..., Outbox]) -> Outbox:
    return make_outbox()


@pytest.fixture(scope="session")
def typesetter() -> Typesetter:
    return Typesetter(Wordings(t, CONTACT), t)


@pytest.fixture
def smtp() -> Iterator[SmtpServerForTests]:
    with SmtpServerForTests() as server:
        yield server


@pytest.fixture
def file_channel(tmp_path: Path) -> FileChannel:
    return FileChannel(message_builder(), tmp_path / "mails")


@pytest.fixture
def letter_channel(tmp_path: Path, typesetter: Typesetter) -> LetterChannel:
    return LetterChannel(typesetter, tmp_path / "letters")


@pytest.fixture
def make_worker(
    session: Session, sealer: Sealer, clock: Clock, recorded: Recorded, letter_channel: LetterChannel
) -> Callable[..., OutboxWorker]:
    """A worker with this way to send mails, and these gaps."""

    def build(mail: Any, gaps: Gaps = GAPS) -> OutboxWorker:
        channels = {"mail": mail, "letter": letter_channel}
        return OutboxWorker(lambda: session, sealer, clock, channels, recorded.record, gaps)

    return build


@pytest.fixture
def row(session: Session) -> Callable[[str], OutboxRow]:
    """Reads a row again."""

    def read(row_id: str) -> OutboxRow:
        session.expire_all()
        return session.scalars(select(OutboxRow).where(OutboxRow.id == row_id)).one()

    return read
