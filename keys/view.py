"""What a process holds of the key store: ready keys, the current ones, and the JWKS as bytes.

Owns the making of a `View` from the store, and what is kept when the store fails. When to make one is `ring.py`'s.
"""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keys import compact, rotation
from keys.algorithms import ALGORITHMS, Algorithm, algorithm
from keys.refusals import KeyRefused, StoreUnreadable
from keys.rotation import RotationPolicy
from keys.store import Key, KeyStore, SigningKey

# A change made elsewhere is seen within 5 s: the clock counts whole seconds, and the reading takes its time.
REREAD_AFTER = 4
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PublishedJwks:
    """The JWKS as it is sent (RFC 7517 section 5): public members only. `etag` is quoted; `max_age` in seconds."""

    body: bytes
    etag: str
    max_age: int


@dataclass(frozen=True)
class ReadyKey:
    """A key ready to serve: nothing is imported, checked or encoded again."""

    kid: str
    alg: str
    algorithm: Algorithm
    private: Any = field(repr=False)
    public: Any
    jwk: Mapping[str, Any]
    headers: dict[str, bytes]

    def header(self, typ: str) -> bytes:
        found = self.headers.get(typ)
        if found is None:
            found = self.headers[typ] = compact.header(self.alg, self.kid, typ)
        return found


@dataclass(frozen=True)
class View:
    """What the ring knows, good from `since` to `until` (excluded) by the clock. Replaced whole, never changed."""

    since: int
    until: int
    records: Sequence[SigningKey]
    keys: Mapping[str, ReadyKey]
    current: Mapping[str, ReadyKey]
    jwks: PublishedJwks


def read(store: KeyStore, now: int, policy: RotationPolicy, held: View | None) -> View:
    """A new view from the store.

    With nothing held, raises what the store raises. With something held, goes on with it and logs the reason (F-23).
    """
    records = _records(store, held)
    ready, lost = _ready(store, records, rotation.plan(records, now, policy), held)
    # A key that does not open does not count here: the one before it goes on signing, until it leaves the JWKS.
    plan = rotation.plan([key for key in records if key.kid not in lost], now, policy)
    until = now + REREAD_AFTER if plan.until is None else min(now + REREAD_AFTER, plan.until)
    current = {alg: ready[key.kid] for alg, key in plan.current.items() if key.kid in ready}
    return View(now, until, records, ready, current, _published(ready, policy.jwks_max_age))


def _records(store: KeyStore, held: View | None) -> Sequence[SigningKey]:
    try:
        # A newer version of this program may have added an algorithm that this one does not know.
        records = [key for key in store.read() if key.alg in ALGORITHMS]
        if held is not None and held.records and not records:
            raise StoreUnreadable("il est vide alors qu'il contenait des clés")
    except StoreUnreadable as unreadable:
        if held is None:
            raise
        _log.error("keys.store_unreadable", extra={"reason": unreadable.reason})
        return held.records
    return records


def _ready(
    store: KeyStore, records: Sequence[SigningKey], plan: rotation.Plan, held: View | None
) -> tuple[dict[str, ReadyKey], frozenset[str]]:
    """The living keys in the order of the JWKS, and the kids of those that do not open.

    Only keys that are not held are unsealed and imported.
    """
    ready: dict[str, ReadyKey] = {}
    lost = set()
    order = list(ALGORITHMS)
    for key in sorted(records, key=lambda key: (order.index(key.alg), key.generation)):
        if plan.states[key.kid] in ("gone", "revoked"):
            continue
        if held is not None and key.kid in held.keys:
            ready[key.kid] = held.keys[key.kid]
            continue
        try:
            ready[key.kid] = _import(key, store.private(key.kid))
        except KeyRefused as refused:
            if held is None:
                raise
            lost.add(key.kid)
            _log.error("keys.key_unusable", extra={"kid": key.kid, "reason": type(refused).__name__})
    return ready, frozenset(lost)


def _published(ready: Mapping[str, ReadyKey], max_age: int) -> PublishedJwks:
    body = json.dumps({"keys": [key.jwk for key in ready.values()]}, separators=(",", ":")).encode()
    return PublishedJwks(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', max_age)


def _import(key: SigningKey, private: Key) -> ReadyKey:
    return ReadyKey(
        kid=key.kid,
        alg=key.alg,
        algorithm=algorithm(key.alg),
        private=private.private_key,
        public=private.public_key,
        jwk=private.as_dict(private=False),
        headers={},
    )
