import itertools
import random
from dataclasses import replace

import pytest

from keys.refusals import PolicyRefused
from keys.rotation import RotationPolicy, pending, plan
from keys.store import SigningKey

POLICY = RotationPolicy(publish_ahead=100, token_lifetime=50, jwks_max_age=80, skew=20)


def key(
    generation: int,
    active_from: int,
    *,
    alg: str = "RS256",
    retired_at: int | None = None,
    revoked_at: int | None = None,
) -> SigningKey:
    published = active_from - POLICY.publish_ahead if generation > 1 else active_from
    return SigningKey(f"{alg}-{generation}", alg, generation, published, active_from, retired_at, revoked_at)


FIRST, SECOND, THIRD = key(1, 1000), key(2, 2000), key(3, 3000)


def states(now: int, *keys: SigningKey) -> str:
    found = plan(keys, now, POLICY).states
    return " ".join(found[key.kid] for key in keys)


def test_the_first_key_signs_at_once_and_stays() -> None:
    assert states(1000, FIRST) == "current"
    assert states(10**9, FIRST) == "current"
    assert plan([FIRST], 1000, POLICY).leaves_at == {}


@pytest.mark.security("JW-07")
@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (1900, "current published"),
        (1999, "current published"),
        (2000, "retired current"),
        (2049, "retired current"),
        (2050, "gone current"),
    ],
)
def test_a_key_is_published_then_signs_then_stays_until_its_last_token_expired(now: int, expected: str) -> None:
    assert states(now, FIRST, SECOND) == expected


@pytest.mark.security("F-26")
def test_there_is_never_more_than_one_current_key_whatever_the_dates() -> None:
    dice = random.Random(20260101)
    dates = [None, 900, 1000, 1500, 2000, 2500]
    for _ in range(2000):
        keys = [
            key(generation, dice.choice(dates[1:]), retired_at=dice.choice(dates), revoked_at=dice.choice(dates))  # type: ignore[arg-type]
            for generation in range(1, dice.randint(2, 5))
        ]
        for now in (800, 950, 1000, 1999, 2000, 2050, 2100, 3000):
            found = plan(keys, now, POLICY)
            assert list(found.states.values()).count("current") == len(found.current) <= 1
            assert all(found.states[key.kid] == "revoked" for key in keys if key.revoked_at is not None)


@pytest.mark.security("JW-07")
def test_what_was_signed_is_verifiable_all_its_life_and_by_who_kept_an_old_key_set() -> None:
    """Every second of two rotations, against a reader that keeps the key set for as long as it may."""
    keys = [FIRST, SECOND, THIRD]
    alive = ("published", "current", "retired")
    shown = {
        now: {kid for kid, state in plan(keys, now, POLICY).states.items() if state in alive}
        for now in range(1000 - POLICY.jwks_max_age, 3200)
    }
    # Before its publication a key is not in the store: nobody can have read it.
    for now, found in shown.items():
        found -= {key.kid for key in keys if key.published_at > now}
    for now in range(1900, 3100):
        signer = plan(keys, now, POLICY).current["RS256"].kid
        assert all(signer in shown[now + age] for age in range(POLICY.token_lifetime))
        assert all(signer in shown[now - age] for age in range(POLICY.jwks_max_age))


def test_algorithms_do_not_know_one_another() -> None:
    other = key(1, 1500, alg="ES256")
    found = plan([FIRST, SECOND, other], 2000, POLICY)
    assert {alg: key.kid for alg, key in found.current.items()} == {"RS256": SECOND.kid, "ES256": other.kid}


def test_a_key_withdrawn_before_it_signed_leaves_the_one_before_in_place() -> None:
    withdrawn = replace(SECOND, retired_at=1950)
    assert states(1960, FIRST, withdrawn) == "current gone"
    assert states(9000, FIRST, withdrawn) == "current gone"
    assert states(9000, FIRST, withdrawn, key(3, 8000)) == "gone gone current"


@pytest.mark.security("JW-08")
def test_a_revoked_key_is_dead_whatever_the_clock_says() -> None:
    revoked = replace(SECOND, revoked_at=2500)
    for now in (0, 1999, 2100, 2500, 9000):
        assert plan([FIRST, revoked], now, POLICY).states[revoked.kid] == "revoked"


@pytest.mark.security("JW-08")
def test_revoking_a_key_never_brings_back_one_that_had_left() -> None:
    revoked, fresh = replace(SECOND, revoked_at=2500), key(3, 2500)
    assert states(2500, FIRST, revoked, fresh) == "gone revoked current"
    assert plan([FIRST, revoked], 2500, POLICY).current == {}


def test_revoking_a_key_that_had_not_signed_changes_nothing_for_the_others() -> None:
    assert states(3000, FIRST, replace(SECOND, revoked_at=1950)) == "current revoked"


def test_a_clock_that_went_back_gives_what_was_true_then() -> None:
    assert states(1950, FIRST, SECOND, THIRD) == "current published published"
    # Before everything: the oldest key, which readers have known longest.
    assert states(10, FIRST, SECOND) == "current published"
    assert states(10, replace(FIRST, revoked_at=1950), SECOND) == "revoked current"
    # ... but not the withdrawn one.
    withdrawn = replace(FIRST, active_from=2000, retired_at=1950)
    assert plan([withdrawn], 10, POLICY).current == {}


def test_a_plan_says_until_when_it_holds() -> None:
    ends = [plan([FIRST, SECOND], now, POLICY).until for now in (10, 1000, 1999, 2000, 2050)]
    assert ends == [1000, 2000, 2000, 2050, None]
    for now, later in itertools.pairwise(range(990, 2100)):
        if plan([FIRST, SECOND], now, POLICY).until != later:
            assert states(now, FIRST, SECOND) == states(later, FIRST, SECOND)


def test_the_pending_key_is_the_one_that_signs_next() -> None:
    keys = [FIRST, SECOND]
    assert pending(keys, plan(keys, 1950, POLICY), "RS256") == SECOND
    assert pending(keys, plan(keys, 2000, POLICY), "RS256") is None
    assert pending(keys, plan(keys, 1950, POLICY), "ES256") is None


@pytest.mark.security("JW-07")
def test_a_policy_that_signs_before_readers_can_know_the_key_is_refused() -> None:
    RotationPolicy(publish_ahead=3660, token_lifetime=300)
    with pytest.raises(PolicyRefused, match="3660 s"):
        RotationPolicy(publish_ahead=3659, token_lifetime=300)
