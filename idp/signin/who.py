"""Who is signed in in this browser, read once a request."""

from flask import current_app, g

from idp import clock
from idp import session as browser_session
from idp.accounts.standing import SignedIn, signed_in
from idp.db import current_session
from idp.services import Services


def who_is_here() -> SignedIn | None:
    """The latest sign-in of this browser that is within its time limits, of an account that is open; else None."""
    if "signed_in" not in g:
        g.signed_in = _read()
    who: SignedIn | None = g.signed_in
    return who


def forget() -> None:
    """Something changed in this request: read again at the next question."""
    g.pop("signed_in", None)


def _read() -> SignedIn | None:
    cookie = browser_session.current()
    if cookie.new:
        return None
    services: Services = current_app.extensions["idp"]
    settings, now = services.settings, clock.now()
    for who in signed_in(current_session(), cookie.digest):
        fresh = now - who.last_seen_at < settings.session_idle and now - who.opened_at < settings.session_lifetime
        if fresh and who.account.is_open:
            return who
    return None
