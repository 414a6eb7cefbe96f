"""The keys that a client registers by value: public, strong, for signatures only (RFC 7517, JW-10).

Owns what is accepted as a client's `jwks`. Knows nothing of our own signing keys.
"""

import base64
import re
from collections.abc import Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet

from clients.refusals import MetadataRefused

MAX_KEYS = 10
RSA_BITS = range(2048, 8192 + 1)
CURVES = {"EC": ("P-256", "P-384", "P-521"), "OKP": ("Ed25519",)}
PRIVATE_MEMBERS = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))
# Kept of a key; x5c, x5u and the like are dropped: nobody here reads or fetches a certificate.
KEPT_MEMBERS = ("kty", "kid", "use", "key_ops", "alg", "n", "e", "crv", "x", "y")
# What verifies the assertions of private_key_jwt, and with which keys.
ALGORITHMS = {
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
_KID = re.compile(r"[!-~]{1,128}")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]{1,1400}")


def key_set(jwks: Mapping[str, Any]) -> KeySet:
    """The ready keys of a `jwks` that `check_jwks` accepted."""
    return KeySet([JWKRegistry.import_key(dict(key)) for key in jwks["keys"]])


def fits(key: Mapping[str, Any], alg: str) -> bool:
    """Whether a key that `check_jwks` accepted can verify `alg`."""
    kty, curve = ALGORITHMS[alg]
    return bool(key["kty"] == kty and key.get("crv") == curve and key.get("alg", alg) == alg)


def check_jwks(value: object) -> dict[str, Any]:
    """The `jwks` to store, reduced to the members that we use. Raises `MetadataRefused`."""
    if not isinstance(value, dict) or not isinstance(value.get("keys"), list):
        raise _refused("donnez un objet JSON {« keys »: [...]} (RFC 7517).")
    keys = value["keys"]
    if not 1 <= len(keys) <= MAX_KEYS:
        raise _refused(f"donnez de 1 à {MAX_KEYS} clés.")
    kept = [_check_key(key, number) for number, key in enumerate(keys, start=1)]
    if len(kept) > 1 and len({key.get("kid") for key in kept if "kid" in key}) < len(kept):
        raise _refused("chaque clé doit avoir son propre « kid ».")
    if len({key.thumbprint() for key in key_set({"keys": kept})}) < len(kept):
        raise _refused("la même clé y figure deux fois.")
    return {"keys": kept}


def _check_key(key: object, number: int) -> dict[str, Any]:
    if not isinstance(key, dict):
        raise _refused(f"la clé n° {number} n'est pas un objet JSON.")
    if key.get("kty") == "oct":
        raise _refused(f"la clé n° {number} est symétrique : donnez des clés publiques RSA, EC ou Ed25519.")
    if PRIVATE_MEMBERS & key.keys():
        raise _refused(f"la clé n° {number} contient sa partie privée : gardez-la, donnez la partie publique.")
    _check_use(key, number)
    _check_strength(key, number)
    kept = {name: key[name] for name in KEPT_MEMBERS if name in key}
    if "alg" in kept and not (kept["alg"] in ALGORITHMS and fits(kept, kept["alg"])):
        raise _refused(f"« alg » de la clé n° {number} ne va pas avec elle ({', '.join(ALGORITHMS)}).")
    try:
        JWKRegistry.import_key(kept)
    except (JoseError, ValueError, TypeError) as error:
        raise _refused(f"la clé n° {number} n'est pas une clé valide.") from error
    return kept


def _check_use(key: dict[str, Any], number: int) -> None:
    """One key, one purpose: what verifies signatures never encrypts."""
    if key.get("use", "sig") != "sig" or key.get("key_ops", ["verify"]) != ["verify"]:
        raise _refused(f"la clé n° {number} doit servir à vérifier des signatures (« use »: « sig »).")
    kid = key.get("kid", "-")
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise _refused(f"« kid » de la clé n° {number} : 128 caractères ASCII visibles au plus.")
    if not isinstance(key.get("alg", ""), str):
        raise _refused(f"« alg » de la clé n° {number} doit être un texte.")


def _check_strength(key: dict[str, Any], number: int) -> None:
    if key.get("kty") == "RSA":
        bits = _bits(key.get("n"))
        if bits not in RSA_BITS:
            raise _refused(f"la clé RSA n° {number} a {bits} bits : il en faut de {RSA_BITS[0]} à {RSA_BITS[-1]}.")
        return
    curves = CURVES.get(str(key.get("kty")), ())
    if key.get("crv") not in curves:
        raise _refused(
            f"la clé n° {number} n'est d'aucune sorte acceptée : RSA, EC (P-256, P-384, P-521) ou OKP (Ed25519)."
        )


def _bits(number: object) -> int:
    """Size in bits of a base64url number; 0 for anything else."""
    if not isinstance(number, str) or not _BASE64URL.fullmatch(number):
        return 0
    try:
        return int.from_bytes(base64.urlsafe_b64decode(number + "==")).bit_length()
    except ValueError:
        return 0


def _refused(message: str) -> MetadataRefused:
    return MetadataRefused("jwks", message)
