from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from clients.jwks import check_jwks, fits, key_set
from clients.refusals import MetadataRefused

Jwk = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("kind", "alg"),
    [
        ("RSA", "RS256"),
        ("RSA", "PS256"),
        ("P-256", "ES256"),
        ("P-384", "ES384"),
        ("P-521", "ES512"),
        ("Ed25519", "EdDSA"),
    ],
)
def test_a_strong_public_key_is_kept_and_fits_its_algorithm(public_jwk: Jwk, kind: str, alg: str) -> None:
    kept = check_jwks({"keys": [public_jwk(kind, kid="k1", use="sig", alg=alg, x5u="https://evil.example")]})
    assert "x5u" not in kept["keys"][0]
    assert fits(kept["keys"][0], alg)
    assert key_set(kept).get_by_kid("k1").kid == "k1"


def test_a_key_fits_no_algorithm_of_another_kind_nor_another_than_its_own(public_jwk: Jwk) -> None:
    assert not fits(public_jwk("RSA"), "ES256")
    assert not fits(public_jwk("P-384"), "ES256")
    assert not fits(public_jwk("RSA", alg="PS256"), "RS256")


@pytest.mark.parametrize("value", [None, [], "keys", 5, {}, {"keys": {}}, {"keys": None}])
@pytest.mark.authlib(2)
def test_what_is_not_a_set_of_keys_is_refused(value: object) -> None:
    with pytest.raises(MetadataRefused, match="RFC 7517"):
        check_jwks(value)


def test_from_one_to_ten_keys(public_jwk: Jwk) -> None:
    for keys in ([], [public_jwk("P-256", kid=str(n)) for n in range(11)]):
        with pytest.raises(MetadataRefused, match="de 1 à 10"):
            check_jwks({"keys": keys})
    assert len(check_jwks({"keys": [public_jwk("P-256", kid=str(n)) for n in range(10)]})["keys"]) == 10


@pytest.mark.security("JW-10", "CL-03")
@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"d": "AA"}, "partie privée"),
        ({"k": "AA"}, "partie privée"),
        ({"oth": []}, "partie privée"),
        ({"kty": "oct", "k": "AAAA"}, "symétrique"),
        ({"kty": "rsa"}, "aucune sorte"),
        ({"kty": None}, "aucune sorte"),
        ({"kty": ["RSA"]}, "aucune sorte"),
        ({"n": "AQAB"}, "17 bits"),
        ({"n": "A" * 400}, "0 bits"),
        ({"n": "_" * 1400}, "8400 bits"),
        ({"n": "_" * 1401}, "0 bits"),
        ({"n": "_" * 401}, "0 bits"),
        ({"n": 5}, "0 bits"),
        ({"n": "é"}, "0 bits"),
        ({"e": "AA"}, "pas une clé valide"),
        ({"e": 3}, "pas une clé valide"),
        ({"use": "enc"}, "vérifier des signatures"),
        ({"use": None}, "vérifier des signatures"),
        ({"key_ops": ["encrypt"]}, "vérifier des signatures"),
        ({"key_ops": ["verify", "encrypt"]}, "vérifier des signatures"),
        ({"kid": ""}, "« kid »"),
        ({"kid": "é"}, "« kid »"),
        ({"kid": 5}, "« kid »"),
        ({"kid": "a" * 129}, "« kid »"),
        ({"alg": ["RS256"]}, "« alg »"),
        ({"alg": "HS256"}, "« alg »"),
        ({"alg": "none"}, "« alg »"),
        ({"alg": "ES256"}, "« alg »"),
    ],
)
def test_a_weak_private_or_symmetric_key_is_refused(public_jwk: Jwk, members: dict[str, Any], reason: str) -> None:
    with pytest.raises(MetadataRefused, match=reason) as refused:
        check_jwks({"keys": [public_jwk("RSA") | members]})
    assert refused.value.field == "jwks"


@pytest.mark.security("JW-10")
@pytest.mark.parametrize("kind", ["secp256k1", "X25519"])
def test_a_curve_for_something_else_is_refused(public_jwk: Jwk, kind: str) -> None:
    with pytest.raises(MetadataRefused, match="aucune sorte"):
        check_jwks({"keys": [public_jwk(kind)]})


@pytest.mark.security("JW-10")
def test_a_point_off_its_curve_is_refused(public_jwk: Jwk) -> None:
    with pytest.raises(MetadataRefused, match="pas une clé valide"):
        check_jwks({"keys": [public_jwk("P-256") | {"y": "AAAA"}]})


@pytest.mark.security("JW-10")
def test_a_short_rsa_key_is_refused() -> None:
    with pytest.warns(match="2048"):
        short = RSAKey.generate_key(1024)
    with pytest.raises(MetadataRefused, match="1024 bits"):
        check_jwks({"keys": [short.as_dict(private=False)]})


def test_a_key_that_is_not_an_object_is_refused() -> None:
    with pytest.raises(MetadataRefused, match="n° 1 n'est pas un objet"):
        check_jwks({"keys": ["RSA"]})


def test_several_keys_have_each_their_own_kid(public_jwk: Jwk) -> None:
    for first, second in (({"kid": "a"}, {"kid": "a"}), ({"kid": "a"}, {}), ({}, {})):
        with pytest.raises(MetadataRefused, match="son propre « kid »"):
            check_jwks({"keys": [public_jwk("P-256", **first), public_jwk("RSA", **second)]})


def test_the_same_key_twice_is_refused(public_jwk: Jwk) -> None:
    with pytest.raises(MetadataRefused, match="deux fois"):
        check_jwks({"keys": [public_jwk("RSA", kid="a"), public_jwk("RSA", kid="b")]})
