"""Codes and tokens: 256 random bits behind a prefix that secret scanners know; the database has digests only."""

import hashlib
import secrets

ACCESS_TOKEN = "mcp_at_"
REFRESH_TOKEN = "mcp_rt_"


def mint(prefix: str = "") -> str:
    """A new secret: `prefix` and 43 characters of base64url (256 random bits)."""
    return prefix + secrets.token_urlsafe(32)


def digest(value: str) -> bytes:
    """What the database keeps of a secret: its SHA-256. Any text has one, so that any text can be looked for."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()
