"""Password hashes: made, compared, replaced.

Two constructions. `bcrypt-hmac384-v1` for what people choose; `hmac384-v1` for the provisional ones, which are
random (79 bits) and need no slow hash. `verify` does the same work whoever is behind the identifier, nobody included.
Owns `account_passwords`. Does not count attempts, and opens no session.
"""

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol, TypeVar

import bcrypt
from sqlalchemy import bindparam, delete, exists, insert, select, update
from sqlalchemy.orm import Session

from idp.accounts import identifiers, password_rules, readable_codes
from idp.accounts.models import PERSONAL, PROVISIONAL, Account, Password
from idp.accounts.password_rules import Holder, Problem
from idp.accounts.stopping import account_stopped

BCRYPT_SCHEME = "bcrypt-hmac384-v1"
PROVISIONAL_SCHEME = "hmac384-v1"
MAIL_LIFETIME = 7 * 86_400
"""Life of a provisional password sent by mail, seconds."""
LETTER_LIFETIME = 30 * 86_400
LONGEST = password_rules.LONGEST
_NOBODY = "0" * 32
_SALT = 29
"""Length of `$2b$12$` and the 22 signs of salt, at the head of a bcrypt hash."""

Outcome = Literal["personal", "provisional", "provisional_expired", "wrong"]
Result = TypeVar("Result")


class HashPool(Protocol):
    """Where slow hashes run, few at once."""

    def run(self, work: Callable[[], Result]) -> Result:
        """The result of `work()`, or `TooBusy` when no slot came free in time."""


@dataclass(frozen=True, slots=True)
class StoredHash:
    """One row of `account_passwords`."""

    scheme: str
    pepper_id: str
    hash: str
    purpose: str | None = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an identifier leads to: ids and hashes. `account_id` is None when it leads nowhere."""

    account_id: str | None = None
    is_open: bool = False
    personal: StoredHash | None = None
    provisional: StoredHash | None = None


@dataclass(frozen=True, slots=True)
class HashedPassword:
    """A new hash, ready to store for this account and no other."""

    account_id: str
    scheme: str
    pepper_id: str
    hash: str


@dataclass(frozen=True, slots=True)
class Rehash:
    """The same password under the current construction; stored only where `old` still stands."""

    old: str
    new: HashedPassword


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a comparison.

    `stopped`: the password was right, but the account is locked, suspended or closed; the outcome is then `wrong`.
    `purpose` is that of the provisional password that matched.
    """

    outcome: Outcome
    account_id: str | None = None
    purpose: str | None = None
    stopped: bool = False
    rehash: Rehash | None = None


