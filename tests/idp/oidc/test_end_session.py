"""RP-initiated logout: signed out and sent back, or asked first; nobody is sent to a foreign address."""

import pytest
from freezegun import freeze_time

from tests.idp.provider import ISSUER, Browser, Landlord, Pkce, Provider, Service, answered, redeem

GOODBYE = "https://bailleur.example/deconnecte"


@pytest.fixture
def service(provider: Provider) -> Service:
    return provider.service("espace-bailleur", post_logout_redirect_uris=[GOODBYE])


@pytest.fixture
def hint(signed_in: Browser, service: Service, pkce: Pkce) -> str:
    return str(redeem(signed_in, service, signed_in.code(service, pkce), pkce).get_json()["id_token"])


def test_with_a_hint_of_this_sign_in_the_person_is_signed_out_and_sent_back(
    signed_in: Browser, service: Service, pkce: Pkce, hint: str
) -> None:
    response = signed_in.get(
        "/oauth2/end-session",
        query_string={"id_token_hint": hint, "post_logout_redirect_uri": GOODBYE, "state": "s é"},
    )
    assert response.status_code == 303
    assert response.headers["Location"] == f"{GOODBYE}?state=s+%C3%A9"
    assert answered(signed_in.authorize(service, pkce, prompt="none"))["error"] == "login_required"


@pytest.mark.authlib(5)
def test_an_expired_hint_is_as_good(provider: Provider, service: Service, pkce: Pkce) -> None:
    with freeze_time("2027-01-15 10:00:00") as time:
        browser = provider.browser()
        browser.sign_in(provider.landlord())
        hint = redeem(browser, service, browser.code(service, pkce), pkce).get_json()["id_token"]
        time.tick(1200)
        asked = {"id_token_hint": hint, "post_logout_redirect_uri": GOODBYE}
        assert browser.get("/oauth2/end-session", query_string=asked).headers["Location"] == GOODBYE


@pytest.mark.security("LO-02")
@pytest.mark.parametrize("asked", [{}, {"state": "s"}, {"post_logout_redirect_uri": GOODBYE}, {"client_id": "x"}])
def test_without_a_hint_a_page_asks_first_and_nobody_is_signed_out_meanwhile(
    signed_in: Browser, service: Service, pkce: Pkce, asked: dict[str, str]
) -> None:
    response = signed_in.get("/oauth2/end-session", query_string=asked, follow_redirects=True)
    assert 'data-page="deconnexion"' in response.get_data(as_text=True)
    assert "code" in answered(signed_in.authorize(service, pkce, prompt="none"))


def test_after_the_confirmation_the_person_goes_where_the_service_asked(
    signed_in: Browser, service: Service, pkce: Pkce
) -> None:
    asked = {"client_id": service.client_id, "post_logout_redirect_uri": GOODBYE, "state": "s"}
    page = signed_in.get("/oauth2/end-session", query_string=asked).headers["Location"]
    assert signed_in.post(page, {"confirmer": "oui"}).headers["Location"] == f"{GOODBYE}?state=s"
    assert answered(signed_in.authorize(service, pkce, prompt="none"))["error"] == "login_required"


def test_a_person_who_does_not_confirm_stays_signed_in(signed_in: Browser, service: Service, pkce: Pkce) -> None:
    signed_in.get("/deconnexion")
    assert "code" in answered(signed_in.authorize(service, pkce, prompt="none"))


@pytest.mark.authlib(5)
@pytest.mark.parametrize(
    "uri", [GOODBYE + "?a=b", GOODBYE + "/", "https://evil.test/", "//evil.test", "javascript:alert(1)"]
)
@pytest.mark.security("SE-14")
def test_an_address_that_was_not_registered_is_never_followed(signed_in: Browser, hint: str, uri: str) -> None:
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": uri}
    response = signed_in.get("/oauth2/end-session", query_string=asked)
    assert response.headers["Location"] == "/deconnecte"


@pytest.mark.security("LO-03", "JW-12")
@pytest.mark.authlib(5)
@pytest.mark.parametrize("kind", ["garbage", "changed", "none", "foreign", "access-token"])
def test_a_hint_that_is_not_ours_signs_nobody_out(
    provider: Provider, signed_in: Browser, service: Service, pkce: Pkce, hint: str, kind: str
) -> None:
    from joserfc import jwk, jwt

    with provider.transaction() as services:
        head, claims, signature = hint.split(".")
        other_type = services.ring.sign({"iss": ISSUER, "aud": service.client_id, "sub": "x"}, "RS256", "at+jwt")
    wrong = {
        "garbage": "a.b.c",
        "changed": f"{head}.{claims[:-4]}AAAA.{signature}",
        "none": f"eyJhbGciOiJub25lIn0.{claims}.",
        "foreign": jwt.encode({"alg": "RS256", "typ": "JWT"}, {"iss": ISSUER}, jwk.RSAKey.generate_key(2048)),
        "access-token": other_type,
    }[kind]
    response = signed_in.get("/oauth2/end-session", query_string={"id_token_hint": wrong})
    assert response.status_code == 400
    assert "code" in answered(signed_in.authorize(service, pkce, prompt="none"))


@pytest.mark.security("LO-03")
def test_a_hint_of_another_person_asks_first(provider: Provider, service: Service, pkce: Pkce, hint: str) -> None:
    other = provider.browser()
    other.sign_in(provider.landlord())
    response = other.get("/oauth2/end-session", query_string={"id_token_hint": hint})
    assert response.headers["Location"].startswith("/deconnexion")
    assert "code" in answered(other.authorize(service, pkce, prompt="none"))


def test_a_client_id_that_contradicts_the_hint_is_not_believed(
    provider: Provider, signed_in: Browser, service: Service, pkce: Pkce, hint: str
) -> None:
    other = provider.service("autre-service", post_logout_redirect_uris=["https://autre.example/fin"])
    asked = {
        "id_token_hint": hint,
        "client_id": other.client_id,
        "post_logout_redirect_uri": "https://autre.example/fin",
    }
    response = signed_in.get("/oauth2/end-session", query_string=asked)
    assert response.headers["Location"] == "/deconnexion"
    assert "code" in answered(signed_in.authorize(service, pkce, prompt="none"))


@pytest.mark.security("LO-06", "SE-02")
def test_after_a_sign_out_the_old_cookie_is_worth_nothing(
    provider: Provider, signed_in: Browser, service: Service, pkce: Pkce
) -> None:
    old = signed_in.client.get_cookie("mcp-session")
    assert old is not None
    signed_in.post("/deconnexion", {"confirmer": "oui"})
    thief = provider.browser()
    thief.client.set_cookie("mcp-session", old.value)
    assert answered(thief.authorize(service, pkce, prompt="none"))["error"] == "login_required"


@pytest.mark.security("AZ-05")
def test_a_parameter_sent_twice_is_refused(signed_in: Browser) -> None:
    assert signed_in.get("/oauth2/end-session?state=a&state=b").status_code == 400


def test_signing_out_by_post_works_too(signed_in: Browser, hint: str, landlord: Landlord) -> None:
    response = signed_in.client.post(
        "/oauth2/end-session", base_url=ISSUER, data={"id_token_hint": hint, "post_logout_redirect_uri": GOODBYE}
    )
    assert signed_in.get(response.headers["Location"]).headers["Location"] == GOODBYE
