"""A provider that runs in several processes, and this process's own view of the same database, to prepare and look."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from idp.db import db
from idp.settings import Settings
from tests.concurrency.at_once import Answer, Post, at_once
from tests.concurrency.visitor import Visitor
from tests.databases import Databases
from tests.idp.provider import Provider, Service
from tests.journeys import provider as journeys

WORKERS = 4

AtOnce = Callable[[list[Post]], list[Answer]]


@pytest.fixture(scope="package")
def running(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[journeys.Provider]:
    """`idp run` with several workers on the run's kind of database."""
    url = databases.new() if databases.kind == "postgresql" else None
    running = journeys.Provider(tmp_path_factory.mktemp("concurrency"), url, workers=WORKERS)
    running.prepare(own_secrets=url is not None)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="package")
def inside(running: journeys.Provider) -> Iterator[Provider]:
    """The same installation, in this process."""
    values: dict[str, Any] = {
        "environment": "test",
        "issuer": running.issuer,
        "data_dir": running.folder / "data",
        "database_url": running.environ.get("IDP_DATABASE_URL", ""),
        "bcrypt_cost": 4,
        "access_log": False,
    }
    inside = Provider(Settings(**values), publish=False)
    yield inside
    with inside.app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="package")
def service(inside: Provider) -> Service:
    return inside.service("espace-bailleur")


@pytest.fixture
def together(running: journeys.Provider) -> AtOnce:
    """Sends all of these requests at the same instant to the several workers; no answer may be an error of ours."""

    def send(posts: list[Post]) -> list[Answer]:
        process = running.server.process
        assert process is not None
        answers = at_once(running.issuer, process.pid, posts)
        assert [answer for answer in answers if answer.status >= 500] == []
        return answers

    return send


@pytest.fixture(scope="package")
def http(running: journeys.Provider) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.issuer, timeout=60) as http:
        yield http


@pytest.fixture
def visitor(http: httpx.Client) -> Callable[[], Visitor]:
    """Gives a new browser at each call."""
    return lambda: Visitor(http)
