"""Making an account, and sending its credentials: an identifier and a password, in two sends, never in one.

Owns what a new account consists of and how credentials are issued again. Everything happens in the caller's
transaction: the account, its hash and the two sends stand or fall together.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, fields

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import session as browser_session
from idp.accounts import identifiers, user_numbers
from idp.accounts.models import FIRST_LOGIN, LETTER, MAIL, MORAL, RECOVERY, Account, new_id
from idp.accounts.organisations import Organisation
from idp.accounts.passwords import LETTER_LIFETIME, MAIL_LIFETIME, PasswordService
from idp.accounts.sending import Outbox, channel_of, recipient_of
from idp.accounts.store import Closed
from idp.db import Model
from idp.delivery.mailings import IdentifierMailing, PasswordMailing, Recipient

RECOVERY_MAIL_LIFETIME = 86_400
"""A forgotten password's answer by mail: 24 hours (PW-04)."""

# Statements with parameters, on tables: they are compiled once, and an import runs them a million times.
_INSERT_ACCOUNT = insert(Model.metadata.tables["accounts"])
_INSERT_PASSWORD = insert(Model.metadata.tables["account_passwords"])


@dataclass(frozen=True, slots=True)
class NewAccount:
    """Who an account is for, checked: see `importing.rows`. Without `imported_email`, credentials go by post."""

    reference: str
    partner_type: str
    departement: str
    family_name: str | None = None
    given_name: str | None = None
    organisation_name: str | None = None
    siret: str | None = None
    imported_email: str | None = None
    address_1: str | None = None
    address_2: str | None = None
    address_3: str | None = None
    address_4: str | None = None
    postal_code: str | None = None
    city: str | None = None
    identifier: str | None = None
    """Canonical; None: minted."""
    user_number: str | None = None
    """Canonical; None: minted."""

    def digest(self) -> bytes:
        """SHA-256 of all this: tells the same row sent again from another one under the same reference."""
        # What is not said counts for nothing, so that a column added later changes no former digest.
        said = (f"{name}={value}" for name in _FIELDS if (value := getattr(self, name)) is not None)
        return hashlib.sha256("\0".join(said).encode()).digest()

    @property
    def in_first_login(self) -> bool:
        """Always: it was only just made."""
        return True

    @property
    def email(self) -> str | None:
        """A new account has proved no address (GA-10)."""
        return None

    @property
    def origin(self) -> str:
        """`mail` when an address is known, else `letter`."""
        return MAIL if self.imported_email else LETTER


