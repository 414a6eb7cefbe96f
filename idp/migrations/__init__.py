"""The schema's versions, from the first table on: Alembic, on SQLite and on PostgreSQL.

One process migrates at a time (an advisory lock, or SQLite's own), in one transaction where the database allows it:
after a crash the next run finishes or finds nothing to do (F-28).
"""

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

_LOCK = 7_276_361
"""Any constant: the advisory lock of migrations."""


@dataclass(frozen=True)
class Status:
    """Where the schema stands. `empty`: no table at all."""

    version: str | None
    head: str
    empty: bool

    @property
    def current(self) -> bool:
        """True when nothing is left to do."""
        return self.version == self.head


def status(engine: Engine) -> Status:
    """Read the version of the schema."""
    with engine.connect() as connection:
        version = MigrationContext.configure(connection).get_current_revision()
        empty = not inspect(connection).get_table_names()
    head = ScriptDirectory.from_config(_config(None)).get_current_head()
    return Status(version, head or "", empty)


def upgrade(engine: Engine) -> Status:
    """Bring the schema to the newest version, whatever the version before; once, however many ask."""
    with engine.connect() as connection:
        _lock(connection)
        command.upgrade(_config(connection), "head")
        connection.commit()
    return status(engine)


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


def _lock(connection: Connection) -> None:
    """Wait for another process's migration; held until the commit."""
    if connection.dialect.name == "sqlite":
        # The driver opens transactions for data only; the schema needs one too.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SET LOCAL statement_timeout = '10min'"))
        connection.execute(text("SET LOCAL lock_timeout = '10min'"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
