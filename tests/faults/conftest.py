"""A provider whose database is looked at, and the executioner that works on the same one from other processes."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine, select

from idp import migrations
from idp.db import all_metadata, db, engine_options
from idp.settings import Settings
from tests.databases import Databases
from tests.faults.executioner import Executioner
from tests.faults.points import statements
from tests.idp.provider import ISSUER, Provider, Service

TOLD = pytest.StashKey[list[str]]()


@pytest.fixture(scope="package")
def settings(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An empty installation of the run's kind, with its schema."""
    url = databases.new()
    engine = create_engine(url, **engine_options(url))
    migrations.upgrade(engine)
    engine.dispose()
    values: dict[str, Any] = {
        "environment": "test",
        "issuer": ISSUER,
        "data_dir": tmp_path_factory.mktemp("faults"),
        "database_url": url,
        "bcrypt_cost": 4,
        "mail_gap": 0,
        "letter_gap": 0,
        "access_log": False,
        "address_limit": "10000 per minute",
    }
    for name in ("secret_keys", "key_encryption_keys", "password_peppers"):
        values[name] = (secrets.token_urlsafe(32),)
    return Settings(**values)


@pytest.fixture(scope="package")
def provider(settings: Settings) -> Iterator[Provider]:
    """The provider of this process: makes the people, and looks at what the dead left."""
    provider = Provider(settings)
    yield provider
    with provider.app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="package")
def service(provider: Provider) -> Service:
    return provider.service("espace-bailleur")


@pytest.fixture(scope="package")
def executioner(settings: Settings, provider: Provider) -> Iterator[Executioner]:
    with Executioner(settings) as executioner:
        yield executioner


@pytest.fixture
def announce(request: pytest.FixtureRequest, database_kind: str) -> Any:
    """Prints how many points there were, at the end of the run."""

    def tell(work: str, points: list[str]) -> None:
        number = len(statements(points, "before"))
        assert statements(points, "after") == statements(points, "before"), "a statement was seen from one side only"
        text = f"{work}, {database_kind}: {number} statements, killed at {len(points)} points"
        request.config.stash.setdefault(TOLD, []).append(text)

    return tell


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The numbers of kill points, whatever the verbosity."""
    for text in config.stash.get(TOLD, []):
        terminalreporter.write_line(f"kill -9: {text}")


def everything(provider: Provider) -> dict[str, list[str]]:
    """Every row of every table: equal before and after means that nothing at all was left behind."""
    with provider.transaction():
        return {
            table.name: sorted(str(tuple(row)) for row in db.session.execute(select(table)))
            for metadata in all_metadata()
            for table in metadata.sorted_tables
        }
