"""The browser session: an opaque cookie, and in the database who is signed in behind it, since when and how.

Owns: the cookie, opening, renewing and ending a session, and announcing it. Knows no account and no protocol:
`accounts/standing.py` reads who is here, `oidc` listens to what is announced. An anonymous session has a cookie
(forms need one against forgery) but no row: a stranger cannot fill the table.
"""

import hashlib
import hmac
import secrets
import uuid
from typing import Any, cast

from blinker import Signal
from flask import Flask, Request, Response, current_app, g, session
from flask.globals import request_ctx
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy import BigInteger, ForeignKey, Integer, LargeBinary, String, delete, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from idp import clock
from idp.db import Model, current_session
from idp.services import Services
from idp.settings import Settings

# Sent in the transaction that makes it true. renewed: old, new (digests). ended: sids. signed_in: sid, account_id.
renewed = Signal()
ended = Signal()
signed_in = Signal()

FIRST_LOGIN = "first-login"
"""A sign-in with a provisional password: opens the gate's pages and nothing else."""
RECOVERY = "recovery"
PERSONAL = "personal"
"""A sign-in with the person's own password."""


class BrowserSession(Model):
    """One browser with at least one signed-in account; looked up by the digest of its cookie."""

    __tablename__ = "browser_sessions"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    opened_at: Mapped[int] = mapped_column(BigInteger)
    last_seen_at: Mapped[int] = mapped_column(BigInteger)


class SignIn(Model):
    """One account signed in within a browser session. Its id is the `sid` of tokens; several may live together."""

    __tablename__ = "sign_ins"

    sid: Mapped[str] = mapped_column(String(32), primary_key=True)
    browser: Mapped[bytes] = mapped_column(
        LargeBinary(32),
        ForeignKey("browser_sessions.digest", onupdate="CASCADE", ondelete="CASCADE"),
        index=True,
    )
    account_id: Mapped[str] = mapped_column(String(32), index=True)
    signed_in_at: Mapped[int] = mapped_column(BigInteger)
    rank: Mapped[int] = mapped_column(Integer)
    """1 for the first sign-in of this browser session, and so on: the highest is the latest."""
    kind: Mapped[str] = mapped_column(String(12))
    amr: Mapped[str] = mapped_column(String(64))


class Cookie(dict[str, Any], SessionMixin):
    """What Flask calls the session: the cookie's value, and the form token that follows from it."""

    def __init__(self, value: str | None) -> None:
        self.value = value or secrets.token_urlsafe(32)
        self.new = value is None
        self.empty = value is None
        """Nobody can be signed in behind it: the browser brought none, and no row was made for it since."""
        self.used = False
        super().__init__()

    def __contains__(self, name: object) -> bool:
        return name == "csrf_token"

    def __getitem__(self, name: str) -> str:
        # Flask-WTF keeps its raw token in the session. Ours is derived from the cookie, so that it needs no row, and
        # from the cookie alone, so that the forms that are open outlive a rotation of the secret keys.
        self.used = True
        return hmac.new(self.value.encode(), b"form-token", hashlib.sha256).hexdigest()

    @property
    def digest(self) -> bytes:
        """What the database knows of the cookie."""
        return hashlib.sha256(self.value.encode()).digest()


