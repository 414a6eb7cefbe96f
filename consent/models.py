"""Tables of `consent`: the versions of the texts, and who accepted them. Both are append-only."""

import uuid
from typing import Any, NoReturn

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    event,
)
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


class Document(Base):
    """One version of one text, exactly as people see it. `sequence` is the order of publication."""

    __tablename__ = "consent_documents"
    __table_args__ = (UniqueConstraint("name", "version"),)

    sequence: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    name: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(String(32))
    title: Mapped[str] = mapped_column(String(200))
    markdown: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    changes: Mapped[str | None] = mapped_column(Text)
    published_at: Mapped[int] = mapped_column(BigInteger)
    effective_at: Mapped[int] = mapped_column(BigInteger)


class Acceptance(Base):
    """The proof that an account accepted a text. It outlives the account: no foreign key leads there."""

    __tablename__ = "consent_acceptances"
    __table_args__ = (
        UniqueConstraint("account_id", "document", "version"),
        ForeignKeyConstraint(["document", "version"], ["consent_documents.name", "consent_documents.version"]),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=lambda: uuid.uuid4().hex)
    account_id: Mapped[str] = mapped_column(String(32))
    document: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(String(32))
    sha256: Mapped[str] = mapped_column(String(64))
    accepted_at: Mapped[int] = mapped_column(BigInteger)
    channel: Mapped[str] = mapped_column(String(8))
    request_id: Mapped[str | None] = mapped_column(String(32))
    ip: Mapped[str | None] = mapped_column(String(45))


class AppendOnly(TypeError):
    """A published text or a proof of acceptance is never changed nor deleted."""


def _refuse(_mapper: Any, _connection: Any, row: Base) -> NoReturn:
    raise AppendOnly(f"{type(row).__name__} ne se modifie pas et ne s’efface pas")


for _table in (Document, Acceptance):
    event.listen(_table, "before_update", _refuse)
    event.listen(_table, "before_delete", _refuse)
