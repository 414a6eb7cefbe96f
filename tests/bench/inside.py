"""The provider called in this process, past any server and socket: to count its statements and to see where time goes.

Requests go straight to the WSGI application, with the environment that a server would give, so that nothing of a test
client is counted.
"""

import base64
import hashlib
import io
import json
import secrets
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.bench.installation import CALLBACK, SCOPE, Installation
from tests.idp.provider import ISSUER, Browser, Landlord

FORM = "application/x-www-form-urlencoded"
SESSION = "mcp-session"


@dataclass
class Inside:
    """A person signed in, and the service that asks. `cpu` sums the CPU seconds of each kind of request."""

    installation: Installation
    alg: str
    cpu: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def __post_init__(self) -> None:
        self.service = self.installation.services[self.alg]
        self.app = self.installation.provider.app
        self.browser = self.installation.provider.browser()
        self.cookie = self._sign_in(self.browser, self.installation.people[0])
        tokens = self.code_flow()
        self.access_token, self.refresh_token = tokens["access_token"], tokens["refresh_token"]

    def code_flow(self) -> dict[str, Any]:
        """Authorize, token, userinfo."""
        code, verifier = self._authorize()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": verifier}
        tokens = self._json("token", self._token(form))
        self._userinfo(tokens["access_token"])
        return tokens

    def refresh(self) -> None:
        """One refresh with rotation."""
        form = {"grant_type": "refresh_token", "refresh_token": self.refresh_token}
        self.refresh_token = self._json("refresh", self._token(form))["refresh_token"]

    def userinfo(self) -> None:
        """One userinfo with the token of the first flow."""
        self._userinfo(self.access_token)

    def jwks(self) -> None:
        """The key set."""
        assert self._json("jwks", self._environ("GET", "/oauth2/jwks"))["keys"]

    def password(self) -> None:
        """A sign-in in a new browser: the page, then the form."""
        self._sign_in(self.installation.provider.browser(), self.installation.people[1])

    def _sign_in(self, browser: Browser, person: Landlord) -> str:
        answer = browser.sign_in(person)
        cookie = browser.client.get_cookie(SESSION)
        assert answer.status_code == 303, (answer.status_code, answer.get_data(as_text=True)[:500])
        assert cookie is not None
        return cookie.value

    def _authorize(self) -> tuple[str, str]:
        verifier = secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.service.client_id,
            "redirect_uri": CALLBACK,
            "scope": SCOPE,
            "state": secrets.token_urlsafe(12),
            "nonce": secrets.token_urlsafe(12),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        environ = self._environ("GET", "/oauth2/authorize", urlencode(query), HTTP_COOKIE=f"{SESSION}={self.cookie}")
        status, headers, _body = self._call("authorize", environ)
        assert status == 303, (status, headers)
        return parse_qs(urlsplit(headers["Location"]).query)["code"][0], verifier

    def _token(self, form: dict[str, str]) -> dict[str, Any]:
        body = urlencode(form).encode()
        environ = self._environ("POST", "/oauth2/token", HTTP_AUTHORIZATION=self.service.basic["Authorization"])
        return environ | {"CONTENT_TYPE": FORM, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}

    def _userinfo(self, access_token: str) -> None:
        environ = self._environ("GET", "/oauth2/userinfo", HTTP_AUTHORIZATION=f"Bearer {access_token}")
        assert self._json("userinfo", environ)["sub"]

    def _json(self, kind: str, environ: dict[str, Any]) -> dict[str, Any]:
        status, _headers, body = self._call(kind, environ)
        assert status == 200, (status, body)
        answer: dict[str, Any] = json.loads(body)
        return answer

    def _call(self, kind: str, environ: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        told: list[Any] = []
        before = time.thread_time()
        answer = self.app.wsgi_app(environ, lambda *given: told.append(given))
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        self.cpu[kind] += time.thread_time() - before
        status, headers = told[0][:2]
        return int(status[:3]), dict(headers), body

    def _environ(self, method: str, path: str, query: str = "", **headers: str) -> dict[str, Any]:
        host = urlsplit(ISSUER)
        return {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": host.hostname,
            "SERVER_PORT": str(host.port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": host.netloc,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            **headers,
        }
