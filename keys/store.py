"""What the ring asks of the place where signing keys are kept.                                        [plug point]

Owns `SigningKey` and the `KeyStore` protocol. The stores themselves are in `stores/`; every one passes
tests/contracts/test_key_store.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from keys.algorithms import Key

__all__ = ["DateName", "Key", "KeyStore", "SigningKey"]

DateName = Literal["active_from", "retired_at", "revoked_at"]


@dataclass(frozen=True)
class SigningKey:
    """One key and its dates (seconds since the epoch); its private part is asked for apart.

    `kid`: made from the public key, so that it names this key and no other. `generation`: 1, 2, 3... for each `alg`.
    `published_at`: made and shown in the JWKS. `active_from`: signs from then on. `retired_at`: withdrawn before it
    signed; a key that did sign leaves the JWKS by the age of its successor (rotation.py). `revoked_at`: dead since,
    whatever the clock says.
    """

    kid: str
    alg: str
    generation: int
    published_at: int
    active_from: int
    retired_at: int | None = None
    revoked_at: int | None = None


class KeyStore(Protocol):
    """Keys of one purpose, never deleted. Every method raises `StoreUnreadable` when the store is out of reach."""

    def read(self) -> Sequence[SigningKey]:
        """Every key, in any order. The caller calls this every few seconds and relies on it being cheap: nothing is
        unsealed. A change made by another process is in the next answer."""
        ...

    def private(self, kid: str) -> Key:
        """The private key, checked to be strong and to be the one that `kid` names.

        The caller relies on never getting another key: raises `KeyUnusable` when it does not unseal, `WeakKey` when it
        is not fit for its algorithm, `UnknownKey` when there is none.
        """
        ...

    def add(self, key: SigningKey, private: Key) -> bool:
        """Keep a new key, its private part sealed. False, and nothing kept, when `(alg, generation)` is taken.

        The caller relies on exactly one of many processes being told True, and on `read` showing the winner to all the
        others once they are told False.
        """
        ...

    def bring_forward(self, kid: str, date: DateName, at: int) -> bool:
        """Set a date to `at`, unless it is set already to `at` or before: dates only move earlier, so that a revocation
        cannot be undone. True when something changed; exactly one of many that ask the same is told so."""
        ...
