"""What each signature algorithm needs: making a key, refusing a weak one, signing, verifying (RFC 7518 section 3).

Owns the algorithms and the form of a private key at rest (PKCS#8). Which key signs, and when, is `ring.py`'s.

Signs with `cryptography` directly: joserfc's `jwt.encode` adds 0.07 ms to each signature, this 0.02. That is
8 % of an RS256 signature, and two thirds of the whole time of an ES256 one.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from joserfc.jwk import ECKey, RSAKey

from keys.refusals import UnknownAlgorithm, WeakKey

Key = RSAKey | ECKey

RSA_BITS = 2048
_RSA_EXPONENT = 65537
_P256_BYTES = 32
_SHA256 = hashes.SHA256()
_PKCS1 = padding.PKCS1v15()
_ECDSA = ec.ECDSA(_SHA256)


def _sign_rs256(private: Any, message: bytes) -> bytes:
    signature: bytes = private.sign(message, _PKCS1, _SHA256)
    return signature


def _verify_rs256(public: Any, signature: bytes, message: bytes) -> None:
    public.verify(signature, message, _PKCS1, _SHA256)


def _sign_es256(private: Any, message: bytes) -> bytes:
    """R and S side by side, where OpenSSL gives them in DER (RFC 7518 section 3.4)."""
    r, s = decode_dss_signature(private.sign(message, _ECDSA))
    return r.to_bytes(_P256_BYTES) + s.to_bytes(_P256_BYTES)


def _verify_es256(public: Any, signature: bytes, message: bytes) -> None:
    if len(signature) != 2 * _P256_BYTES:
        raise InvalidSignature
    r, s = int.from_bytes(signature[:_P256_BYTES]), int.from_bytes(signature[_P256_BYTES:])
    public.verify(encode_dss_signature(r, s), message, _ECDSA)


def _rsa_weakness(raw: Any) -> str | None:
    if not isinstance(raw, rsa.RSAPrivateKey):
        return "ce n'est pas une clé RSA"
    if raw.key_size < RSA_BITS:
        return f"RSA de {raw.key_size} bits, il en faut {RSA_BITS}"
    if raw.public_key().public_numbers().e < _RSA_EXPONENT:
        return f"exposant RSA inférieur à {_RSA_EXPONENT}"
    return None


def _p256_weakness(raw: Any) -> str | None:
    if not isinstance(raw, ec.EllipticCurvePrivateKey):
        return "ce n'est pas une clé à courbe elliptique"
    return None if isinstance(raw.curve, ec.SECP256R1) else f"courbe {raw.curve.name}, il faut P-256"


@dataclass(frozen=True)
class Algorithm:
    """One `alg`. `verify` raises `InvalidSignature`; `weakness` says in French why a private key is refused."""

    make: Callable[[], Any]
    sign: Callable[[Any, bytes], bytes]
    verify: Callable[[Any, bytes, bytes], None]
    weakness: Callable[[Any], str | None]
    digest: str


ALGORITHMS = {
    "RS256": Algorithm(
        make=lambda: rsa.generate_private_key(_RSA_EXPONENT, RSA_BITS),
        sign=_sign_rs256,
        verify=_verify_rs256,
        weakness=_rsa_weakness,
        digest="sha256",
    ),
    "ES256": Algorithm(
        make=lambda: ec.generate_private_key(ec.SECP256R1()),
        sign=_sign_es256,
        verify=_verify_es256,
        weakness=_p256_weakness,
        digest="sha256",
    ),
}


def algorithm(alg: object) -> Algorithm:
    """The algorithm of this exact name. Raises `UnknownAlgorithm`: `none`, `HS256` and the rest do not exist here."""
    found = ALGORITHMS.get(alg) if isinstance(alg, str) else None
    if found is None:
        raise UnknownAlgorithm(alg)
    return found


def make_key(alg: str) -> Key:
    """A new private key for `alg`, with its `kid`."""
    return _as_key(algorithm(alg).make(), alg)


def to_bytes(private: Key) -> bytes:
    """The private key in PKCS#8 DER: to be sealed, never kept as it is."""
    raw: Any = private.private_key
    der: bytes = raw.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return der


def from_bytes(der: bytes, kid: str, alg: str) -> Key:
    """The ready private key of `to_bytes`; costs 40 ms for RSA, whose parts OpenSSL checks.

    Raises `WeakKey` when it is not fit for `alg`, or is not the key that `kid` names (JW-10).
    """
    try:
        raw = load_der_private_key(der, None)
    except (ValueError, TypeError):
        raise WeakKey(kid, "contenu illisible") from None
    weakness = algorithm(alg).weakness(raw)
    if weakness is not None:
        raise WeakKey(kid, weakness)
    key = _as_key(raw, alg)
    if key.kid != kid:
        raise WeakKey(kid, "ce n'est pas la clé que ce kid désigne")
    return key


def _as_key(raw: Any, alg: str) -> Key:
    """With a `kid` that is unique and bound to the key itself: the first half of its RFC 7638 thumbprint.

    In hexadecimal, because an operator types it: base64url may begin with a dash, which a command takes for an option.
    """
    kind = RSAKey if isinstance(raw, rsa.RSAPrivateKey) else ECKey
    thumbprint = base64.urlsafe_b64decode(kind.import_key(raw).thumbprint() + "=")
    return kind.import_key(raw, {"kid": thumbprint[:16].hex(), "use": "sig", "alg": alg})


def left_half_hash(value: str, alg: str) -> str:
    """The value of `at_hash` or `c_hash`: left half of the digest that `alg` uses (OpenID Connect Core 3.1.3.6).

    Raises `UnknownAlgorithm` rather than guess a digest (JW-11).
    """
    digest = hashlib.new(algorithm(alg).digest, value.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
