"""The sign-in page: who gets in, and what the page says to those who do not."""

import json

import pytest
from freezegun import freeze_time
from sqlalchemy import select
from werkzeug.test import TestResponse

from idp.audit import AuditEvent
from idp.db import db
from tests.idp.provider import ISSUER, PASSWORD, Browser, Landlord, Pkce, Provider, Service, answered, authorization
from tests.idp.signin.trying import page, stopped, told, type_in, with_provisional

UNKNOWN = "NCONNU000001"
"""As long as the identifiers of the tests, and nobody's."""


def events(provider: Provider, name: str) -> list[AuditEvent]:
    with provider.app.app_context():
        return list(db.session.scalars(select(AuditEvent).where(AuditEvent.event == name)))


def refused(provider: Provider, identifier: str, password: str) -> TestResponse:
    response = type_in(provider.browser(), identifier, password)
    assert response.status_code == 422
    return response


@pytest.mark.security("LG-01")
def test_every_refused_pair_gets_the_same_page_with_the_same_headers(provider: Provider) -> None:
    never_used, too_late = with_provisional(provider), with_provisional(provider, lifetime=0)
    answers = {
        "unknown identifier": (UNKNOWN, PASSWORD),
        "wrong password": (provider.landlord().identifier, "Mauvais-Mot-De-Passe"),
        "gate pending, wrong secret": (never_used.identifier, "Mauvais-Mot-De-Passe"),
        "provisional expired, wrong secret": (too_late.identifier, "Mauvais-Mot-De-Passe"),
        "other account's provisional": (never_used.identifier, too_late.password),
        **{
            f"{state}, {what}": (stopped(provider, state).identifier, password)
            for state in ("locked", "suspended", "closed")
            for what, password in (("right password", PASSWORD), ("wrong password", "Mauvais-Mot-De-Passe"))
        },
    }
    seen = {what: told(refused(provider, *pair), pair[0]) for what, pair in answers.items()}
    assert {what: answer == seen["unknown identifier"] for what, answer in seen.items()} == dict.fromkeys(seen, True)
    _status, body, (_headers, cookies) = seen["unknown identifier"]
    assert "ne permettent pas de vous connecter" in body
    assert "appareil" not in cookies[1]


@pytest.mark.security("LG-01", "LG-02")
def test_the_page_is_the_same_whatever_the_account_when_the_password_cannot_be_one(
    provider: Provider, landlord: Landlord
) -> None:
    for password in ("x" * 2000, "a\x00b", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")):
        known, unknown = refused(provider, landlord.identifier, password), refused(provider, UNKNOWN, password)
        assert told(known, landlord.identifier) == told(unknown, UNKNOWN)


def test_a_right_pair_opens_the_way_on_and_is_recorded(
    provider: Provider, browser: Browser, landlord: Landlord
) -> None:
    response = browser.sign_in(landlord)
    assert (response.status_code, response.headers["Location"]) == (303, "/mes-services")
    (event,) = events(provider, "signin.succeeded")
    assert (event.account_id, event.channel, json.loads(event.details)) == (landlord.id, "web", {"kind": "personal"})
    assert event.session_id
    assert landlord.password not in event.details


def test_an_identifier_is_understood_as_it_is_printed(browser: Browser, landlord: Landlord) -> None:
    typed = f" {landlord.identifier[:4].lower()}-{landlord.identifier[4:8]} {landlord.identifier[8:]} "
    assert type_in(browser, typed, landlord.password).status_code == 303


@pytest.mark.parametrize(
    ("identifier", "password", "sentence"),
    [
        ("", PASSWORD, "Saisissez votre identifiant"),
        ("jeanne@exemple.fr", PASSWORD, "mail"),
        ("X" * 201, PASSWORD, "identifiant"),
        ("BAILLEUR0001", "", "Saisissez votre mot de passe"),
    ],
)
def test_a_field_that_cannot_be_right_is_told_at_its_place_and_counts_as_no_attempt(
    provider: Provider, browser: Browser, identifier: str, password: str, sentence: str
) -> None:
    response = type_in(browser, identifier, password)
    assert response.status_code == 422
    assert sentence in response.get_data(as_text=True)
    assert 'aria-invalid="true"' in response.get_data(as_text=True)
    assert events(provider, "signin.refused") == []


@pytest.mark.security("LG-10")
@pytest.mark.parametrize(
    ("theirs", "nobodys", "sentence"),
    [
        ("U234567890ABCD", "U234567890ABC9", "Vous avez saisi un numéro utilisateur"),
        ("35600000000048", "73282932000074", "Vous avez saisi un numéro SIRET"),
        ("12345678901234", "12345678901239", "ne permettent pas de vous connecter"),
    ],
)
def test_a_number_typed_as_identifier_is_told_by_its_look_alone(
    provider: Provider, theirs: str, nobodys: str, sentence: str
) -> None:
    """The same whether an account has that number or not, and whether its check character is right or not."""
    provider.landlord(user_number=theirs)
    answer = told(refused(provider, theirs, PASSWORD), theirs)
    assert sentence in answer[1]
    assert answer == told(refused(provider, nobodys, PASSWORD), nobodys)


def test_neither_the_password_nor_anything_of_it_is_sent_back(browser: Browser, landlord: Landlord) -> None:
    for password in ("Mauvais-Mot-De-Passe", ""):
        assert "Mauvais-Mot" not in type_in(browser, landlord.identifier, password).get_data(as_text=True)


@pytest.mark.security("LG-13", "SE-06")
@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://mechant.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}],
)
def test_a_sign_in_sent_from_another_site_is_refused_even_with_a_token(
    provider: Provider, browser: Browser, landlord: Landlord, headers: dict[str, str]
) -> None:
    response = type_in(browser, landlord.identifier, landlord.password, headers=headers)
    assert (response.status_code, page(response)) == (403, "erreur")
    assert browser.get("/mes-services").headers["Location"] == "/connexion"
    assert events(provider, "signin.succeeded") == []


