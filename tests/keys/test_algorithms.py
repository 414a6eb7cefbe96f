import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from keys.algorithms import ALGORITHMS, from_bytes, left_half_hash, make_key, to_bytes
from keys.refusals import UnknownAlgorithm, WeakKey


def der(raw: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return raw.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_key_comes_back_from_its_bytes(alg: str) -> None:
    made = make_key(alg)
    back = from_bytes(to_bytes(made), str(made.kid), alg)
    assert back.as_dict(private=True) == made.as_dict(private=True)
    assert back.as_dict(private=False)["alg"] == alg
    assert back.as_dict(private=False)["use"] == "sig"


def test_two_keys_never_share_a_kid_and_a_kid_is_easy_to_type() -> None:
    kids = {str(make_key("ES256").kid) for _ in range(20)}
    assert len(kids) == 20
    assert all(len(kid) == 32 and set(kid) <= set("0123456789abcdef") for kid in kids)


@pytest.mark.security("JW-10")
@pytest.mark.parametrize(
    ("raw", "alg", "reason"),
    [
        (rsa.generate_private_key(65537, 1024), "RS256", "1024 bits"),  # noqa: S505 - the weak one
        (rsa.generate_private_key(3, 2048), "RS256", "exposant"),
        (ec.generate_private_key(ec.SECP384R1()), "ES256", "P-256"),
        (ec.generate_private_key(ec.SECP256K1()), "ES256", "P-256"),
        (ec.generate_private_key(ec.SECP256R1()), "RS256", "RSA"),
        (rsa.generate_private_key(65537, 2048), "ES256", "courbe elliptique"),
        (ed25519.Ed25519PrivateKey.generate(), "ES256", "courbe elliptique"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_weak_key_or_one_of_another_kind_is_refused_when_it_is_loaded(
    raw: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, alg: str, reason: str
) -> None:
    with pytest.raises(WeakKey, match=reason):
        from_bytes(der(raw), "kid", alg)


@pytest.mark.security("JW-10")
def test_a_key_does_not_answer_to_the_kid_of_another() -> None:
    with pytest.raises(WeakKey, match="ce kid"):
        from_bytes(to_bytes(make_key("ES256")), str(make_key("ES256").kid), "ES256")


def test_bytes_that_are_no_key_are_refused() -> None:
    with pytest.raises(WeakKey, match="illisible"):
        from_bytes(b"no key", "kid", "ES256")


@pytest.mark.parametrize("alg", ["none", "HS256", "RS512", "rs256", "", None, 5])
def test_no_key_is_made_for_an_unknown_algorithm(alg: str) -> None:
    with pytest.raises(UnknownAlgorithm):
        make_key(alg)


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_the_hash_of_an_access_token_is_the_left_half_of_sha256(alg: str) -> None:
    # The example of OpenID Connect Core, appendix A.3.
    assert left_half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", alg) == "77QmUPtjPfzWtF2AnpK9RQ"
    half = hashlib.sha256(b"code").digest()[:16]
    assert base64.urlsafe_b64decode(left_half_hash("code", alg) + "==") == half


@pytest.mark.security("JW-11")
@pytest.mark.parametrize("alg", ["none", "HS256", "EdDSA", "RS1", "", None])
def test_no_hash_is_guessed_for_an_unknown_algorithm(alg: str) -> None:
    with pytest.raises(UnknownAlgorithm):
        left_half_hash("token", alg)
