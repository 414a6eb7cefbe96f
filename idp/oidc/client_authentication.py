"""How a relying party proves who it is: exactly one method, the one it registered, at every endpoint.

Authlib tries methods in turn and takes the first that fits; here a request that shows two is refused (RFC 6749 §2.3),
and so is a method that is not the registered one, even with the right secret.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError
from joserfc import jws, jwt
from joserfc.errors import JoseError

from clients import jwks
from clients.registry import Client, ClientRegistry
from idp import clock
from idp.audit import record
from idp.db import current_session
from idp.oidc import replay
from idp.oidc.parameters import plain
from idp.settings import Settings
from idp.web import limits

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
ASSERTION_ALGORITHMS = tuple(jwks.ALGORITHMS)
SKEW = 10
"""Seconds of clock difference that an assertion may show."""


class ClientAuthentication:
    """`authenticate(parameters, authorization header)` gives the client and its method, or raises."""

    def __init__(self, clients: ClientRegistry, settings: Settings) -> None:
        self._clients = clients
        self._issuer = settings.issuer
        self._longest = settings.client_assertion_lifetime

    def authenticate(self, form: Mapping[str, str], authorization: str | None) -> tuple[Client, str]:
        """Raises `InvalidRequestError` (two methods), `InvalidClientError` (anything else that is not right)."""
        method, client_id, secret = self._shown(form, authorization)
        client = self._clients.get(client_id)
        if client is None or not client.enabled:
            raise refused(method, client_id, "unknown")
        if not client.check_endpoint_auth_method(method, "token"):
            raise refused(method, client_id, "method")
        if method == "private_key_jwt":
            self._check_assertion(client, secret)
        elif method != "none" and not client.check_client_secret(secret):
            raise refused(method, client_id, "secret")
        if form.get("client_id", client.client_id) != client.client_id:
            raise refused(method, client_id, "client_id")
        return client, method

    def _shown(self, form: Mapping[str, str], authorization: str | None) -> tuple[str, str, str]:
        """Which one method the request shows, for which client, with what."""
        shown = []
        if authorization is not None:
            shown.append(("client_secret_basic", *_basic(authorization)))
        if "client_secret" in form:
            shown.append(("client_secret_post", form.get("client_id", ""), form["client_secret"]))
        if "client_assertion" in form or "client_assertion_type" in form:
            shown.append(("private_key_jwt", *_assertion(form)))
        if len(shown) > 1:
            raise InvalidRequestError("more than one client authentication method was used")
        return shown[0] if shown else ("none", form.get("client_id", ""), "")

    def _check_assertion(self, client: Client, assertion: str) -> None:
        """RFC 7523 §3, OpenID Connect Core §9: signature, iss, sub, aud, a short life, and used once."""
        claims = _signed_claims(client, assertion)
        now = clock.now()
        expires, not_before = claims.get("exp"), claims.get("nbf", claims.get("iat", now))
        jti = claims.get("jti")
        right = (
            claims.get("iss") == client.client_id
            and claims.get("sub") == client.client_id
            # One string: an array could make it good elsewhere too.
            and claims.get("aud") in (self._issuer, f"{self._issuer}/oauth2/token")
            and isinstance(expires, int)
            and isinstance(not_before, int)
            and now - SKEW < expires <= now + self._longest + SKEW
            and not_before <= now + SKEW
            and isinstance(jti, str)
            and 0 < len(jti) <= 256
        )
        if not right or not isinstance(expires, int):
            raise refused("private_key_jwt", client.client_id, "assertion")
        if not replay.first_use(current_session(), f"{client.client_id}\0{jti}", expires + SKEW):
            raise refused("private_key_jwt", client.client_id, "replay")


def refused(method: str, client_id: str, why: str) -> InvalidClientError:
    """The one answer to every failure (RFC 6749 §5.2); the reason goes to the audit trail only.

    Raises `TooManyRequests` beyond the limit of the address: secrets are not guessed, nor the trail filled.
    """
    limits.refused_client_from_this_address()
    record("client.authentication_refused", client_id=plain(client_id) or None, method=method, reason=why)
    return InvalidClientError(status_code=401, description="client authentication failed")


def _basic(authorization: str) -> tuple[str, str]:
    """Client id and secret of an HTTP Basic header, each form-encoded (RFC 6749 §2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise refused("client_secret_basic", "", "scheme")
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise refused("client_secret_basic", "", "encoding") from None
    if not colon:
        raise refused("client_secret_basic", "", "encoding")
    return unquote_plus(client_id), unquote_plus(secret)


def _assertion(form: Mapping[str, str]) -> tuple[str, str]:
    """The client that an assertion names, not yet believed, and the assertion."""
    assertion = form.get("client_assertion", "")
    if form.get("client_assertion_type") != ASSERTION_TYPE or not assertion:
        raise InvalidRequestError("client_assertion and client_assertion_type do not go together")
    try:
        subject = json.loads(jws.extract_compact(assertion.encode()).payload).get("sub")
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError):
        raise refused("private_key_jwt", "", "assertion") from None
    return (subject if isinstance(subject, str) else ""), assertion


def _signed_claims(client: Client, assertion: str) -> Mapping[str, object]:
    """The claims, if one of the client's own keys signed them; header keys are never looked at (JW-03)."""
    algorithms = [client.token_endpoint_auth_signing_alg or "", *ASSERTION_ALGORITHMS]
    allowed = algorithms[:1] if algorithms[0] else algorithms[1:]
    try:
        if client.jwks is None:
            raise ValueError
        return dict(jwt.decode(assertion, client.jwks, algorithms=allowed).claims)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise refused("private_key_jwt", client.client_id, "signature") from None
