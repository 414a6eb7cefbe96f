"""Revocation and introspection: a service's own tokens, and nobody else's."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.idp.provider import ISSUER, Browser, Pkce, Provider, Service, redeem, refresh


def ask(browser: Browser, service: Service, endpoint: str, **form: str) -> TestResponse:
    return browser.client.post(f"/oauth2/{endpoint}", base_url=ISSUER, headers=service.basic, data=form)


@pytest.fixture
def tokens(signed_in: Browser, service: Service, pkce: Pkce) -> dict[str, Any]:
    return redeem(signed_in, service, signed_in.code(service, pkce), pkce).get_json()  # type: ignore[no-any-return]


def alive(browser: Browser, token: str) -> bool:
    return browser.get("/oauth2/userinfo", headers={"Authorization": f"Bearer {token}"}).status_code == 200


@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token", "bidon"])
@pytest.mark.security("RT-09")
def test_a_revoked_access_token_is_dead_whatever_the_hint_and_the_refresh_token_lives(
    signed_in: Browser, service: Service, tokens: dict[str, Any], hint: str | None
) -> None:
    form = {"token": tokens["access_token"], **({"token_type_hint": hint} if hint else {})}
    assert ask(signed_in, service, "revoke", **form).status_code == 200
    assert not alive(signed_in, tokens["access_token"])
    assert refresh(signed_in, service, tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token"])
@pytest.mark.security("RT-09")
def test_a_revoked_refresh_token_takes_its_family_along(
    signed_in: Browser, service: Service, tokens: dict[str, Any], hint: str | None
) -> None:
    form = {"token": tokens["refresh_token"], **({"token_type_hint": hint} if hint else {})}
    assert ask(signed_in, service, "revoke", **form).status_code == 200
    assert not alive(signed_in, tokens["access_token"])
    assert refresh(signed_in, service, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"


@pytest.mark.security("RT-09")
def test_another_service_can_neither_revoke_nor_look_and_cannot_tell_a_token_from_none(
    provider: Provider, signed_in: Browser, service: Service, tokens: dict[str, Any]
) -> None:
    other = provider.service("autre-service")
    for endpoint in ("revoke", "introspect"):
        answers = [
            ask(signed_in, other, endpoint, token=token)
            for token in (tokens["access_token"], tokens["refresh_token"], "mcp_at_inconnu")
        ]
        assert len({(answer.status_code, answer.get_data()) for answer in answers}) == 1
    assert alive(signed_in, tokens["access_token"])
    assert ask(signed_in, service, "introspect", token=tokens["refresh_token"]).get_json()["active"] is True


@pytest.mark.security("RT-11")
def test_introspection_tells_a_service_of_its_living_tokens(
    signed_in: Browser, service: Service, tokens: dict[str, Any]
) -> None:
    access = ask(signed_in, service, "introspect", token=tokens["access_token"]).get_json()
    assert access["active"] is True
    assert access["client_id"] == service.client_id
    assert access["token_type"] == "Bearer"
    assert access["scope"] == tokens["scope"]
    refreshing = ask(signed_in, service, "introspect", token=tokens["refresh_token"]).get_json()
    assert refreshing["token_type"] == "refresh_token"
    refresh(signed_in, service, tokens["refresh_token"])
    for dead in (tokens["refresh_token"], "mcp_at_inconnu"):
        assert ask(signed_in, service, "introspect", token=dead).get_json() == {"active": False}


@pytest.mark.parametrize("endpoint", ["revoke", "introspect"])
def test_a_request_without_a_token_is_refused(browser: Browser, service: Service, endpoint: str) -> None:
    assert ask(browser, service, endpoint).get_json()["error"] == "invalid_request"


def test_a_public_client_may_revoke_but_not_introspect(provider: Provider, signed_in: Browser, pkce: Pkce) -> None:
    public = provider.service(token_endpoint_auth_method="none")
    body = redeem(signed_in, public, signed_in.code(public, pkce), pkce).get_json()
    form = {"token": body["access_token"], "client_id": public.client_id}
    looked = signed_in.client.post("/oauth2/introspect", base_url=ISSUER, data=form)
    assert (looked.status_code, looked.get_json()["error"]) == (401, "invalid_client")
    assert signed_in.client.post("/oauth2/revoke", base_url=ISSUER, data=form).status_code == 200
    assert not alive(signed_in, body["access_token"])


@pytest.mark.parametrize("endpoint", ["token", "revoke", "introspect"])
def test_without_authentication_nothing_is_answered(browser: Browser, service: Service, endpoint: str) -> None:
    response = browser.client.post(
        f"/oauth2/{endpoint}", base_url=ISSUER, data={"token": "x", "grant_type": "refresh_token"}
    )
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_client")
    assert response.headers["WWW-Authenticate"].startswith("Basic ")
