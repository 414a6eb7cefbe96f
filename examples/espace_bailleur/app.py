"""The service: its pages, and the five exchanges with the provider (start, return, userinfo, refresh, sign-out).

Authlib's client does the protocol (authorization code, PKCE S256, nonce, state, signature of the ID token); what a
relying party must still check by itself is written out here: the issuer of the metadata and of the answer, the
subject of userinfo, where a third party may send the person.
"""

import logging
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from authlib.integrations.base_client import MismatchingStateError, OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, Response, current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, CSRFProtect
from joserfc.errors import JoseError
from requests import RequestException

from .sessions import ServerSession, SqliteSessions

SCOPE = "openid profile email partenaire"
TIMEOUT = 10  # seconds for one call to the provider

log = logging.getLogger(__name__)


class AnswerRefused(Exception):
    """The answer that came back is not one that we asked for, or not from our provider."""


def create_app(
    issuer: str,
    client_id: str,
    client_secret: str,
    secret_key: str,
    base_url: str,
    *,
    scope: str = SCOPE,
    sessions_file: Path | None = None,
) -> Flask:
    """Build the service.

    `base_url` is where people reach it (`https://bailleur.example`): redirect URIs are made from it, never from the
    Host header. `sessions_file` keeps sessions and tokens (a new temporary file by default).
    """
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secret_key,
        ISSUER=issuer,
        BASE_URL=base_url.rstrip("/"),
        SESSION_COOKIE_NAME="espace_bailleur",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=base_url.startswith("https:"),
    )
    app.session_interface = SqliteSessions(sessions_file or Path(tempfile.mkdtemp()) / "sessions.sqlite3")
    CSRFProtect(app)
    oauth = OAuth(app)
    oauth.register(
        "mcp",
        client_id=client_id,
        client_secret=client_secret,
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": scope,
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "client_secret_basic",
            "default_timeout": TIMEOUT,
        },
    )
    _add_pages(app, oauth.mcp)
    _add_refusals(app)
    app.after_request(_headers)
    return app


def _add_pages(app: Flask, mcp: Any) -> None:
    @app.get("/")
    def accueil() -> str:
        return render_template("accueil.html")

    @app.route("/connexion", methods=["GET", "POST"])
    def connexion() -> ResponseReturnValue:
        """Start a sign-in; also the `initiate_login_uri` (OIDC Core section 4: GET and POST)."""
        if request.values.get("iss", issuer_of(app)) != issuer_of(app):
            raise AnswerRefused("this service knows one issuer only")
        session["cible"] = own_page(request.values.get("target_link_uri"))
        hints = {name: request.values[name] for name in ("login_hint",) if request.values.get(name)}
        checked_metadata(mcp)
        return cast(Response, mcp.authorize_redirect(absolute("retour"), **hints))

    app.extensions["csrf"].exempt(connexion)

    @app.get("/retour")
    def retour() -> ResponseReturnValue:
        """The person comes back with a code or with an error."""
        check_answer(mcp)
        if "error" in request.args:
            mcp.framework.clear_state_data(session, request.args["state"])
            return refused_by_provider(request.args["error"])
        token = mcp.authorize_access_token()
        cible = session.get("cible") or url_for("bailleur")
        sign_in(mcp, token)
        return redirect(cible, 303)

    @app.get("/bailleur")
    def bailleur() -> ResponseReturnValue:
        if "personne" not in session:
            return redirect(url_for("connexion", target_link_uri=absolute("bailleur")), 303)
        return render_template("bailleur.html", personne=session["personne"], nouvelles=session.pop("nouvelles", None))

    @app.post("/actualiser")
    def actualiser() -> ResponseReturnValue:
        """Ask the provider again who this is, with the refresh token."""
        if "personne" not in session:
            return redirect(url_for("accueil"), 303)
        session["nouvelles"] = refresh(mcp)
        return redirect(url_for("bailleur"), 303)

    @app.post("/deconnexion")
    def deconnexion() -> ResponseReturnValue:
        """Forget the person here, then ask the provider to do so (RP-Initiated Logout)."""
        hint = session.get("jetons", {}).get("id_token")
        forget()
        checked_metadata(mcp)
        answer = mcp.logout_redirect(
            post_logout_redirect_uri=absolute("deconnecte"), id_token_hint=hint, client_id=mcp.client_id
        )
        return cast(Response, answer)

    @app.get("/deconnecte")
    def deconnecte() -> str:
        """Where the provider sends the person after a sign-out. Nothing to undo if the state is not ours."""
        if request.args.get("state"):
            mcp.framework.clear_state_data(session, request.args["state"])
        return render_template("deconnecte.html")


