"""The way back to the desk: only a name in the right shape is carried, and it opens nothing by itself."""

import re

import pytest

from tests.idp.provider import Browser, Landlord, Pkce, Provider, Service, answered

NAME = "A" * 42 + "b"


def carried(browser: Browser, value: str, path: str = "/connexion") -> list[str]:
    """The names that the page's own links carry."""
    body = browser.get(path, query_string={"demande": value}).get_data(as_text=True)
    return re.findall(r"[?&;]demande=([^\"&]*)", body)


def test_a_name_in_the_right_shape_goes_from_page_to_page_and_to_no_other_address(browser: Browser) -> None:
    names = carried(browser, NAME)
    assert len(names) >= 4
    assert set(names) == {NAME}
    body = browser.get("/connexion", query_string={"demande": NAME}).get_data(as_text=True)
    for link in re.findall(r'(?:href|src)="([^"]*)"', body):
        assert ("demande=" in link) == (link.startswith("/") and not link.startswith("/static/") and link != "/")


@pytest.mark.security("SE-14", "SE-08")
@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        "a" * 42,
        "a" * 44,
        "a" * 42 + "\n",
        "a" * 42 + "é",
        "a" * 42 + "/",
        '"><script>alert(1)</script>',
        "//evil",
    ],
)
def test_anything_else_is_dropped(browser: Browser, value: str) -> None:
    assert carried(browser, value) == []


def test_a_redirect_between_our_pages_keeps_it(browser: Browser) -> None:
    assert browser.get(f"/mes-services?demande={NAME}").headers["Location"] == f"/connexion?demande={NAME}"


def test_a_name_that_nobody_waits_under_tells_of_no_service(browser: Browser) -> None:
    body = browser.get(f"/connexion?demande={NAME}").get_data(as_text=True)
    assert 'class="service"' not in body


@pytest.mark.security("AZ-20")
def test_the_name_of_somebody_elses_request_tells_which_service_waits_and_gives_no_code(
    provider: Provider, service: Service, landlord: Landlord, pkce: Pkce
) -> None:
    victim, thief = provider.browser(), provider.browser()
    to = victim.authorize(service, pkce).headers["Location"]
    thief.sign_in(landlord, to)
    refused = thief.get(to.replace("/connexion", "/oauth2/authorize"))
    assert refused.status_code == 400
    assert "Location" not in refused.headers
    assert "code" in answered(victim.get(victim.sign_in(landlord, to).headers["Location"]))


def test_the_form_of_a_waiting_request_may_end_at_its_service_and_nowhere_else(
    provider: Provider, service: Service, browser: Browser, pkce: Pkce
) -> None:
    to = browser.authorize(service, pkce).headers["Location"]
    assert "form-action 'self' https://bailleur.example;" in browser.get(to).headers["Content-Security-Policy"]
    assert "form-action 'self';" in browser.get("/connexion").headers["Content-Security-Policy"]


def test_the_pages_speak_the_language_that_the_service_asked_for(
    browser: Browser, service: Service, pkce: Pkce
) -> None:
    to = browser.authorize(service, pkce, ui_locales="de en fr").headers["Location"]
    assert '<html lang="en">' in browser.get(to).get_data(as_text=True)
    assert '<html lang="fr">' in browser.get("/connexion").get_data(as_text=True)
