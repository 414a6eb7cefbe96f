"""Tables of `clients`: one row for each relying party, one for each of its secrets.

Owns how they are stored. What a registration may hold is in `metadata.py`; who changes it, in `registry.py`.
"""

from sqlalchemy import BigInteger, Boolean, ForeignKey, Integer, LargeBinary, MetaData, String, Text
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


class ClientRecord(Base):
    """One relying party. `registration` is its checked metadata, in JSON, under the names of RFC 7591.

    `version` grows with each change: a change that started from an older one is refused. A deleted client leaves
    its row behind, emptied (`deleted_at`), so that its id is never given to another service.
    """

    __tablename__ = "clients_clients"

    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    registration: Mapped[str] = mapped_column(Text)
    enabled: Mapped[bool] = mapped_column(Boolean)
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)
    deleted_at: Mapped[int | None] = mapped_column(BigInteger)


class ClientSecret(Base):
    """One secret of a client: its SHA-256 digest, and until when it opens (`NULL`: until it is replaced)."""

    __tablename__ = "clients_secrets"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(64), ForeignKey("clients_clients.client_id"), index=True)
    created_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