def issuer_of(app: Flask) -> str:
    return str(app.config["ISSUER"])


def absolute(page: str) -> str:
    """The address of one of our pages, as registered at the provider."""
    return str(current_app.config["BASE_URL"]) + url_for(page)


def own_page(target: str | None) -> str | None:
    """`target` if it is a page of this service, else None: a third party may not send people elsewhere."""
    if target is None:
        return None
    ours, theirs = urlsplit(current_app.config["BASE_URL"]), urlsplit(target)
    return target if (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc) else None


def checked_metadata(mcp: Any) -> Mapping[str, Any]:
    """The provider's metadata, if it is that of our issuer (OIDC Discovery section 4.3)."""
    metadata: Mapping[str, Any] = mcp.load_server_metadata()
    if metadata.get("issuer") != issuer_of(current_app):
        mcp.server_metadata.pop("_loaded_at", None)
        raise AnswerRefused("the metadata are those of another issuer")
    return metadata


def check_answer(mcp: Any) -> None:
    """Refuse an answer that we did not ask for (state) or that another provider gave (`iss`, RFC 9207)."""
    if mcp.framework.get_state_data(session, request.args.get("state", "")) is None:
        raise MismatchingStateError()
    metadata = checked_metadata(mcp)
    compulsory = metadata.get("authorization_response_iss_parameter_supported", False)
    issuer = request.args.get("iss")
    if (issuer is None and compulsory) or (issuer is not None and issuer != metadata["issuer"]):
        raise AnswerRefused("the answer is that of another issuer")


def refused_by_provider(error: str) -> ResponseReturnValue:
    """A page for an error that the provider sent back with the person."""
    if error == "access_denied":
        return render_template("refus.html"), 403
    log.warning("the provider answered %s", error)
    return render_template("panne.html"), 502


def forget() -> None:
    """Empty the session and change its key."""
    session.clear()
    cast(ServerSession, session).renew()


def sign_in(mcp: Any, token: dict[str, Any]) -> None:
    """Keep who arrived and the tokens, under a new session key."""
    identity = token.pop("userinfo")
    personne = fetch_person(mcp, token, identity["sub"])
    forget()
    session["jetons"] = dict(token)
    session["personne"] = personne


def fetch_person(mcp: Any, token: Mapping[str, Any], subject: str) -> dict[str, Any]:
    """The claims of userinfo, if they are those of `subject` (OIDC Core section 5.3.2)."""
    # Without the refresh token, so that Authlib never rotates it behind our back.
    bearer = {"access_token": token["access_token"], "token_type": token["token_type"]}
    claims = mcp.userinfo(token=bearer)
    if claims.get("sub") != subject:
        raise AnswerRefused("userinfo speaks of somebody else")
    return dict(claims)


def refresh(mcp: Any) -> str:
    """Use the refresh token; gives what to tell the person: `sans-objet`, `a-jour HH:MM` or `refusee`."""
    tokens = session["jetons"]
    if "refresh_token" not in tokens:
        return "sans-objet"
    try:
        fresh = mcp.fetch_access_token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    except OAuthError as error:
        log.info("refresh refused: %s", error.error)
        return "refusee"
    # A new ID token is optional, and a new refresh token too: what is not replaced stays.
    session["jetons"] = {**tokens, **fresh}
    session["personne"] = fetch_person(mcp, fresh, session["personne"]["sub"])
    return f"a-jour {datetime.now().astimezone():%H:%M}"


def _add_refusals(app: Flask) -> None:
    @app.errorhandler(MismatchingStateError)
    @app.errorhandler(AnswerRefused)
    @app.errorhandler(JoseError)
    @app.errorhandler(CSRFError)
    def not_ours(error: Exception) -> ResponseReturnValue:
        log.warning("answer refused: %s", error)
        return render_template("recommencer.html"), 400

    @app.errorhandler(OAuthError)
    @app.errorhandler(RequestException)
    def provider_failed(error: Exception) -> ResponseReturnValue:
        log.warning("the provider did not do it: %s", error)
        return render_template("panne.html"), 502


def _headers(response: Response) -> Response:
    """Pages are private; a form may only lead here or, at sign-out, to the provider."""
    issuer = urlsplit(issuer_of(current_app))
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {issuer.scheme}://{issuer.netloc}"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response
