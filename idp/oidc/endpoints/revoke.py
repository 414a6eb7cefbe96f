"""Revocation (RFC 7009). An unknown token is as good as revoked; another client's token is left alone."""

from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidRequestError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from flask import Blueprint, Response

from clients.registry import Client
from idp import clock
from idp.audit import record
from idp.db import current_session
from idp.oidc.issuance import Issuance, Presented, Refreshable
from idp.oidc.revocation import revoke_access_token, revoke_family
from idp.oidc.server import BodyRequest, Server


def register(blueprint: Blueprint, server: Server, issuance: Issuance) -> None:
    """Add the endpoint."""
    server.register_endpoint(type("Revocation", (Revocation,), {"issuance": issuance}))

    @blueprint.post("/oauth2/revoke")
    def revoke() -> Response:
        return server.answer("revocation")


class Revocation(RevocationEndpoint):  # type: ignore[misc]  # Authlib has no types
    """Authlib's endpoint over our tokens."""

    issuance: Issuance

    def check_params(self, request: BodyRequest, client: Client) -> None:
        """The hint is a hint: any value may be ignored (RFC 7009 §2.1), Authlib refuses unknown ones."""
        if "token" not in request.form:
            raise InvalidRequestError("token is missing")

    def authenticate_token(self, request: BodyRequest, client: Client) -> Presented | Refreshable | None:
        """The token, if it is this client's (RT-09: another's gives the same answer and stays as it is)."""
        self.check_params(request, client)
        session, value = current_session(), request.form["token"]
        refresh = self.issuance.refreshable(session, value)
        if refresh is not None:
            return refresh if refresh.check_client(client) else None
        access = self.issuance.presented(session, value, clock.now())
        return access if access is not None and access.client_id == client.client_id else None

    def revoke_token(self, token: Any, request: BodyRequest) -> None:
        """A refresh token takes its whole family along (§2.1), an access token goes alone."""
        session, now = current_session(), clock.now()
        if isinstance(token, Refreshable):
            revoke_family(session, token.granted.id, "revoked-by-client", now)
        else:
            revoke_access_token(session, token.token_id, now)
        record("token.revoked", account_id=token.account.id, client_id=request.client.client_id)
