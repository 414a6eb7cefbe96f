"""Client secrets: minting, digest, comparison.

A secret is 256 random bits that we choose, never one that somebody typed: a plain SHA-256 is enough, and a token
request costs microseconds. Storage and dates belong to `registry.py`.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "mcp_cs_"  # scanners of leaked secrets know it


def mint() -> str:
    """A new client secret: the prefix and 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """SHA-256 of `secret`, 32 bytes. Takes any text a request may carry, lone surrogates included."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def opens(candidate: str | None, digests: Iterable[bytes]) -> bool:
    """Whether `candidate` is the secret of one of `digests`.

    Digests of equal length are compared in constant time, all of them, so that neither the answer's time nor an
    exception tells anything (CL-01).
    """
    if candidate is None:
        return False
    presented = digest(candidate)
    found = False
    for known in digests:
        found |= hmac.compare_digest(presented, known)
    return found
