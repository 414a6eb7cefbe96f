"""The key set, as the ring has it ready (RFC 7517 §5)."""

from flask import Blueprint, Response, request

from keys.ring import KeyRing


def register(blueprint: Blueprint, ring: KeyRing) -> None:
    """Add the endpoint."""

    @blueprint.get("/oauth2/jwks")
    def jwks() -> Response:
        published = ring.jwks()
        response = Response(published.body, content_type="application/json")
        response.headers["ETag"] = published.etag
        response.headers["Cache-Control"] = f"public, max-age={published.max_age}"
        response.make_conditional(request)
        return response
