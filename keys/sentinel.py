"""Recognises the secrets that this database was filled with, before anything is written with others (F-23).

Owns one row for each kind of secret: an HMAC that only the right secret gives, and that tells nothing of it.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import cast

from sqlalchemy import Table, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from keys.models import SentinelRecord, SigningKeyRecord
from keys.refusals import WrongSecret

__all__ = ["WrongSecret", "check"]

_SENTINELS = cast(Table, SentinelRecord.__table__)
_KEYS = cast(Table, SigningKeyRecord.__table__)
_INSERTS: dict[str, Callable[[Table], sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


def check(session: Session, kind: str, secrets: Sequence[bytes], *, may_create: bool) -> bool:
    """True when this call stored the row of `kind`, False when a row was there and one of `secrets` made it.

    `kind`: `kek` or `pepper`. `secrets`: the current one first. `may_create`: this is the first start of a new, empty
    installation; check `kek` before keys are made, in the same transaction. Several processes may start at once:
    exactly one is told True. A row made by an older secret of the list is renewed with the current one, so that the
    older can be taken off the list later. Raises `WrongSecret`: nothing was written, the start must stop.
    """
    digests = [hmac.digest(secret, f"sentinel:{kind}".encode(), hashlib.sha256) for secret in secrets]
    # In this order: whoever sees another process's first keys also sees the row that came with them.
    used = kind == "kek" and bool(session.execute(select(exists(select(_KEYS.c.kid)))).scalar())
    row = _row(session, kind)
    if row is None:
        if used or not may_create or not digests:
            raise WrongSecret(kind, known=False)
        if _store(session, kind, digests[0]):
            return True
        row = _row(session, kind)
    if row is None or not any(hmac.compare_digest(row, digest) for digest in digests):
        raise WrongSecret(kind, known=True)
    if row != digests[0]:
        renewal = update(_SENTINELS).where(_SENTINELS.c.kind == kind, _SENTINELS.c.digest == row)
        session.execute(renewal.values(digest=digests[0]))
    return False


def _row(session: Session, kind: str) -> bytes | None:
    digest: bytes | None = session.execute(select(_SENTINELS.c.digest).where(_SENTINELS.c.kind == kind)).scalar()
    return digest


def _store(session: Session, kind: str, digest: bytes) -> bool:
    """Insert the row; a concurrent insert is waited for, and wins."""
    insert = _INSERTS[session.get_bind().dialect.name](_SENTINELS)
    stored = session.execute(
        insert.values(kind=kind, digest=digest).on_conflict_do_nothing().returning(_SENTINELS.c.kind)
    )
    return stored.scalar() is not None
