"""Client secrets: minting, digest, comparison, and the rows that keep the digests with their dates.

A secret is 256 random bits that we choose, never one that somebody typed: a plain SHA-256 is enough, and a token
request costs microseconds. When a secret is made, dated or forgotten is decided in `registry.py`.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import cast

from sqlalchemy import Table, delete, or_, update
from sqlalchemy.orm import Session

from clients.models import ClientSecret

PREFIX = "mcp_cs_"  # scanners of leaked secrets know it

TABLE = cast(Table, ClientSecret.__table__)


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


def add(session: Session, client_id: str, now: int) -> str:
    """Mint a secret for `client_id` and keep its digest. Gives the secret, which nobody can read again."""
    secret = mint()
    session.execute(TABLE.insert().values(digest=digest(secret), client_id=client_id, created_at=now))
    return secret


def end_by(session: Session, client_id: str, end: int, now: int) -> None:
    """Bring the end of every secret of `client_id` forward to `end`, and drop those that ended by `now`."""
    mine = TABLE.c.client_id == client_id
    later = or_(TABLE.c.expires_at.is_(None), TABLE.c.expires_at > end)
    session.execute(update(TABLE).where(mine, later).values(expires_at=end))
    session.execute(delete(TABLE).where(mine, TABLE.c.expires_at <= now))


def forget(session: Session, client_id: str) -> None:
    """Drop every secret of `client_id`."""
    session.execute(delete(TABLE).where(TABLE.c.client_id == client_id))
