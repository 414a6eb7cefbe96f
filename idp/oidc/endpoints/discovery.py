"""Discovery (OpenID Connect Discovery §3, RFC 8414): made of what is enforced, once, at start."""

import hashlib

from flask import Blueprint, Response, json, request

from idp.oidc.authorization_request import PROMPTS
from idp.oidc.claims import ACR, SCOPES, Claims
from idp.oidc.client_authentication import ASSERTION_ALGORITHMS, METHODS

PATHS = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
MAX_AGE = 3600


def metadata(issuer: str, claims: Claims, algorithms: tuple[str, ...]) -> dict[str, object]:
    """The provider's metadata. Nothing is listed that is not done."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth2/authorize",
        "token_endpoint": f"{issuer}/oauth2/token",
        "userinfo_endpoint": f"{issuer}/oauth2/userinfo",
        "jwks_uri": f"{issuer}/oauth2/jwks",
        "introspection_endpoint": f"{issuer}/oauth2/introspect",
        "revocation_endpoint": f"{issuer}/oauth2/revoke",
        "end_session_endpoint": f"{issuer}/oauth2/end-session",
        "scopes_supported": ["openid", *SCOPES, "offline_access"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": list(algorithms),
        "token_endpoint_auth_methods_supported": list(METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": list(METHODS[:3]),
        "revocation_endpoint_auth_methods_supported": list(METHODS),
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": sorted(PROMPTS),
        "claims_supported": claims.supported,
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "acr_values_supported": [ACR],
        "display_values_supported": ["page"],
        "ui_locales_supported": ["fr", "en"],
        "claims_locales_supported": ["fr"],
        "authorization_response_iss_parameter_supported": True,
    }


def register(blueprint: Blueprint, issuer: str, claims: Claims, algorithms: tuple[str, ...]) -> None:
    """Add both well-known paths, serialised once, with an ETag."""
    body = json.dumps(metadata(issuer, claims, algorithms)).encode()
    etag = hashlib.sha256(body).hexdigest()[:32]

    def discovery() -> Response:
        response = Response(body, content_type="application/json")
        response.set_etag(etag)
        response.headers["Cache-Control"] = f"public, max-age={MAX_AGE}"
        response.make_conditional(request)
        return response

    for path in PATHS:
        blueprint.add_url_rule(path, f"discovery_{path.rsplit('/', 1)[1]}", discovery)
