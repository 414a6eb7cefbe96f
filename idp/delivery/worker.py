"""Sends what is due: claims a row, hands it to its channel, then marks it sent and wipes it in one commit.

Owns attempts, leases and the moment of wiping. Each step is a short transaction of its own; none is open while a
server is waited for. Several workers may run at once, in any number of processes.
"""

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, and_, or_, select, update
from sqlalchemy.orm import Session, aliased

from idp.clock import Clock
from idp.delivery.channel import DeliveryChannel, Envelope, Later, Never, Unreachable
from idp.delivery.mailings import CodeMailing, IdentifierMailing, NoticeMailing, PasswordMailing, from_bytes
from idp.delivery.models import OutboxRow
from idp.delivery.outbox import RELEASED, Gaps, purpose
from keys.sealing import Sealer, Unsealable

MINUTE, HOUR, DAY = 60, 3600, 86400
LEASE = 5 * MINUTE
BATCH = 100
POLL = 1.0
LONGEST_PAUSE = 60.0

FIRST_SERVED = (CodeMailing, NoticeMailing, IdentifierMailing, PasswordMailing)
"""Somebody waits in front of a screen for a code; 100,000 letters do not mind."""
WIPED = {"sealed": None, "next_attempt_at": None, "expires_at": None, **RELEASED}

log = logging.getLogger(__name__)
_random = secrets.SystemRandom()


@dataclass
class Counts:
    """What one batch did, in rows."""

    sent: int = 0
    postponed: int = 0
    failed: int = 0
    expired: int = 0

    @property
    def tried(self) -> int:
        """Rows that were handed to a channel."""
        return self.sent + self.postponed + self.failed


