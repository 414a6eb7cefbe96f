"""Attempts, counted in the database: delays, suspensions, known devices, and many at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from idp.web.throttle import DELAYS, FORGET_AFTER, LONGEST_SUSPENSION, SUSPENSION, Attempts, Blocked, Throttle
from tests.conftest import Clock

SECRET = b"s" * 32


@pytest.fixture
def throttle(clock: Clock) -> Throttle:
    return Throttle(SECRET, clock)


@pytest.fixture
def key(throttle: Throttle) -> bytes:
    return throttle.key("BAILLEUR0001")


@pytest.fixture
def fails(throttle: Throttle, session: Session, key: bytes) -> Callable[[int], None]:
    def fail(times: int) -> None:
        for _ in range(times):
            throttle.reserve(session, key)

    return fail


def blocked(throttle: Throttle, session: Session, key: bytes) -> Blocked:
    with pytest.raises(Blocked) as found:
        throttle.reserve(session, key)
    return found.value


def test_the_fifth_failure_brings_the_first_delay_and_each_further_one_a_longer(
    throttle: Throttle, session: Session, clock: Clock, key: bytes, fails: Callable[[int], None]
) -> None:
    fails(5)
    for delay in DELAYS:
        found = blocked(throttle, session, key)
        assert (found.seconds, found.suspended) == (delay, False)
        clock.advance(delay - 1)
        assert blocked(throttle, session, key).seconds == 1
        clock.advance(1)
        fails(1)
    assert blocked(throttle, session, key).suspended


def test_a_suspension_lasts_a_quarter_of_an_hour_then_doubles_up_to_twelve_hours(
    throttle: Throttle, session: Session, clock: Clock, key: bytes, fails: Callable[[int], None]
) -> None:
    fails(5)
    for delay in DELAYS:
        clock.advance(delay)
        fails(1)
    lasted = []
    for _ in range(9):
        lasted.append(blocked(throttle, session, key).seconds)
        clock.advance(lasted[-1])
        fails(1)
    assert lasted == [min(SUSPENSION * 2**n, LONGEST_SUSPENSION) for n in range(9)]
    assert lasted[-1] == 12 * 3600


def test_a_success_starts_the_count_anew(
    throttle: Throttle, session: Session, key: bytes, fails: Callable[[int], None]
) -> None:
    for _ in range(3):
        fails(4)
        throttle.succeeded(session, key)
    fails(5)
    throttle.succeeded(session, key)
    fails(5)
    assert blocked(throttle, session, key).seconds == DELAYS[0]


def test_a_day_without_any_attempt_is_forgotten(
    throttle: Throttle, session: Session, clock: Clock, key: bytes, fails: Callable[[int], None]
) -> None:
    fails(4)
    clock.advance(FORGET_AFTER)
    fails(1)
    assert blocked(throttle, session, key)
    clock.advance(FORGET_AFTER + 1)
    fails(5)
    assert blocked(throttle, session, key).seconds == DELAYS[0]


def test_an_attempt_that_is_given_back_never_was(
    throttle: Throttle, session: Session, clock: Clock, key: bytes, fails: Callable[[int], None]
) -> None:
    for _ in range(20):
        throttle.reserve(session, key)
        throttle.give_back(session, key)
    fails(4)
    throttle.reserve(session, key)
    throttle.give_back(session, key)
    fails(1)
    assert blocked(throttle, session, key).seconds == DELAYS[0]
    throttle.give_back(session, throttle.key("PERSONNE"))


def test_a_suspension_that_is_given_back_does_not_make_the_next_one_longer(
    throttle: Throttle, session: Session, clock: Clock, key: bytes, fails: Callable[[int], None]
) -> None:
    fails(5)
    for delay in DELAYS[:-1]:
        clock.advance(delay)
        fails(1)
    clock.advance(DELAYS[-1])
    for _ in range(3):
        throttle.reserve(session, key)
        throttle.give_back(session, key)
    fails(1)
    found = blocked(throttle, session, key)
    assert (found.seconds, found.suspended) == (SUSPENSION, True)


def test_a_forgiven_count_is_gone(
    throttle: Throttle, session: Session, key: bytes, fails: Callable[[int], None]
) -> None:
    fails(5)
    throttle.forgive(session, key)
    fails(5)
    assert blocked(throttle, session, key)


def test_a_device_is_known_once_remembered_and_has_its_own_count(
    throttle: Throttle, session: Session, key: bytes, fails: Callable[[int], None]
) -> None:
    own = throttle.key("BAILLEUR0001", "device")
    assert not throttle.known(session, own)
    for _ in range(2):
        throttle.remember(session, own, key)
    assert throttle.known(session, own)
    assert not throttle.known(session, throttle.key("BAILLEUR0002", "device"))
    fails(5)
    assert throttle.reserve(session, own) == 1


@pytest.mark.security("LG-10")
def test_the_table_tells_no_identifier_and_another_secret_gives_other_keys(
    throttle: Throttle, session: Session, clock: Clock, key: bytes, fails: Callable[[int], None]
) -> None:
    fails(1)
    (row,) = session.scalars(select(Attempts)).all()
    assert len(row.key) == 32
    assert b"BAILLEUR" not in row.key
    assert Throttle(b"t" * 32, clock).key("BAILLEUR0001") != key
    assert throttle.key("A", "B") != throttle.key("B", "A")


@pytest.mark.security("LG-05")
@pytest.mark.parametrize("before", [0, 3, 9])
def test_of_fifty_attempts_at_once_no_more_are_looked_at_than_one_by_one(
    engine: Engine, clock: Clock, throttle: Throttle, key: bytes, before: int
) -> None:
    """Five from nothing, two after three failures, one after nine: each reserves before it looks."""
    with Session(engine) as session:
        for done in range(before):
            throttle.reserve(session, key)
            clock.advance(DELAYS[done - 4] if done >= 4 else 0)
        session.commit()

    def attempt(_: int) -> bool:
        with Session(engine) as session:
            try:
                throttle.reserve(session, key)
            except Blocked:
                return False
            session.commit()
            return True

    with ThreadPoolExecutor(16) as pool:
        allowed = sum(pool.map(attempt, range(50)))
    assert allowed == {0: 5, 3: 2, 9: 1}[before]
    with Session(engine) as session:
        assert session.scalars(select(Attempts.failures)).all() == [before + allowed]
