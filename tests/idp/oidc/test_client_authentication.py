"""How a service proves who it is: one method, the registered one."""

import base64
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from freezegun import freeze_time
from joserfc import jwk, jwt
from werkzeug.test import TestResponse

from tests.idp.oidc.test_token import events
from tests.idp.provider import ISSUER, Browser, Pkce, Provider, Service, redeem

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
NOW = 1_800_007_200


def token(browser: Browser, headers: dict[str, str] | None = None, **form: str) -> TestResponse:
    data = {"grant_type": "refresh_token", "refresh_token": "mcp_rt_bidon", **form}
    return browser.client.post("/oauth2/token", base_url=ISSUER, headers=headers, data=data)


def proved(response: TestResponse) -> bool:
    """The client was believed: what is wrong is only the refresh token."""
    return bool(response.get_json()["error"] == "invalid_grant")


def test_both_ways_of_sending_the_secret_work_for_the_client_registered_for_them(
    provider: Provider, browser: Browser, service: Service
) -> None:
    by_post = provider.service(token_endpoint_auth_method="client_secret_post")
    assert proved(token(browser, service.basic))
    assert proved(token(browser, client_id=by_post.client_id, client_secret=str(by_post.secret)))


@pytest.mark.security("TK-09")
def test_a_method_that_was_not_registered_is_refused_even_with_the_right_secret(
    provider: Provider, browser: Browser, service: Service
) -> None:
    by_post = provider.service(token_endpoint_auth_method="client_secret_post")
    refused = [
        token(browser, client_id=service.client_id, client_secret=str(service.secret)),
        token(browser, by_post.basic),
        token(browser, client_id=service.client_id),
    ]
    assert {(answer.status_code, answer.get_json()["error"]) for answer in refused} == {(401, "invalid_client")}


@pytest.mark.security("TK-09")
@pytest.mark.authlib(8)
def test_two_methods_at_once_are_refused(browser: Browser, service: Service) -> None:
    response = token(browser, service.basic, client_id=service.client_id, client_secret=str(service.secret))
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_request")


@pytest.mark.security("CL-01")
@pytest.mark.authlib(2)
@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"sans-deux-points").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
        "Basic " + base64.b64encode("espace-bailleur:é".encode()).decode(),
        "Basic " + base64.b64encode(b"espace-bailleur:").decode(),
        "Basic " + base64.b64encode(b"\xc3\xa9\x00:x").decode(),
        "Bearer x",
    ],
)
def test_a_header_that_proves_nothing_is_a_401_and_never_a_500(browser: Browser, service: Service, header: str) -> None:
    response = token(browser, {"Authorization": header})
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_client")


@pytest.mark.authlib(2)
def test_a_client_without_a_secret_cannot_be_taken_with_an_empty_one(provider: Provider, browser: Browser) -> None:
    public = provider.service(token_endpoint_auth_method="none")
    response = token(browser, client_id=public.client_id, client_secret="é")
    assert response.get_json()["error"] == "invalid_client"


def test_a_secret_that_was_rotated_works_beside_the_new_one_until_its_date(provider: Provider) -> None:
    with freeze_time("2027-01-15 10:00:00") as time:
        service, browser = provider.service(), provider.browser()
        with provider.transaction() as services:
            new = Service(service.client_id, services.clients.rotate_secret(service.client_id, 3600))
        assert proved(token(browser, service.basic))
        assert proved(token(browser, new.basic))
        time.tick(3600)
        assert not proved(token(browser, service.basic))
        assert proved(token(browser, new.basic))


@pytest.mark.security("CL-07")
def test_a_service_disabled_by_another_process_is_dead_within_five_seconds(
    provider: Provider, make_provider: Callable[..., Provider]
) -> None:
    with freeze_time("2027-01-15 10:00:00") as time:
        service, browser = provider.service(), provider.browser()
        assert proved(token(browser, service.basic))
        other = Provider.__new__(Provider)
        other.app = provider.app.__class__("other")  # another process's registry is another object
        from clients.registry import ClientRegistry, RegistrationPolicy
        from idp import clock
        from idp.db import current_session

        with provider.transaction():
            registry = ClientRegistry(
                current_session, clock.now, lambda *_a, **_k: None, RegistrationPolicy(production=False)
            )
            registry.disable(service.client_id)
        time.tick(5)
        assert not proved(token(browser, service.basic))


