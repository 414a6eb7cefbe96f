"""A ring on a real database, with times that are easy to reckon with."""

from collections.abc import Callable, Sequence

import pytest
from sqlalchemy.orm import Session

from keys.ring import KeyRing, RotationPolicy
from keys.sealing import Sealer
from keys.store import KeyStore
from keys.stores.sql import SqlKeyStore
from tests.conftest import Clock, Recorded

KEK = b"\x01" * 32
POLICY = RotationPolicy(publish_ahead=7200, token_lifetime=360)

MakeRing = Callable[..., KeyRing]


@pytest.fixture
def store(session: Session) -> SqlKeyStore:
    return SqlKeyStore(lambda: session, Sealer([KEK]))


@pytest.fixture
def make_ring(store: SqlKeyStore, clock: Clock, recorded: Recorded) -> MakeRing:
    """Each call is another process: a ring of its own on the same store."""

    def make(algorithms: Sequence[str] = ("ES256",), *, other: KeyStore | None = None) -> KeyRing:
        return KeyRing(other or store, clock, POLICY, recorded.record, algorithms)

    return make


@pytest.fixture
def ring(make_ring: MakeRing) -> KeyRing:
    """A ring that signs ES256, with its first key made. Most rules are the same for every algorithm."""
    ring = make_ring()
    ring.make_missing()
    return ring
