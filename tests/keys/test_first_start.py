"""Several processes start at once on one empty database (F-27)."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from idp.db import engine_options
from keys.models import Base
from keys.ring import KeyRing
from keys.sealing import Sealer
from keys.sentinel import check
from keys.stores.sql import SqlKeyStore
from tests.keys.conftest import KEK, POLICY

PROCESSES = 4


def start(url: str, together: Barrier, told: "Queue[tuple[bool, int, str]]") -> None:
    """What one process does at its first start; tells whether it was first, the keys it made, and its JWKS."""
    engine = create_engine(url, **engine_options(url))
    with Session(engine) as session:
        ring = KeyRing(SqlKeyStore(lambda: session, Sealer([KEK])), lambda: 1000, POLICY, lambda *_, **__: None)
        together.wait(120)
        first = check(session, "kek", [KEK], may_create=True)
        made = ring.make_missing(first_start=first)
        ring.check()
        session.commit()
        told.put((first, len(made), ring.jwks().body.decode()))
    engine.dispose()


def start_without_a_sentinel(url: str, together: Barrier, told: "Queue[tuple[bool, int, str]]") -> None:
    """The same, with nothing but the keys' own constraint to decide."""
    engine = create_engine(url, **engine_options(url))
    with Session(engine) as session:
        ring = KeyRing(SqlKeyStore(lambda: session, Sealer([KEK])), lambda: 1000, POLICY, lambda *_, **__: None)
        together.wait(120)
        made = ring.make_missing()
        session.commit()
        told.put((bool(made), len(made), ring.jwks().body.decode()))
    engine.dispose()


@pytest.mark.security("F-27")
@pytest.mark.parametrize("process", [start, start_without_a_sentinel])
def test_processes_that_start_together_end_with_the_same_keys(
    database_url: str, process: Callable[[str, Barrier, "Queue[tuple[bool, int, str]]"], None]
) -> None:
    engine = create_engine(database_url, **engine_options(database_url))
    Base.metadata.create_all(engine)
    engine.dispose()
    spawn = multiprocessing.get_context("spawn")
    together, told = spawn.Barrier(PROCESSES), spawn.Queue()
    processes = [spawn.Process(target=process, args=(database_url, together, told)) for _ in range(PROCESSES)]
    for one in processes:
        one.start()
    answers = [told.get(timeout=120) for _ in processes]
    for one in processes:
        one.join(60)
        assert one.exitcode == 0
    assert sum(made for _, made, _ in answers) == 2
    assert len({jwks for _, _, jwks in answers}) == 1
    if process is start:
        assert sorted(first for first, _, _ in answers) == [False] * (PROCESSES - 1) + [True]