_FIELDS = sorted(field.name for field in fields(NewAccount))


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The account that was made. Its password is already sealed in the outbox and known to nobody."""

    account_id: str
    user_number: str
    identifier: str
    channel: str


@dataclass(frozen=True, slots=True)
class Lives:
    """How long a provisional password works, in seconds."""

    mail: int = MAIL_LIFETIME
    letter: int = LETTER_LIFETIME
    recovery_mail: int = RECOVERY_MAIL_LIFETIME

    def of(self, purpose: str, channel: str) -> int:
        """The life of a password for this purpose, sent by this channel."""
        if channel == LETTER:
            return self.letter
        return self.mail if purpose == FIRST_LOGIN else min(self.recovery_mail, self.mail)


class Taken(Exception):
    """An account already has this reference, identifier or user number."""

    def __init__(self) -> None:
        super().__init__("la référence, l’identifiant ou le numéro utilisateur appartient déjà à un autre compte")


class Enrolment:
    """`enrol` makes accounts; `reissue` sends new credentials. Never commits."""

    def __init__(
        self,
        session: Callable[[], Session],
        passwords: PasswordService,
        outbox: Outbox,
        clock: Callable[[], int],
        record: Callable[..., None],
        lives: Lives | None = None,
        end_provisional: Callable[[str], None] = browser_session.end_provisional,
    ) -> None:
        """`end_provisional(account_id)` ends the sign-ins that a replaced provisional password opened."""
        self._session = session
        self._passwords = passwords
        self._outbox = outbox
        self._clock = clock
        self._record = record
        self._lives = lives or Lives()
        self._end_provisional = end_provisional

    def enrol(self, new: NewAccount) -> Enrolled:
        """Make an account and queue its two sends. Four INSERTs and the audit event, no SELECT for a natural person.

        Raises `Taken`, after which the caller rolls back, and `RecipientRefused` before anything is written.
        """
        recipient = recipient_of(new)
        account_id = new_id()
        number = new.user_number or user_numbers.mint()
        identifier = new.identifier or identifiers.mint()
        self._insert(new, account_id, number, identifier)
        lifetime = self._lives.of(FIRST_LOGIN, new.origin)
        clear, row = self._passwords.new_provisional(account_id, FIRST_LOGIN, new.origin, lifetime)
        self._session().execute(_INSERT_PASSWORD, row)
        self._record("account.created", account_id=account_id, channel=new.origin)
        self._send_identifier(new, account_id, number, identifier, recipient)
        self._send_password(account_id, number, clear, new.partner_type, recipient, FIRST_LOGIN, lifetime)
        return Enrolled(account_id, number, identifier, new.origin)

    def reissue(self, account: Account, *, password_only: bool = False) -> str:
        """Issue a new provisional password, cancel what still waits, and send both halves or the password alone.

        Gives the channel, `mail` or `letter`. A personal password goes on working. Raises `Closed`,
        `RecipientRefused`.
        """
        if account.closed_at is not None:
            raise Closed
        recipient, channel = recipient_of(account), channel_of(account)
        purpose = RECOVERY if account.has_personal_password else FIRST_LOGIN
        lifetime = self._lives.of(purpose, channel)
        self._outbox.cancel(account.id)
        self._end_provisional(account.id)
        if account.in_first_login:
            # Proved by whoever holds the credentials that are replaced now: to be proved again.
            account.email = account.email_key = account.email_verified_at = None
        clear = self._passwords.issue_provisional(account.id, purpose, channel, lifetime)
        if not password_only:
            self._send_identifier(account, account.id, account.user_number, account.identifier, recipient)
        self._send_password(account.id, account.user_number, clear, account.partner_type, recipient, purpose, lifetime)
        self._record("account.reissued", account_id=account.id, channel=channel, password_only=password_only)
        return channel

    def _insert(self, new: NewAccount, account_id: str, number: str, identifier: str) -> None:
        values = {
            "id": account_id,
            "reference": new.reference,
            "import_digest": new.digest(),
            "user_number": number,
            "identifier": identifier,
            "partner_type": new.partner_type,
            "departement": new.departement,
            "organisation_id": self._organisation(new) if new.partner_type == MORAL else None,
            "origin": new.origin,
            "family_name": new.family_name,
            "given_name": new.given_name,
            "imported_email": new.imported_email,
            "address_1": new.address_1,
            "address_2": new.address_2,
            "address_3": new.address_3,
            "address_4": new.address_4,
            "postal_code": new.postal_code,
            "city": new.city,
            "created_at": self._clock(),
            "must_choose_password": True,
        }
        try:
            self._session().execute(_INSERT_ACCOUNT, values)
        except IntegrityError:
            raise Taken from None

    def _organisation(self, new: NewAccount) -> str:
        """The id of the organisation with this SIRET, made if need be. Its first name stays."""
        session = self._session()
        known = select(Organisation.id).where(Organisation.siret == new.siret)
        found = session.scalar(known)
        if found:
            return found
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        values = {"id": new_id(), "siret": new.siret, "name": new.organisation_name}
        session.execute(dialect.insert(Organisation).on_conflict_do_nothing(), values)
        return session.scalars(known).one()

    def _send_identifier(
        self, account: NewAccount | Account, account_id: str, number: str, identifier: str, recipient: Recipient
    ) -> None:
        self._outbox.queue(
            IdentifierMailing(
                account_id=account_id,
                user_number=number,
                identifier=identifiers.display(identifier),
                departement=account.departement,
                organisation_name=account.organisation_name,
                partner_type=account.partner_type,
                recipient=recipient,
            )
        )

    def _send_password(
        self,
        account_id: str,
        number: str,
        clear: str,
        partner_type: str,
        recipient: Recipient,
        purpose: str,
        lifetime: int,
    ) -> None:
        self._outbox.queue(
            PasswordMailing(
                account_id=account_id,
                user_number=number,
                provisional_password=clear,
                expires_at=self._clock() + lifetime,
                partner_type=partner_type,
                recipient=recipient,
                recovery=purpose == RECOVERY,
            )
        )
