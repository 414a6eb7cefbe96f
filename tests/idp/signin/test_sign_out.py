"""Signing out, the list of services, and what is left of a session afterwards."""

import pytest
from freezegun import freeze_time
from sqlalchemy import func, select

from idp.audit import AuditEvent
from idp.db import db
from idp.session import BrowserSession, SignIn
from idp.signin.signing_out import onward
from tests.idp.provider import ISSUER, Browser, Landlord, Pkce, Provider, Service, answered
from tests.idp.signin.trying import page


def rows(provider: Provider) -> tuple[int, int]:
    """Browser sessions and sign-ins in the database."""
    with provider.app.app_context():
        count = [db.session.scalar(select(func.count()).select_from(model)) or 0 for model in (BrowserSession, SignIn)]
        return count[0], count[1]


@pytest.mark.security("LO-02")
def test_a_visit_asks_first_and_signs_nobody_out(signed_in: Browser) -> None:
    """C35: a picture on another site cannot sign anybody out, and who cancels stays signed in."""
    response = signed_in.get("/deconnexion")
    assert (response.status_code, page(response)) == (200, "deconnexion")
    assert 'href="/mes-services"' in response.get_data(as_text=True)
    assert signed_in.get("/mes-services").status_code == 200


@pytest.mark.security("SE-02", "SE-06")
def test_a_sign_out_without_the_pages_token_is_refused(signed_in: Browser) -> None:
    assert signed_in.client.post("/deconnexion", base_url=ISSUER, data={"confirmer": "oui"}).status_code == 403
    assert signed_in.get("/mes-services").status_code == 200


@pytest.mark.security("SE-02")
def test_after_a_sign_out_the_old_cookie_is_dead(provider: Provider, signed_in: Browser, landlord: Landlord) -> None:
    """C27: going back, or keeping the cookie, shows nothing; the server has forgotten."""
    old = signed_in.client.get_cookie("mcp-session", domain="localhost")
    assert old is not None
    assert rows(provider) == (1, 1)
    response = signed_in.post("/deconnexion", {"confirmer": "oui"})
    assert (response.status_code, response.headers["Location"]) == (303, "/deconnecte")
    assert page(signed_in.get("/deconnecte")) == "deconnecte"
    assert rows(provider) == (0, 0)
    thief = provider.browser()
    thief.client.set_cookie("mcp-session", old.value, domain="localhost")
    for browser in (thief, signed_in):
        seen = browser.get("/mes-services")
        assert (seen.status_code, seen.headers["Location"]) == (303, "/connexion")
        assert landlord.user_number not in seen.get_data(as_text=True)
    assert thief.client.post("/session/prolonger", base_url=ISSUER).status_code in (401, 403)


@pytest.mark.security("AZ-16")
def test_after_a_sign_out_a_service_is_told_that_nobody_is_here(
    signed_in: Browser, service: Service, pkce: Pkce
) -> None:
    signed_in.post("/deconnexion", {"confirmer": "oui"})
    assert answered(signed_in.authorize(service, pkce, prompt="none"))["error"] == "login_required"


def test_a_sign_out_is_recorded_once_and_twice_is_harmless(provider: Provider, signed_in: Browser) -> None:
    token = signed_in.hidden_fields("/deconnexion")
    for _ in range(2):
        response = signed_in.client.post("/deconnexion", base_url=ISSUER, data={**token, "confirmer": "oui"})
        assert response.status_code in (303, 403)
        assert response.headers.get("Location", "/deconnecte") == "/deconnecte"
    assert signed_in.get("/deconnexion").headers["Location"] == "/deconnecte"
    with provider.app.app_context():
        events = db.session.scalars(select(AuditEvent.event).where(AuditEvent.event == "signin.ended")).all()
    assert events == ["signin.ended"]


