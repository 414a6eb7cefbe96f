"""What this room asks of the outbox, and to whom an account's mails and letters go."""

from typing import Protocol

from idp.accounts.models import MAIL
from idp.delivery.mailings import Mailing, Recipient


class Outbox(Protocol):
    """Takes what must be sent, in the caller's transaction; sends it later, each in an envelope of its own."""

    def queue(self, mailing: Mailing) -> str:
        """Keep `mailing` until it is sent; its id."""

    def cancel(self, account_id: str) -> int:
        """Forget what still waits for this account; how many there were."""


class Addressee(Protocol):
    """What an envelope needs to know of an account."""

    @property
    def origin(self) -> str: ...
    @property
    def email(self) -> str | None: ...
    @property
    def imported_email(self) -> str | None: ...
    @property
    def organisation_name(self) -> str | None: ...
    @property
    def given_name(self) -> str | None: ...
    @property
    def family_name(self) -> str | None: ...
    @property
    def address_1(self) -> str | None: ...
    @property
    def address_2(self) -> str | None: ...
    @property
    def address_3(self) -> str | None: ...
    @property
    def address_4(self) -> str | None: ...
    @property
    def postal_code(self) -> str | None: ...
    @property
    def city(self) -> str | None: ...
    @property
    def in_first_login(self) -> bool: ...


def _proved(account: Addressee) -> str | None:
    """The proved address, once the first login is behind it: before, whoever holds the first credentials proves it."""
    return None if account.in_first_login else account.email


def channel_of(account: Addressee) -> str:
    """`mail` or `letter`, by what is stored only: a proved address, else the way the first credentials took."""
    return MAIL if _proved(account) else account.origin


def recipient_of(account: Addressee) -> Recipient:
    """Whom to write to, and where. Raises `RecipientRefused` when nothing can reach them."""
    person = f"{account.given_name or ''} {account.family_name or ''}".strip()
    name = account.organisation_name or person
    if channel_of(account) == MAIL:
        return Recipient(name=name, email=_proved(account) or account.imported_email)
    return Recipient(name=name, address=_lines(account, person if account.organisation_name else ""))


def _lines(account: Addressee, person: str) -> tuple[str, ...]:
    """The lines below the name: who opens the letter in an organisation, the street, the town."""
    street = (account.address_1, account.address_2, account.address_3, account.address_4)
    town = f"{account.postal_code or ''} {account.city or ''}".strip()
    return tuple(line for line in (person, *street, town) if line)
