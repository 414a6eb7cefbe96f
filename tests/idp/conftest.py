"""The provider of a test: in this process, on a real database of its own."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from idp.settings import Settings
from tests.idp.provider import ISSUER, Browser, Landlord, Pkce, Provider, Service


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Callable[..., Settings]:
    """Settings of a test installation; keyword arguments change them."""

    def make(**changes: Any) -> Settings:
        values: dict[str, Any] = {
            "environment": "test",
            "issuer": ISSUER,
            "data_dir": tmp_path / "data",
            "database_url": database_url,
            "bcrypt_cost": 4,
            "mail_gap": 0,
            "letter_gap": 0,
            "access_log": False,
            "secret_keys": (secrets.token_urlsafe(32),),
            "key_encryption_keys": (secrets.token_urlsafe(32),),
            "password_peppers": (secrets.token_urlsafe(32),),
        }
        return Settings(**{**values, **changes})

    return make


@pytest.fixture
def provider(settings: Callable[..., Settings]) -> Provider:
    return Provider(settings())


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
