"""Espace bailleur against the real provider: what it refuses, and what it never lets out."""

import sqlite3
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from examples.espace_bailleur.app import create_app
from tests.journeys import first_login
from tests.journeys.browser import Person
from tests.journeys.landlord import Landlord
from tests.journeys.provider import Provider
from tests.journeys.service import EspaceBailleur

BASE = "http://127.0.0.1:8001"


@pytest.fixture
def sessions_file(tmp_path: Path) -> Path:
    return tmp_path / "sessions.sqlite3"


@pytest.fixture
def app(provider: Provider, service: EspaceBailleur, sessions_file: Path) -> Flask:
    """The service in this process, a client of the running provider."""
    secret = str(service.registration["client_secret"])
    return create_app(provider.issuer, service.client_id, secret, "k" * 32, service.url, sessions_file=sessions_file)


@pytest.fixture
def browser(app: Flask) -> Client:
    return app.test_client()


def started(answer: TestResponse) -> dict[str, str]:
    """The authorization request that a start redirects to."""
    assert answer.status_code == 302
    return {name: value for name, (value,) in parse_qs(urlsplit(answer.location).query).items()}


def comes_back(browser: Client, **parameters: str) -> TestResponse:
    return browser.get("/retour?" + urlencode(parameters))


def test_the_request_carries_pkce_state_and_nonce(browser: Client, service: EspaceBailleur) -> None:
    asked = started(browser.get("/connexion"))
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert asked["state"]
    assert asked["nonce"]
    assert asked["redirect_uri"] == f"{service.url}/retour"


def test_each_start_has_a_state_of_its_own(browser: Client) -> None:
    assert started(browser.get("/connexion"))["state"] != started(browser.get("/connexion"))["state"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_third_party_may_start_a_sign_in_with_a_hint(method: str, browser: Client, provider: Provider) -> None:
    asked = {"iss": provider.issuer, "login_hint": "somebody"}
    if method == "GET":
        answer = browser.get("/connexion", query_string=asked)
    else:
        answer = browser.post("/connexion", data=asked)
    assert started(answer)["login_hint"] == "somebody"


def test_a_third_party_that_names_another_issuer_is_refused(browser: Client) -> None:
    assert browser.get("/connexion?iss=https://ailleurs.example").status_code == 400


def test_an_answer_nobody_asked_for_is_refused(browser: Client, provider: Provider) -> None:
    assert comes_back(browser, code="x", state="unknown", iss=provider.issuer).status_code == 400
    assert comes_back(browser, error="access_denied", iss=provider.issuer).status_code == 400


@pytest.mark.parametrize("issuer", ["", "https://ailleurs.example"], ids=["none", "another"])
def test_an_answer_without_the_right_issuer_is_refused(issuer: str, browser: Client) -> None:
    state = started(browser.get("/connexion"))["state"]
    named = {"iss": issuer} if issuer else {}
    assert comes_back(browser, code="x", state=state, **named).status_code == 400


def test_a_state_is_used_once(browser: Client, provider: Provider) -> None:
    state = started(browser.get("/connexion"))["state"]
    refused = {"error": "access_denied", "state": state, "iss": provider.issuer}
    assert comes_back(browser, **refused).status_code == 403
    assert comes_back(browser, **refused).status_code == 400


def test_a_refusal_says_that_coming_back_is_possible(browser: Client, provider: Provider) -> None:
    state = started(browser.get("/connexion"))["state"]
    page = comes_back(browser, error="access_denied", state=state, iss=provider.issuer)
    assert "Vous n’avez pas accepté" in page.text
    assert "revenir plus tard" in page.text


def test_a_code_that_the_provider_refuses_gives_a_page(browser: Client, provider: Provider) -> None:
    state = started(browser.get("/connexion"))["state"]
    assert comes_back(browser, code="made-up", state=state, iss=provider.issuer).status_code == 502


def test_the_issuer_of_the_metadata_is_compared_to_the_letter(provider: Provider, sessions_file: Path) -> None:
    almost = provider.issuer.replace("localhost", "LOCALHOST")
    app = create_app(almost, "espace-bailleur", "s", "k" * 32, BASE, sessions_file=sessions_file)
    assert app.test_client().get("/connexion").status_code == 400


def test_the_signed_in_page_starts_a_sign_in(browser: Client) -> None:
    answer = browser.get("/bailleur")
    assert answer.status_code == 303
    assert answer.location.startswith("/connexion?")


@pytest.mark.parametrize("path", ["/actualiser", "/deconnexion"])
def test_a_form_of_another_site_does_nothing(path: str, browser: Client) -> None:
    assert browser.post(path).status_code == 400


@pytest.fixture
def signed_in(person: Person, landlord: Landlord, service: EspaceBailleur) -> Person:
    first_login.completes(person, landlord, service)
    return person


def test_the_cookie_holds_a_key_and_no_token(signed_in: Person, service: EspaceBailleur) -> None:
    cookies = {cookie["name"]: cookie for cookie in signed_in.context.cookies(service.url)}
    cookie = cookies["espace_bailleur"]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert len(cookie["value"]) < 100
    page = signed_in.page.content()
    assert not any(prefix in page + cookie["value"] for prefix in ("mcp_at_", "mcp_rt_", "eyJ"))


def test_the_session_key_changes_at_sign_in(person: Person, landlord: Landlord, service: EspaceBailleur) -> None:
    def key() -> str:
        return next(c["value"] for c in person.context.cookies(service.url) if c["name"] == "espace_bailleur")

    first_login.arrives(person, service)
    before = key()
    first_login.signs_in(person, landlord)
    for step in first_login.STEPS:
        step(person, landlord)
    first_login.finishes(person)
    assert key() != before


def test_a_third_party_cannot_send_the_person_elsewhere(signed_in: Person, service: EspaceBailleur) -> None:
    for target in ("https://ailleurs.example/", f"{service.url}.ailleurs.example/", "//ailleurs.example"):
        signed_in.goes_to(f"{service.url}/connexion?{urlencode({'target_link_uri': target})}")
        signed_in.sees_service("bailleur")
    signed_in.goes_to(f"{service.url}/connexion?{urlencode({'target_link_uri': service.url + '/'})}")
    signed_in.sees_service("accueil")


def test_the_sessions_file_is_private_and_holds_no_key(browser: Client, sessions_file: Path) -> None:
    browser.get("/connexion")
    assert sessions_file.stat().st_mode & 0o077 == 0
    cookie = browser.get_cookie("espace_bailleur")
    assert cookie is not None
    key = cookie.value.rsplit(".", 1)[0]
    with sqlite3.connect(sessions_file) as link:
        rows = link.execute("SELECT * FROM sessions").fetchall()
    assert len(rows) == 1
    assert key not in repr(rows)


def test_a_cookie_that_we_did_not_sign_opens_nothing(app: Flask, browser: Client) -> None:
    browser.set_cookie("espace_bailleur", "made-up.signature")
    assert browser.get("/bailleur").status_code == 303
