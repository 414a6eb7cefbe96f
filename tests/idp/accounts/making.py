"""What the tests of accounts build: an account in the database, a password service that hashes cheaply."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from idp.accounts import identifiers, user_numbers
from idp.accounts.models import Account, new_id
from idp.accounts.organisations import Organisation
from idp.accounts.passwords import PasswordService
from idp.delivery.mailings import Mailing
from tests.conftest import Clock, Recorded

Result = TypeVar("Result")
PEPPER = b"p" * 32
SIRET = "73282932000074"


class DirectPool:
    """Runs the work at once, and counts it."""

    def __init__(self) -> None:
        self.runs = 0

    def run(self, work: Callable[[], Result]) -> Result:
        self.runs += 1
        return work()


def password_service(
    session: Session, clock: Clock, recorded: Recorded, *, peppers: tuple[bytes, ...] = (PEPPER,), cost: int = 4
) -> PasswordService:
    return PasswordService(lambda: session, peppers, cost, DirectPool(), clock, recorded.record)


def make_organisation(session: Session, siret: str = SIRET, name: str = "SCI du Lac") -> Organisation:
    organisation = Organisation(siret=siret, name=name)
    session.add(organisation)
    session.flush()
    return organisation


def make_account(session: Session, **values: Any) -> Account:
    """A landlord of the Savoie whose credentials left by mail; `values` say otherwise."""
    account = Account(
        **{
            "id": new_id(),
            "reference": f"ref-{new_id()[:8]}",
            "user_number": user_numbers.mint(),
            "identifier": identifiers.mint(),
            "partner_type": "physique",
            "departement": "73",
            "origin": "mail",
            "family_name": "Lefèvre-Ravoux",
            "given_name": "Zoé",
            "imported_email": "zoe.ravoux@exemple.fr",
            "created_at": 1_800_000_000,
            "must_choose_password": True,
            **values,
        }
    )
    session.add(account)
    session.flush()
    return account


class Post:
    """An outbox that keeps what it is given, in order."""

    def __init__(self) -> None:
        self.queued: list[Mailing] = []
        self.cancelled: list[str] = []

    def queue(self, mailing: Mailing) -> str:
        self.queued.append(mailing)
        return str(len(self.queued))

    def cancel(self, account_id: str) -> int:
        self.cancelled.append(account_id)
        return 0