def test_a_sign_out_ends_every_account_of_this_browser_and_no_other_browser(provider: Provider) -> None:
    here, elsewhere = provider.browser(), provider.browser()
    first, second = provider.landlord(), provider.landlord()
    here.sign_in(first)
    here.sign_in(second)
    elsewhere.sign_in(first)
    assert rows(provider) == (2, 3)
    here.post("/deconnexion", {"confirmer": "oui"})
    assert rows(provider) == (1, 1)
    assert elsewhere.get("/mes-services").status_code == 200


@pytest.mark.security("SE-14")
@pytest.mark.parametrize(
    "next_url",
    [
        "//mechant.example",
        "/\\mechant.example",
        "\t//mechant.example",
        "https:mechant.example",
        "https://mechant.example",
    ],
)
def test_no_parameter_sends_a_person_to_another_site(provider: Provider, landlord: Landlord, next_url: str) -> None:
    browser = provider.browser()
    query = dict.fromkeys(("next", "suite", "demande", "url", "redirect", "retour"), next_url)
    url = "/connexion?" + "&".join(f"{name}={next_url}" for name in query)
    assert browser.sign_in(landlord, url).headers["Location"] == "/mes-services"
    for path in ("/connexion", "/deconnexion", "/mes-services", "/premiere-connexion/terminee", "/"):
        response = browser.get(path, query_string=query)
        assert "mechant" not in response.headers.get("Location", "")
        assert "mechant" not in response.headers.get("Content-Security-Policy", "")
    answer = browser.post("/deconnexion?suite=" + next_url, {"confirmer": "oui"})
    assert answer.headers["Location"] == "/deconnecte"


@pytest.mark.security("SE-14")
def test_the_way_back_after_a_sign_out_is_one_that_we_signed_within_the_hour(
    provider: Provider, signed_in: Browser
) -> None:
    uri = "https://bailleur.example/deconnecte"
    with freeze_time("2027-01-15 08:00:00") as time:
        with provider.app.app_context():
            suite = onward.write(uri)
            assert onward.read(suite) == uri
            assert onward.read(suite[:-2] + "xx") is None
        time.tick(3601)
        with provider.app.app_context():
            assert onward.read(suite) is None


def test_the_list_of_services_shows_those_that_can_be_started_from_here(provider: Provider, landlord: Landlord) -> None:
    provider.service("demarrable", client_name="Aides au logement", initiate_login_uri="https://al.example/connexion")
    provider.service("autre", client_name="Sans départ")
    browser = provider.browser()
    assert browser.get("/").headers["Location"] == "/mes-services"
    assert browser.get("/mes-services").headers["Location"] == "/connexion"
    browser.sign_in(landlord)
    body = browser.get("/mes-services").get_data(as_text=True)
    assert 'href="https://al.example/connexion"' in body
    assert "Sans départ" not in body
    with provider.transaction() as services:
        services.clients.disable("demarrable")
    assert "Aides au logement" not in browser.get("/mes-services").get_data(as_text=True)


def test_staying_signed_in_needs_the_pages_token_and_somebody_signed_in(provider: Provider, signed_in: Browser) -> None:
    token = signed_in.hidden_fields("/deconnexion")
    assert signed_in.client.post("/session/prolonger", base_url=ISSUER).status_code == 403
    answer = signed_in.client.post("/session/prolonger", base_url=ISSUER, headers={"X-CSRFToken": token["csrf_token"]})
    assert (answer.status_code, set(answer.get_json())) == (200, {"csrf"})
    stranger = provider.browser()
    token = stranger.hidden_fields("/connexion")
    refused = stranger.client.post("/session/prolonger", base_url=ISSUER, headers={"X-CSRFToken": token["csrf_token"]})
    assert refused.status_code == 401


@pytest.mark.parametrize("path", ["/mot-de-passe-oublie", "/probleme-de-connexion"])
def test_both_help_links_lead_to_one_page_that_says_whom_to_ask(provider: Provider, path: str) -> None:
    browser = provider.browser()
    assert f'href="{path}"' in browser.get("/connexion").get_data(as_text=True)
    response = browser.get(path)
    assert (response.status_code, page(response)) == (200, path[1:])
    assert provider.services.settings.caf_contact in response.get_data(as_text=True)
