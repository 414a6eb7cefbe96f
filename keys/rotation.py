"""The life of signing keys as pure functions of time: published, current, retired, gone, or revoked.

Owns the rules. Reads no clock and writes nothing. A rotation is one write (the new key, with the date from which it
signs): everything else follows from it, so a crash leaves either the old order or the new one, never two current keys.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from keys.refusals import PolicyRefused
from keys.store import SigningKey

State = Literal["published", "current", "retired", "gone", "revoked"]


@dataclass(frozen=True)
class RotationPolicy:
    """Times in seconds. Raises `PolicyRefused` when a key would sign before its readers can know it.

    `publish_ahead`: a new key is shown so long before it signs. `token_lifetime`: the longest life of what keys sign;
    so long after its successor began to sign, a key leaves the JWKS. `jwks_max_age`: how long readers may keep the
    JWKS. `skew`: by how much the clocks of machines may differ (F-20).
    """

    publish_ahead: int
    token_lifetime: int
    jwks_max_age: int = 3600
    skew: int = 60

    def __post_init__(self) -> None:
        if self.publish_ahead < self.jwks_max_age + self.skew:
            raise PolicyRefused(self.jwks_max_age + self.skew)


@dataclass(frozen=True)
class Plan:
    """The state of every key at one moment. `leaves_at`: when a key leaves the JWKS, for those that have a date.

    `until`: the first later moment when a state changes by itself, `None` if there is none.
    """

    states: dict[str, State]
    leaves_at: dict[str, int]
    current: dict[str, SigningKey]
    until: int | None


def plan(keys: Iterable[SigningKey], now: int, policy: RotationPolicy) -> Plan:
    """What every key is at `now`. At most one key is current for an algorithm."""
    by_alg: dict[str, list[SigningKey]] = {}
    for key in sorted(keys, key=lambda key: key.generation):
        by_alg.setdefault(key.alg, []).append(key)
    states: dict[str, State] = {}
    leaves_at: dict[str, int] = {}
    current: dict[str, SigningKey] = {}
    for alg, own in by_alg.items():
        leaves_at.update(_leaving_dates(own, policy))
        signing = _current(own, leaves_at, now)
        if signing is not None:
            current[alg] = signing
        states.update({key.kid: _state(key, signing, leaves_at, now) for key in own})
    dates = (*leaves_at.values(), *(key.active_from for own in by_alg.values() for key in own))
    return Plan(states, leaves_at, current, min((date for date in dates if date > now), default=None))


def pending(keys: Iterable[SigningKey], plan: Plan, alg: str) -> SigningKey | None:
    """The key that is published and will sign next for `alg`, if one is."""
    waiting = [key for key in keys if key.alg == alg and plan.states[key.kid] == "published"]
    return max(waiting, key=lambda key: key.generation, default=None)


def _leaving_dates(own: Sequence[SigningKey], policy: RotationPolicy) -> dict[str, int]:
    """When each key leaves: at its own date, else when the last token it signed has expired.

    A successor counts only if it signed at all, and counts even if it was revoked since: revoking a key never brings
    the one before it back into the JWKS.
    """
    dates: dict[str, int] = {}
    successor: SigningKey | None = None
    for key in reversed(own):
        if key.retired_at is not None:
            dates[key.kid] = key.retired_at
        elif successor is not None:
            dates[key.kid] = successor.active_from + policy.token_lifetime
        if _ever_signs(key):
            successor = key
    return dates


def _ever_signs(key: SigningKey) -> bool:
    return all(end is None or end > key.active_from for end in (key.retired_at, key.revoked_at))


def _current(own: Sequence[SigningKey], leaves_at: dict[str, int], now: int) -> SigningKey | None:
    """The newest living key that has begun. When the clock went back before all of them, the oldest one."""
    living = [key for key in own if key.revoked_at is None and leaves_at.get(key.kid, now + 1) > now]
    begun = [key for key in living if key.active_from <= now]
    if begun:
        return begun[-1]
    return next((key for key in living if _ever_signs(key)), None)


def _state(key: SigningKey, current: SigningKey | None, leaves_at: dict[str, int], now: int) -> State:
    if key.revoked_at is not None:
        return "revoked"
    if leaves_at.get(key.kid, now + 1) <= now:
        return "gone"
    if key == current:
        return "current"
    return "published" if current is None or key.generation > current.generation else "retired"
