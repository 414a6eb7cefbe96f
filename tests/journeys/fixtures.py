"""Fixtures of whoever needs a real provider, a real service and a real browser: journeys, interop, examples."""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.journeys.browser import Person
from tests.journeys.inspection import Inspector
from tests.journeys.landlord import Landlord, new_landlord
from tests.journeys.landlords import import_landlords
from tests.journeys.provider import Provider
from tests.journeys.service import EspaceBailleur
from tests.postgresql import PostgresServer

CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

_numbers = itertools.count()


def new_provider(request: pytest.FixtureRequest, folder: Path, *, publish: bool = True) -> Provider:
    """A provider on an empty database of the run's kind, prepared but not started."""
    url = None
    if request.getfixturevalue("database_kind") == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.create_database(f"journeys_{os.getpid()}_{next(_numbers)}")
    provider = Provider(folder, url)
    provider.prepare(own_secrets=url is not None, publish=publish)
    return provider


@pytest.fixture(scope="session")
def provider(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A provider that runs, with its texts published and nobody in it."""
    provider = new_provider(request, tmp_path_factory.mktemp("provider"))
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture(scope="session")
def service(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EspaceBailleur]:
    """Espace bailleur, registered at the provider and running."""
    service = EspaceBailleur(tmp_path_factory.mktemp("service"), provider)
    service.server.start()
    yield service
    service.server.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def visited() -> set[str]:
    """The `data-page` values that the journeys reached."""
    return set()


@pytest.fixture(scope="session")
def inspector(chromium: Browser) -> Iterator[Inspector]:
    inspector = Inspector(chromium)
    yield inspector
    inspector.close()


@pytest.fixture(params=[True, False], ids=["with-javascript", "without-javascript"])
def javascript(request: pytest.FixtureRequest) -> bool:
    """Each journey is made twice."""
    return bool(request.param)


@pytest.fixture
def new_person(
    chromium: Browser, inspector: Inspector, visited: set[str], javascript: bool
) -> Iterator[Callable[[], Person]]:
    """Gives a person with a browser of her own at each call."""
    people: list[Person] = []

    def arrive() -> Person:
        context = chromium.new_context(java_script_enabled=javascript, locale="fr-FR")
        people.append(Person(context, inspector, visited, javascript))
        return people[-1]

    yield arrive
    for person in people:
        person.context.close()


@pytest.fixture
def person(new_person: Callable[[], Person]) -> Person:
    return new_person()


@pytest.fixture
def landlord(provider: Provider) -> Landlord:
    """A natural person who received her credentials by mail and never signed in."""
    if not provider.waiting:
        # One command for many: an import costs the start of a process.
        provider.waiting = [new_landlord() for _ in range(12)]
        import_landlords(provider, *provider.waiting)
    return provider.waiting.pop()
