"""Table of what waits to be sent, and of what was: `outbox`."""

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Model


class OutboxRow(Model):
    """One envelope. Its contents are sealed, and wiped in the commit that says they left. Times in epoch seconds."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_kind_next_attempt_at", "kind", "next_attempt_at"),
        Index("ix_outbox_account_id", "account_id"),
        Index("ix_outbox_expires_at", "expires_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    """`identifiant`, `mot-de-passe`, `code` or `avis`: `Mailing.envoi`."""
    channel: Mapped[str] = mapped_column(String(8))
    """`mail` or `letter`."""
    account_id: Mapped[str | None] = mapped_column(String(32))
    recipient_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    """SHA-256 of the address, to limit what one person receives."""
    message_id: Mapped[str] = mapped_column(String(255))
    """Fixed at queueing: a mail that is sent twice, after a crash, bears it twice."""
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """None once sent, cancelled or expired."""

    created_at: Mapped[int] = mapped_column(BigInteger)
    not_before: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
    """When the secret inside dies: not worth sending from then on. None once there is nothing left to wipe."""
    next_attempt_at: Mapped[int | None] = mapped_column(BigInteger)
    """None when no attempt is to come: sent, cancelled or failed. A worker finds what is due by the index on it."""
    attempts: Mapped[int] = mapped_column(Integer)
    claimed_until: Mapped[int | None] = mapped_column(BigInteger)
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    sent_at: Mapped[int | None] = mapped_column(BigInteger)
    cancelled_at: Mapped[int | None] = mapped_column(BigInteger)
    """Withdrawn, or expired before it could leave."""
    failed_at: Mapped[int | None] = mapped_column(BigInteger)
    last_error: Mapped[str | None] = mapped_column(String(64))
    """Kind of error and its number; never an address, never what a server said."""
