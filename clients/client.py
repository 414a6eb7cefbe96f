"""A relying party as the protocol sees it: ready, immutable, without a database behind it.

Owns the answers to Authlib's questions about a client. What may be registered is `metadata.py`'s, storage
`registry.py`'s. A disabled client answers no to every question (CL-07).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from authlib.oauth2.rfc6749 import ClientMixin
from joserfc.jwk import KeySet

from clients import secrets
from clients.jwks import key_set
from clients.metadata import PUBLIC
from clients.uris import host

_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\]|localhost)(?::([1-9][0-9]{0,4}))?(/.*)?")


@dataclass(frozen=True)
class Secret:
    """The digest of one secret, and the second from which it no longer opens (`None`: no end)."""

    digest: bytes = field(repr=False)
    expires_at: int | None


@dataclass(frozen=True, eq=False)  # the registry gives one object a client: identity is enough
class Client(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    """One registered relying party. The attributes carry the names of RFC 7591 and OpenID Connect Registration.

    `registration` is the whole stored metadata; `version` the one to hand back when changing it; `sector` the host
    that a pairwise subject is computed from (`None` for public subjects).
    """

    client_id: str
    enabled: bool
    version: int
    registration: Mapping[str, Any]
    name: str
    application_type: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    token_endpoint_auth_method: str
    token_endpoint_auth_signing_alg: str | None
    grant_types: tuple[str, ...]
    response_types: tuple[str, ...]
    scope: str
    jwks: KeySet | None
    id_token_signed_response_alg: str
    require_pkce: bool
    subject_type: str
    sector: str | None
    initiate_login_uri: str | None
    client_uri: str | None
    logo_uri: str | None
    policy_uri: str | None
    tos_uri: str | None
    contacts: tuple[str, ...]
    default_max_age: int | None
    default_acr_values: tuple[str, ...]
    require_auth_time: bool
    secrets: tuple[Secret, ...] = field(repr=False)
    clock: Callable[[], int] = field(repr=False)

    @property
    def public(self) -> bool:
        """Whether it cannot keep a secret (RFC 6749 section 2.1)."""
        return self.token_endpoint_auth_method == PUBLIC

    # Authlib's questions, under Authlib's names.

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str | None:
        """Never one: OpenID Connect wants `redirect_uri` in the request (AZ-04)."""
        return None

    def get_allowed_scope(self, scope: str | None) -> str:
        """The scopes of `scope` that are registered, in the order asked, each once."""
        registered = self.scope.split()
        return " ".join(name for name in dict.fromkeys((scope or "").split(" ")) if name in registered)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether `redirect_uri` is, byte for byte, a registered one (AZ-01).

        One exception: a native application listens on a port that it learns at run time, so the port of its
        loopback addresses is free (RFC 8252 section 7.3); the rest is compared byte for byte all the same.
        """
        if not self.enabled:
            return False
        if redirect_uri in self.redirect_uris:
            return True
        if self.application_type != "native":
            return False
        asked = _without_port(redirect_uri)
        return asked is not None and any(_without_port(uri) == asked for uri in self.redirect_uris)

    def check_client_secret(self, client_secret: str | None) -> bool:
        """Whether it is one of the unexpired secrets. Constant time, any text, never an exception (CL-01)."""
        now = self.clock()
        living = [s.digest for s in self.secrets if s.expires_at is None or s.expires_at > now]
        return secrets.opens(client_secret, living) and self.enabled

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether it authenticates by `method`: the registered one only, at every endpoint."""
        return self.enabled and method == self.token_endpoint_auth_method

    def check_response_type(self, response_type: str) -> bool:
        """Whether it may ask for `response_type`, whose words have no order (OAuth 2.0 Multiple Response Types)."""
        asked = sorted(response_type.split(" "))
        return self.enabled and any(sorted(known.split(" ")) == asked for known in self.response_types)

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it may use `grant_type`."""
        return self.enabled and grant_type in self.grant_types


def _without_port(uri: str) -> tuple[str, str] | None:
    """Host and rest of a loopback http URI; `None` for any other URI, or a port out of range."""
    match = _LOOPBACK.fullmatch(uri)
    if match is None or int(match[2] or 0) > 65535:
        return None
    return match[1], match[3] or ""


def sector(registration: Mapping[str, Any]) -> str | None:
    """The host that a pairwise subject is computed from (OpenID Connect Core section 8.1); `None` for public ones."""
    return host(registration["redirect_uris"][0]) if registration["subject_type"] == "pairwise" else None


def build(
    client_id: str,
    registration: Mapping[str, Any],
    *,
    enabled: bool,
    version: int,
    secrets: tuple[Secret, ...],
    clock: Callable[[], int],
) -> Client:
    """The ready client of a stored registration, its keys parsed once."""
    get = registration.get
    return Client(
        client_id=client_id,
        enabled=enabled,
        version=version,
        registration=MappingProxyType(dict(registration)),
        name=registration["client_name"],
        application_type=registration["application_type"],
        redirect_uris=tuple(registration["redirect_uris"]),
        post_logout_redirect_uris=tuple(get("post_logout_redirect_uris", ())),
        token_endpoint_auth_method=registration["token_endpoint_auth_method"],
        token_endpoint_auth_signing_alg=get("token_endpoint_auth_signing_alg"),
        grant_types=tuple(registration["grant_types"]),
        response_types=tuple(registration["response_types"]),
        scope=registration["scope"],
        jwks=key_set(registration["jwks"]) if "jwks" in registration else None,
        id_token_signed_response_alg=registration["id_token_signed_response_alg"],
        require_pkce=registration["require_pkce"],
        subject_type=registration["subject_type"],
        sector=sector(registration),
        initiate_login_uri=get("initiate_login_uri"),
        client_uri=get("client_uri"),
        logo_uri=get("logo_uri"),
        policy_uri=get("policy_uri"),
        tos_uri=get("tos_uri"),
        contacts=tuple(get("contacts", ())),
        default_max_age=get("default_max_age"),
        default_acr_values=tuple(get("default_acr_values", ())),
        require_auth_time=get("require_auth_time", False),
        secrets=secrets,
        clock=clock,
    )
