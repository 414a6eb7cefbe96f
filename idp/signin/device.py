"""The known device: a cookie that lets a browser have its own count of attempts.

A stranger who types somebody's identifier wrong ten times suspends it for strangers, not for the holder's browser.
It says nothing of who signed in, and opens nothing.
"""

import re
import secrets

from flask import Response, request

from idp.settings import Settings

_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}\Z")
KEPT_FOR = 400 * 86400
"""Seconds; browsers keep no cookie longer."""


def name(settings: Settings) -> str:
    """The cookie's name."""
    return "__Host-mcp-appareil" if settings.secure_cookies else "mcp-appareil"


def device(settings: Settings) -> str:
    """This browser's device value, a new one if it has none in the right shape."""
    value = request.cookies.get(name(settings), "")
    return value if _SHAPE.match(value) else secrets.token_urlsafe(32)


def remember(response: Response, settings: Settings, value: str) -> None:
    """Let the browser keep it, after a sign-in that succeeded."""
    response.set_cookie(
        name(settings),
        value,
        max_age=KEPT_FOR,
        secure=settings.secure_cookies,
        httponly=True,
        samesite="Lax",
        path="/",
    )
