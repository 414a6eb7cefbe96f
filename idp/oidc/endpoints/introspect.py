"""Introspection (RFC 7662): a service asks about a token of its own; anything else is just not active (RT-11)."""

from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from flask import Blueprint, Response

from clients.registry import Client
from idp import clock
from idp.db import current_session
from idp.oidc.issuance import Issuance, Presented, Refreshable
from idp.oidc.server import BodyRequest, Server
from idp.oidc.subjects import subject


def register(blueprint: Blueprint, server: Server, issuance: Issuance) -> None:
    """Add the endpoint."""
    server.register_endpoint(type("Introspection", (Introspection,), {"issuance": issuance}))

    @blueprint.post("/oauth2/introspect")
    def introspect() -> Response:
        return server.answer("introspection")


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]  # Authlib has no types
    """Authlib's endpoint over our tokens."""

    issuance: Issuance

    def authenticate_endpoint_client(self, request: BodyRequest) -> Client:
        """RFC 7662 §2.1: the caller authenticates; a client without a secret cannot ask."""
        client: Client = super().authenticate_endpoint_client(request)
        if request.auth_method == "none":
            raise InvalidClientError(status_code=401, description="client authentication failed")
        return client

    def authenticate_token(self, request: BodyRequest, client: Client) -> Presented | Refreshable | None:
        """The token, if it is this client's."""
        if "token" not in request.form:
            raise InvalidRequestError("token is missing")
        session, value = current_session(), request.form["token"]
        refresh = self.issuance.refreshable(session, value)
        if refresh is not None:
            return refresh if refresh.check_client(client) else None
        access = self.issuance.presented(session, value, clock.now())
        return access if access is not None and access.client_id == client.client_id else None

    def create_introspection_payload(self, token: Presented | Refreshable | None) -> dict[str, Any]:
        """RFC 7662 §2.2; a token that is worth nothing has one answer, whatever the reason."""
        now = clock.now()
        if isinstance(token, Refreshable):
            granted = token.granted
            dead = token.used_at is not None or token.expires_at <= now or granted.revoked_at is not None
            if not dead and token.account.is_open:
                return self._payload(
                    token.account.id, granted.client_id, token.scope, token.expires_at, "refresh_token"
                )
        elif token is not None and token.live:
            payload = self._payload(token.account.id, token.client_id, token.scope, token.expires_at, "Bearer")
            return {**payload, "iat": token.issued_at}
        return {"active": False}

    def _payload(self, account_id: str, client_id: str, scope: str, expires_at: int, kind: str) -> dict[str, Any]:
        client = self.server.query_client(client_id)
        return {
            "active": True,
            "scope": scope,
            "client_id": client_id,
            "token_type": kind,
            "exp": expires_at,
            "sub": subject(current_session(), client, account_id),
            "aud": client_id,
            "iss": self.server.issuer,
        }
