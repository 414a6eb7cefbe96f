"""An outbox on a real database, the texts, and sample mailings."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.delivery.mailings import IdentifierMailing, PasswordMailing, Recipient
from idp.delivery.models import OutboxRow
from idp.delivery.outbox import Gaps, Outbox
from keys.sealing import Sealer
from tests.conftest import Clock, Recorded

IDENTIFIER = "K7MP4XWD"
PASSWORD = "4XWD-9HTR-2QFA-KM7P"
NUMBER = "U7H3KQ9XM2RTPA"
BY_MAIL = Recipient("Odile Lefèvre", "odile.lefevre@bailleur.example")
BY_POST = Recipient("Odile Lefèvre", None, ("12 rue de l’Église", "63000 Clermont-Ferrand"))


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


@pytest.fixture
def row(session: Session) -> Callable[[str], OutboxRow]:
    """Reads a row again."""

    def read(row_id: str) -> OutboxRow:
        session.expire_all()
        return session.scalars(select(OutboxRow).where(OutboxRow.id == row_id)).one()

    return read
