"""The key ring of a process: sign with the current key, verify with ours, publish, rotate, revoke.

Owns when the keys are read again, and every change to them. The rules of time are `rotation.py`'s, the keeping
`store.py`'s, what is held of it `view.py`'s, the text of a token `compact.py`'s. Validates no claim: who verifies a
token knows what it must say.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cryptography.exceptions import InvalidSignature

from keys import compact, rotation
from keys.algorithms import algorithm, left_half_hash, make_key
from keys.refusals import (
    BadSignature,
    ConcurrentRotation,
    EmptyStore,
    NoCurrentKey,
    NothingToRetire,
    UnknownAlgorithm,
    UnknownKey,
)
from keys.rotation import RotationPolicy, State
from keys.store import KeyStore, SigningKey
from keys.view import PublishedJwks, View
from keys.view import read as read_view

__all__ = ["BadSignature", "KeyRing", "ListedKey", "PublishedJwks", "RotationPolicy", "left_half_hash"]

_ATTEMPTS = 5


@dataclass(frozen=True)
class ListedKey:
    """A key, what it is now, and when it leaves the JWKS (`None`: no date yet, or gone by revocation)."""

    key: SigningKey
    state: State
    leaves_at: int | None


class KeyRing:
    """Every signing key of this installation. One ring serves all threads of a process.

    `store`: where keys are kept. `clock`: seconds since the epoch; it may go back. `record(event, **details)`: writes
    an audit event. `algorithms`: those that this installation signs with. Never commits: a change is seen by the other
    processes within 5 s of the caller's commit.

    A store that cannot be read, is suddenly empty, or holds a key that does not open, stops a ring that starts
    (`StoreUnreadable`, `KeyUnusable`, `WeakKey`). A ring that has keys goes on with them and logs the reason (F-23).
    """

    def __init__(
        self,
        store: KeyStore,
        clock: Callable[[], int],
        policy: RotationPolicy,
        record: Callable[..., None],
        algorithms: Sequence[str] = ("RS256", "ES256"),
    ) -> None:
        for alg in algorithms:
            algorithm(alg)
        self._store = store
        self._clock = clock
        self._policy = policy
        self._record = record
        self._algorithms = tuple(algorithms)
        self._view: View | None = None
        self._renewing = threading.Lock()

    # Serving.

    def sign(self, claims: dict[str, Any], alg: str, typ: str = "JWT") -> str:
        """The signed token. Its header is exactly `alg`, `kid`, `typ`, its key the one current key of `alg`.

        Raises `UnknownAlgorithm`, `NoCurrentKey`; `TypeError` or `ValueError` for claims that are not JSON.
        """
        if alg not in self._algorithms:
            raise UnknownAlgorithm(alg)
        key = self._now().current.get(alg)
        if key is None:
            raise NoCurrentKey(alg)
        signed = key.header(typ) + compact.payload(claims)
        return (signed + b"." + compact.encode(key.algorithm.sign(key.private, signed))).decode("ascii")

    def verify(self, token: str, *, typ: str | None = None, algorithms: Sequence[str] | None = None) -> dict[str, Any]:
        """The claims of a token that one of our living keys signed. Raises `BadSignature` for anything else.

        `typ`: the kind of token that is expected, exactly (JW-12). `algorithms`: those that are accepted, all of ours
        if left out. Only the signature is verified: an expired token passes.
        """
        parsed = compact.parse(token)
        key = self._now().keys.get(parsed.kid)
        if key is None or key.alg != parsed.alg or (algorithms is not None and key.alg not in algorithms):
            raise BadSignature("Aucune de nos clés n'a signé ce jeton.")
        if typ is not None and parsed.typ != typ:
            raise BadSignature(f"Ce jeton n'est pas du type attendu ({typ}).")
        try:
            key.algorithm.verify(key.public, parsed.signature, parsed.signed)
        except InvalidSignature:
            raise BadSignature("La signature de ce jeton est fausse.") from None
        return compact.claims(parsed)

    def jwks(self) -> PublishedJwks:
        """The public keys, ready to send: those that will sign, sign, or signed what may still be valid."""
        return self._now().jwks

    def check(self) -> None:
        """Raise what would keep this installation from signing: for the start and the doctor. Makes nothing."""
        view = read_view(self._store, self._clock(), self._policy, None)
        for alg in self._algorithms:
            if alg not in view.current:
                raise NoCurrentKey(alg)
        self._view = view

    # Administration.

    def list(self) -> tuple[ListedKey, ...]:
        """Every key ever made, by algorithm and generation."""
        keys, plan = self._plan()
        ordered = sorted(keys, key=lambda key: (key.alg, key.generation))
        return tuple(ListedKey(key, plan.states[key.kid], _leaves_at(key, plan)) for key in ordered)

    def make_missing(self, *, first_start: bool = True) -> tuple[SigningKey, ...]:
        """Make the first key of each algorithm that never had one; gives the keys that this call made.

        Several processes may call this at once: each generation is made once, and all end with the same keys.
        `first_start`: what `sentinel.check` said of `kek`. When False, a store without any key has lost them: raises
        `EmptyStore` rather than make new ones (F-23).
        """
        known = {key.alg for key in self._store.read()}
        if not known and not first_start:
            raise EmptyStore
        made = [key for alg in self._algorithms if alg not in known and (key := self._make(alg, 1, self._clock()))]
        self._forget()
        return tuple(made)

    def rotate(self, alg: str | None = None) -> tuple[SigningKey, ...]:
        """Prepare the successor of the current key of `alg`, or of every algorithm; gives the keys that will sign next.

        A successor that is already waiting is given as it is: running this again repairs a run that was cut and never
        makes two. An algorithm left without a key gets one that signs at once. Raises `UnknownAlgorithm`.
        """
        if alg is not None and alg not in self._algorithms:
            raise UnknownAlgorithm(alg)
        successors = tuple(self._prepare(name) for name in ((alg,) if alg else self._algorithms))
        self._forget()
        return successors

    def retire(self, kid: str) -> ListedKey:
        """Let a key go in good order; gives what becomes of it. Nothing that it signed stops being verifiable.

        The current key gets a successor and leaves after it; a key that never signed leaves at once; one that is
        leaving already goes on doing so. Raises `UnknownKey`, `NothingToRetire`.
        """
        listed = self._listed(kid)
        if listed.state in ("gone", "revoked"):
            raise NothingToRetire(kid)
        if listed.state == "current":
            self._prepare(listed.key.alg)
        elif listed.state == "published":
            self._store.bring_forward(kid, "retired_at", self._clock())
        self._record("keys.retired", kid=kid, alg=listed.key.alg, state=listed.state)
        self._forget()
        return self._listed(kid)

    def revoke(self, kid: str) -> SigningKey | None:
        """Emergency: the key stops signing and leaves the JWKS at once; gives the key that signs instead (JW-08).

        What it signed is no longer verifiable. The successor is there first, so that a cut run leaves a key that signs;
        running it again finishes the work. `None` if no key of this algorithm can sign. Raises `UnknownKey`.
        """
        listed = self._listed(kid)
        if listed.state != "revoked":
            self._replace(listed.key)
        if self._store.bring_forward(kid, "revoked_at", self._clock()):
            self._record("keys.revoked", kid=kid, alg=listed.key.alg)
        self._forget()
        return self._plan()[1].current.get(listed.key.alg)

    def _plan(self) -> tuple[Sequence[SigningKey], rotation.Plan]:
        keys = self._store.read()
        return keys, rotation.plan(keys, self._clock(), self._policy)

    def _listed(self, kid: str) -> ListedKey:
        for listed in self.list():
            if listed.key.kid == kid:
                return listed
        raise UnknownKey(kid)

    def _prepare(self, alg: str) -> SigningKey:
        """The key of `alg` that will sign next, made if there is none; tried again when another process was faster."""
        for _ in range(_ATTEMPTS):
            keys, plan = self._plan()
            waiting = rotation.pending(keys, plan, alg)
            if waiting is not None:
                return waiting
            ahead = self._policy.publish_ahead if alg in plan.current else 0
            made = self._make(alg, _next_generation(keys, alg), self._clock() + ahead)
            if made is not None:
                return made
        raise ConcurrentRotation(alg)

    def _replace(self, key: SigningKey) -> None:
        """Have another key sign at once, if `key` is the current one: the waiting one, which is known, or a new one."""
        for _ in range(_ATTEMPTS):
            keys, plan = self._plan()
            if plan.current.get(key.alg, key) != key:
                return
            waiting = rotation.pending(keys, plan, key.alg)
            if waiting is not None and waiting != key:
                if self._store.bring_forward(waiting.kid, "active_from", self._clock()):
                    self._record("keys.promoted", kid=waiting.kid, alg=key.alg)
                return
            if self._make(key.alg, _next_generation(keys, key.alg), self._clock()):
                return
        raise ConcurrentRotation(key.alg)

    def _make(self, alg: str, generation: int, active_from: int) -> SigningKey | None:
        private = make_key(alg)
        key = SigningKey(str(private.kid), alg, generation, self._clock(), active_from)
        if not self._store.add(key, private):
            return None
        self._record("keys.made", kid=key.kid, alg=alg, generation=generation, active_from=active_from)
        return key

    # What is held.

    def _forget(self) -> None:
        """Read the store again at the next use: a change is not taken over from here, it may still be rolled back."""
        view = self._view
        if view is not None:
            self._view = replace(view, until=view.since)

    def _now(self) -> View:
        now = self._clock()
        view = self._view
        if view is not None and view.since <= now < view.until:
            return view
        # One thread reads; the others go on with what they have, unless there is nothing yet.
        if view is None:
            self._renewing.acquire()
        elif not self._renewing.acquire(blocking=False):
            return view
        try:
            held = self._view
            if held is None or held is view:
                held = self._view = read_view(self._store, now, self._policy, held)
            return held
        finally:
            self._renewing.release()


def _next_generation(keys: Sequence[SigningKey], alg: str) -> int:
    return max((key.generation for key in keys if key.alg == alg), default=0) + 1


def _leaves_at(key: SigningKey, plan: rotation.Plan) -> int | None:
    return plan.leaves_at.get(key.kid) if key.revoked_at is None else None
