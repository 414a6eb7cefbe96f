"""The registry of relying parties: find one quickly, and every change to one.

Owns the cache of ready clients, the optimistic lock and the life of secrets. What a registration may hold is
`metadata.py`'s. Adds to the caller's transaction and never commits it.
"""

import json
import secrets as random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, cast

from sqlalchemy import Row, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from clients import secrets
from clients.client import Client, Secret, build, sector
from clients.metadata import SECRET_METHODS, RegistrationPolicy, check, check_client_id, is_client_id
from clients.models import ClientRecord
from clients.refusals import (
    ClientIdTaken,
    ConcurrentChange,
    MetadataRefused,
    NoSecret,
    OverlapRefused,
    SectorChange,
    UnknownClient,
)

__all__ = ["Client", "ClientRegistry", "Registered", "RegistrationPolicy"]

# A change made elsewhere is seen within 5 s: the clock counts whole seconds, and the query takes its time.
REREAD_AFTER = 4
LONGEST_OVERLAP = 90 * 86400

_CLIENTS = cast(Table, ClientRecord.__table__)
# One statement brings a client with its secrets: a row for each secret, one row without any.
_LIVING = (
    select(
        _CLIENTS.c.client_id,
        _CLIENTS.c.version,
        _CLIENTS.c.enabled,
        _CLIENTS.c.registration,
        secrets.TABLE.c.digest,
        secrets.TABLE.c.expires_at,
    )
    .outerjoin(secrets.TABLE, secrets.TABLE.c.client_id == _CLIENTS.c.client_id)
    .where(_CLIENTS.c.deleted_at.is_(None))
    .order_by(
        _CLIENTS.c.client_id,
        secrets.TABLE.c.expires_at.is_(None),
        secrets.TABLE.c.expires_at,
        secrets.TABLE.c.digest,
    )
)

