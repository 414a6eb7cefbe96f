"""The authorization endpoint: what is refused on a page, what the service is told, and when a code is given."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from freezegun import freeze_time

from tests.idp.provider import CALLBACK, SCOPE, Browser, Landlord, Pkce, Provider, Service, answered, authorization

BAD_REDIRECTS = [
    CALLBACK + "/",
    CALLBACK + "/plus",
    CALLBACK + "?a=b",
    CALLBACK + "#ici",
    CALLBACK.replace("/retour", "/Retour"),
    CALLBACK.replace("retour", "%72etour"),
    CALLBACK.replace("/retour", "/a/../retour"),
    CALLBACK.replace("/retour", "/a/%2e%2e/retour"),
    CALLBACK.replace("https", "http"),
    CALLBACK.replace("bailleur.example", "bailleur.example:8443"),
    CALLBACK.replace("bailleur", "BAILLEUR"),
    "https://bailleur.example@evil.test/retour",
    "https://bailleur.example\\@evil.test/retour",
    "//evil.test/retour",
    "https://bailleur.example:80@evil.test/retour",
    'https://bailleur.example/retour"',
    "https://bailleur.example/rétour",
    "javascript:alert(1)",
]


@pytest.mark.security("AZ-01", "AZ-02")
@pytest.mark.authlib(2)
@pytest.mark.parametrize("uri", BAD_REDIRECTS)
def test_an_address_that_was_not_registered_gets_a_page_and_no_redirect(
    signed_in: Browser, service: Service, pkce: Pkce, uri: str
) -> None:
    response = signed_in.authorize(service, pkce, redirect_uri=uri)
    assert response.status_code == 400
    assert "Location" not in response.headers
    assert 'data-page="erreur"' in response.get_data(as_text=True)


@pytest.mark.security("AZ-04")
@pytest.mark.authlib(11)
def test_a_request_without_redirect_uri_gets_a_page_even_when_one_is_registered(
    signed_in: Browser, service: Service, pkce: Pkce
) -> None:
    assert signed_in.authorize(service, pkce, redirect_uri="").status_code == 400


@pytest.mark.security("AZ-05")
@pytest.mark.authlib(8)
@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "scope", "code_challenge", "nonce", "prompt"])
def test_a_parameter_sent_twice_is_refused(signed_in: Browser, service: Service, pkce: Pkce, name: str) -> None:
    asked = authorization(service, pkce)
    asked.setdefault(name, "x")
    query = urlencode([*asked.items(), (name, asked[name])])
    response = signed_in.get(f"/oauth2/authorize?{query}")
    assert response.status_code == 400
    assert name in response.get_data(as_text=True)


@pytest.mark.security("AZ-05")
@pytest.mark.authlib(8)
def test_a_post_with_parameters_in_its_address_too_is_refused(signed_in: Browser, service: Service, pkce: Pkce) -> None:
    asked = authorization(service, pkce)
    response = signed_in.client.post("/oauth2/authorize?client_id=autre", base_url="http://localhost:8000", data=asked)
    assert response.status_code == 400


def test_a_request_by_post_comes_back_by_get_and_keeps_the_person_signed_in(
    signed_in: Browser, service: Service, pkce: Pkce
) -> None:
    response = signed_in.client.post(
        "/oauth2/authorize", base_url="http://localhost:8000", data=authorization(service, pkce)
    )
    assert response.status_code == 303
    assert "Set-Cookie" not in response.headers
    assert "code" in answered(signed_in.get(response.headers["Location"]))


@pytest.mark.security("AZ-06")
@pytest.mark.authlib(7)
@pytest.mark.parametrize("response_type", ["token", "id_token", "code token", "id_token token", "none", "été"])
def test_no_token_is_ever_given_at_this_endpoint(
    signed_in: Browser, service: Service, pkce: Pkce, response_type: str
) -> None:
    response = signed_in.authorize(service, pkce, response_type=response_type)
    answer = answered(response)
    assert answer["error"] == "unsupported_response_type"
    assert "token=" not in response.headers["Location"]


@pytest.mark.authlib(2, 7, 12)
@pytest.mark.parametrize("mode", ["fragment", "form_post", "jwt", "bidon", 'a"b'])
def test_a_response_mode_that_is_not_offered_is_told_to_the_service(
    signed_in: Browser, service: Service, pkce: Pkce, mode: str
) -> None:
    assert answered(signed_in.authorize(service, pkce, response_mode=mode))["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ],
)
@pytest.mark.authlib(2)
def test_a_request_object_is_refused_and_never_ignored(
    signed_in: Browser, service: Service, pkce: Pkce, name: str, error: str
) -> None:
    assert answered(signed_in.authorize(service, pkce, **{name: "x"}))["error"] == error


@pytest.mark.security("AZ-09")
def test_a_request_without_pkce_is_refused_before_any_page(browser: Browser, service: Service) -> None:
    answer = answered(browser.authorize(service))
    assert answer["error"] == "invalid_request"
    assert answer["state"] == "etat-de-la-demande"


@pytest.mark.security("AZ-09", "AZ-10")
@pytest.mark.authlib(4)
@pytest.mark.parametrize("method", ["plain", "", "s256", "S512"])
def test_pkce_is_s256_or_nothing(browser: Browser, service: Service, pkce: Pkce, method: str) -> None:
    answer = answered(browser.authorize(service, pkce, code_challenge_method=method))
    assert answer["error"] == "invalid_request"


@pytest.mark.security("AZ-10")
@pytest.mark.authlib(9)
@pytest.mark.parametrize("challenge", ["court", "a" * 44, "a" * 42 + "\n", "a" * 43 + "\n", "é" * 43, ""])
def test_a_challenge_that_is_not_a_sha256_is_refused(
    browser: Browser, service: Service, pkce: Pkce, challenge: str
) -> None:
    answer = answered(browser.authorize(service, pkce, code_challenge=challenge))
    assert answer["error"] == "invalid_request"


@pytest.mark.security("AZ-08")
@pytest.mark.parametrize("state", ["<script>alert(1)</script>", "a\r\nSet-Cookie: x=1", "é ü & = # ?", "s" * 2048])
def test_a_state_comes_back_as_it_was_sent(signed_in: Browser, service: Service, pkce: Pkce, state: str) -> None:
    response = signed_in.authorize(service, pkce, state=state)
    assert answered(response)["state"] == state
    assert "\r" not in response.headers["Location"]


@pytest.mark.security("AZ-08", "IN-03")
@pytest.mark.parametrize("name", ["state", "nonce", "login_hint", "ui_locales", "claims", "acr_values", "scope"])
@pytest.mark.parametrize("value", ["x" * 100_000, "a\0b"])
def test_a_value_too_long_or_with_a_nul_is_refused_on_a_page(
    signed_in: Browser, service: Service, pkce: Pkce, name: str, value: str
) -> None:
    assert signed_in.authorize(service, pkce, **{name: value}).status_code == 400


@pytest.mark.security("AZ-12")
@pytest.mark.authlib(12)
def test_every_answer_says_which_provider_gives_it(
    signed_in: Browser, browser: Browser, provider: Provider, service: Service, pkce: Pkce
) -> None:
    assert answered(signed_in.authorize(service, pkce))["iss"] == "http://localhost:8000"
    assert answered(provider.browser().authorize(service, pkce, prompt="none"))["iss"] == "http://localhost:8000"
    assert answered(signed_in.authorize(service, pkce, scope="inconnue"))["iss"] == "http://localhost:8000"
    metadata = signed_in.get("/.well-known/openid-configuration").get_json()
    assert metadata["authorization_response_iss_parameter_supported"] is True


@pytest.mark.security("AZ-13")
@pytest.mark.parametrize("client_id", ["", "inconnu", "espace bailleur", 'x"y', "é" * 10])
def test_an_unknown_service_gets_a_page_and_no_redirect(
    signed_in: Browser, service: Service, pkce: Pkce, client_id: str
) -> None:
    response = signed_in.authorize(service, pkce, client_id=client_id)
    assert response.status_code == 400
    assert "Location" not in response.headers


@pytest.mark.security("CL-07")
def test_a_disabled_service_gets_no_code(provider: Provider, signed_in: Browser, service: Service, pkce: Pkce) -> None:
    with provider.transaction() as services:
        services.clients.disable(service.client_id)
    assert signed_in.authorize(service, pkce).status_code == 400


@pytest.mark.security("AZ-14")
def test_every_redirect_after_a_form_is_a_303(browser: Browser, landlord: Landlord) -> None:
    assert browser.sign_in(landlord).status_code == 303


@pytest.mark.security("AZ-16")
def test_prompt_none_without_a_session_is_login_required(browser: Browser, service: Service, pkce: Pkce) -> None:
    assert answered(browser.authorize(service, pkce, prompt="none"))["error"] == "login_required"


@pytest.mark.security("AZ-16", "GA-04")
def test_prompt_none_in_the_middle_of_the_first_login_is_interaction_required(
    provider: Provider, service: Service, pkce: Pkce
) -> None:
    browser = provider.browser()
    browser.sign_in(provider.landlord(completed=False))
    assert answered(browser.authorize(service, pkce, prompt="none"))["error"] == "interaction_required"


@pytest.mark.security("AZ-16", "AZ-17")
def test_prompt_none_with_a_sign_in_older_than_max_age_is_login_required(
    provider: Provider, service: Service, pkce: Pkce
) -> None:
    with freeze_time("2027-01-15 10:00:00") as time:
        browser = provider.browser()
        browser.sign_in(provider.landlord())
        time.tick(10)
        assert "code" in answered(browser.authorize(service, pkce, prompt="none", max_age="10"))
        assert answered(browser.authorize(service, pkce, prompt="none", max_age="9"))["error"] == "login_required"


def test_prompt_none_for_a_person_who_is_done_gives_a_code_without_a_page(
    signed_in: Browser, service: Service, pkce: Pkce
) -> None:
    assert "code" in answered(signed_in.authorize(service, pkce, prompt="none"))


@pytest.mark.parametrize("prompt", ["none login", "none consent", "none select_account"])
def test_prompt_none_excludes_every_other_value(signed_in: Browser, service: Service, pkce: Pkce, prompt: str) -> None:
    assert answered(signed_in.authorize(service, pkce, prompt=prompt))["error"] == "invalid_request"


@pytest.mark.security("AZ-17")
@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "0"}, {"prompt": "select_account"}])
def test_a_service_that_wants_a_fresh_sign_in_gets_one_and_only_one(
    provider: Provider, service: Service, pkce: Pkce, asked: dict[str, str]
) -> None:
    landlord = provider.landlord()
    with freeze_time("2027-01-15 10:00:00") as time:
        browser = provider.browser()
        browser.sign_in(landlord)
        time.tick(60)
        to_page = browser.authorize(service, pkce, **asked)
        assert to_page.headers["Location"].startswith("/connexion?demande=")
        time.tick(60)
        back = browser.sign_in(landlord, to_page.headers["Location"])
        assert "code" in answered(browser.get(back.headers["Location"]))


@pytest.mark.security("AZ-17")
def test_the_page_of_a_fresh_sign_in_cannot_be_passed_without_signing_in(
    signed_in: Browser, service: Service, pkce: Pkce
) -> None:
    page = signed_in.authorize(service, pkce, prompt="login").headers["Location"]
    again = signed_in.get(page.replace("/connexion", "/oauth2/authorize"))
    assert again.headers["Location"].startswith("/connexion")


@pytest.mark.security("AZ-18")
def test_scopes_that_are_not_registered_are_dropped(signed_in: Browser, service: Service, pkce: Pkce) -> None:
    from tests.idp.provider import redeem

    code = signed_in.code(service, pkce, scope="openid email address acceptations bidon")
    assert redeem(signed_in, service, code, pkce).get_json()["scope"] == "openid email"


@pytest.mark.security("AZ-18")
@pytest.mark.parametrize("scope", ["bidon", "OPENID", "openid\tprofile", ",".join(SCOPE.split()), ""])
def test_a_request_without_any_registered_scope_is_refused(
    signed_in: Browser, service: Service, pkce: Pkce, scope: str
) -> None:
    assert answered(signed_in.authorize(service, pkce, scope=scope))["error"] == "invalid_scope"


@pytest.mark.security("AZ-20")
def test_a_parked_request_of_another_browser_is_worth_nothing(
    provider: Provider, service: Service, pkce: Pkce, signed_in: Browser
) -> None:
    stranger = provider.browser()
    page = stranger.authorize(service, pkce).headers["Location"]
    response = signed_in.get(page.replace("/connexion", "/oauth2/authorize"))
    assert response.status_code == 400
    assert 'data-page="demande-perdue"' in response.get_data(as_text=True)


@pytest.mark.security("AZ-20")
def test_a_parked_request_is_answered_once(browser: Browser, landlord: Landlord, service: Service, pkce: Pkce) -> None:
    page = browser.authorize(service, pkce).headers["Location"]
    desk = browser.sign_in(landlord, page).headers["Location"]
    assert "code" in answered(browser.get(desk))
    assert browser.get(desk).status_code == 400


@pytest.mark.security("AZ-21")
def test_two_tabs_bring_each_code_to_its_own_service(
    provider: Provider, browser: Browser, landlord: Landlord, service: Service
) -> None:
    other = provider.service("autre-service", redirect_uris=["https://autre.example/retour"])
    first, second = Pkce(), Pkce()
    tab1 = browser.authorize(service, first, state="un").headers["Location"]
    tab2 = browser.authorize(other, second, state="deux").headers["Location"]
    desk2 = browser.sign_in(landlord, tab2).headers["Location"]
    to_other = browser.get(desk2)
    to_first = browser.get(tab1.replace("/connexion", "/oauth2/authorize"))
    assert to_other.headers["Location"].startswith("https://autre.example/retour?")
    assert answered(to_other)["state"] == "deux"
    assert to_first.headers["Location"].startswith(CALLBACK)
    assert answered(to_first)["state"] == "un"


def test_a_request_survives_a_slow_reader_but_not_for_ever(provider: Provider, service: Service, pkce: Pkce) -> None:
    landlord = provider.landlord()
    with freeze_time("2027-01-15 08:00:00") as time:
        browser = provider.browser()
        page = browser.authorize(service, pkce).headers["Location"]
        time.tick(11 * 3600)
        desk = browser.sign_in(landlord, page).headers["Location"]
        assert "code" in answered(browser.get(desk))
        late = browser.authorize(service, pkce, prompt="login").headers["Location"]
        time.tick(12 * 3600)
        response = browser.get(browser.sign_in(landlord, late).headers["Location"])
        assert response.status_code == 400
        assert 'data-page="demande-perdue"' in response.get_data(as_text=True)


def test_the_query_of_a_registered_address_stays_as_it_is(provider: Provider, signed_in: Browser, pkce: Pkce) -> None:
    service = provider.service(redirect_uris=["https://bailleur.example/retour?a=%20b&c"])
    location = signed_in.authorize(service, pkce).headers["Location"]
    assert location.startswith("https://bailleur.example/retour?a=%20b&c&code=")


def test_a_hint_of_the_same_person_gives_a_code_and_of_another_one_login_required(
    provider: Provider, signed_in: Browser, service: Service, pkce: Pkce
) -> None:
    from tests.idp.provider import redeem

    hint = redeem(signed_in, service, signed_in.code(service, pkce), pkce).get_json()["id_token"]
    assert "code" in answered(signed_in.authorize(service, pkce, prompt="none", id_token_hint=hint))
    other = provider.browser()
    other.sign_in(provider.landlord())
    assert answered(other.authorize(service, pkce, prompt="none", id_token_hint=hint))["error"] == "login_required"
    page = other.authorize(service, pkce, id_token_hint=hint).headers["Location"]
    desk = other.sign_in(provider.landlord(), page).headers["Location"]
    assert answered(other.get(desk))["error"] == "login_required"


@pytest.mark.parametrize("hint", ["bidon", "a.b.c", "e30.e30."])
def test_a_hint_that_is_not_ours_is_refused(signed_in: Browser, service: Service, pkce: Pkce, hint: str) -> None:
    assert answered(signed_in.authorize(service, pkce, id_token_hint=hint))["error"] == "invalid_request"


@pytest.mark.parametrize("max_age", ["-1", "1.5", "demain", "²", "9" * 11])
def test_max_age_is_a_number_of_seconds(signed_in: Browser, service: Service, pkce: Pkce, max_age: str) -> None:
    assert answered(signed_in.authorize(service, pkce, max_age=max_age))["error"] == "invalid_request"


@pytest.mark.parametrize(
    "claims",
    [
        "{",
        "[]",
        '{"id_token": 3}',
        '{"userinfo": {"name": 3}}',
        "[" * 5000,
        '{"id_token": {"acr": {"essential": true, "values": 5}}}',
    ],
)
def test_a_claims_parameter_that_cannot_be_read_is_refused(
    signed_in: Browser, service: Service, pkce: Pkce, claims: str
) -> None:
    assert answered(signed_in.authorize(service, pkce, claims=claims))["error"] == "invalid_request"


@pytest.mark.parametrize("acr", ["eidas2", "eidas3"])
def test_a_stronger_proof_of_identity_is_refused_when_essential_and_never_claimed(
    signed_in: Browser, service: Service, pkce: Pkce, acr: str
) -> None:
    essential: dict[str, Any] = {"id_token": {"acr": {"essential": True, "value": acr}}}
    answer = answered(signed_in.authorize(service, pkce, claims=json.dumps(essential)))
    assert answer["error"] == "unmet_authentication_requirements"
    assert "code" in answered(signed_in.authorize(service, pkce, acr_values=acr))


def test_a_person_asked_for_by_subject_is_the_only_one_who_gets_a_code(
    signed_in: Browser, landlord: Landlord, service: Service, pkce: Pkce
) -> None:
    def asking(subject: str) -> str:
        return json.dumps({"id_token": {"sub": {"value": subject}}})

    assert "code" in answered(signed_in.authorize(service, pkce, prompt="none", claims=asking(landlord.id)))
    answer = answered(signed_in.authorize(service, pkce, prompt="none", claims=asking("f" * 32)))
    assert answer["error"] == "login_required"


def test_harmless_parameters_are_accepted(signed_in: Browser, service: Service, pkce: Pkce) -> None:
    answer = answered(
        signed_in.authorize(
            service,
            pkce,
            display="popup",
            ui_locales="en fr",
            claims_locales="fr",
            login_hint="quelqu’un",
            acr_values="1 2",
            extra="foobar",
            prompt="consent",
            scope=" ".join(reversed(SCOPE.split())),
        )
    )
    assert "code" in answer


@pytest.mark.security("IN-10")
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_allowed(signed_in: Browser, method: str) -> None:
    response = signed_in.client.open("/oauth2/authorize", base_url="http://localhost:8000", method=method)
    assert response.status_code == 405


@pytest.mark.security("PW-01")
@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host"])
def test_a_foreign_host_never_becomes_our_address(browser: Browser, header: str) -> None:
    response = browser.client.get(
        "/.well-known/openid-configuration", base_url="http://localhost:8000", headers={header: "evil.test"}
    )
    if header == "Host":
        assert response.status_code == 421
    else:
        assert response.get_json()["issuer"] == "http://localhost:8000"
