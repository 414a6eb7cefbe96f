"""What this provider does not offer is not there, under any usual address, and discovery does not list it."""

import re

import pytest
from sqlalchemy import func, select

from clients.refusals import MetadataRefused
from idp.accounts.models import Account
from idp.db import db
from tests.idp.provider import CALLBACK, ISSUER, Browser, Landlord, Pkce, Provider, Service, redeem

REGISTRATION = ("/register", "/connect/register", "/oauth2/register", "/clients", "/oauth2/clients", "/registration")
DEVICE = ("/device", "/oauth2/device", "/oauth2/device_authorization", "/device_authorization")
OTHERS = ("/oauth2/par", "/par", "/oauth2/introspection", "/logout", "/admin", "/metrics", "/api", "/graphql", "/.env")


@pytest.mark.security("CL-09")
@pytest.mark.parametrize("path", REGISTRATION)
def test_nobody_registers_a_service_by_the_web(provider: Provider, browser: Browser, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        answer = browser.client.open(path, method=method, base_url=ISSUER, json={"redirect_uris": [CALLBACK]})
        assert answer.status_code in (403, 404) if method != "GET" else answer.status_code == 404
    with provider.transaction() as services:
        assert services.clients.list() == ()
    assert "registration_endpoint" not in browser.get("/.well-known/openid-configuration").get_json()


@pytest.mark.security("RT-13")
@pytest.mark.parametrize("path", [*DEVICE, *OTHERS])
def test_what_is_not_offered_is_not_found(browser: Browser, path: str) -> None:
    assert browser.get(path).status_code == 404
    assert browser.client.post(path, base_url=ISSUER).status_code in (403, 404)


@pytest.mark.security("RT-13", "TK-11")
def test_no_device_code_is_redeemed(browser: Browser, service: Service) -> None:
    grant_type = "urn:ietf:params:oauth:grant-type:device_code"
    data = {"grant_type": grant_type, "device_code": "x"}
    answer = browser.client.post("/oauth2/token", base_url=ISSUER, headers=service.basic, data=data)
    assert answer.get_json()["error"] == "unsupported_grant_type"
    document = browser.get("/.well-known/openid-configuration").get_json()
    assert document["grant_types_supported"] == ["authorization_code", "refresh_token"]
    assert "device_authorization_endpoint" not in document


@pytest.mark.security("LE-06")
def test_every_endpoint_that_discovery_lists_is_there(browser: Browser) -> None:
    document = browser.get("/.well-known/openid-configuration").get_json()
    endpoints = [value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))]
    assert len(endpoints) >= 7
    for endpoint in endpoints:
        assert endpoint.startswith(ISSUER + "/oauth2/")
        assert browser.get(endpoint.removeprefix(ISSUER)).status_code not in (404, 500)


@pytest.mark.security("TK-12")
@pytest.mark.parametrize("origin", ["https://mechant.example", "https://bailleur.example", "null", ISSUER])
def test_no_script_of_another_site_reads_an_answer(
    provider: Provider, signed_in: Browser, pkce: Pkce, origin: str
) -> None:
    service = provider.service(token_endpoint_auth_method="none")
    body = redeem(signed_in, service, signed_in.code(service, pkce), pkce).get_json()
    headers = {"Origin": origin, "Authorization": f"Bearer {body['access_token']}"}
    preflight = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x"}
    for path in (
        "/oauth2/token",
        "/oauth2/userinfo",
        "/oauth2/jwks",
        "/oauth2/revoke",
        "/oauth2/authorize",
        "/mes-services",
    ):
        for answer in (
            signed_in.get(path, headers=headers),
            signed_in.client.options(path, base_url=ISSUER, headers=preflight),
        ):
            assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]


@pytest.mark.security("TK-15")
def test_no_service_can_take_the_name_of_a_person(
    provider: Provider, signed_in: Browser, landlord: Landlord, pkce: Pkce
) -> None:
    pairwise = provider.service(subject_type="pairwise")
    body = redeem(signed_in, pairwise, signed_in.code(pairwise, pkce), pkce).get_json()
    userinfo = signed_in.get("/oauth2/userinfo", headers={"Authorization": f"Bearer {body['access_token']}"}).get_json()
    for subject in (landlord.id, userinfo["sub"]):
        assert re.fullmatch(r"[0-9a-f]{32}|[0-9a-f]{64}", subject)
        with pytest.raises(MetadataRefused):
            provider.service(subject)
    assert not re.fullmatch(r"[0-9a-f]{32}|[0-9a-f]{64}", pairwise.client_id)


@pytest.mark.security("TK-15", "TK-11")
def test_no_token_is_given_to_a_service_for_itself(provider: Provider, browser: Browser, service: Service) -> None:
    data = {"grant_type": "client_credentials", "scope": "openid"}
    answer = browser.client.post("/oauth2/token", base_url=ISSUER, headers=service.basic, data=data)
    assert answer.status_code == 400
    assert "access_token" not in answer.get_json()
    with provider.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Account)) == 0