ClientRows = Sequence[Row[Any, Any, Any, Any, Any, Any]]
_INSERTS: dict[str, Callable[[Table], sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


@dataclass(frozen=True)
class Registered:
    """A client just registered or changed, and the secret made for it, to be shown once (`None`: none was made)."""

    client: Client
    client_secret: str | None = field(repr=False)


@dataclass(frozen=True)
class _Held:
    client: Client
    rows: ClientRows
    read_at: int


class ClientRegistry:
    """Every relying party of this installation.

    `session`: gives the current session. `clock`: seconds since the epoch. `record(event, client_id=..., **details)`:
    writes an audit event. `policy`: what may be registered here. One registry serves all threads of a process.
    """

    def __init__(
        self,
        session: Callable[[], Session],
        clock: Callable[[], int],
        record: Callable[..., None],
        policy: RegistrationPolicy,
    ) -> None:
        self._session = session
        self._clock = clock
        self._record = record
        self._policy = policy
        self._held: dict[str, _Held] = {}

    # Reading.

    def get(self, client_id: str) -> Client | None:
        """The client, ready and immutable; `None` if there is none. A disabled one comes with `enabled` False.

        Costs nothing for 4 s, then one statement; the same object is given as long as nothing changed.
        Ids that nobody has are not remembered: the cache holds registered clients only.
        """
        now = self._clock()
        held = self._held.get(client_id)
        if held is not None and 0 <= now - held.read_at < REREAD_AFTER:
            return held.client
        rows = self._rows(client_id)
        if not rows:
            self._held.pop(client_id, None)
            return None
        client = held.client if held is not None and held.rows == rows else self._build(rows)
        self._held[client_id] = _Held(client, rows, now)
        return client

    def list(self) -> tuple[Client, ...]:
        """Every client, disabled ones included, by id."""
        rows = self._session().execute(_LIVING)
        return tuple(self._build(list(group)) for _, group in groupby(rows, key=lambda row: row.client_id))

    def services(self) -> tuple[Client, ...]:
        """The enabled clients that a person can start from here: those with an `initiate_login_uri`."""
        return tuple(client for client in self.list() if client.enabled and client.initiate_login_uri)

    # Changing.

    def register(self, metadata: object, client_id: str | None = None) -> Registered:
        """Register a client from RFC 7591 metadata, under `client_id` or an id of ours.

        Raises `MetadataRefused`, or `ClientIdTaken`, also for the id of a deleted client.
        """
        try:
            chosen = check_client_id(client_id) if client_id is not None else f"rp-{random.token_hex(12)}"
            registration = check(metadata, self._policy)
        except MetadataRefused as refused:
            self._record_refusal(client_id, refused)
            raise
        self._insert(chosen, registration)
        secret = self._secret_for(chosen, registration["token_endpoint_auth_method"], has_one=False)
        client = self._load(chosen)
        self._record("client.registered", client_id=chosen, auth_method=client.token_endpoint_auth_method)
        return Registered(client, secret)

    def update(self, client_id: str, changes: object, version: int | None = None) -> Registered:
        """Change some metadata of a client; `null` brings a field back to its default.

        `version`: the one that the change starts from, the current one if left out. A secret is made when the new
        authentication method wants one that the client lacks, and forgotten when it wants none. Raises
        `UnknownClient`, `MetadataRefused`, `SectorChange`, or `ConcurrentChange` with nothing written.
        """
        client = self._load(client_id)
        if version not in (None, client.version):
            raise ConcurrentChange(client_id)
        try:
            # What is not an object is handed on as it is: `check` says so.
            merged = {**client.registration, **changes} if isinstance(changes, Mapping) else changes
            registration = check(merged, self._policy)
        except MetadataRefused as refused:
            self._record_refusal(client_id, refused)
            raise
        if sector(registration) != client.sector:
            raise SectorChange(client_id)
        changed = sorted(
            name
            for name in registration.keys() | client.registration.keys()
            if registration.get(name) != client.registration.get(name)
        )
        self._write(client, registration=_json(registration))
        had_one = client.token_endpoint_auth_method in SECRET_METHODS
        secret = self._secret_for(client_id, registration["token_endpoint_auth_method"], has_one=had_one)
        self._record("client.updated", client_id=client_id, fields=" ".join(changed))
        return Registered(self._load(client_id), secret)

    def rotate_secret(self, client_id: str, overlap: int) -> str:
        """A new secret; the previous ones open for `overlap` seconds more at most (0: no longer at all).

        Raises `UnknownClient`, `NoSecret`, `OverlapRefused` or `ConcurrentChange`.
        """
        if not 0 <= overlap <= LONGEST_OVERLAP:
            raise OverlapRefused(LONGEST_OVERLAP)
        client = self._load(client_id)
        if client.token_endpoint_auth_method not in SECRET_METHODS:
            raise NoSecret(client_id, client.token_endpoint_auth_method)
        self._write(client)
        now = self._clock()
        secrets.end_by(self._session(), client_id, now + overlap, now)
        secret = secrets.add(self._session(), client_id, now)
        self._record("client.secret_rotated", client_id=client_id, overlap=overlap)
        return secret

    def enable(self, client_id: str) -> Client:
        """Let it ask for tokens again. Nothing happens to one that is enabled. Raises `UnknownClient`."""
        return self._switch(client_id, enabled=True)

    def disable(self, client_id: str) -> Client:
        """Refuse it everything, on every process within 5 s. Raises `UnknownClient`, `ConcurrentChange`."""
        return self._switch(client_id, enabled=False)

    def delete(self, client_id: str) -> None:
        """Forget what it registered and its secrets; its id stays taken. Raises `UnknownClient`, `ConcurrentChange`."""
        client = self._load(client_id)
        self._write(client, deleted_at=self._clock(), enabled=False, registration="{}")
        secrets.forget(self._session(), client_id)
        self._record("client.deleted", client_id=client_id, name=client.name)

    # Inside.

    def _rows(self, client_id: str) -> ClientRows:
        if not is_client_id(client_id):
            return []
        return self._session().execute(_LIVING.where(_CLIENTS.c.client_id == client_id)).all()

    def _build(self, rows: ClientRows) -> Client:
        first = rows[0]
        return build(
            first.client_id,
            json.loads(first.registration),
            enabled=first.enabled,
            version=first.version,
            secrets=tuple(Secret(row.digest, row.expires_at) for row in rows if row.digest is not None),
            clock=self._clock,
        )

    def _load(self, client_id: str) -> Client:
        """The client as the database has it now, past the cache."""
        rows = self._rows(client_id)
        if not rows:
            raise UnknownClient(client_id)
        return self._build(rows)

    def _insert(self, client_id: str, registration: Mapping[str, Any]) -> None:
        """Two registrations under one id: the table decides, and the loser's transaction stays usable."""
        insert = _INSERTS[self._session().get_bind().dialect.name]
        now = self._clock()
        statement = insert(_CLIENTS).values(
            client_id=client_id,
            registration=_json(registration),
            enabled=True,
            version=1,
            created_at=now,
            updated_at=now,
        )
        taken = statement.on_conflict_do_nothing().returning(_CLIENTS.c.client_id)
        if self._session().execute(taken).first() is None:
            raise ClientIdTaken(client_id)

    def _write(self, client: Client, **values: object) -> None:
        """One UPDATE that only the version read lets through (CL-06)."""
        written = self._session().execute(
            update(_CLIENTS)
            .where(_CLIENTS.c.client_id == client.client_id, _CLIENTS.c.version == client.version)
            .values(version=client.version + 1, updated_at=self._clock(), **values)
            .returning(_CLIENTS.c.client_id)
        )
        if written.first() is None:
            raise ConcurrentChange(client.client_id)
        self._held.pop(client.client_id, None)

    def _switch(self, client_id: str, *, enabled: bool) -> Client:
        client = self._load(client_id)
        if client.enabled == enabled:
            return client
        self._write(client, enabled=enabled)
        self._record("client.enabled" if enabled else "client.disabled", client_id=client_id)
        return self._load(client_id)

    def _secret_for(self, client_id: str, method: str, *, has_one: bool) -> str | None:
        """Make the secret that `method` wants and that the client lacks; forget those that it has no use for."""
        if method not in SECRET_METHODS:
            secrets.forget(self._session(), client_id)
            return None
        return None if has_one else secrets.add(self._session(), client_id, self._clock())

    def _record_refusal(self, client_id: str | None, refused: MetadataRefused) -> None:
        known = client_id if client_id is not None and is_client_id(client_id) else None
        self._record("client.registration_refused", client_id=known, error=refused.error, field=refused.field)


def _json(registration: Mapping[str, Any]) -> str:
    return json.dumps(registration, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