class PasswordService:
    """Every operation on passwords. Database work and slow work are never in the same method."""

    def __init__(
        self,
        session: Callable[[], Session],
        peppers: Sequence[bytes],
        cost: int,
        pool: HashPool,
        clock: Callable[[], int],
        record: Callable[..., None],
        t: Callable[..., str] = password_rules.french,
    ) -> None:
        """`peppers`: 32 random bytes each, the first is current. `cost`: of bcrypt. `t`: the catalogue."""
        if not peppers:
            raise ValueError("at least one pepper is needed")
        self._session = session
        self._peppers = {pepper_id(pepper): pepper for pepper in peppers}
        self._current = pepper_id(peppers[0])
        self._cost = cost
        self._pool = pool
        self._clock = clock
        self._record = record
        self._t = t
        self._dummy_salts = {each: bcrypt.gensalt(each) for each in range(4, cost + 1)}

    # Sign-in

    def credentials_of(self, identifier: str) -> Credentials:
        """What stands behind a typed identifier, in one SELECT; an empty `Credentials` when nothing does."""
        rows = self._session().execute(_CREDENTIALS, {"identifier": identifiers.canonical(identifier)}).all()
        if not rows:
            return Credentials()
        found = {
            row.kind: StoredHash(row.scheme, row.pepper_id, row.hash, row.purpose, row.expires_at)
            for row in rows
            if row.kind
        }
        first = rows[0]
        is_open = first.locked_at is None and first.suspended_at is None and first.closed_at is None
        return Credentials(first.id, is_open, found.get(PERSONAL), found.get(PROVISIONAL))

    def verify(self, credentials: Credentials, password: str) -> Verdict:
        """Compare, in the pool and without the database: one bcrypt of the current cost and one HMAC, always.

        A text that cannot be a password (over 1,024 bytes, control characters) is `wrong` at once: that depends on
        what was typed only. Raises the pool's `TooBusy`.
        """
        text = normalised(password)
        if text is None:
            return Verdict("wrong")
        return self._pool.run(partial(self._compare, credentials, text))

    def _compare(self, credentials: Credentials, text: str) -> Verdict:
        account_id = credentials.account_id or _NOBODY
        personal = self._matches_personal(account_id, credentials.personal, text)
        provisional = self._matches_provisional(account_id, credentials.provisional, text)
        if not (personal or provisional):
            return Verdict("wrong")
        if not credentials.is_open:
            return Verdict("wrong", credentials.account_id, stopped=True)
        if personal and credentials.personal:
            return Verdict("personal", account_id, rehash=self._renewed(account_id, credentials.personal, text))
        stored = credentials.provisional
        purpose = stored.purpose if stored else None
        if stored is None or stored.expires_at is None or stored.expires_at <= self._clock():
            return Verdict("provisional_expired", account_id, purpose)
        return Verdict("provisional", account_id, purpose)

    def _matches_personal(self, account_id: str, stored: StoredHash | None, text: str) -> bool:
        pepper = self._peppers.get(stored.pepper_id) if stored else None
        if stored is None or pepper is None or stored.scheme != BCRYPT_SCHEME or not _BCRYPT.match(stored.hash):
            bcrypt.hashpw(_prehash(self._peppers[self._current], account_id, text), self._dummy_salts[self._cost])
            return False
        salt = stored.hash[:_SALT].encode()
        computed = bcrypt.hashpw(_prehash(pepper, account_id, text), salt)
        self._make_up_for(stored.hash)
        return hmac.compare_digest(computed, stored.hash.encode())

    def _make_up_for(self, stored: str) -> None:
        """Add to a cheaper hash the work that it lacks (2^c + 2^c + 2^(c+1) + … = 2^cost): equal times (LG-03)."""
        for cost in range(_cost_of(stored), self._cost):
            bcrypt.hashpw(b"", self._dummy_salts[cost])

    def _matches_provisional(self, account_id: str, stored: StoredHash | None, text: str) -> bool:
        pepper = self._peppers.get(stored.pepper_id) if stored else None
        computed = _provisional_hash(pepper or self._peppers[self._current], account_id, text)
        expected = stored.hash if stored and pepper and stored.scheme == PROVISIONAL_SCHEME else ""
        return hmac.compare_digest(computed.encode(), expected.encode())

    def _renewed(self, account_id: str, stored: StoredHash, text: str) -> Rehash | None:
        """In the slot that the sign-in already holds: a second wait would double the queue."""
        if stored.pepper_id == self._current and _cost_of(stored.hash) == self._cost:
            return None
        return Rehash(stored.hash, self._hashed(account_id, text))

    def still_stands(self, credentials: Credentials, verdict: Verdict) -> bool:
        """Whether the hash that `verdict` found right is still the account's, and hold it until the commit.

        A password changed in the meantime opens nothing; one changed just after finds the sign-in and ends it.
        """
        kind, stored = PROVISIONAL, credentials.provisional
        if verdict.outcome == PERSONAL:
            kind, stored = PERSONAL, credentials.personal
        if stored is None:
            return False
        # Accounts before passwords, as everywhere: two that wait for one another would both fail.
        account = Account.id == credentials.account_id
        is_open = account & Account.locked_at.is_(None) & Account.suspended_at.is_(None) & Account.closed_at.is_(None)
        held = update(Account).where(is_open).values(id=credentials.account_id).returning(Account.id)
        if self._session().execute(held).first() is None:
            return False
        row = self._session().execute(
            update(Password)
            .where(Password.account_id == credentials.account_id, Password.kind == kind, Password.hash == stored.hash)
            .values(hash=stored.hash)
            .returning(Password.account_id)
        )
        return row.first() is not None

    def rehash(self, renewal: Rehash) -> bool:
        """Replace the old hash by the new one; False when it had been replaced by something else meanwhile."""
        new = renewal.new
        row = self._session().execute(
            update(Password)
            .where(
                Password.account_id == new.account_id,
                Password.kind == PERSONAL,
                Password.hash == renewal.old,
            )
            .values(scheme=new.scheme, pepper_id=new.pepper_id, hash=new.hash)
            .returning(Password.account_id)
        )
        return row.first() is not None

    # The person's own password

    def minimum(self, account: Holder) -> int:
        """The shortest password allowed to this account: 12 characters, 16 in an organisation."""
        return password_rules.minimum(account)

    def problems(self, account: Holder, password: str) -> list[Problem]:
        """Why this password is refused: catalogue keys and their values; empty when it is fine.

        One SELECT, for the provisional password, which must not be chosen again (GA-06).
        """
        found = password_rules.problems(account, password, self._t)
        text = normalised(password)
        if text is not None and self._is_the_provisional_one(account.id, text):
            return [("e2.erreur.identique", {})]
        return found

    def _is_the_provisional_one(self, account_id: str, text: str) -> bool:
        row = self._session().execute(_PROVISIONAL, {"account_id": account_id}).first()
        return row is not None and self._matches_provisional(account_id, StoredHash(*row), text)

    def hash_personal(self, account_id: str, password: str) -> HashedPassword:
        """The hash of a password without `problems`, made in the pool. No database, no transaction needed."""
        text = normalised(password)
        if text is None:
            raise ValueError("not a password: see problems()")
        return self._pool.run(partial(self._hashed, account_id, text))

    def _hashed(self, account_id: str, text: str) -> HashedPassword:
        pre = _prehash(self._peppers[self._current], account_id, text)
        made = bcrypt.hashpw(pre, bcrypt.gensalt(self._cost)).decode()
        return HashedPassword(account_id, BCRYPT_SCHEME, self._current, made)

    def store_personal(self, account_id: str, hashed: HashedPassword) -> bool:
        """Make this the account's password and delete the provisional one, in the current transaction.

        False, and nothing stored, when the account had no password to choose: another tab was faster (GA-07).
        Announces `account_stopped` (because="password"): what the former password opened ends.
        """
        if hashed.account_id != account_id:
            raise ValueError("this hash was made for another account")
        session, now = self._session(), self._clock()
        due = (
            update(Account)
            .where(
                Account.id == account_id,
                Account.must_choose_password.is_(True),
                Account.locked_at.is_(None),
                Account.suspended_at.is_(None),
                Account.closed_at.is_(None),
            )
            .values(must_choose_password=False, personal_password_at=now)
            .returning(Account.id)
        )
        if session.execute(due).first() is None:
            return False
        of_account = Password.account_id == account_id
        spent = session.execute(delete(Password).where(of_account).returning(Password.kind)).scalars().all()
        session.execute(
            insert(Password).values(
                account_id=account_id,
                kind=PERSONAL,
                scheme=hashed.scheme,
                pepper_id=hashed.pepper_id,
                hash=hashed.hash,
                created_at=now,
            )
        )
        self._record("password.chosen", account_id=account_id, replaced=PERSONAL in spent)
        account_stopped.send(self, account_id=account_id, because="password")
        return True

    # Provisional passwords

    def issue_provisional(self, account_id: str, purpose: str, channel: str, lifetime: int) -> str:
        """Mint a provisional password in place of the former one; the clear text, which is kept nowhere.

        `purpose`: `first-login` or `recovery`. `channel`: `mail` or `letter`. `lifetime` in seconds. The personal
        password, where there is one, goes on working (PW-03).
        """
        clear, row = self.new_provisional(account_id, purpose, channel, lifetime)
        former = delete(Password).where(Password.account_id == account_id, Password.kind == PROVISIONAL)
        # The account's row serialises two issues at once: the second replaces what the first wrote.
        self._session().execute(update(Account).where(Account.id == account_id).values(id=account_id))
        self._session().execute(former)
        self._session().execute(insert(Password).values(row))
        self._record(
            "password.provisional_issued",
            account_id=account_id,
            purpose=purpose,
            channel=channel,
            expires_at=row["expires_at"],
        )
        return clear

    def new_provisional(
        self, account_id: str, purpose: str, channel: str, lifetime: int
    ) -> tuple[str, dict[str, object]]:
        """A provisional password and its row of `account_passwords`, not stored: for whom inserts many at once."""
        clear = readable_codes.grouped(readable_codes.mint(16), 4, 4, 4, 4)
        now = self._clock()
        return clear, {
            "account_id": account_id,
            "kind": PROVISIONAL,
            "purpose": purpose,
            "channel": channel,
            "scheme": PROVISIONAL_SCHEME,
            "pepper_id": self._current,
            "hash": _provisional_hash(self._peppers[self._current], account_id, clear),
            "created_at": now,
            "expires_at": now + lifetime,
        }

    def require_choice(self, account_id: str) -> None:
        """A recovery's provisional password was used to sign in: the person must now choose a new password."""
        self._session().execute(update(Account).where(Account.id == account_id).values(must_choose_password=True))

    # Start

    def lost_pepper(self) -> bool:
        """Whether some stored hash was made with a pepper that this process does not have: refuse to start."""
        unknown = select(exists().where(Password.pepper_id.not_in(list(self._peppers))))
        return bool(self._session().scalar(unknown))


