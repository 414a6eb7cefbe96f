"""Headers of every answer, the request id, and the refusal of hosts that are not ours."""

import secrets
import uuid
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from werkzeug.exceptions import MisdirectedRequest

from idp.settings import Settings


def csp_nonce() -> str:
    """The nonce that lets this page's own script run; made when a page asks for it."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def allow_redirect_to(uri: str) -> None:
    """Let a form of this page end, after redirects, at the origin of `uri` (browsers check `form-action` there)."""
    parts = urlsplit(uri)
    g.form_action = f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


def content_security_policy() -> str:
    """Nothing but our own style, our own images and, with a nonce, our own script."""
    script = f"script-src 'nonce-{g.csp_nonce}'; connect-src 'self'; " if "csp_nonce" in g else ""
    form = f" {g.form_action}" if g.get("form_action") else ""
    return (
        f"default-src 'none'; style-src 'self'; img-src 'self' data:; {script}"
        f"form-action 'self'{form}; base-uri 'none'; frame-ancestors 'none'"
    )


def init(app: Flask, settings: Settings) -> None:
    """Install the checks before and the headers after each request."""
    host = urlsplit(settings.issuer).netloc
    hsts = settings.secure_cookies
    app.jinja_env.globals["csp_nonce"] = csp_nonce

    @app.before_request
    def identify() -> None:
        g.request_id = uuid.uuid4().hex
        # PW-01: no address of ours is ever made from a Host that a stranger chose. The health checks are asked
        # by the machine's own address.
        if request.host != host and not request.path.startswith("/sante/"):
            raise MisdirectedRequest

    @app.after_request
    def add(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Cache-Control", "no-store")
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Server"] = "mcp"  # else the server names itself (LE-04)
        if response.mimetype == "text/html":
            headers["Content-Security-Policy"] = content_security_policy()
            headers["X-Frame-Options"] = "DENY"
            headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
            headers["Cross-Origin-Opener-Policy"] = "same-origin"
            headers["Vary"] = "Cookie"
        if hsts:
            headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
        return response
