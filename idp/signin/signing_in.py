"""One try at a password: two short transactions, and the hash between them in the bounded pool.

The first counts the attempt before anything is looked at; the second records how it went. No transaction is open while
a password is hashed. An unknown identifier, a wrong password and a closed account cost the same and look the same.
"""

import time
from dataclasses import dataclass
from enum import Enum

from idp import session as browser_session
from idp.accounts import identifiers
from idp.accounts.passwords import Credentials, PasswordService, Verdict
from idp.accounts.standing import standing
from idp.audit import record
from idp.db import current_session
from idp.signin.who import forget
from idp.web.hash_pool import TooBusy
from idp.web.throttle import Throttle

AMR = "pwd"


class Outcome(Enum):
    """How a try ended."""

    SIGNED_IN = "signed in"
    REFUSED = "refused"
    EXPIRED = "expired"
    """The right provisional password, too late: told only to somebody who holds it."""


@dataclass(frozen=True)
class SigningIn:
    """`attempt(identifier, password, device)`; `floor`: the shortest time of a look at a password, seconds."""

    passwords: PasswordService
    throttle: Throttle
    floor: float

    def attempt(self, typed: str, password: str, device: str) -> Outcome:
        """Try once. `device` is the known-device cookie's value. Raises `Blocked` and `TooBusy`."""
        identifier = identifiers.canonical(typed)
        key = self._key(identifier, device)
        credentials = self._reserve(identifier, key)
        try:
            verdict = self._verify(credentials, password)
        except TooBusy:
            self.throttle.give_back(current_session(), key)
            current_session().commit()  # a 503 keeps nothing else, and counts as no attempt
            raise
        return self._settle(credentials, verdict, identifier, device, key)

    def _key(self, identifier: str, device: str) -> bytes:
        """The counter of this device, if it signed in with this identifier before; else everybody's."""
        own = self.throttle.key(identifier, device)
        return own if self.throttle.known(current_session(), own) else self.throttle.key(identifier)

    def _reserve(self, identifier: str, key: bytes) -> Credentials:
        session = current_session()
        self.throttle.reserve(session, key)
        credentials = self.passwords.credentials_of(identifier)
        session.commit()
        return credentials

    def _verify(self, credentials: Credentials, password: str) -> Verdict:
        started = time.monotonic()
        verdict = self.passwords.verify(credentials, password)
        # A hash of a lower, older cost must not answer faster than the dummy (LG-03).
        time.sleep(max(0.0, self.floor - (time.monotonic() - started)))
        return verdict

    def _settle(self, credentials: Credentials, verdict: Verdict, identifier: str, device: str, key: bytes) -> Outcome:
        session = current_session()
        # A refusal reads nothing more, whether the password was right or not: equal work, equal times (LG-02).
        here = verdict.account_id if verdict.outcome != "wrong" else None
        account = standing(session, here) if here else None
        # Read again: the account may have been locked, or its password changed, while the typed one was hashed.
        stands = account is not None and account.is_open and self.passwords.still_stands(credentials, verdict)
        if account is None or not stands:
            reason = "account-stopped" if verdict.account_id else "wrong-password"
            reason = reason if credentials.account_id else "unknown-identifier"
            record("signin.refused", account_id=credentials.account_id, reason=reason)
            return Outcome.REFUSED
        if verdict.outcome == "provisional_expired":
            record("signin.refused", account_id=account.id, reason="provisional-expired")
            return Outcome.EXPIRED
        self.throttle.succeeded(session, key)
        self.throttle.remember(session, self.throttle.key(identifier, device), self.throttle.key(identifier))
        if verdict.rehash:
            self.passwords.rehash(verdict.rehash)
        kind = browser_session.PERSONAL if verdict.outcome == "personal" else str(verdict.purpose)
        if kind == browser_session.RECOVERY:
            self.passwords.require_choice(account.id)
        sid = browser_session.open_for(account.id, kind=kind, amr=AMR)
        if kind == browser_session.RECOVERY:
            browser_session.end_others(account.id)  # the password is chosen by whom the mail or the letter reached
        forget()
        record("signin.succeeded", account_id=account.id, session_id=sid, kind=kind)
        return Outcome.SIGNED_IN
