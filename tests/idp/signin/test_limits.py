"""Attempts at the sign-in page: delays, suspension, addresses, and what counts as no attempt."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from freezegun import freeze_time
from sqlalchemy import func, select

from idp.audit import AuditEvent
from idp.db import db
from idp.web.hash_pool import HashPool
from idp.web.throttle import Attempts
from tests.idp.provider import PASSWORD, Browser, Landlord, Provider
from tests.idp.signin.test_sign_in import UNKNOWN
from tests.idp.signin.trying import fail, page, told, type_in

DELAYS = (60, 120, 240, 480, 900)


def suspend(browser: Browser, identifier: str, time: object) -> None:
    """Ten wrong passwords, each as soon as it is allowed."""
    assert fail(browser, identifier, 5) == [422] * 5
    for delay in DELAYS:
        assert fail(browser, identifier, 1) == [429]
        time.tick(delay)  # type: ignore[attr-defined]
        assert fail(browser, identifier, 1) == [422]


@pytest.fixture
def patient(make_provider: Callable[..., Provider]) -> Provider:
    """A provider whose limit by address never answers first."""
    return make_provider(address_limit="100000 per minute")


@pytest.mark.security("LG-01")
def test_five_failures_then_a_delay_the_same_for_an_identifier_that_nobody_has(patient: Provider) -> None:
    """C22: also when the password is right."""
    landlord = patient.landlord()
    with freeze_time("2027-01-15 08:00:00"):
        known, unknown = patient.browser(), patient.browser()
        assert fail(known, landlord.identifier, 5) == fail(unknown, UNKNOWN, 5) == [422] * 5
        answers = [
            (type_in(known, landlord.identifier, "Mauvais"), landlord.identifier),
            (type_in(known, landlord.identifier, landlord.password), landlord.identifier),
            (type_in(unknown, UNKNOWN, PASSWORD), UNKNOWN),
        ]
        first, *others = (told(response, typed) for response, typed in answers)
        assert others == [first, first]
        assert (answers[0][0].status_code, page(answers[0][0])) == (429, "connexion")
        assert answers[0][0].headers["Retry-After"] == "60"
        assert "Vous pourrez recommencer dans 1\N{NO-BREAK SPACE}minute." in answers[0][0].get_data(as_text=True)


@pytest.mark.security("LG-01")
def test_ten_failures_then_a_suspension_that_ends_by_itself(patient: Provider) -> None:
    landlord = patient.landlord()
    with freeze_time("2027-01-15 08:00:00") as time:
        browser, stranger = patient.browser(), patient.browser()
        suspend(browser, landlord.identifier, time)
        suspend(stranger, UNKNOWN, time)
        with freeze_time("2027-01-15 10:00:00") as later:
            # Both suspensions are over: the next failure suspends both again, from the same second on.
            assert fail(browser, landlord.identifier, 1) == fail(stranger, UNKNOWN, 1) == [422]
            answers = [
                (type_in(browser, landlord.identifier, landlord.password), landlord.identifier),
                (type_in(browser, landlord.identifier, "Mauvais"), landlord.identifier),
                (type_in(stranger, UNKNOWN, "Mauvais"), UNKNOWN),
            ]
            first, *others = (told(response, typed) for response, typed in answers)
            assert others == [first, first]
            assert (answers[0][0].status_code, page(answers[0][0])) == (429, "connexion.suspendue")
            assert answers[0][0].headers["Retry-After"] == str(30 * 60)
            later.tick(30 * 60)
            assert type_in(browser, landlord.identifier, landlord.password).status_code == 303
            assert fail(patient.browser(), landlord.identifier, 4) == [422] * 4


def test_a_suspension_ends_no_session_and_no_token(patient: Provider) -> None:
    landlord, here, stranger = patient.landlord(), patient.browser(), patient.browser()
    with freeze_time("2027-01-15 08:00:00") as time:
        here.sign_in(landlord)
        time.tick(5)
        assert fail(stranger, landlord.identifier, 6) == [422] * 5 + [429]
        assert here.get("/mes-services").status_code == 200


def test_a_known_device_keeps_a_count_of_its_own(patient: Provider) -> None:
    """Somebody who types the identifier elsewhere does not shut its holder out, nor the other way round."""
    landlord, own, stranger = patient.landlord(), patient.browser(), patient.browser()
    own.sign_in(landlord)
    own.post("/deconnexion", {"confirmer": "oui"})
    assert fail(stranger, landlord.identifier, 6)[-1] == 429
    assert own.sign_in(landlord).status_code == 303
    own.post("/deconnexion", {"confirmer": "oui"})
    assert fail(own, landlord.identifier, 6) == [422] * 5 + [429]
    other = patient.landlord()
    own.sign_in(other)
    assert fail(stranger, other.identifier, 1) == [422]
    assert own.sign_in(other).status_code == 303


def test_a_device_that_never_signed_in_with_this_identifier_shares_everybodys_count(patient: Provider) -> None:
    landlord, other, browser = patient.landlord(), patient.landlord(), patient.browser()
    browser.sign_in(other)
    assert fail(browser, landlord.identifier, 3) == [422] * 3
    assert fail(patient.browser(), landlord.identifier, 3) == [422, 422, 429]


def test_a_success_forgets_the_failures_before_it(patient: Provider) -> None:
    landlord, browser = patient.landlord(), patient.browser()
    for _ in range(3):
        assert fail(patient.browser(), landlord.identifier, 4) == [422] * 4
        assert browser.sign_in(landlord).status_code == 303
        browser = patient.browser()


@pytest.mark.security("LG-06")
@pytest.mark.parametrize(
    "typed",
    [
        "bailleur0001",
        " BAILLEUR0001 ",
        "BAIL LEUR 0001",
        "ＢＡＩＬＬＥＵＲ0001",
        "BAIL-LEUR-0001",
        "BAILLEUR\u200b0001",
    ],
)
def test_variants_of_one_identifier_share_one_count(patient: Provider, typed: str) -> None:
    landlord, browser = patient.landlord(), patient.browser()
    assert landlord.identifier == "BAILLEUR0001"
    assert fail(browser, landlord.identifier, 3) == [422] * 3
    assert fail(browser, typed, 3) == [422, 422, 429]


@pytest.mark.security("LG-05")
def test_the_password_is_looked_at_in_one_place_behind_the_one_counter() -> None:
    """No second path to a password (`SigningIn.attempt` reserves first), hence no second limiter to forget."""
    import ast
    from pathlib import Path

    root = Path(__file__).parents[3]
    callers = set()
    for path in (file for room in ("idp", "consent", "clients", "keys") for file in (root / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == "verify" and "passwords" in ast.unparse(node.value):
                callers.add(str(path.relative_to(root)))
    assert callers == {"idp/signin/signing_in.py"}


@pytest.mark.security("LG-05")
@pytest.mark.parametrize("path", ["/oauth2/authorize", "/mes-services", "/premiere-connexion/mot-de-passe"])
def test_other_paths_do_not_look_at_a_password_at_all(patient: Provider, path: str) -> None:
    landlord, browser = patient.landlord(), patient.browser()
    pair = {"identifiant": landlord.identifier, "mot_de_passe": landlord.password}
    token = browser.hidden_fields("/connexion")
    response = browser.client.post(path, base_url="http://localhost:8000", data={**token, **pair})
    assert response.status_code in (303, 400, 405)
    assert browser.get("/mes-services").headers["Location"] == "/connexion"


@contextmanager
def full(provider: Provider) -> Iterator[None]:
    """Hold every hash slot of the machine, as other workers would."""
    settings = provider.services.settings
    others, free, held = HashPool(settings.data_dir / "hash-slots", wait=5), threading.Event(), []
    for _ in range(others.slots):
        started = threading.Event()
        held.append(threading.Thread(target=others.run, args=(lambda s=started: (s.set(), free.wait(30)),)))
        held[-1].start()
        assert started.wait(10)
    try:
        yield
    finally:
        free.set()
        for thread in held:
            thread.join()


def test_a_503_of_a_full_hash_pool_counts_as_no_attempt_and_loses_nothing(
    make_provider: Callable[..., Provider],
) -> None:
    provider = make_provider(hash_wait=0)
    landlord, browser = provider.landlord(), provider.browser()
    fields = {"identifiant": landlord.identifier, "mot_de_passe": landlord.password}
    with full(provider):
        for _ in range(12):
            response = browser.post("/connexion", fields)
            assert (response.status_code, page(response)) == (503, "erreur")
            assert int(response.headers["Retry-After"]) > 0
    with provider.app.app_context():
        assert set(db.session.execute(select(Attempts.failures, Attempts.suspensions, Attempts.blocked_until))) == {
            (0, 0, 0)
        }
    assert browser.post("/connexion", fields).status_code == 303


def test_a_503_at_the_tenth_attempt_does_not_make_the_suspension_longer(make_provider: Callable[..., Provider]) -> None:
    provider = make_provider(hash_wait=0, address_limit="1000 per minute")
    landlord, browser = provider.landlord(), provider.browser()
    with freeze_time("2027-01-15 08:00:00") as time:
        assert fail(browser, landlord.identifier, 5) == [422] * 5
        for delay in DELAYS[:-1]:
            time.tick(delay)
            assert fail(browser, landlord.identifier, 1) == [422]
        time.tick(DELAYS[-1])
        with full(provider):
            assert fail(browser, landlord.identifier, 3) == [503] * 3
        assert fail(browser, landlord.identifier, 1) == [422]
        assert type_in(browser, landlord.identifier, "Mauvais").headers["Retry-After"] == str(15 * 60)


@pytest.mark.security("LG-09")
def test_one_address_may_try_so_many_identifiers_and_no_more(make_provider: Callable[..., Provider]) -> None:
    provider = make_provider(address_limit="4 per minute")
    landlord = provider.landlord()
    statuses = [type_in(provider.browser(), f"INCONNU{n:05}", PASSWORD).status_code for n in range(4)]
    assert statuses == [422] * 4
    response = type_in(provider.browser(), landlord.identifier, landlord.password)
    assert (response.status_code, page(response)) == (429, "erreur")
    assert 0 < int(response.headers["Retry-After"]) <= 60
    elsewhere = type_in(
        provider.browser(), landlord.identifier, landlord.password, environ_overrides={"REMOTE_ADDR": "203.0.113.9"}
    )
    assert elsewhere.status_code == 303


@pytest.mark.security("LG-07")
def test_without_a_proxy_what_a_stranger_says_of_its_address_is_ignored(make_provider: Callable[..., Provider]) -> None:
    provider = make_provider(address_limit="3 per minute")
    statuses = [
        type_in(
            provider.browser(),
            f"INCONNU{n:05}",
            PASSWORD,
            headers={"X-Forwarded-For": f"203.0.113.{n}", "Forwarded": f"for=203.0.113.{n}", "X-Real-IP": "1.1.1.1"},
        ).status_code
        for n in range(4)
    ]
    assert statuses == [422] * 3 + [429]
    assert _addresses(provider) == {"127.0.0.1"}


@pytest.mark.security("LG-07")
@pytest.mark.parametrize(("hops", "expected"), [(1, "198.51.100.3"), (2, "198.51.100.2"), (3, "203.0.113.66")])
def test_behind_proxies_the_address_is_the_one_that_the_farthest_of_them_saw(
    make_provider: Callable[..., Provider], hops: int, expected: str
) -> None:
    provider = make_provider(trusted_proxies=hops)
    chain = "203.0.113.66, 198.51.100.2, 198.51.100.3"
    type_in(provider.browser(), UNKNOWN, PASSWORD, headers={"X-Forwarded-For": chain})
    assert _addresses(provider) == {expected}


@pytest.mark.security("LG-07")
def test_a_shorter_chain_than_the_configured_one_frames_nobody(make_provider: Callable[..., Provider]) -> None:
    provider = make_provider(trusted_proxies=2)
    type_in(provider.browser(), UNKNOWN, PASSWORD, headers={"X-Forwarded-For": "203.0.113.66"})
    assert _addresses(provider) == {"127.0.0.1"}


def _addresses(provider: Provider) -> set[str | None]:
    with provider.app.app_context():
        query = select(AuditEvent.address).where(AuditEvent.event == "signin.refused")
        assert db.session.scalar(select(func.count()).select_from(query.subquery()))
        return set(db.session.scalars(query))


def test_a_blocked_attempt_is_recorded_without_the_identifier(patient: Provider, landlord: Landlord) -> None:
    browser = patient.browser()
    fail(browser, UNKNOWN, 6)
    with patient.app.app_context():
        rows = db.session.scalars(select(AuditEvent.details).where(AuditEvent.event == "signin.blocked")).all()
    assert rows == ['{"suspended": false}']
