"""The proof, by a 6-digit code typed back, that a mail address is the person's own.

Owns `email_proofs` and the verified address of an account. A code works 30 minutes, takes 5 tries, and only the
latest works. Whether the address belongs to another account is told by mail only, never by what this room answers.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Any, Literal

from sqlalchemy import ColumnElement, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.accounts import mail_addresses
from idp.accounts.mail_addresses import MailAddress
from idp.accounts.models import Account, EmailProof
from idp.accounts.sending import Outbox
from idp.delivery.mailings import CodeMailing, NoticeMailing

LIFETIME = 1_800
"""Life of a code, seconds."""
MOST_TRIES = 5
WINDOW, MOST_SENT = 900, 5
"""At most so many mails in so many seconds, for one account and for one address."""

Verdict = Literal["right", "wrong", "expired", "too_many"]


class EmailProofs:
    """Codes by mail. Never commits."""

    def __init__(
        self,
        session: Callable[[], Session],
        key: bytes,
        clock: Callable[[], int],
        record: Callable[..., None],
        outbox: Outbox,
        lifetime: int = LIFETIME,
    ) -> None:
        """`key`: 32 random bytes kept outside the database, without which a code cannot be found from its row."""
        self._session = session
        self._key = hmac.digest(key, b"mcp-email-code-v1", "sha256")
        self._clock = clock
        self._record = record
        self._outbox = outbox
        self._lifetime = lifetime

    def start(self, account: Account, email: str) -> None:
        """Send a code to `email` in place of the former one. Raises `NotAnAddress`.

        To an address of another account goes a notice without code, and beyond the limit nothing: in both cases a
        proof is stored that no code satisfies, so that the page is the same.
        """
        address = mail_addresses.read(email)
        self._serialise(account.id)
        if self._send(account, address):
            return
        latest = self._latest(account.id)
        if latest is None or latest.email_key != address.key:
            self._store(account.id, address, secrets.token_bytes(32), sent=False)

    def resend(self, account: Account) -> bool:
        """Send another code to the pending address; False when nothing is pending, or beyond the limit."""
        self._serialise(account.id)
        latest = self._latest(account.id)
        return latest is not None and self._send(account, MailAddress(latest.email, latest.email_key))

    def pending(self, account_id: str) -> EmailProof | None:
        """The latest proof asked for and not given (`email`, `expires_at`), even expired."""
        return self._latest(account_id)

    def check(self, account: Account, code: str) -> Verdict:
        """Try a code. `right` consumes it and makes the address the account's verified one.

        Each try is counted by one UPDATE before the comparison: 5 in all, however many come at once.
        """
        self._serialise(account.id)
        latest = self._latest(account.id)
        if latest is None:
            return "wrong"
        counted = self._change(latest, EmailProof.tries < MOST_TRIES, tries=EmailProof.tries + 1)
        if not counted:
            return "too_many"
        if latest.expires_at <= self._clock():
            return "expired"
        if not hmac.compare_digest(self._digest(account.id, latest.email_key, code), latest.digest):
            self._record("email.code_refused", account_id=account.id)
            return "wrong"
        return self._prove(account, latest)

    def _prove(self, account: Account, proof: EmailProof) -> Verdict:
        now = self._clock()
        if not self._change(proof, EmailProof.used_at.is_(None), used_at=now):
            return "wrong"
        if not self._give(account, proof, now):
            # Another account proved the same address first: this code dies, and only the mail says why.
            self._change(proof, digest=secrets.token_bytes(32), used_at=None)
            self._tell_it_is_taken(account.id, proof.email)
            return "wrong"
        self._record("email.verified", account_id=account.id)
        return "right"

    def _give(self, account: Account, proof: EmailProof, now: int) -> bool:
        """The unique index decides between two accounts at once (OR-07)."""
        session = self._session()
        values = {"email": proof.email, "email_key": proof.email_key, "email_verified_at": now}
        try:
            # An UPDATE came before: on SQLite a savepoint that opened the transaction would also commit it.
            with session.begin_nested():
                session.execute(update(Account).where(Account.id == account.id).values(values))
        except IntegrityError:
            return False
        session.refresh(account)
        return True

    def _send(self, account: Account, address: MailAddress) -> bool:
        """Send a code, or the notice that the address is taken; False beyond the limit."""
        if self._sent(EmailProof.account_id == account.id) or self._sent(EmailProof.email_key == address.key):
            self._record("email.code_limited", account_id=account.id)
            return False
        code = f"{secrets.randbelow(1_000_000):06}"
        if self._belongs_to_another(account.id, address.key):
            self._store(account.id, address, secrets.token_bytes(32), sent=True)
            self._tell_it_is_taken(account.id, address.address)
        else:
            self._store(account.id, address, self._digest(account.id, address.key, code), sent=True)
            self._outbox.queue(
                CodeMailing(account_id=account.id, email=address.address, code=code, lifetime=self._lifetime)
            )
        self._record("email.code_sent", account_id=account.id)
        return True

    def _tell_it_is_taken(self, account_id: str, email: str) -> None:
        self._outbox.queue(NoticeMailing(account_id=account_id, key="code_deja", email=email, values={}))

    def _sent(self, whose: ColumnElement[bool]) -> bool:
        """Whether as many mails as allowed left within the window."""
        recent = select(func.count()).where(
            whose, EmailProof.sent.is_(True), EmailProof.created_at > self._clock() - WINDOW
        )
        return (self._session().scalar(recent) or 0) >= MOST_SENT

    def _belongs_to_another(self, account_id: str, key: str) -> bool:
        taken = select(exists().where(Account.email_key == key, Account.id != account_id))
        return bool(self._session().scalar(taken))

    def _store(self, account_id: str, address: MailAddress, digest: bytes, *, sent: bool) -> None:
        now = self._clock()
        self._session().execute(
            insert(EmailProof).values(
                account_id=account_id,
                email=address.address,
                email_key=address.key,
                digest=digest,
                created_at=now,
                expires_at=now + self._lifetime,
                tries=0,
                sent=sent,
            )
        )

    def _latest(self, account_id: str) -> EmailProof | None:
        query = (
            select(EmailProof)
            .where(EmailProof.account_id == account_id)
            .order_by(EmailProof.sequence.desc())
            .limit(1)
            .execution_options(populate_existing=True)
        )
        found = self._session().scalars(query).first()
        return found if found is not None and found.used_at is None else None

    def _serialise(self, account_id: str) -> None:
        """Take the account's row (and on SQLite the right to write): two tabs come one after the other."""
        self._session().execute(update(Account).where(Account.id == account_id).values(id=account_id))

    def _change(self, proof: EmailProof, *conditions: ColumnElement[bool], **values: Any) -> bool:
        row = self._session().execute(
            update(EmailProof)
            .where(EmailProof.sequence == proof.sequence, *conditions)
            .values(values)
            .returning(EmailProof.sequence)
            .execution_options(synchronize_session=False)
        )
        return row.first() is not None

    def _digest(self, account_id: str, key: str, code: str) -> bytes:
        text = "\0".join((account_id, key, code.strip()))
        return hmac.digest(self._key, text.encode(errors="replace"), hashlib.sha256)
