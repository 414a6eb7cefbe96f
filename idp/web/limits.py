"""Limits by address, counted in Redis where there is one, else in each process: a brake, not a lock.

What decides about accounts is counted in SQL (`throttle.py`).
"""

from typing import Any

from flask import Flask, current_app, request
from limits import RateLimitItem, parse_many
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from idp.settings import Settings

SIGN_IN = "sign-in"
CLIENT = "client"
REDIS_WAIT = 0.5
"""Seconds that a sign-in waits for a Redis that does not answer."""


class AddressLimits:
    """`hit(what, address)` counts one try and tells whether it is within the limits."""

    def __init__(self, amounts: list[RateLimitItem], redis_url: str) -> None:
        self._amounts = amounts
        self._here = MovingWindowRateLimiter(MemoryStorage())
        self._shared = self._here
        if redis_url:
            waits: Any = {"socket_timeout": REDIS_WAIT, "socket_connect_timeout": REDIS_WAIT}
            self._shared = MovingWindowRateLimiter(storage_from_string(redis_url, wrap_exceptions=True, **waits))

    def hit(self, what: str, address: str) -> RateLimitItem | None:
        """Count a try; gives the limit that is exceeded, if one is."""
        try:
            return self._exceeded(self._shared, what, address)
        except StorageError:
            # Without its Redis each process counts alone: a lost cache never takes the provider down (F-13).
            return self._exceeded(self._here, what, address)

    def _exceeded(self, limiter: MovingWindowRateLimiter, what: str, address: str) -> RateLimitItem | None:
        return next((amount for amount in self._amounts if not limiter.hit(amount, what, address)), None)


def init(app: Flask, settings: Settings) -> None:
    """Build the counters; no request is counted unless a view asks."""
    app.extensions["address_limits"] = AddressLimits(parse_many(settings.address_limit), settings.redis_url)


def sign_in_from_this_address() -> None:
    """Count one try at a sign-in from this address. Raises `TooManyRequests` (429)."""
    _count(SIGN_IN)


def refused_client_from_this_address() -> None:
    """Count one failed authentication of a service from this address (CL-01). Raises `TooManyRequests` (429)."""
    _count(CLIENT)


def _count(what: str) -> None:
    limits: AddressLimits = current_app.extensions["address_limits"]
    exceeded = limits.hit(what, request.remote_addr or "")
    if exceeded is not None:
        raise TooManyRequests(retry_after=exceeded.get_expiry())
