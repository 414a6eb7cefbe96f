"""What every test can ask for: a real database, a clock that it holds, and what was recorded.

`TEST_DATABASE=sqlite` (default) or `postgresql` chooses the database of the whole run. The PostgreSQL server is
started by the run itself, in a temporary folder, and ends with it.
"""

import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from idp.db import all_metadata, engine_options
from tests import logged
from tests.databases import Databases
from tests.postgresql import PostgresServer


class Clock:
    """A clock that only moves when a test moves it. Called, it gives seconds since the epoch."""

    def __init__(self, now: int = 1_800_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: int) -> None:
        self.now += seconds


class Recorded(list[tuple[str, dict[str, Any]]]):
    """The audit events that a room announced, in order."""

    def record(self, event: str, **details: Any) -> None:
        self.append((event, details))

    @property
    def names(self) -> list[str]:
        return [event for event, _ in self]


@pytest.fixture(scope="session", autouse=True)
def kept_for_the_search() -> Iterator[None]:
    """Every log line and every secret of this process is kept, for `tests/secrets_in_logs.py`."""
    handler = logged.keep_the_log()
    logging.getLogger().addHandler(handler)
    with pytest.MonkeyPatch.context() as patch:
        logged.note_what_is_minted(patch)
        yield
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer(tmp_path_factory.mktemp("postgresql")) as server:
        yield server


@pytest.fixture(scope="session")
def database_kind() -> str:
    kind = os.environ.get("TEST_DATABASE", "sqlite")
    assert kind in ("sqlite", "postgresql"), "TEST_DATABASE is sqlite or postgresql"
    return kind


@pytest.fixture(scope="session")
def databases(
    request: pytest.FixtureRequest, database_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> Databases:
    """Real databases of the run's kind, empty or copied."""
    return Databases(database_kind, tmp_path_factory.mktemp("databases"), lambda: request.getfixturevalue("postgres"))


@pytest.fixture
def make_database(databases: Databases) -> Callable[[], str]:
    """Gives the URL of a new, empty database at each call."""
    return databases.new


@pytest.fixture
def database_url(databases: Databases) -> str:
    return databases.new()


@pytest.fixture(scope="session")
def empty_tables(databases: Databases) -> str:
    """A database with every table made and nothing in it, to be copied."""
    url = databases.new()
    engine = create_engine(url, **engine_options(url))
    for metadata in all_metadata():
        metadata.create_all(engine)
    engine.dispose()
    return url


@pytest.fixture
def engine(databases: Databases, empty_tables: str) -> Iterator[Engine]:
    """A real database with every table made."""
    url = databases.copy(empty_tables)
    engine = create_engine(url, **engine_options(url))
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as session:
        yield session
