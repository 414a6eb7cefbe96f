"""Signing keys in the database, in the caller's transaction: nothing here commits.

Owns the statements. The table is in models.py, the form of a private key at rest in sealed.py.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import Executable, Row, Table, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from keys.models import SigningKeyRecord
from keys.refusals import StoreUnreadable, UnknownKey
from keys.sealing import Sealer
from keys.store import DateName, Key, SigningKey
from keys.stores.sealed import seal, unseal

_KEYS = cast(Table, SigningKeyRecord.__table__)
_INSERTS: dict[str, Callable[[Table], sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}
_METADATA = (
    _KEYS.c.kid,
    _KEYS.c.alg,
    _KEYS.c.generation,
    _KEYS.c.published_at,
    _KEYS.c.active_from,
    _KEYS.c.retired_at,
    _KEYS.c.revoked_at,
)


class SqlKeyStore:
    """`session`: gives the current session. `purpose`: what the keys are for; keys of another purpose are not seen."""

    def __init__(self, session: Callable[[], Session], sealer: Sealer, purpose: str = "tokens") -> None:
        self._session = session
        self._sealer = sealer
        self._purpose = purpose
        self._read = select(*_METADATA).where(_KEYS.c.purpose == purpose)

    def read(self) -> Sequence[SigningKey]:
        """One statement, without the private parts."""
        return [SigningKey(*row) for row in self._rows(self._read)]

    def private(self, kid: str) -> Key:
        """One statement, and 40 ms for an RSA key."""
        one = select(_KEYS.c.alg, _KEYS.c.sealed).where(_KEYS.c.kid == kid, _KEYS.c.purpose == self._purpose)
        for alg, sealed in self._rows(one):
            return unseal(self._sealer, sealed, kid, alg, self._purpose)
        raise UnknownKey(kid)

    def add(self, key: SigningKey, private: Key) -> bool:
        """An insert that waits for a concurrent one of the same generation, and gives way to it."""
        sealed = seal(self._sealer, private, key.kid, self._purpose)
        insert = _INSERTS[self._session().get_bind().dialect.name](_KEYS)
        values = {column.name: getattr(key, column.name) for column in _METADATA}
        return self._write(
            insert.values(purpose=self._purpose, sealed=sealed, **values)
            .on_conflict_do_nothing()
            .returning(_KEYS.c.kid)
        )

    def bring_forward(self, kid: str, date: DateName, at: int) -> bool:
        """One conditional update."""
        column = _KEYS.c[date]
        later = or_(column.is_(None), column > at)
        return self._write(
            update(_KEYS)
            .where(_KEYS.c.kid == kid, _KEYS.c.purpose == self._purpose, later)
            .values({date: at})
            .returning(_KEYS.c.kid)
        )

    def _rows(self, statement: Executable) -> Sequence[Row[*tuple[Any, ...]]]:
        with _reachable():
            return self._session().execute(statement).all()

    def _write(self, statement: Executable) -> bool:
        """Whether a row was written: told by RETURNING, since drivers do not agree on the count of an insert."""
        return bool(self._rows(statement))


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        # Only the kind of error: the text of an SQL error carries the parameters.
        raise StoreUnreadable(type(error).__name__) from error
