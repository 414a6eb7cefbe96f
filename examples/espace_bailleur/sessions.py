"""Sessions kept on the server: the cookie holds a signed, opaque key and nothing else.

Tokens therefore never reach the browser. The file holds them in clear: protect it like a secret.
"""

import hashlib
import json
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from itsdangerous import BadSignature, Signer
from werkzeug.datastructures import CallbackDict

LIFETIME = 12 * 3600  # seconds since the last change


class ServerSession(CallbackDict[str, Any], SessionMixin):
    """A dictionary that knows its key and whether it was changed."""

    def __init__(self, key: str | None = None, values: dict[str, Any] | None = None) -> None:
        def changed(_: object) -> None:
            self.modified = True

        super().__init__(values, changed)
        self.key = key
        self.former: str | None = None
        self.modified = False

    def renew(self) -> None:
        """Change the key, so that one known before a sign-in is worth nothing after it."""
        self.former, self.key, self.modified = self.former or self.key, None, True


class SqliteSessions(SessionInterface):
    """Flask's session interface on a small SQLite file, made at the first use."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.touch(mode=0o600)
        with self._link() as link:
            link.execute("CREATE TABLE IF NOT EXISTS sessions (digest BLOB PRIMARY KEY, content TEXT, ends_at INT)")

    def open_session(self, app: Flask, request: Request) -> ServerSession:
        key = self._key(app, request.cookies.get(self.get_cookie_name(app), ""))
        with self._link() as link:
            row = link.execute(
                "SELECT content FROM sessions WHERE digest = ? AND ends_at > ?", (_digest(key), time.time())
            ).fetchone()
        return ServerSession(key, json.loads(row[0])) if row else ServerSession()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not (isinstance(session, ServerSession) and session.modified):
            return
        key = session.key or secrets.token_urlsafe(32)
        with self._link() as link:
            link.execute(
                "DELETE FROM sessions WHERE digest = ? OR ends_at <= ?", (_digest(session.former), time.time())
            )
            link.execute(
                "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?)",
                (_digest(key), json.dumps(session), time.time() + LIFETIME),
            )
        if session.key is None:
            response.set_cookie(
                self.get_cookie_name(app),
                self._signer(app).sign(key).decode(),
                httponly=self.get_cookie_httponly(app),
                secure=self.get_cookie_secure(app),
                samesite=self.get_cookie_samesite(app),
                path=self.get_cookie_path(app),
            )

    @contextmanager
    def _link(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._file, timeout=5)) as link, link:
            yield link

    def _key(self, app: Flask, cookie: str) -> str | None:
        try:
            return self._signer(app).unsign(cookie).decode()
        except BadSignature:
            return None

    @staticmethod
    def _signer(app: Flask) -> Signer:
        return Signer(str(app.secret_key), salt="espace-bailleur.session")


def _digest(key: str | None) -> bytes:
    return hashlib.sha256((key or "").encode()).digest()
