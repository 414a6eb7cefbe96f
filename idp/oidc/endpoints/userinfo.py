"""Userinfo (OpenID Connect Core §5.3): one statement, no write."""

from flask import Blueprint, Response, g, jsonify, request

from clients.registry import ClientRegistry
from idp import clock
from idp.db import current_session
from idp.oidc.claims import Claims
from idp.oidc.claims_request import read as read_claims
from idp.oidc.issuance import Issuance
from idp.oidc.subjects import subject


class BearerRefused(Exception):
    """RFC 6750 §3.1: status, error (None when nothing was shown) and an ASCII description."""

    def __init__(self, status: int, error: str | None = None, description: str = "") -> None:
        super().__init__(description)
        self.status = status
        self.error = error


def register(blueprint: Blueprint, issuance: Issuance, claims: Claims, clients: ClientRegistry) -> None:
    """Add the endpoint, by GET and by POST (§5.3.1)."""

    @blueprint.route("/oauth2/userinfo", methods=["GET", "POST"])
    def userinfo() -> Response:
        try:
            token = issuance.presented(current_session(), _bearer(), clock.now())
            client = clients.get(token.client_id) if token else None
            if token is None or not token.live or client is None or not client.enabled:
                raise BearerRefused(401, "invalid_token", "the access token is not valid")
            if "openid" not in token.scope.split():
                raise BearerRefused(403, "insufficient_scope", "the access token has no scope openid")
        except BearerRefused as refused:
            return _refusal(refused)
        # A read ends without a commit, but for the first subject that a pairwise sector is given.
        g.read_only = client.subject_type != "pairwise"
        asked = read_claims(token.claims).userinfo
        known = claims.of_scope(token.account, token.scope, asked, client.scope)
        return jsonify({**known, "sub": subject(current_session(), client, token.account.id)})


def _bearer() -> str:
    """The one access token of the request: header, or body of a POST (RFC 6750 §2.1, §2.2), never the query."""
    if "access_token" in request.args:
        raise BearerRefused(400, "invalid_request", "an access token in the query is not accepted")
    scheme, _, in_header = request.headers.get("Authorization", "").partition(" ")
    in_body = request.form.getlist("access_token") if request.method == "POST" else []
    shown = in_body + ([in_header.strip()] if scheme.lower() == "bearer" else [])
    if len(shown) > 1:
        raise BearerRefused(400, "invalid_request", "more than one access token was sent")
    if not shown or not shown[0]:
        raise BearerRefused(401)
    return shown[0]


def _refusal(refused: BearerRefused) -> Response:
    body = {"error": refused.error, "error_description": str(refused)} if refused.error else {}
    response = jsonify(body)
    response.status_code = refused.status
    challenge = 'Bearer realm="Mon Compte Partenaire"'
    if refused.error:
        challenge += f', error="{refused.error}", error_description="{refused}"'
    response.headers["WWW-Authenticate"] = challenge
    return response