@pytest.mark.security("LG-13", "SE-06")
def test_a_victim_cannot_be_signed_in_with_the_form_of_somebody_else(provider: Provider, landlord: Landlord) -> None:
    attacker, victim = provider.browser(), provider.browser()
    token = attacker.hidden_fields("/connexion")["csrf_token"]
    victim.get("/connexion")
    pair = {"identifiant": landlord.identifier, "mot_de_passe": landlord.password}
    for data in ({**pair, "csrf_token": token}, pair, {**pair, "csrf_token": "bidon"}):
        assert victim.client.post("/connexion", base_url=ISSUER, data=data).status_code == 403
    assert provider.browser().client.post("/connexion", base_url=ISSUER, data=pair).status_code == 403


@pytest.mark.security("LG-13")
def test_the_cookies_are_not_sent_from_other_sites_nor_read_by_scripts(browser: Browser, landlord: Landlord) -> None:
    for response in (browser.get("/connexion"), browser.sign_in(landlord)):
        cookies = response.headers.getlist("Set-Cookie")
        assert cookies
        assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in cookies)
        assert all("Path=/" in cookie and "Domain" not in cookie for cookie in cookies)


@pytest.mark.security("SE-06")
def test_the_page_against_forgery_says_to_load_the_page_anew(provider: Provider) -> None:
    response = provider.browser().client.post("/connexion?demande=" + "a" * 43, base_url=ISSUER, data={})
    body = response.get_data(as_text=True)
    assert (response.status_code, page(response)) == (403, "erreur")
    assert f'href="/connexion?demande={"a" * 43}"' in body


def test_a_provisional_password_that_is_too_old_is_told_only_to_who_holds_it(provider: Provider) -> None:
    landlord = with_provisional(provider, lifetime=0)
    browser = provider.browser()
    response = type_in(browser, landlord.identifier, landlord.password)
    assert (response.status_code, page(response)) == (422, "connexion.provisoire-expire")
    assert page(type_in(browser, landlord.identifier, "Mauvais")) == "connexion"
    assert browser.get("/mes-services").headers["Location"] == "/connexion"
    reasons = [json.loads(event.details)["reason"] for event in events(provider, "signin.refused")]
    assert reasons == ["provisional-expired", "wrong-password"]


@pytest.mark.security("GA-04", "GA-12")
def test_a_provisional_password_opens_the_gate_and_nothing_else(
    provider: Provider, service: Service, pkce: Pkce
) -> None:
    """C24: no code, no list of services; each leads to the step that is due."""
    landlord, browser = with_provisional(provider), provider.browser()
    browser.sign_in(landlord)
    assert browser.get("/mes-services").headers["Location"] == "/premiere-connexion/mot-de-passe"
    asked = browser.authorize(service, pkce)
    assert (asked.status_code, asked.headers["Location"].partition("?")[0]) == (303, "/premiere-connexion/mot-de-passe")
    assert answered(browser.authorize(service, pkce, prompt="none"))["error"] == "interaction_required"


