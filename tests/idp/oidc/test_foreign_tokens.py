"""Tokens that our keys did not sign as what they are shown as, at the endpoints that read one; and keys that change."""

import base64
import json
from typing import Any

import pytest
from freezegun import freeze_time
from joserfc import jwe, jwk, jwt

from idp.db import db
from keys.models import SigningKeyRecord
from tests.idp.oidc.test_token import id_token
from tests.idp.provider import ISSUER, Browser, Landlord, Pkce, Provider, Service, answered, redeem


def encoded(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def with_header(token: str, **changes: Any) -> str:
    """The same token under another header; its signature stays."""
    head, claims, signature = token.split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    return f"{encoded({**header, **changes})}.{claims}.{signature}"


@pytest.fixture
def hint(signed_in: Browser, service: Service, pkce: Pkce) -> str:
    return str(redeem(signed_in, service, signed_in.code(service, pkce), pkce).get_json()["id_token"])


@pytest.fixture
def forged(provider: Provider, signed_in: Browser, hint: str) -> dict[str, str]:
    """One token for each trick, all of them telling what the real one tells."""
    claims, (public, *_) = id_token(signed_in, hint), signed_in.get("/oauth2/jwks").get_json()["keys"]
    own, kid = jwk.RSAKey.generate_key(2048), public["kid"]
    as_secret = jwk.OctKey.import_key(json.dumps(public).encode())
    head = {"alg": "RS256", "kid": kid, "typ": "JWT"}
    encryption = jwe.encrypt_compact({"alg": "RSA-OAEP", "enc": "A256GCM", "zip": "DEF"}, b"0" * 4000, own)
    with provider.transaction() as services:
        logout = services.ring.sign(claims, "RS256", "logout+jwt")
        access = services.ring.sign(claims, "RS256", "at+jwt")
    return {
        "hs256": jwt.encode({**head, "alg": "HS256"}, claims, as_secret, algorithms=["HS256"]),
        "none": f"{encoded({**head, 'alg': 'none'})}.{hint.split('.')[1]}.",
        "own key": jwt.encode(head, claims, own),
        "jwk header": jwt.encode({**head, "jwk": own.as_dict(private=False)}, claims, own),
        "jku header": with_header(hint, jku="https://mechant.example/jwks"),
        "x5u header": with_header(hint, x5u="https://mechant.example/x5u"),
        "kid as a path": with_header(hint, kid="../../../dev/null"),
        "kid as SQL": with_header(hint, kid="x' OR '1'='1"),
        "kid of nobody": with_header(hint, kid="inconnue"),
        "unknown crit": with_header(hint, crit=["exp"]),
        "b64 false": with_header(hint, b64=False, crit=["b64"]),
        "encrypted": encryption,
        "pbes2": f"{encoded({'alg': 'PBES2-HS256+A128KW', 'enc': 'A128GCM', 'p2c': 10**9})}.AA.AA.AA.AA",
        "logout token": logout,
        "access token": access,
        "deep": "." * 5000,
        "long": "a" * 200_000,
    }


@pytest.mark.security("JW-02", "JW-03", "JW-04", "JW-06", "JW-12")
@pytest.mark.authlib(5)
def test_no_forged_hint_signs_anybody_out_or_in(
    signed_in: Browser, service: Service, pkce: Pkce, hint: str, forged: dict[str, str]
) -> None:
    for trick, token in forged.items():
        asked = {"id_token_hint": token, "prompt": "none"}
        refused = signed_in.client.post("/oauth2/end-session", base_url=ISSUER, data=asked)
        assert refused.status_code in (400, 413), trick
        answer = signed_in.authorize(service, pkce, **asked) if len(token) < 2000 else None
        if answer is not None and answer.status_code == 303:
            assert answered(answer)["error"] == "invalid_request", trick
    assert "code" in answered(signed_in.authorize(service, pkce, id_token_hint=hint, prompt="none"))


@pytest.mark.security("JW-12", "TK-16")
def test_nothing_that_we_sign_opens_userinfo_or_refreshes(
    signed_in: Browser, service: Service, hint: str, forged: dict[str, str]
) -> None:
    for token in (hint, *forged.values()):
        if len(token) < 5000:
            assert signed_in.get("/oauth2/userinfo", headers={"Authorization": f"Bearer {token}"}).status_code == 401
        data = {"grant_type": "refresh_token", "refresh_token": token[:3000]}
        answer = signed_in.client.post("/oauth2/token", base_url=ISSUER, headers=service.basic, data=data)
        assert answer.get_json()["error"] in ("invalid_grant", "invalid_request")


@pytest.mark.security("JW-12", "GA-04")
def test_a_hint_of_another_service_is_not_taken(provider: Provider, signed_in: Browser, pkce: Pkce, hint: str) -> None:
    other = provider.service("autre-service")
    assert answered(signed_in.authorize(other, pkce, id_token_hint=hint))["error"] == "invalid_request"


@pytest.mark.security("JW-11")
@pytest.mark.parametrize(("alg", "digest"), [("RS256", "sha256"), ("ES256", "sha256")])
def test_the_hash_of_the_access_token_is_of_the_algorithm_that_signed(
    provider: Provider, signed_in: Browser, pkce: Pkce, alg: str, digest: str
) -> None:
    import hashlib

    service = provider.service(id_token_signed_response_alg=alg)
    body = redeem(signed_in, service, signed_in.code(service, pkce), pkce).get_json()
    head = json.loads(base64.urlsafe_b64decode(body["id_token"].split(".")[0] + "=="))
    assert head["alg"] == alg
    half = hashlib.new(digest, body["access_token"].encode()).digest()[:16]
    assert id_token(signed_in, body["id_token"])["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


@pytest.mark.security("JW-06", "JW-10", "JW-02")
def test_discovery_lists_no_encryption_no_none_and_no_shared_secret(browser: Browser) -> None:
    document = browser.get("/.well-known/openid-configuration").get_json()
    assert not [name for name in document if "encryption" in name]
    offered = {alg for name in document if name.endswith("alg_values_supported") for alg in document[name]}
    assert offered
    assert not [alg for alg in offered if alg == "none" or alg.startswith("HS")]
    for key in browser.get("/oauth2/jwks").get_json()["keys"]:
        assert key["use"] == "sig"
        assert not {"d", "p", "q", "dp", "dq", "qi", "k", "oth"} & set(key)
        assert key["kty"] == "EC" or len(base64.urlsafe_b64decode(key["n"] + "==")) >= 256


@pytest.mark.security("JW-07")
def test_a_new_key_is_published_before_it_signs_and_the_old_one_until_its_last_token_is_over(
    provider: Provider, service: Service
) -> None:
    """Every ID token of two days can be verified with a key set that is as old as services may keep it."""
    with freeze_time("2027-01-15 08:00:00") as time:
        landlord, kids, cached = provider.landlord(), set[str](), None
        with provider.transaction() as services:
            services.ring.rotate("RS256")
        for step in range(16):
            browser, pkce = provider.browser(), Pkce()
            browser.sign_in(landlord)
            if step % 2 == 0:
                cached = jwk.KeySet.import_key_set(browser.get("/oauth2/jwks").get_json())
            token = redeem(browser, service, browser.code(service, pkce), pkce).get_json()["id_token"]
            assert cached is not None
            decoded = jwt.decode(token, cached, algorithms=["RS256", "ES256"])
            kids.add(str(decoded.header["kid"]))
            time.tick(1800)
        assert len(kids) == 2
        published = [key["kid"] for key in provider.browser().get("/oauth2/jwks").get_json()["keys"]]
        assert len(published) == len(set(published))


@pytest.mark.security("JW-08", "CL-07")
def test_a_revoked_key_leaves_the_key_set_and_its_tokens_are_worth_nothing_at_once(
    provider: Provider, signed_in: Browser, service: Service, pkce: Pkce, hint: str
) -> None:
    kid = json.loads(base64.urlsafe_b64decode(hint.split(".")[0] + "=="))["kid"]
    with provider.transaction() as services:
        services.ring.revoke(kid)
    assert kid not in [key["kid"] for key in signed_in.get("/oauth2/jwks").get_json()["keys"]]
    assert answered(signed_in.authorize(service, pkce, id_token_hint=hint))["error"] == "invalid_request"
    again = redeem(signed_in, service, signed_in.code(service, pkce), pkce).get_json()["id_token"]
    assert id_token(signed_in, again)["aud"] == service.client_id
    with provider.app.app_context():
        assert db.session.get(SigningKeyRecord, kid) is not None


@pytest.mark.security("JW-08")
def test_another_process_stops_signing_with_a_revoked_key_within_five_seconds(
    make_provider: Any, landlord: Landlord, service: Service
) -> None:
    with freeze_time("2027-01-15 08:00:00") as time:
        here, there = make_provider(), make_provider()
        browser, pkce = there.browser(), Pkce()
        browser.sign_in(landlord)
        token = redeem(browser, service, browser.code(service, pkce), pkce).get_json()["id_token"]
        kid = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"]
        with here.transaction() as services:
            services.ring.revoke(kid)
        time.tick(5)
        again = redeem(browser, service, browser.code(service, pkce), pkce).get_json()["id_token"]
        assert json.loads(base64.urlsafe_b64decode(again.split(".")[0] + "=="))["kid"] != kid
        assert kid not in [key["kid"] for key in browser.get("/oauth2/jwks").get_json()["keys"]]
