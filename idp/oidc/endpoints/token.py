"""The token endpoint (RFC 6749 §3.2). The grants are in `oidc/grants.py`."""

from flask import Blueprint, Response

from idp.oidc.server import Server


def register(blueprint: Blueprint, server: Server) -> None:
    """Add the endpoint."""

    @blueprint.post("/oauth2/token")
    def token() -> Response:
        return server.answer("token")