class KeyHolder:
    """A service that signs its assertions."""

    def __init__(self, provider: Provider, alg: str = "ES256") -> None:
        self.key = jwk.ECKey.generate_key("P-256") if alg == "ES256" else jwk.RSAKey.generate_key(2048)
        self.alg = alg
        public = {**self.key.as_dict(private=False), "kid": "k1", "use": "sig", "alg": alg}
        self.service = provider.service(token_endpoint_auth_method="private_key_jwt", jwks={"keys": [public]})

    def assertion(self, header: dict[str, Any] | None = None, key: Any = None, **claims: Any) -> str:
        whole = {
            "iss": self.service.client_id,
            "sub": self.service.client_id,
            "aud": ISSUER,
            "jti": secrets.token_hex(16),
            "iat": NOW,
            "exp": NOW + 60,
            **claims,
        }
        kept = {name: value for name, value in whole.items() if value is not None}
        head = header or {"alg": self.alg, "kid": "k1"}
        return jwt.encode(head, kept, key or self.key, algorithms=[head["alg"]])

    def show(self, browser: Browser, assertion: str) -> TestResponse:
        return token(browser, client_assertion=assertion, client_assertion_type=ASSERTION)


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_a_signed_assertion_proves_its_client_once(provider: Provider, browser: Browser, alg: str) -> None:
    holder = KeyHolder(provider, alg)
    with freeze_time("2027-01-15 10:00:00"):
        assertion = holder.assertion()
        assert proved(holder.show(browser, assertion))
        assert not proved(holder.show(browser, assertion))
    assert "client.authentication_refused" in events(provider)


def test_a_code_can_be_redeemed_with_an_assertion(provider: Provider, signed_in: Browser, pkce: Pkce) -> None:
    holder = KeyHolder(provider)
    with freeze_time("2027-01-15 10:00:00"):
        landlord = provider.landlord()
        browser = provider.browser()
        browser.sign_in(landlord)
        code = browser.code(holder.service, pkce)
        response = redeem(
            browser,
            holder.service,
            code,
            pkce,
            client_id="",
            client_assertion=holder.assertion(),
            client_assertion_type=ASSERTION,
        )
        assert response.status_code == 200


@pytest.mark.security("CL-02")
@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://autre.example"},
        {"aud": [ISSUER]},
        {"aud": [ISSUER, "https://autre.example"]},
        {"aud": None},
        {"iss": "autre"},
        {"iss": None},
        {"sub": None},
        {"exp": NOW - 60},
        {"exp": NOW + 3600},
        {"exp": NOW + 10 * 365 * 86400},
        {"exp": None},
        {"exp": "demain"},
        {"nbf": NOW + 60},
        {"iat": NOW + 60},
        {"jti": None},
        {"jti": 5},
        {"jti": "x" * 300},
    ],
)
def test_an_assertion_with_a_wrong_claim_is_refused(
    provider: Provider, browser: Browser, claims: dict[str, Any]
) -> None:
    holder = KeyHolder(provider)
    with freeze_time("2027-01-15 10:00:00"):
        response = holder.show(browser, holder.assertion(**claims))
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_client")


@pytest.mark.security("CL-02", "JW-02", "JW-03", "JW-04")
@pytest.mark.parametrize("case", ["none", "hs256", "jwk-header", "jku-header", "crit", "kid", "other-key", "garbage"])
def test_an_assertion_that_its_own_key_did_not_sign_is_refused(provider: Provider, browser: Browser, case: str) -> None:
    holder = KeyHolder(provider)
    stranger = jwk.ECKey.generate_key("P-256")
    public = holder.key.as_dict(private=False)
    with freeze_time("2027-01-15 10:00:00"):
        made = {
            "none": lambda: ".".join((*unsigned(holder), "")),
            "hs256": lambda: holder.assertion(
                {"alg": "HS256", "kid": "k1"}, jwk.OctKey.import_key(str(public).encode())
            ),
            "jwk-header": lambda: holder.assertion({"alg": "ES256", "jwk": stranger.as_dict(private=False)}, stranger),
            "jku-header": lambda: holder.assertion({"alg": "ES256", "jku": "https://evil.test/jwks"}, stranger),
            "crit": lambda: holder.assertion({"alg": "ES256", "kid": "k1"}).replace("eyJ", "eyK", 1),
            "kid": lambda: holder.assertion({"alg": "ES256", "kid": "../../etc/passwd"}),
            "other-key": lambda: holder.assertion(key=stranger),
            "garbage": lambda: "a.b.c",
        }[case]()
        response = holder.show(browser, made)
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_client")


def unsigned(holder: KeyHolder) -> list[str]:
    """Head and claims of an assertion with `alg: none`."""
    claims = holder.assertion().split(".")[1]
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return [head, claims]


@pytest.mark.security("CL-02")
def test_an_assertion_of_an_unknown_type_is_refused(provider: Provider, browser: Browser) -> None:
    holder = KeyHolder(provider)
    response = token(browser, client_assertion=holder.assertion(), client_assertion_type="autre")
    assert response.get_json()["error"] == "invalid_request"