def test_a_service_that_gives_a_hint_finds_it_typed(provider: Provider, service: Service, pkce: Pkce) -> None:
    browser = provider.browser()
    to = browser.authorize(service, pkce, login_hint="BAILLEUR0042").headers["Location"]
    assert 'value="BAILLEUR0042"' in browser.get(to).get_data(as_text=True)
    long = browser.authorize(service, pkce, login_hint="B" * 65).headers["Location"]
    assert "BBBB" not in browser.get(long).get_data(as_text=True)


def test_after_a_sign_in_made_for_a_service_the_person_goes_to_its_desk(
    provider: Provider, service: Service, landlord: Landlord, pkce: Pkce
) -> None:
    browser = provider.browser()
    to = browser.authorize(service, pkce).headers["Location"]
    assert "Espace bailleur" in browser.get(to).get_data(as_text=True)
    onward = browser.sign_in(landlord, to).headers["Location"]
    assert onward.startswith("/oauth2/authorize?demande=")
    assert "code" in answered(browser.get(onward))


def test_two_accounts_live_in_one_browser_and_the_latest_answers(
    provider: Provider, service: Service, pkce: Pkce
) -> None:
    first, second, browser = provider.landlord(), provider.landlord(), provider.browser()
    for landlord in (first, second, first):
        browser.sign_in(landlord)
        services = browser.get("/mes-services").get_data(as_text=True)
        other = second if landlord is first else first
        assert landlord.user_number in services
        assert other.user_number not in services
    assert "code" in answered(browser.authorize(service, pkce))
    with provider.transaction() as built:
        built.accounts.lock(built.accounts.find(first.identifier))
    assert second.user_number in browser.get("/mes-services").get_data(as_text=True)


def test_a_request_is_answered_with_the_account_that_signed_in_for_it(
    provider: Provider, service: Service, pkce: Pkce
) -> None:
    """Two tabs: the second account signs in meanwhile; the first tab's answer is about the first account."""
    first, second, browser = provider.landlord(), provider.landlord(), provider.browser()
    to = browser.authorize(service, pkce).headers["Location"]
    onward = browser.sign_in(first, to).headers["Location"]
    browser.sign_in(second)
    code = answered(browser.get(onward))["code"]
    assert code
    with provider.app.app_context():
        from idp.oidc.models import Grant

        assert db.session.scalars(select(Grant.account_id)).all() == [first.id]


def test_a_session_that_was_idle_too_long_is_told_once_then_the_form_is_back(
    provider: Provider, service: Service, landlord: Landlord, pkce: Pkce
) -> None:
    with freeze_time("2027-01-15 08:00:00") as time:
        browser = provider.browser()
        browser.sign_in(landlord)
        time.tick(1801)
        assert browser.get("/mes-services").headers["Location"] == "/connexion"
        told_so = browser.get("/connexion")
        assert (told_so.status_code, page(told_so)) == (200, "session-finie")
        assert "30" in told_so.get_data(as_text=True)
        assert page(browser.get("/connexion")) == "connexion"
        assert browser.sign_in(landlord).status_code == 303


def test_the_page_of_an_ended_session_leads_back_to_the_service(provider: Provider, landlord: Landlord) -> None:
    service = provider.service("avec-retour", initiate_login_uri="https://bailleur.example/connexion")
    with freeze_time("2027-01-15 08:00:00") as time:
        browser = provider.browser()
        browser.sign_in(landlord)
        time.tick(1801)
        to = browser.authorize(service, Pkce()).headers["Location"]
        body = browser.get(to).get_data(as_text=True)
        assert 'data-page="session-finie"' in body
        assert 'href="https://bailleur.example/connexion"' in body


def test_a_request_that_is_over_leads_to_a_page_that_explains(provider: Provider, service: Service) -> None:
    browser = provider.browser()
    response = browser.get("/oauth2/authorize?demande=" + "x" * 43)
    assert (response.status_code, page(response)) == (400, "demande-perdue")
    assert authorization(service)["client_id"] not in response.get_data(as_text=True)
