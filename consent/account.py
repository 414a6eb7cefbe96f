"""The ports: what this room asks of accounts, passwords, mail proofs and the house around it.

Each is a small Protocol or callable, implemented elsewhere and handed over in one `Ports`. Nothing here does anything.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Problem = tuple[str, Mapping[str, object]]
"""A catalogue key such as `e2.erreur.court`, and the values of its placeholders."""


class Account(Protocol):
    """An account as it is now. Read-only: a step asks the ports for a change, then reads a fresh one."""

    @property
    def id(self) -> str:
        """Opaque, 32 characters."""

    @property
    def user_number(self) -> str:
        """The 14 characters that tie the two mailings together."""

    @property
    def identifier(self) -> str:
        """What the person types to sign in."""

    @property
    def partner_type(self) -> Literal["physique", "moral"]:
        """A natural person, or an organisation."""

    @property
    def departement(self) -> str | None:
        """Text: `2A`, `01`."""

    @property
    def organisation_name(self) -> str | None:
        """For an organisation."""

    @property
    def siret(self) -> str | None:
        """For an organisation."""

    @property
    def given_name(self) -> str | None:
        """Empty until imported or given."""

    @property
    def family_name(self) -> str | None:
        """Empty until imported or given."""

    @property
    def email(self) -> str | None:
        """The verified address, or None."""

    @property
    def suggested_email(self) -> str | None:
        """The imported address, unproved: it only fills the field in advance."""

    @property
    def email_verified(self) -> bool:
        """Whether `email` was proved by a typed code."""

    @property
    def telephone(self) -> str | None:
        """E.164."""

    @property
    def has_personal_password(self) -> bool:
        """Whether the person once chose a password."""

    @property
    def must_choose_password(self) -> bool:
        """At the first login, and after a recovery until a new password is chosen."""

    @property
    def is_open(self) -> bool:
        """Neither locked, suspended nor closed."""

    @property
    def in_first_login(self) -> bool:
        """True until `Ports.completed` was called for this account."""


class Accounts(Protocol):
    """Who is here, and what they tell of themselves."""

    def current(self) -> Account | None:
        """The account signed in for this request, half-gated ones included; read afresh at each call."""

    def give_information(self, account: Account, given_name: str, family_name: str, telephone: str | None) -> None:
        """Keep the names (NFC, 1 to 100 characters) and the telephone (E.164 or None)."""


class TooBusy(Exception):
    """No slot to hash a password in time. `retry_after` in seconds. Nothing was changed."""

    def __init__(self, retry_after: int = 5) -> None:
        self.retry_after = retry_after
        super().__init__("Le service est très sollicité : réessayez dans quelques secondes.")


class Passwords(Protocol):
    """The password service."""

    def minimum(self, account: Account) -> int:
        """The shortest password allowed: 12, or 16 for an organisation."""

    def problems(self, account: Account, password: str) -> Sequence[Problem]:
        """Why this password is refused; empty when it is fine. Bounded work whatever the text holds.

        Refuses the provisional password too (`e2.erreur.identique`). `password` may hold any character, NUL included.
        """

    def change(self, account: Account, password: str) -> bool:
        """Hash outside any transaction, then store, delete the provisional one, end the other sessions.

        False when the account no longer had a password to choose: another tab was faster, nothing is stored.
        Raises `TooBusy`.
        """


@dataclass(frozen=True)
class PendingProof:
    """A code was sent to `email`; it works until `expires_at` (seconds since the epoch)."""

    email: str
    expires_at: int


Verdict = Literal["right", "wrong", "expired", "too_many"]


class EmailProofs(Protocol):
    """The proof, by a typed 6-digit code, that an address is the person's own."""

    def start(self, account: Account, email: str) -> None:
        """Send a code to `email` and forget the former one.

        When the address belongs to another account a different mail leaves; what this room sees is the same.
        """

    def pending(self, account: Account) -> PendingProof | None:
        """The latest code sent and not yet used, even when it expired."""

    def check(self, account: Account, code: str) -> Verdict:
        """Try 6 digits. `right` consumes the code and makes the address the account's verified one."""

    def resend(self, account: Account) -> bool:
        """Send another code to the pending address; False beyond the limit."""


def _nothing() -> None:
    return None


def _not_an_administrator(_account: Account) -> None:
    return None


def _by_nobody(_account: Account) -> bool:
    return False


@dataclass(frozen=True)
class Ports:
    """All that this room is given."""

    accounts: Accounts
    passwords: Passwords
    email_proofs: EmailProofs
    clock: Callable[[], int]
    t: Callable[..., str]
    """`t(key, name=value)`: a text of the catalogue, in the language of this request."""
    record: Callable[..., None]
    """`record(event, **details)`: a security event, in the current transaction."""
    desk_url: Callable[[], str]
    """Where to go when nothing is due any more."""
    completed: Callable[[Account], None]
    """Called in the transaction of the last step that was due, at each passage: must be idempotent."""
    refused: Callable[[str], str]
    """Given a document name, ends the waiting request with `access_denied`; gives the URL to go to."""
    sign_out_url: Callable[[], str]
    service_name: Callable[[], str | None] = _nothing
    """The service that waits, None when the person came by themselves."""
    administered: Callable[[Account], str | None] = _not_an_administrator
    """The name of the organisation whose administrator this person is."""
    led_by_another: Callable[[Account], bool] = _by_nobody
    """Whether another person of the organisation came first and administers it."""
    administrator_help_url: Callable[[], str | None] = _nothing
    """Where to report that this role is not theirs."""
