"""The database handle: naming convention, SQLite and PostgreSQL options, and the list of metadata.

Owns how connections behave. Owns no table: models live with their behaviour.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, Executable, MetaData, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Model(DeclarativeBase):
    """Base of every table of `idp`. The rooms have bases of their own."""

    metadata = MetaData(naming_convention=NAMING)


# expire_on_commit would read again what was just written; a request ends with its commit anyway.
db = SQLAlchemy(model_class=Model, session_options={"expire_on_commit": False})


def all_metadata() -> list[MetaData]:
    """The metadata of `idp` and of the three rooms, for migrations and tests."""
    import clients.models
    import consent.models
    import keys.models

    return [
        Model.metadata,
        clients.models.Base.metadata,
        consent.models.Base.metadata,
        keys.models.Base.metadata,
    ]


def engine_options(url: str) -> dict[str, Any]:
    """SQLAlchemy engine options for `url`.

    SQLite: reads run outside a transaction and the first write opens `BEGIN IMMEDIATE` (the driver's
    isolation level), because `busy_timeout` does not cover a read that turns into a write.
    PostgreSQL: bounded waits, so that a lost database is an error and not a hang.
    """
    if url.startswith("sqlite"):
        return {"connect_args": {"isolation_level": "IMMEDIATE", "timeout": 5.0}}
    return {
        "pool_pre_ping": False,
        "pool_size": 8,
        "max_overflow": 8,
        "pool_timeout": 5,
        "pool_recycle": 1800,
        "connect_args": {
            "connect_timeout": 3,
            "options": "-c statement_timeout=5000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=15000",
        },
    }


class Prepared:
    """A Core statement of the hot path, compiled once for each kind of database and handed to the driver as text.

    It runs in the session's transaction and is announced as every statement is (`before_cursor_execute`). Building,
    keying and adapting a statement of thirty columns, and the description of its result, cost more than running it
    here; values go in and come out as the driver has them (a boolean may be 0 or 1).
    """

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, list[str] | None]] = {}

    def rows(self, session: Session, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run it with these values, one for each name, and give its rows. Raises SQLAlchemy's `DBAPIError`."""
        connection = session.connection()
        text, positions = self._compiled.get(connection.dialect.name) or self._compile(connection)
        values = tuple([parameters[name] for name in positions]) if positions is not None else dict(parameters)
        cursor = connection.connection.cursor()
        try:
            for announce in connection.dispatch.before_cursor_execute:
                announce(connection, cursor, text, values, None, False)
            cursor.execute(text, values)
            return list(cursor.fetchall()) if cursor.description else []
        except connection.dialect.loaded_dbapi.Error as error:
            raise self._wrapped(connection, text, error) from error
        finally:
            cursor.close()

    def first(self, session: Session, parameters: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Run it and give its first row, None when there is none."""
        rows = self.rows(session, parameters)
        return rows[0] if rows else None

    def _wrapped(self, connection: Connection, text: str, error: Exception) -> BaseException:
        """As SQLAlchemy would have it; a connection that was lost leaves the pool, values stay out of the text."""
        dialect = connection.dialect
        lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)  # type: ignore[arg-type]
        if lost:
            connection.invalidate(error)
        return DBAPIError.instance(
            text, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, connection_invalidated=lost
        )

    def _compile(self, connection: Connection) -> tuple[str, list[str] | None]:
        compiled: Any = self._statement.compile(dialect=connection.dialect)  # type: ignore[attr-defined]
        positions = list(compiled.positiontup) if compiled.positional else None
        self._compiled[connection.dialect.name] = (str(compiled), positions)
        return self._compiled[connection.dialect.name]


@event.listens_for(Engine, "connect")
def _sqlite_pragmas(connection: Any, _entry: ConnectionPoolEntry) -> None:
    """WAL lets readers go on while one writes; FULL keeps the last commits through a power cut (F-37)."""
    if isinstance(connection, sqlite3.Connection):
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "savepoint")
def _begin_before_a_savepoint(connection: Connection, _name: str) -> None:
    """A savepoint that opens an SQLite transaction would commit it at its end: open the transaction first."""
    driver: Any = connection.connection.dbapi_connection
    if isinstance(driver, sqlite3.Connection) and not driver.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def current_session() -> Session:
    """The session of this request or command: what the rooms are given."""
    return db.session()