class OutboxWorker:
    """Sends from the outbox. One worker, one thread.

    `session()` gives the session that this worker commits, the one that `record` writes to; `channels`: by
    `OutboxRow.channel`. `gaps` is the outbox's.
    """

    def __init__(
        self,
        session: Callable[[], Session],
        sealer: Sealer,
        clock: Clock,
        channels: Mapping[str, DeliveryChannel],
        record: Callable[..., None],
        gaps: Gaps,
    ) -> None:
        self._session = session
        self._sealer = sealer
        self._clock = clock
        self._channels = channels
        self._record = record
        self._gaps = gaps
        self._me = f"{socket.gethostname()[:32]}:{os.getpid()}:{secrets.token_hex(4)}"

    def send_due(self, limit: int = BATCH) -> Counts:
        """Try at most `limit` rows that are due. A channel found unreachable is left alone until the next batch."""
        counts = Counts(expired=self._expire())
        usable = set(self._channels)
        try:
            while usable and counts.tried < limit:
                row = self._claim(usable)
                if row is None:
                    break
                self._try(row, counts, usable)
        finally:
            for channel in self._channels.values():
                channel.close()
        return counts

    def run_forever(self, stop: threading.Event, *, poll: float = POLL) -> None:
        """Send until `stop` is set. Looks every `poll` seconds, more or less; an error is a log line, never the end."""
        pause = poll
        while not stop.wait(pause * _random.uniform(0.5, 1.5)):
            try:
                busy = self.send_due().tried >= BATCH
            except Exception as error:  # whatever happened, mails must leave once it is over
                log.error("outbox worker stumbled", extra={"fields": {"error": type(error).__name__}})
                pause = min(pause * 2 + poll, LONGEST_PAUSE)
            else:
                pause = 0 if busy else poll

    def _expire(self) -> int:
        """Wipe what is no longer worth sending: the secret inside is dead."""
        now = self._clock()
        dead = and_(OutboxRow.expires_at <= now, OutboxRow.sealed.is_not(None), _unclaimed(now))
        with self._transaction() as session:
            if session.scalar(select(OutboxRow.id).where(dead).limit(1)) is None:
                return 0
            gone = session.execute(
                update(OutboxRow)
                .where(dead)
                .values(cancelled_at=now, last_error="Expired", **WIPED)
                .returning(OutboxRow.id, OutboxRow.account_id, OutboxRow.kind)
            ).all()
            for row in gone:
                self._record("mailing.expired", account_id=row.account_id, kind=row.kind, mailing_id=row.id)
        return len(gone)

    def _claim(self, usable: set[str]) -> Row[tuple[OutboxRow]] | None:
        """Take the first due row for the length of a lease; None when nothing is due.

        The UPDATE decides: whoever else saw the same row gets nothing and looks again.
        """
        while True:
            now = self._clock()
            with self._transaction() as session:
                found = self._first_due(session, now, usable)
                if found is None:
                    return None
                taken = session.execute(
                    update(OutboxRow)
                    .where(OutboxRow.id == found, OutboxRow.next_attempt_at <= now, _unclaimed(now))
                    .values(claimed_until=now + LEASE, claimed_by=self._me, attempts=OutboxRow.attempts + 1)
                    .returning(*OutboxRow.__table__.columns)
                ).one_or_none()
            if taken is not None:
                return taken

    def _first_due(self, session: Session, now: int, usable: set[str]) -> str | None:
        for kind in FIRST_SERVED:
            due = and_(
                OutboxRow.kind == kind.envoi,
                OutboxRow.next_attempt_at <= now,
                _unclaimed(now),
                OutboxRow.channel.in_(usable),
            )
            if kind is PasswordMailing:
                due = and_(due, ~_identifier_waits())
            found = session.scalar(select(OutboxRow.id).where(due).order_by(OutboxRow.next_attempt_at).limit(1))
            if found is not None:
                return found
        return None

    def _try(self, row: Row[tuple[OutboxRow]], counts: Counts, usable: set[str]) -> None:
        """One attempt, and what follows from it."""
        try:
            self._deliver(row)
        except (Never, Unsealable) as refused:
            self._fail(row, _reason(refused))
            counts.failed += 1
        except Exception as error:  # a channel's surprise must cost one attempt of one row, not the row
            if isinstance(error, Unreachable):
                usable.discard(row.channel)
            if self._postpone(row, _reason(error)):
                counts.postponed += 1
            else:
                counts.failed += 1
        else:
            self._sent(row)
            counts.sent += 1

    def _deliver(self, row: Row[tuple[OutboxRow]]) -> None:
        content = self._sealer.open(row.sealed, purpose=purpose(row.kind), id=row.id)
        mailing = from_bytes(row.kind, content)
        self._channels[row.channel].deliver(Envelope(row.id, row.message_id, mailing, self._clock()))

    def _sent(self, row: Row[tuple[OutboxRow]]) -> None:
        """Mark and wipe, in one commit; from here counts the gap to the password of the same account."""
        now = self._clock()
        with self._transaction() as session:
            session.execute(
                update(OutboxRow).where(OutboxRow.id == row.id).values(sent_at=now, last_error=None, **WIPED)
            )
            if row.kind == IdentifierMailing.envoi:
                earliest = self._gaps.after(now, row.channel)
                session.execute(
                    update(OutboxRow)
                    .where(
                        OutboxRow.account_id == row.account_id,
                        OutboxRow.kind == PasswordMailing.envoi,
                        OutboxRow.next_attempt_at < earliest,
                    )
                    .values(not_before=earliest, next_attempt_at=earliest)
                )
            self._record(
                "mailing.sent", account_id=row.account_id, kind=row.kind, channel=row.channel, mailing_id=row.id
            )

    def _postpone(self, row: Row[tuple[OutboxRow]], reason: str) -> bool:
        """Try again after 1 min, 2 min, ... 1 h; not beyond a day after the first attempt. False: given up."""
        now = self._clock()
        again = now + min(MINUTE * 2 ** min(row.attempts - 1, 6), HOUR)
        if again > row.not_before + DAY:
            self._fail(row, reason)
            return False
        with self._transaction() as session:
            session.execute(
                update(OutboxRow)
                .where(OutboxRow.id == row.id, OutboxRow.claimed_by == self._me)
                .values(next_attempt_at=again, last_error=reason, **RELEASED)
            )
        log.warning("mailing postponed", extra={"fields": {**_named(row), "reason": reason, "attempts": row.attempts}})
        return True

    def _fail(self, row: Row[tuple[OutboxRow]], reason: str) -> None:
        """Give up, aloud. What is inside stays sealed for « idp outbox retry », until it expires."""
        with self._transaction() as session:
            session.execute(
                update(OutboxRow)
                .where(OutboxRow.id == row.id, OutboxRow.claimed_by == self._me)
                .values(failed_at=self._clock(), next_attempt_at=None, last_error=reason, **RELEASED)
            )
            self._record("mailing.failed", account_id=row.account_id, reason=reason, **_named(row))
        log.error("mailing failed", extra={"fields": {**_named(row), "reason": reason, "attempts": row.attempts}})

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        session = self._session()
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise


def _unclaimed(now: int) -> ColumnElement[bool]:
    return or_(OutboxRow.claimed_until.is_(None), OutboxRow.claimed_until <= now)


def _identifier_waits() -> ColumnElement[bool]:
    """The other half did not leave yet; a failed one counts, somebody must look at it first."""
    identifier = aliased(OutboxRow)
    return (
        select(identifier.id)
        .where(
            identifier.account_id == OutboxRow.account_id,
            identifier.kind == IdentifierMailing.envoi,
            identifier.sealed.is_not(None),
        )
        .exists()
    )


def _named(row: Row[tuple[OutboxRow]]) -> dict[str, str]:
    return {"mailing_id": row.id, "kind": row.kind, "channel": row.channel}


def _reason(error: Exception) -> str:
    return (error.reason if isinstance(error, Later | Never) else type(error).__name__)[:64]
