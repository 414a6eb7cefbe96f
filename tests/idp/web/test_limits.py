"""Limits by address: shared where there is a Redis, in this process where there is none or it does not answer."""

import socket
import time
from collections.abc import Callable

import pytest
from limits import parse_many

from idp.web.limits import AddressLimits
from tests.idp.provider import PASSWORD, Provider
from tests.idp.signin.trying import type_in

TWO = parse_many("2 per minute;3 per hour")


def test_the_first_limit_that_is_exceeded_is_told_and_each_address_has_its_own() -> None:
    limits = AddressLimits(TWO, "")
    assert [limits.hit("sign-in", "a") for _ in range(2)] == [None, None]
    exceeded = limits.hit("sign-in", "a")
    assert exceeded is not None
    assert exceeded.get_expiry() == 60
    assert limits.hit("sign-in", "b") is None
    assert limits.hit("other", "a") is None


@pytest.mark.security("F-13")
def test_without_its_redis_a_process_counts_alone() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        limits = AddressLimits(TWO, f"redis://127.0.0.1:{nobody.getsockname()[1]}/0")
        assert [limits.hit("sign-in", "a") is None for _ in range(3)] == [True, True, False]


@pytest.mark.security("F-13", "F-08")
def test_a_redis_that_takes_the_call_and_says_nothing_delays_a_sign_in_by_little() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(16)
        limits = AddressLimits(TWO, f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        started = time.monotonic()
        assert [limits.hit("sign-in", "a") is None for _ in range(3)] == [True, True, False]
        assert time.monotonic() - started < 20


@pytest.mark.security("LG-09", "F-13")
def test_a_provider_whose_redis_is_dead_signs_people_in_and_still_limits(
    make_provider: Callable[..., Provider],
) -> None:
    provider = make_provider(redis_url="redis://127.0.0.1:1/0", address_limit="2 per minute")
    landlord = provider.landlord()
    statuses = [type_in(provider.browser(), landlord.identifier, PASSWORD).status_code for _ in range(3)]
    assert statuses == [303, 303, 429]
