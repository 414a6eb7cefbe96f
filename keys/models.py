"""Tables of `keys`."""

from sqlalchemy import BigInteger, Integer, LargeBinary, MetaData, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of the tables of this room."""

    metadata = MetaData(naming_convention=NAMING)


class SigningKeyRecord(Base):
    """One signing key. `sealed` is its private part, bound to `kid` and `purpose`."""

    __tablename__ = "keys_signing_keys"
    # Two processes that make the next key at once: one row.
    __table_args__ = (UniqueConstraint("purpose", "alg", "generation"),)

    kid: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(16))
    alg: Mapped[str] = mapped_column(String(16))
    generation: Mapped[int] = mapped_column(Integer)
    published_at: Mapped[int] = mapped_column(BigInteger)
    active_from: Mapped[int] = mapped_column(BigInteger)
    retired_at: Mapped[int | None] = mapped_column(BigInteger)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class SentinelRecord(Base):
    """What recognises the right secret of each kind without telling it: see sentinel.py."""

    __tablename__ = "keys_sentinels"

    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