class Cookies(SessionInterface):
    """Reads and writes the one session cookie: `__Host-` and Secure everywhere but on plain http loopback."""

    def __init__(self, settings: Settings) -> None:
        self.secure = settings.secure_cookies
        self.name = "__Host-mcp-session" if self.secure else "mcp-session"

    def open_session(self, app: Flask, request: Request) -> Cookie:
        """The session of a request. A value that we cannot have given counts as none."""
        value = request.cookies.get(self.name)
        return Cookie(value if value and len(value) == 43 and value.isascii() else None)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie when it is new and something on the page depends on it."""
        cookie = cast(Cookie, session)  # open_session makes no other
        # What a 5xx rolled back must not change the browser either.
        if cookie.new and cookie.used and response.status_code < 500:
            response.set_cookie(self.name, cookie.value, secure=self.secure, httponly=True, samesite="Lax", path="/")


def current() -> Cookie:
    """The cookie of this request."""
    return cast(Cookie, session._get_current_object())  # type: ignore[attr-defined]


def browser() -> bytes:
    """The digest that stands for this browser; makes sure that the browser will have a cookie."""
    cookie = current()
    cookie.used = True
    return cookie.digest


def open_for(account_id: str, *, kind: str, amr: str) -> str:
    """Sign an account in, in this browser, under a new cookie (SE-01). Gives the `sid`.

    A sign-in that this browser had for the same account ends; other accounts stay signed in.
    """
    digest = renew()
    session = current_session()
    _end(select(SignIn.sid).where(SignIn.browser == digest, SignIn.account_id == account_id))
    sid = uuid.uuid4().hex
    latest = session.scalar(select(func.max(SignIn.rank)).where(SignIn.browser == digest)) or 0
    session.execute(
        insert(SignIn).values(
            sid=sid,
            browser=digest,
            account_id=account_id,
            signed_in_at=clock.now(),
            rank=latest + 1,
            kind=kind,
            amr=amr,
        )
    )
    signed_in.send(sid=sid, account_id=account_id)
    return sid


def renew() -> bytes:
    """Give this browser a new cookie and carry over what was signed in; the old cookie is dead at once."""
    session, now = current_session(), clock.now()
    old = current()
    _bury_if_over(old.digest)
    new = Cookie(None)
    new.used = True
    _replace_cookie(new)
    moved = session.execute(
        update(BrowserSession)
        .where(BrowserSession.digest == old.digest)
        .values(digest=new.digest, last_seen_at=now)
        .returning(BrowserSession.digest)
    ).first()
    if moved is None:
        session.execute(insert(BrowserSession).values(digest=new.digest, opened_at=now, last_seen_at=now))
    new.empty = False
    renewed.send(old=old.digest, new=new.digest)
    return new.digest


def is_over(opened_at: int, last_seen_at: int, settings: Settings) -> bool:
    """Whether a session is past its idle or its absolute limit: nothing brings it back."""
    now = clock.now()
    return now - last_seen_at >= settings.session_idle or now - opened_at >= settings.session_lifetime


def _bury_if_over(digest: bytes) -> None:
    """A renewal must not bring back to life who was signed in here long ago."""
    session = current_session()
    row = session.execute(
        select(BrowserSession.opened_at, BrowserSession.last_seen_at).where(BrowserSession.digest == digest)
    ).first()
    services: Services = current_app.extensions["idp"]
    if row is not None and is_over(row.opened_at, row.last_seen_at, services.settings):
        _end(select(SignIn.sid).where(SignIn.browser == digest))
        session.execute(delete(BrowserSession).where(BrowserSession.digest == digest))


def become_personal(account_id: str) -> None:
    """The person has chosen a password: the sign-in that brought them here is a full one from now on."""
    current_session().execute(
        update(SignIn).where(SignIn.browser == current().digest, SignIn.account_id == account_id).values(kind=PERSONAL)
    )


def touch(last_seen_at: int) -> None:
    """Move the idle limit on, at most once a minute: most requests then write nothing."""
    now = clock.now()
    if now - last_seen_at >= 60:
        current_session().execute(
            update(BrowserSession).where(BrowserSession.digest == current().digest).values(last_seen_at=now)
        )


def end() -> None:
    """Sign everybody out of this browser: the row goes, the cookie changes, and it is announced."""
    digest = current().digest
    _end(select(SignIn.sid).where(SignIn.browser == digest))
    current_session().execute(delete(BrowserSession).where(BrowserSession.digest == digest))
    cookie = Cookie(None)
    cookie.used = True
    _replace_cookie(cookie)
    renewed.send(old=digest, new=cookie.digest)


def end_others(account_id: str) -> None:
    """End the sign-ins of an account everywhere but in this browser."""
    _end(select(SignIn.sid).where(SignIn.account_id == account_id, SignIn.browser != current().digest))


def end_all(account_id: str) -> None:
    """End the sign-ins of an account everywhere."""
    _end(select(SignIn.sid).where(SignIn.account_id == account_id))


def end_provisional(account_id: str) -> None:
    """End the sign-ins that a provisional password opened: it was replaced by another one."""
    _end(select(SignIn.sid).where(SignIn.account_id == account_id, SignIn.kind != PERSONAL))


def _end(which: Any) -> None:
    session = current_session()
    sids = list(session.scalars(which))
    if sids:
        session.execute(delete(SignIn).where(SignIn.sid.in_(sids)))
        ended.send(sids=sids)


def _replace_cookie(cookie: Cookie) -> None:
    # Flask keeps the request's session on its context, and has no public way to give it another one.
    request_ctx._session = cookie
    g.pop("signed_in", None)
