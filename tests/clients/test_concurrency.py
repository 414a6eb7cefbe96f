"""Two administrators at once, in real threads with connections of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from clients.models import ClientSecret
from clients.refusals import ClientIdTaken, ConcurrentChange
from clients.registry import ClientRegistry, RegistrationPolicy
from tests.conftest import Clock, Recorded

PRODUCTION = RegistrationPolicy(production=True)
Change = Callable[[ClientRegistry], object]


def both(engine: Engine, clock: Clock, recorded: Recorded, change: Change) -> list[Exception | None]:
    """Do `change` twice at once, each in a transaction of its own. Gives what each one raised."""
    # A registry reads the clock when it is about to write: by then both have read the same version.
    ready = Barrier(2, timeout=10)

    def once(_number: int) -> Exception | None:
        waited: list[int] = []

        def clock_of_two() -> int:
            if not waited:
                waited.append(ready.wait())
            return clock()

        with Session(engine) as session:
            try:
                change(ClientRegistry(lambda: session, clock_of_two, recorded.record, PRODUCTION))
                session.commit()
            except Exception as error:  # handed to the test, which says what it must be
                session.rollback()
                return error
        return None

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(once, range(2)))


def kinds(errors: list[Exception | None]) -> set[type]:
    return {type(error) for error in errors}


@pytest.mark.security("CL-06")
@pytest.mark.parametrize(
    "change",
    [
        lambda registry: registry.update("rp1", {"client_name": "Autre"}),
        lambda registry: registry.update("rp1", {"token_endpoint_auth_method": "none"}),
        lambda registry: registry.rotate_secret("rp1", 3600),
        lambda registry: registry.disable("rp1"),
        lambda registry: registry.delete("rp1"),
    ],
    ids=["update", "to-public", "rotate", "disable", "delete"],
)
def test_of_two_changes_at_once_the_second_errors_and_writes_nothing(
    registry: ClientRegistry,
    metadata: dict[str, Any],
    session: Session,
    engine: Engine,
    clock: Clock,
    recorded: Recorded,
    change: Change,
) -> None:
    before = registry.register(metadata, "rp1").client
    session.commit()
    errors = both(engine, clock, recorded, change)
    assert kinds(errors) == {type(None), ConcurrentChange}
    after = {client.client_id: client for client in registry.list()}.get("rp1")
    assert after is None or after.version == before.version + 1
    assert len(session.execute(select(ClientSecret.digest)).all()) <= 2
    assert len(recorded) == 2  # the registration, and the change that won


@pytest.mark.security("CL-06")
def test_of_two_registrations_under_one_id_the_second_errors(
    registry: ClientRegistry, metadata: dict[str, Any], engine: Engine, clock: Clock, recorded: Recorded
) -> None:
    errors = both(engine, clock, recorded, lambda there: there.register(metadata, "rp1"))
    assert kinds(errors) == {type(None), ClientIdTaken}
    assert [len(client.secrets) for client in registry.list()] == [1]
