"""The token endpoint: a code is good once, for its own service, with its own verifier."""

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from freezegun import freeze_time
from joserfc import jwk, jws, jwt

from idp.accounts.models import Account
from idp.db import db
from tests.idp.provider import ISSUER, Browser, Landlord, Pkce, Provider, Service, answered, redeem, refresh

WRONG_VERIFIERS = ["", "x", "a" * 42, "a" * 129, "a" * 42 + "é", "a" * 43 + "\n", "b" * 43]


def id_token(browser: Browser, token: str) -> dict[str, Any]:
    """Verify an ID token as a service does: with the published key that its `kid` names."""
    keys = jwk.KeySet.import_key_set(browser.get("/oauth2/jwks").get_json())
    return dict(jwt.decode(token, keys, algorithms=["RS256", "ES256"]).claims)


def test_a_code_gives_tokens_that_say_who_came(
    signed_in: Browser, landlord: Landlord, service: Service, pkce: Pkce
) -> None:
    response = redeem(signed_in, service, signed_in.code(service, pkce), pkce)
    body = response.get_json()
    assert response.status_code == 200
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 300
    assert body["access_token"].startswith("mcp_at_")
    assert body["refresh_token"].startswith("mcp_rt_")
    claims = id_token(signed_in, body["id_token"])
    assert claims["iss"] == ISSUER
    assert claims["aud"] == service.client_id
    assert claims["sub"] == landlord.id
    assert claims["nonce"] == "nonce-de-la-demande"
    assert claims["acr"] == "eidas1"
    assert claims["amr"] == ["pwd"]
    left = hashlib.sha256(body["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(left).rstrip(b"=").decode()
    assert not {"name", "email", "given_name", "numero_utilisateur"} & claims.keys()


@pytest.mark.authlib(3)
@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_the_id_token_names_the_published_key_that_signed_it(
    provider: Provider, signed_in: Browser, pkce: Pkce, alg: str
) -> None:
    service = provider.service(id_token_signed_response_alg=alg)
    published = {key["kid"]: key for key in signed_in.get("/oauth2/jwks").get_json()["keys"]}
    kids = set()
    for _ in range(5):
        token = redeem(signed_in, service, signed_in.code(service, pkce), pkce).get_json()["id_token"]
        header = jws.extract_compact(token.encode()).headers()
        assert header == {"alg": alg, "typ": "JWT", "kid": header["kid"]}
        assert published[header["kid"]]["alg"] == alg
        kids.add(header["kid"])
    assert len(kids) == 1


@pytest.mark.authlib(3)
def test_auth_time_is_the_sign_in_and_not_now(provider: Provider, service: Service, pkce: Pkce) -> None:
    landlord = provider.landlord()
    with freeze_time("2027-01-15 10:00:00") as time:
        browser = provider.browser()
        browser.sign_in(landlord)
        times = []
        for _ in range(2):
            time.tick(600)
            body = redeem(browser, service, browser.code(service, pkce), pkce).get_json()
            times.append(id_token(browser, body["id_token"])["auth_time"])
        assert times == [1800007200, 1800007200]


@pytest.mark.authlib(4)
def test_an_access_token_lives_five_minutes(provider: Provider, service: Service, pkce: Pkce) -> None:
    with freeze_time("2027-01-15 10:00:00") as time:
        browser = provider.browser()
        browser.sign_in(provider.landlord())
        body = redeem(browser, service, browser.code(service, pkce), pkce).get_json()
        bearer = {"Authorization": f"Bearer {body['access_token']}"}
        time.tick(299)
        assert browser.get("/oauth2/userinfo", headers=bearer).status_code == 200
        time.tick(1)
        assert browser.get("/oauth2/userinfo", headers=bearer).status_code == 401


@pytest.mark.security("TK-01")
@pytest.mark.authlib(1)
def test_a_code_used_again_is_refused_and_takes_its_tokens_along(
    provider: Provider, signed_in: Browser, service: Service, pkce: Pkce
) -> None:
    code = signed_in.code(service, pkce)
    first = redeem(signed_in, service, code, pkce).get_json()
    again = redeem(signed_in, service, code, pkce)
    assert (again.status_code, again.get_json()["error"]) == (400, "invalid_grant")
    bearer = {"Authorization": f"Bearer {first['access_token']}"}
    assert signed_in.get("/oauth2/userinfo", headers=bearer).status_code == 401
    assert refresh(signed_in, service, first["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert "code.replayed" in events(provider)


@pytest.mark.security("TK-01")
@pytest.mark.authlib(1)
def test_of_fifty_threads_with_one_code_one_gets_tokens_and_nobody_an_error_of_ours(
    provider: Provider, signed_in: Browser, service: Service, pkce: Pkce
) -> None:
    code = signed_in.code(service, pkce)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: redeem(provider.browser(), service, code, pkce), range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 49
    winner = next(answer.get_json() for answer in answers if answer.status_code == 200)
    bearer = {"Authorization": f"Bearer {winner['access_token']}"}
    assert signed_in.get("/oauth2/userinfo", headers=bearer).status_code == 401


@pytest.mark.security("TK-03")
def test_a_code_shown_by_another_service_is_burned(
    provider: Provider, signed_in: Browser, service: Service, pkce: Pkce
) -> None:
    thief = provider.service("autre-service")
    code = signed_in.code(service, pkce)
    assert redeem(signed_in, thief, code, pkce).get_json()["error"] == "invalid_grant"
    assert redeem(signed_in, service, code, pkce).get_json()["error"] == "invalid_grant"
    assert "code.refused" in events(provider)


@pytest.mark.security("TK-04")
@pytest.mark.authlib(11)
@pytest.mark.parametrize("uri", ["", "https://bailleur.example/retour/", "https://BAILLEUR.example/retour"])
def test_the_redirect_uri_must_be_repeated_byte_for_byte(
    signed_in: Browser, service: Service, pkce: Pkce, uri: str
) -> None:
    code = signed_in.code(service, pkce)
    assert redeem(signed_in, service, code, pkce, redirect_uri=uri).get_json()["error"] == "invalid_grant"
    assert redeem(signed_in, service, code, pkce).get_json()["error"] == "invalid_grant"


@pytest.mark.security("TK-05")
@pytest.mark.authlib(9)
@pytest.mark.parametrize("verifier", WRONG_VERIFIERS)
def test_a_wrong_verifier_burns_the_code(signed_in: Browser, service: Service, pkce: Pkce, verifier: str) -> None:
    code = signed_in.code(service, pkce)
    response = redeem(signed_in, service, code, pkce, code_verifier=verifier)
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_grant")
    assert redeem(signed_in, service, code, pkce).get_json()["error"] == "invalid_grant"


@pytest.mark.security("TK-05")
def test_the_challenge_is_no_verifier(signed_in: Browser, service: Service, pkce: Pkce) -> None:
    code = signed_in.code(service, pkce)
    assert redeem(signed_in, service, code, pkce, code_verifier=pkce.challenge).get_json()["error"] == "invalid_grant"


@pytest.mark.security("TK-05")
def test_a_verifier_without_a_challenge_is_refused(provider: Provider, signed_in: Browser, pkce: Pkce) -> None:
    old = provider.service(require_pkce=False)
    code = answered(signed_in.authorize(old))["code"]
    assert redeem(signed_in, old, code, pkce).get_json()["error"] == "invalid_grant"
    assert redeem(signed_in, old, answered(signed_in.authorize(old))["code"], None).status_code == 200


def test_a_code_dies_after_a_minute(provider: Provider, service: Service, pkce: Pkce) -> None:
    with freeze_time("2027-01-15 10:00:00") as time:
        browser = provider.browser()
        browser.sign_in(provider.landlord())
        in_time, late = browser.code(service, pkce), browser.code(service, pkce)
        time.tick(59)
        assert redeem(browser, service, in_time, pkce).status_code == 200
        time.tick(1)
        assert redeem(browser, service, late, pkce).get_json()["error"] == "invalid_grant"


@pytest.mark.security("TK-07", "GA-03")
@pytest.mark.parametrize("change", ["locked_at", "suspended_at", "closed_at"])
def test_an_account_stopped_after_the_code_gets_no_token(
    provider: Provider, signed_in: Browser, landlord: Landlord, service: Service, pkce: Pkce, change: str
) -> None:
    code = signed_in.code(service, pkce)
    with provider.transaction():
        account = db.session.get(Account, landlord.id)
        assert account is not None
        setattr(account, change, 1)
    assert redeem(signed_in, service, code, pkce).get_json()["error"] == "invalid_grant"


@pytest.mark.security("GA-03")
def test_a_new_version_of_the_terms_after_the_code_stops_the_token(
    provider: Provider, signed_in: Browser, service: Service, pkce: Pkce
) -> None:
    code = signed_in.code(service, pkce)
    with provider.transaction() as services:
        services.documents.publish("conditions-d-utilisation", "2", "# Nouvelles conditions", changes="Tout.")
    assert redeem(signed_in, service, code, pkce).get_json()["error"] == "invalid_grant"


@pytest.mark.security("TK-11")
@pytest.mark.parametrize(
    "grant_type",
    [
        "password",
        "implicit",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        'a"b',
        "é",
        "",
    ],
)
@pytest.mark.authlib(2)
def test_a_grant_type_that_is_not_offered_is_refused(browser: Browser, service: Service, grant_type: str) -> None:
    response = browser.client.post(
        "/oauth2/token", base_url=ISSUER, headers=service.basic, data={"grant_type": grant_type, "username": "a"}
    )
    assert response.status_code == 400
    assert response.get_json()["error"] in ("unsupported_grant_type", "invalid_request")


@pytest.mark.security("TK-11")
def test_a_service_without_refresh_gets_no_refresh_token_and_cannot_use_one(
    provider: Provider, signed_in: Browser, pkce: Pkce
) -> None:
    service = provider.service(grant_types=["authorization_code"])
    body = redeem(signed_in, service, signed_in.code(service, pkce), pkce).get_json()
    assert "refresh_token" not in body
    assert refresh(signed_in, service, "mcp_rt_x").get_json()["error"] == "unauthorized_client"


@pytest.mark.security("TK-12")
def test_no_cache_keeps_an_answer(signed_in: Browser, service: Service, pkce: Pkce) -> None:
    right = redeem(signed_in, service, signed_in.code(service, pkce), pkce)
    wrong = redeem(signed_in, service, "bidon", pkce)
    for response in (right, wrong):
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Pragma"] == "no-cache"
        assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.security("TK-13")
@pytest.mark.parametrize(
    ("request_options", "status"),
    [
        ({"method": "GET"}, 405),
        ({"method": "PUT"}, 405),
        ({"method": "POST", "json": {"grant_type": "authorization_code"}}, 415),
        ({"method": "POST", "data": "grant_type=authorization_code", "content_type": "text/plain"}, 415),
        ({"method": "POST", "data": b"x" * 300_000, "content_type": "application/x-www-form-urlencoded"}, 413),
        ({"method": "POST", "data": b"code=%ff%fe\xff", "content_type": "application/x-www-form-urlencoded"}, 400),
    ],
)
def test_a_request_of_another_kind_gets_a_clear_error(
    browser: Browser, service: Service, request_options: dict[str, Any], status: int
) -> None:
    response = browser.client.open("/oauth2/token", base_url=ISSUER, headers=service.basic, **request_options)
    assert response.status_code == status
    assert response.get_json()["error"]


@pytest.mark.authlib(8)
@pytest.mark.security("TK-09")
def test_parameters_in_the_address_are_refused_even_when_right(
    signed_in: Browser, service: Service, pkce: Pkce
) -> None:
    code = signed_in.code(service, pkce)
    response = signed_in.client.post(
        f"/oauth2/token?client_secret={service.secret}",
        base_url=ISSUER,
        data={"grant_type": "authorization_code", "code": code, "client_id": service.client_id},
    )
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_request")


@pytest.mark.authlib(8)
@pytest.mark.parametrize("name", ["code", "grant_type", "redirect_uri", "code_verifier"])
def test_a_parameter_sent_twice_is_refused(signed_in: Browser, service: Service, pkce: Pkce, name: str) -> None:
    code = signed_in.code(service, pkce)
    data = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": service.redirect_uri,
        "code_verifier": pkce.verifier,
    }
    response = signed_in.client.post(
        "/oauth2/token", base_url=ISSUER, headers=service.basic, data={**data, name: [data[name], data[name]]}
    )
    assert response.get_json()["error"] == "invalid_request"


@pytest.mark.authlib(10)
def test_a_nonce_may_come_twice(signed_in: Browser, service: Service) -> None:
    for pkce in (Pkce(), Pkce()):
        body = redeem(signed_in, service, signed_in.code(service, pkce, nonce="le-meme"), pkce).get_json()
        assert id_token(signed_in, body["id_token"])["nonce"] == "le-meme"


@pytest.mark.authlib(13)
def test_no_deprecation_of_authlib_is_met(
    signed_in: Browser, service: Service, pkce: Pkce, recwarn: pytest.WarningsRecorder
) -> None:
    body = redeem(signed_in, service, signed_in.code(service, pkce), pkce).get_json()
    refresh(signed_in, service, body["refresh_token"])
    assert [str(warning.message) for warning in recwarn if "authlib" in str(warning.category).lower()] == []


def test_a_whole_code_flow_costs_few_statements_and_one_commit_each(
    provider: Provider, signed_in: Browser, service: Service, pkce: Pkce
) -> None:
    redeem(signed_in, service, signed_in.code(service, pkce), pkce)  # registry and keys are read once
    with provider.counting() as authorize:
        code = signed_in.code(service, pkce)
    with provider.counting() as token:
        body = redeem(signed_in, service, code, pkce).get_json()
    bearer = {"Authorization": f"Bearer {body['access_token']}"}
    with provider.counting() as userinfo:
        assert signed_in.get("/oauth2/userinfo", headers=bearer).status_code == 200
    with provider.counting() as again:
        assert refresh(signed_in, service, body["refresh_token"]).status_code == 200
    assert (authorize["statements"], authorize["commits"]) == (3, 1)
    assert (token["statements"], token["commits"]) == (4, 1)
    assert (again["statements"], again["commits"]) == (4, 1)
    assert (userinfo["statements"], userinfo["commits"]) == (1, 0)


def events(provider: Provider) -> list[str]:
    """The audit trail's events so far."""
    from sqlalchemy import select

    from idp.audit import AuditEvent

    with provider.app.app_context():
        return list(db.session.scalars(select(AuditEvent.event).order_by(AuditEvent.sequence)))
