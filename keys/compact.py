"""The compact form of a JWS with our header and no other: `alg`, `kid`, `typ` (RFC 7515 section 7.1).

Owns the text of a token. Everything that other headers could ask for (`jwk`, `jku`, `x5u`, `x5c`, `crit`, `b64`,
`zip`, encryption) is refused because nothing but those three is read (JW-03, JW-04, JW-06).
"""

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from keys.refusals import BadSignature

LONGEST = 16_384
_HEADER = {"alg", "kid", "typ"}
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
# One encoder for the process: making one costs as much as encoding with it.
_to_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


@dataclass(frozen=True)
class Parsed:
    """A token taken apart, nothing believed yet: `signed` is what `signature` is about."""

    alg: str
    kid: str
    typ: str
    signed: bytes
    payload: str
    signature: bytes


def encode(value: bytes) -> bytes:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=")


def header(alg: str, kid: str, typ: str) -> bytes:
    """The first part of a token and its dot."""
    return encode(_to_json({"alg": alg, "kid": kid, "typ": typ}).encode()) + b"."


def payload(claims: dict[str, Any]) -> bytes:
    """The second part of a token. Raises `TypeError` or `ValueError` for what JSON cannot say."""
    return encode(_to_json(claims).encode())


def parse(token: object) -> Parsed:
    """Take a token apart. Raises `BadSignature` for anything that is not one of ours in form."""
    parts = token.split(".") if isinstance(token, str) and len(token) <= LONGEST else []
    if len(parts) != 3:
        raise BadSignature("Ce n'est pas un jeton signé.")
    first, second, third = parts
    fields = _object(first)
    if fields.keys() != _HEADER or not all(isinstance(value, str) for value in fields.values()):
        raise BadSignature("L'en-tête du jeton n'est pas l'un des nôtres.")
    signature = _decode(third)
    return Parsed(**fields, signed=f"{first}.{second}".encode("ascii", "replace"), payload=second, signature=signature)


def claims(parsed: Parsed) -> dict[str, Any]:
    """The claims of a token whose signature was verified. Raises `BadSignature` when they are not a JSON object."""
    return _object(parsed.payload)


def _object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(_decode(part), object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        raise BadSignature("Le jeton est illisible.") from None
    if not isinstance(value, dict):
        raise BadSignature("Le jeton est illisible.")
    return value


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name given twice is refused: two readers could each keep another value (RFC 7515 section 4)."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError
    return value


def _decode(part: str) -> bytes:
    """Strict base64url: one text only for given bytes."""
    if not _BASE64URL.fullmatch(part) or len(part) % 4 == 1:
        raise BadSignature("Le jeton est illisible.")
    value = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if encode(value).decode() != part:
        raise BadSignature("Le jeton est illisible.")
    return value
