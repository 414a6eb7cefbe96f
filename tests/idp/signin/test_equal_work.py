"""Equal times, proved by equal work: hashes, MACs and SQL of each kind of refusal are counted (LG-02, LG-03).

A clock would tell less: on a busy machine two medians of the same code differ by more than one SELECT.
"""

import hmac
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import bcrypt
import pytest

from idp.signin import signing_in
from tests.idp.provider import PASSWORD, Landlord, Provider
from tests.idp.signin.test_sign_in import UNKNOWN
from tests.idp.signin.trying import stopped, type_in, with_provisional


@contextmanager
def working(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Count bcrypt's rounds (2^cost) and SHA-384 MACs."""
    counts: Counter[str] = Counter()
    hashpw, digest = bcrypt.hashpw, hmac.digest

    def counted_hash(password: bytes, salt: bytes) -> bytes:
        counts["rounds"] += 2 ** int(salt[4:6])
        return hashpw(password, salt)

    def counted_mac(key: bytes, message: bytes, name: Any) -> bytes:
        counts["macs"] += name == "sha384"
        return digest(key, message, name)

    with monkeypatch.context() as patch:
        patch.setattr(bcrypt, "hashpw", counted_hash)
        patch.setattr(hmac, "digest", counted_mac)
        yield counts


def work(provider: Provider, monkeypatch: pytest.MonkeyPatch, identifier: str, password: str) -> dict[str, int]:
    browser = provider.browser()
    browser.get("/connexion")
    with working(monkeypatch) as done, provider.counting() as sql:
        assert type_in(browser, identifier, password).status_code == 422
    return {**done, **sql}


@pytest.mark.security("LG-02")
def test_every_refusal_costs_the_same_hashes_macs_statements_and_commits(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending, late = with_provisional(provider), with_provisional(provider, lifetime=0)
    pairs = {
        "unknown": (UNKNOWN, "Mauvais-Mot-De-Passe"),
        "wrong": (provider.landlord().identifier, "Mauvais-Mot-De-Passe"),
        "pending": (pending.identifier, "Mauvais-Mot-De-Passe"),
        "late": (late.identifier, "Mauvais-Mot-De-Passe"),
        **{f"{state}, right": (stopped(provider, state).identifier, PASSWORD) for state in ("locked", "closed")},
        "suspended, wrong": (stopped(provider, "suspended").identifier, "Mauvais-Mot-De-Passe"),
    }
    seen = {what: work(provider, monkeypatch, *pair) for what, pair in pairs.items()}
    assert seen == dict.fromkeys(seen, seen["unknown"])
    assert seen["unknown"]["rounds"] == 2**4
    assert seen["unknown"]["macs"] == 2


@pytest.mark.security("LG-03")
def test_a_hash_of_an_older_cost_costs_as_much_as_that_of_nobody(
    make_provider: Callable[..., Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = make_provider(bcrypt_cost=5).landlord()
    now = make_provider(bcrypt_cost=8)
    seen = [work(now, monkeypatch, identifier, "Mauvais-Mot") for identifier in (old.identifier, UNKNOWN)]
    assert seen[0] == seen[1]
    assert seen[0]["rounds"] == 2**8


@pytest.mark.security("LG-03")
def test_a_hash_of_an_older_cost_is_renewed_by_the_sign_in(
    make_provider: Callable[..., Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = make_provider(bcrypt_cost=5).landlord()
    now = make_provider(bcrypt_cost=7)
    rounds = []
    for _ in range(2):
        with working(monkeypatch) as done:
            assert now.browser().sign_in(old).status_code == 303
        rounds.append(done["rounds"])
    assert rounds == [2 * 2**7, 2**7]


@pytest.mark.security("LG-03")
@pytest.mark.parametrize("known", [True, False])
def test_an_answer_never_comes_before_the_floor(
    provider: Provider, landlord: Landlord, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    """In production every look at a password takes as long as the dearest hash (a test waits for none)."""
    waited: list[float] = []
    monkeypatch.setattr("idp.signin.signing_in.time.sleep", waited.append)
    services = provider.services
    with provider.app.test_request_context("/connexion", base_url="http://localhost:8000"):
        provider.app.preprocess_request()
        trying = signing_in.SigningIn(services.passwords, services.throttle, 30.0)
        identifier = landlord.identifier if known else UNKNOWN
        assert trying.attempt(identifier, "Mauvais-Mot", "d" * 43) is signing_in.Outcome.REFUSED
    assert len(waited) == 1
    assert 0 < waited[0] <= 30.0
