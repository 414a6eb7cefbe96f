"""Who is signed in in this browser, read once a request."""

from flask import current_app, g, request

from idp import clock
from idp import session as browser_session
from idp.accounts.standing import SignedIn, signed_in
from idp.db import current_session
from idp.services import Services
from idp.settings import Settings
from idp.web.desk import PEOPLE, demande, waiting


def who_is_here(sid: str | None = None) -> SignedIn | None:
    """The sign-in that this request is about: `sid`, else the one made for the request that waits, else the latest.

    Only a sign-in within its time limits, of an account that is open, counts; None when there is none.
    """
    found = waiting()
    wanted = sid or (found.sid if found else None)
    here = _here()
    if wanted is None and demande() and len(here) > 1:
        # The request of this visit is over, and two accounts are signed in: do not guess which one it was about.
        return None
    return next((who for who in here if who.sid == wanted), here[0] if here else None)


def has_timed_out() -> bool:
    """Somebody was signed in here lately, and did nothing for too long."""
    cookie = browser_session.current()
    if cookie.empty or _here():
        return False
    settings, now = _settings(), clock.now()
    return any(now - who.opened_at < settings.session_lifetime for who in signed_in(current_session(), cookie.digest))


def forget() -> None:
    """Something changed in this request: read again at the next question."""
    g.pop("signed_in", None)


def _here() -> list[SignedIn]:
    if "signed_in" not in g:
        g.signed_in = _read()
    here: list[SignedIn] = g.signed_in
    return here


def _read() -> list[SignedIn]:
    cookie = browser_session.current()
    if cookie.empty:
        return []
    settings = _settings()
    here = [
        who
        for who in signed_in(current_session(), cookie.digest)
        if who.account.is_open and not browser_session.is_over(who.opened_at, who.last_seen_at, settings)
    ]
    if here and (request.endpoint or "").startswith(PEOPLE):
        browser_session.touch(here[0].last_seen_at)  # a person at one of our pages is not idle
    return here


def _settings() -> Settings:
    services: Services = current_app.extensions["idp"]
    return services.settings
