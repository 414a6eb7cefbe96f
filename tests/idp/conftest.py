"""The provider of a test: in this process, on a real database of its own."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from idp.db import db
from idp.settings import Settings
from tests.databases import Databases
from tests.idp.provider import ISSUER, Browser, Landlord, Pkce, Provider, Service

MakeSettings = Callable[..., Settings]


@pytest.fixture(scope="session")
def installation_secrets() -> dict[str, tuple[str, ...]]:
    """The secrets of the run's installations: those that the prepared database was filled with."""
    names = ("secret_keys", "key_encryption_keys", "password_peppers")
    return {name: (secrets.token_urlsafe(32),) for name in names}


@pytest.fixture(scope="session")
def prepared_database(
    databases: Databases, installation_secrets: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> str:
    """A database as an administrator prepares it: schema by the migrations, keys, the two texts."""
    url = databases.new()
    folder = tmp_path_factory.mktemp("prepared")
    provider = Provider(_settings(folder, url, installation_secrets))
    _close(provider.app)
    if databases.kind == "sqlite":
        engine = create_engine(url)
        with engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        engine.dispose()
    return url


@pytest.fixture
def settings(tmp_path: Path, database_url: str, installation_secrets: dict[str, Any]) -> MakeSettings:
    """Settings of a new, empty installation; keyword arguments change them."""
    return lambda **changes: _settings(tmp_path / "data", database_url, installation_secrets, **changes)


@pytest.fixture
def prepared(
    tmp_path: Path, databases: Databases, prepared_database: str, installation_secrets: dict[str, Any]
) -> MakeSettings:
    """Settings of an installation that an administrator has prepared; keyword arguments change them."""
    url = databases.copy(prepared_database)
    return lambda **changes: _settings(tmp_path / "data", url, installation_secrets, **changes)


@pytest.fixture
def make_provider(prepared: MakeSettings) -> Iterator[Callable[..., Provider]]:
    """Gives a provider on this test's one database; call it again for another process's view of it."""
    made: list[Provider] = []

    def make(**changes: Any) -> Provider:
        made.append(Provider(prepared(**changes), publish=False))
        return made[-1]

    yield make
    for provider in made:
        _close(provider.app)


@pytest.fixture
def provider(make_provider: Callable[..., Provider]) -> Provider:
    return make_provider()


@pytest.fixture
def service(provider: Provider) -> Service:
    return provider.service("espace-bailleur")


@pytest.fixture
def landlord(provider: Provider) -> Landlord:
    return provider.landlord()


@pytest.fixture
def pkce() -> Pkce:
    return Pkce()


@pytest.fixture
def browser(provider: Provider) -> Browser:
    return provider.browser()


@pytest.fixture
def signed_in(browser: Browser, landlord: Landlord) -> Browser:
    """A browser in which the landlord has signed in."""
    assert browser.sign_in(landlord).status_code == 303
    return browser


def _settings(folder: Path, url: str, kept: dict[str, Any], **changes: Any) -> Settings:
    values: dict[str, Any] = {
        "environment": "test",
        "issuer": ISSUER,
        "data_dir": folder,
        "database_url": url,
        "bcrypt_cost": 4,
        "mail_gap": 0,
        "letter_gap": 0,
        **kept,
    }
    return Settings(**{**values, **changes})


def _close(app: Flask) -> None:
    with app.app_context():
        db.engine.dispose()
