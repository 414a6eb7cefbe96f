"""Limits by address, counted in Redis where there is one, else in each process: a brake, not a lock.

What decides about accounts is counted in SQL (`throttle.py`).
"""

from flask import Flask, current_app, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import parse_many
from werkzeug.exceptions import TooManyRequests

from idp.settings import Settings

SIGN_IN = "sign-in"


def init(app: Flask, settings: Settings) -> None:
    """Build the limiter; no request is counted unless a view asks."""
    app.config["RATELIMIT_STORAGE_URI"] = settings.redis_url or "memory://"
    app.config["RATELIMIT_STRATEGY"] = "moving-window"
    # Without its Redis the limiter counts in each process: it never takes the provider down (F-13).
    app.config["RATELIMIT_IN_MEMORY_FALLBACK_ENABLED"] = True
    limiter = Limiter(get_remote_address, app=app, in_memory_fallback=[settings.address_limit])
    app.extensions["address_limits"] = (limiter, parse_many(settings.address_limit))


def sign_in_from_this_address() -> None:
    """Count one try at a sign-in from this address. Raises `TooManyRequests` (429)."""
    limiter, amounts = current_app.extensions["address_limits"]
    for amount in amounts:
        if not limiter.limiter.hit(amount, SIGN_IN, request.remote_addr or ""):
            raise TooManyRequests(retry_after=amount.get_expiry())
