"""What waits to be sent: sealed in the transaction that decides to send it, never lost, wiped once it left.

Owns the queue and the gap between the two halves of a pair of credentials. Sends nothing: `worker.py` does.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, insert, select, update
from sqlalchemy.orm import Session

from idp.clock import Clock
from idp.delivery.mailings import (
    MAIL,
    CodeMailing,
    IdentifierMailing,
    Mailing,
    PasswordMailing,
    recipient_key,
    to_bytes,
)
from idp.delivery.models import OutboxRow
from idp.delivery.refusals import NothingToRetry
from idp.delivery.working_days import working_days_later
from keys.sealing import Sealer

STATES = ("waiting", "retrying", "failed", "sent", "cancelled")
RELEASED = {"claimed_until": None, "claimed_by": None}


@dataclass(frozen=True)
class Gaps:
    """How long the password waits after its identifier left: `mail` in seconds, `letter` in working days."""

    mail: int
    letter: int

    def after(self, sent_at: int, channel: str) -> int:
        """The first moment (epoch seconds) at which the password may leave."""
        return sent_at + self.mail if channel == MAIL else working_days_later(sent_at, self.letter)


def purpose(kind: str) -> str:
    """What a row is sealed for: rows of two kinds cannot be swapped."""
    return f"outbox.{kind}"


class Outbox:
    """The queue, in the caller's session; the caller commits.

    `record(event, **details)` writes audit events; `mail_domain` is the right-hand side of the Message-IDs.
    """

    def __init__(
        self,
        session: Callable[[], Session],
        sealer: Sealer,
        clock: Clock,
        record: Callable[..., None],
        gaps: Gaps,
        mail_domain: str,
    ) -> None:
        self._session = session
        self._sealer = sealer
        self._clock = clock
        self._record = record
        self._gaps = gaps
        self._mail_domain = mail_domain

    def queue(self, mailing: Mailing) -> str:
        """Add a sealed row to the current transaction and give its id: by mail when the address is known, else by post.

        A password leaves after the identifier of the same account, the gap between them; if that one waits too, the
        worker counts the gap from the moment it really left.
        """
        now, row_id = self._clock(), uuid.uuid4().hex
        recipient = mailing.recipient
        first_attempt = self._after_identifier(mailing, now)
        self._session().execute(
            insert(OutboxRow).values(
                id=row_id,
                kind=mailing.envoi,
                channel=recipient.channel,
                account_id=mailing.account_id,
                recipient_key=recipient_key(recipient),
                message_id=f"<{row_id}@{self._mail_domain}>",
                sealed=self._sealer.seal(to_bytes(mailing), purpose=purpose(mailing.envoi), id=row_id),
                created_at=now,
                not_before=first_attempt,
                next_attempt_at=first_attempt,
                expires_at=now + mailing.lifetime if isinstance(mailing, CodeMailing) else mailing.expires_at,
                attempts=0,
            )
        )
        return row_id

    def cancel(self, account_id: str) -> int:
        """Withdraw and wipe what still waits for this account, failed rows included. Gives how many."""
        withdrawn = self._session().execute(
            update(OutboxRow)
            .where(OutboxRow.account_id == account_id, OutboxRow.sealed.is_not(None))
            .values(sealed=None, cancelled_at=self._clock(), next_attempt_at=None, expires_at=None)
            .returning(OutboxRow.id)
        )
        count = len(withdrawn.all())
        if count:
            self._record("mailing.cancelled", account_id=account_id, count=count)
        return count

    def status(self) -> dict[str, int]:
        """How many rows are in each of `STATES`, and `oldest`: for how many seconds the oldest unsent one is due."""
        now = self._clock()
        state = _state().label("state")
        found = self._session().execute(select(state, func.count(), func.min(OutboxRow.not_before)).group_by(state))
        counts = dict.fromkeys(STATES, 0)
        due_since = [now]
        for name, count, oldest in found:
            counts[name] = count
            if name in ("waiting", "retrying"):
                due_since.append(oldest)
        return {**counts, "oldest": now - min(due_since)}

    def failures(self) -> list[dict[str, Any]]:
        """The rows that failed, oldest first: id, kind, channel, account_id, created_at, attempts, last_error."""
        columns = ("id", "kind", "channel", "account_id", "created_at", "attempts", "last_error")
        chosen = select(*(getattr(OutboxRow, name) for name in columns))
        rows = self._session().execute(chosen.where(_failed()).order_by(OutboxRow.created_at, OutboxRow.id))
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def retry(self, row_id: str | None = None) -> int:
        """Give the failed row `row_id`, or all of them, a new day of attempts. Gives how many.

        Raises `NothingToRetry` when `row_id` is not a failed row that can still be sent.
        """
        now = self._clock()
        chosen = and_(_failed(), OutboxRow.id == row_id) if row_id else _failed()
        again = self._session().execute(
            update(OutboxRow)
            .where(chosen)
            .values(failed_at=None, attempts=0, not_before=now, next_attempt_at=now, **RELEASED)
            .returning(OutboxRow.id, OutboxRow.account_id, OutboxRow.kind)
        )
        rows = again.all()
        if row_id and not rows:
            raise NothingToRetry("Aucun envoi en échec ne porte ce numéro : voyez « idp outbox status ».")
        for found in rows:
            self._record("mailing.retried", account_id=found.account_id, kind=found.kind, mailing_id=found.id)
        return len(rows)

    def _after_identifier(self, mailing: Mailing, now: int) -> int:
        if not isinstance(mailing, PasswordMailing):
            return now
        left_at = self._session().scalar(
            select(func.max(func.coalesce(OutboxRow.sent_at, now))).where(
                OutboxRow.account_id == mailing.account_id,
                OutboxRow.kind == IdentifierMailing.envoi,
                OutboxRow.cancelled_at.is_(None),
            )
        )
        return now if left_at is None else max(now, self._gaps.after(left_at, mailing.recipient.channel))


def _failed() -> ColumnElement[bool]:
    return and_(OutboxRow.failed_at.is_not(None), OutboxRow.sealed.is_not(None))


def _state() -> ColumnElement[str]:
    return case(
        (OutboxRow.sent_at.is_not(None), "sent"),
        (OutboxRow.cancelled_at.is_not(None), "cancelled"),
        (OutboxRow.failed_at.is_not(None), "failed"),
        (OutboxRow.attempts > 0, "retrying"),
        else_="waiting",
    )