_CREDENTIALS = (
    select(
        Account.id,
        Account.locked_at,
        Account.suspended_at,
        Account.closed_at,
        Password.kind,
        Password.scheme,
        Password.pepper_id,
        Password.hash,
        Password.purpose,
        Password.expires_at,
    )
    .outerjoin(Password, Password.account_id == Account.id)
    .where(Account.identifier == bindparam("identifier"))
)
_PROVISIONAL = select(Password.scheme, Password.pepper_id, Password.hash).where(
    Password.account_id == bindparam("account_id"), Password.kind == PROVISIONAL
)
_BCRYPT = re.compile(r"\$2b\$(0[4-9]|1[0-7])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}\Z")
"""What bcrypt can have made; anything else would make it raise."""


def pepper_id(pepper: bytes) -> str:
    """A short name for a pepper, stored beside each hash; says nothing of the pepper itself."""
    return hashlib.sha256(b"pepper-id\0" + pepper).hexdigest()[:12]


def normalised(password: str) -> str | None:
    """The text that is hashed: NFC and nothing else. None when it is refused before any work."""
    if len(password) > LONGEST or password_rules.has_controls(password):
        return None
    text = unicodedata.normalize("NFC", password)
    return text if len(text.encode()) <= LONGEST else None


def _prehash(pepper: bytes, account_id: str, text: str) -> bytes:
    """64 ASCII bytes, whatever the text: bcrypt then neither truncates nor stops at a NUL (LG-11)."""
    return _mac(pepper, b"op-pw-v1\0", account_id, text)


def _provisional_hash(pepper: bytes, account_id: str, text: str) -> str:
    """Case, spaces and hyphens are forgiven: the password was read on paper, and each of its signs is random."""
    return _mac(pepper, b"op-pv-v1\0", account_id, readable_codes.canonical(text)).decode()


def _mac(pepper: bytes, purpose: bytes, account_id: str, text: str) -> bytes:
    message = purpose + bytes.fromhex(account_id) + text.encode()
    return base64.b64encode(hmac.digest(pepper, message, "sha384"))


def _cost_of(stored: str) -> int:
    return int(stored[4:6])
