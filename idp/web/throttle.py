"""Attempts at a password: counted for each identifier typed, existing or not, and apart for each known device.

After 5 failures in a row a growing delay; after 10 a suspension that ends by itself (15 minutes, doubling to 12
hours). An attempt is reserved before the password is looked at, so that fifty at once cannot all be tried, and given
back when it succeeds or when the server was too busy to look. A suspension touches no session and no token.
"""

import hashlib
import hmac

from sqlalchemy import BigInteger, Integer, LargeBinary, case, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.clock import Clock
from idp.db import Model

DELAY_FROM = 5
DELAYS = (60, 120, 240, 480, 900)
SUSPEND_AT = 10
SUSPENSION = 15 * 60
LONGEST_SUSPENSION = 12 * 3600
FORGET_AFTER = 24 * 3600
"""Seconds without any attempt after which a counter starts anew."""


class Attempts(Model):
    """Failures in a row for one key: a digest of the identifier typed, alone or with a known device."""

    __tablename__ = "sign_in_attempts"

    key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    whose: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    """The key of the identifier alone: a known device's row is found by it too."""
    failures: Mapped[int] = mapped_column(Integer)
    last_at: Mapped[int] = mapped_column(BigInteger, index=True)
    blocked_until: Mapped[int] = mapped_column(BigInteger)
    suspensions: Mapped[int] = mapped_column(Integer)


class Blocked(Exception):
    """No attempt is allowed now: for `seconds` more; `suspended` once there were ten failures."""

    def __init__(self, seconds: int, *, suspended: bool) -> None:
        super().__init__(f"Trop d’essais : réessayez dans {seconds} secondes.")
        self.seconds = seconds
        self.suspended = suspended


class Throttle:
    """Counts attempts in SQL. `secret` keys the digests, so that the table tells no identifier."""

    def __init__(self, secret: bytes, clock: Clock) -> None:
        self._secret = secret
        self._clock = clock

    def key(self, identifier: str, device: str | None = None) -> bytes:
        """The counter's key for a canonical identifier, from a known device or from anywhere."""
        text = f"{device or ''}\0{identifier}".encode()
        return hmac.new(self._secret, text, hashlib.sha256).digest()

    def reserve(self, session: Session, key: bytes) -> int:
        """Count an attempt before it is made and give its number in the row. Raises `Blocked`.

        One UPDATE decides, so that parallel attempts are counted one by one.
        """
        now = self._clock()
        fresh = (
            update(Attempts)
            .where(Attempts.key == key, Attempts.last_at < now - FORGET_AFTER)
            .values(failures=0, blocked_until=0, suspensions=0, last_at=now)
        )
        session.execute(fresh)
        counted = self._count(session, key, now)
        if counted is None:
            self._blocked(session, key, now)
            counted = self._first(session, key, now)
        if counted >= DELAY_FROM:
            self._block(session, key, counted, now)
        return counted

    def known(self, session: Session, key: bytes) -> bool:
        """True when this device has signed in with this identifier before."""
        return session.scalar(select(Attempts.key).where(Attempts.key == key)) is not None

    def succeeded(self, session: Session, key: bytes) -> None:
        """The attempt was right: the row of failures ends."""
        self._reset(session, key)

    def remember(self, session: Session, key: bytes, whose: bytes) -> None:
        """Keep a counter of its own for a device that has just signed in with the identifier of key `whose`."""
        if not self._reset(session, key):
            self._insert(session, key, whose, failures=0, now=self._clock())

    def give_back(self, session: Session, key: bytes) -> None:
        """The attempt was not looked at (the server was too busy): it counts as none."""
        session.execute(
            update(Attempts)
            .where(Attempts.key == key, Attempts.failures > 0)
            .values(
                failures=Attempts.failures - 1,
                blocked_until=0,
                # The suspension that this attempt had brought is not one: the next is no longer for it.
                suspensions=Attempts.suspensions - case((Attempts.failures >= SUSPEND_AT, 1), else_=0),
            )
        )

    def forgive(self, session: Session, whose: bytes) -> None:
        """An administrator unlocked the account, or a recovery was completed: everywhere, known devices included."""
        forgiven = {"failures": 0, "blocked_until": 0, "suspensions": 0, "last_at": self._clock()}
        session.execute(update(Attempts).where(Attempts.whose == whose).values(forgiven))

    def _count(self, session: Session, key: bytes, now: int) -> int | None:
        return session.scalar(
            update(Attempts)
            .where(Attempts.key == key, Attempts.blocked_until <= now)
            .values(failures=Attempts.failures + 1, last_at=now)
            .returning(Attempts.failures)
        )

    def _blocked(self, session: Session, key: bytes, now: int) -> None:
        row = session.execute(select(Attempts.blocked_until, Attempts.failures).where(Attempts.key == key)).first()
        if row and row.blocked_until > now:
            raise Blocked(row.blocked_until - now, suspended=row.failures >= SUSPEND_AT)

    def _first(self, session: Session, key: bytes, now: int) -> int:
        if self._insert(session, key, key, failures=1, now=now):
            return 1
        # Somebody inserted it in the meantime.
        counted = self._count(session, key, now)
        if counted is None:
            self._blocked(session, key, now)
            raise Blocked(1, suspended=False)
        return counted

    def _block(self, session: Session, key: bytes, failures: int, now: int) -> None:
        """Refuse the next attempt for a while; it is this attempt's success that lifts the refusal again."""
        if failures < SUSPEND_AT:
            values: dict[str, object] = {"blocked_until": now + DELAYS[failures - DELAY_FROM]}
        else:
            times = session.scalar(select(Attempts.suspensions).where(Attempts.key == key)) or 0
            length = min(SUSPENSION * 2**times, LONGEST_SUSPENSION)
            values = {"blocked_until": now + length, "suspensions": times + 1}
        session.execute(update(Attempts).where(Attempts.key == key).values(**values))

    def _reset(self, session: Session, key: bytes) -> bool:
        done = session.execute(
            update(Attempts)
            .where(Attempts.key == key)
            .values(failures=0, blocked_until=0, suspensions=0, last_at=self._clock())
            .returning(Attempts.key)
        )
        return done.first() is not None

    def _insert(self, session: Session, key: bytes, whose: bytes, *, failures: int, now: int) -> bool:
        row = {"key": key, "whose": whose, "failures": failures, "last_at": now, "blocked_until": 0, "suspensions": 0}
        try:
            with session.begin_nested():
                session.execute(insert(Attempts).values(row))
        except IntegrityError:
            return False
        return True
