"""An authorization request, read and checked: every refusal in order, before anything is shown or kept.

Until the client and the redirect URI are known to be right, a refusal is a page (`RefusedOnPage`): nobody is
redirected to an address that was not registered. After that it is an answer to the service (`RefusedToClient`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from clients.registry import Client, ClientRegistry
from idp.oidc import claims_request
from idp.oidc.claims import ACR
from idp.oidc.claims_request import ClaimsRequest
from idp.oidc.parameters import BadParameters, plain, single

S256_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}\Z")
PROMPTS = {"none", "login", "consent", "select_account"}
KEPT = {
    *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "prompt", "max_age"),
    *("code_challenge", "code_challenge_method", "id_token_hint", "login_hint", "claims", "ui_locales"),
}
"""The parameters that are read: a parked request keeps no other."""
OIDC_ONLY_LATER = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}


class RefusedOnPage(Exception):
    """The service made a mistake that it cannot be told of. `str()` is for its developer, in ASCII."""


class RefusedToClient(Exception):
    """The service is told: `error` of the specification, and a description in ASCII."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


@dataclass(frozen=True, slots=True)
class ReturnAddress:
    """Where the answer goes, whatever it is: only made of a registered redirect URI."""

    client: Client
    redirect_uri: str
    state: str | None


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that may be answered with a code."""

    back: ReturnAddress
    scope: str
    nonce: str | None
    code_challenge: str | None
    prompt: frozenset[str]
    max_age: int | None
    id_token_hint: str | None
    login_hint: str | None
    claims: ClaimsRequest
    ui_locales: str | None
    parameters: Mapping[str, str]

    @property
    def client(self) -> Client:
        """The service that asks."""
        return self.back.client


def return_address(values: MultiDict[str, str], clients: ClientRegistry) -> tuple[ReturnAddress, Mapping[str, str]]:
    """Who asks and where the answer goes (RFC 6749 §3.1.2.4). Raises `RefusedOnPage`."""
    try:
        parameters = single(values)
    except BadParameters as bad:
        raise RefusedOnPage(str(bad)) from None
    client = clients.get(parameters.get("client_id", ""))
    if client is None or not client.enabled:
        raise RefusedOnPage("client_id is missing, unknown or disabled")
    # OpenID Connect Core §3.1.2.1 requires the parameter: no default (Authlib would take the first registered one).
    redirect_uri = parameters.get("redirect_uri")
    if redirect_uri is None or not client.check_redirect_uri(redirect_uri):
        raise RefusedOnPage("redirect_uri is missing or is not exactly one that was registered")
    return ReturnAddress(client, redirect_uri, parameters.get("state")), parameters


def read(back: ReturnAddress, parameters: Mapping[str, str]) -> AuthorizationRequest:
    """Check the rest, refusal by refusal. Raises `RefusedToClient`."""
    _response_type(back.client, parameters)
    _nothing_unsupported(parameters)
    scope = _scope(back.client, parameters.get("scope", ""))
    claims = _claims(parameters)
    return AuthorizationRequest(
        back=back,
        scope=scope,
        nonce=parameters.get("nonce"),
        code_challenge=_code_challenge(back.client, parameters),
        prompt=_prompt(parameters),
        max_age=_max_age(back.client, parameters),
        id_token_hint=parameters.get("id_token_hint"),
        login_hint=parameters.get("login_hint"),
        claims=claims,
        ui_locales=parameters.get("ui_locales"),
        parameters={name: value for name, value in parameters.items() if name in KEPT},
    )


def _response_type(client: Client, parameters: Mapping[str, str]) -> None:
    response_type = parameters.get("response_type")
    if response_type is None:
        raise RefusedToClient("invalid_request", "response_type is missing")
    if response_type != "code":
        raise RefusedToClient("unsupported_response_type", f"response_type {plain(response_type)} is not offered")
    if not client.check_response_type(response_type):
        raise RefusedToClient("unauthorized_client", "this client may not ask for a code")
    # A code in a fragment or a form is another profile; a token in a query is never given (Authlib defect 7).
    if parameters.get("response_mode", "query") != "query":
        raise RefusedToClient("invalid_request", "response_mode is not offered: only query is")


def _nothing_unsupported(parameters: Mapping[str, str]) -> None:
    for name, error in OIDC_ONLY_LATER.items():
        if name in parameters:
            raise RefusedToClient(error, f"{name} is not supported")


def _scope(client: Client, asked: str) -> str:
    """What is asked and registered; the rest is dropped (OpenID Connect Core §3.1.2.1)."""
    if not asked:
        raise RefusedToClient("invalid_scope", "scope is missing")
    scope = client.get_allowed_scope(asked)
    if not scope:
        raise RefusedToClient("invalid_scope", "no scope of this request is registered for this client")
    return scope


def _code_challenge(client: Client, parameters: Mapping[str, str]) -> str | None:
    """RFC 7636 §4.3, S256 only. Whatever was sent is enforced, whatever the client's record says."""
    challenge = parameters.get("code_challenge")
    method = parameters.get("code_challenge_method")
    if challenge is None and method is None:
        if client.require_pkce:
            raise RefusedToClient("invalid_request", "code_challenge is missing: PKCE with S256 is required")
        return None
    if method != "S256":
        raise RefusedToClient("invalid_request", "code_challenge_method must be S256")
    if challenge is None or not S256_CHALLENGE.match(challenge):
        raise RefusedToClient("invalid_request", "code_challenge is not the base64url of a SHA-256")
    return challenge


def _prompt(parameters: Mapping[str, str]) -> frozenset[str]:
    prompt = frozenset(parameters.get("prompt", "").split()) & PROMPTS
    if "none" in prompt and len(prompt) > 1:
        raise RefusedToClient("invalid_request", "prompt none excludes every other value")
    return prompt


def _max_age(client: Client, parameters: Mapping[str, str]) -> int | None:
    text = parameters.get("max_age")
    if text is None:
        return client.default_max_age
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise RefusedToClient("invalid_request", "max_age is not a number of seconds")
    return int(text)


def _claims(parameters: Mapping[str, str]) -> ClaimsRequest:
    try:
        claims = claims_request.read(parameters.get("claims"))
    except BadParameters as bad:
        raise RefusedToClient("invalid_request", str(bad)) from None
    essential = claims.essential_acrs
    if essential is not None and essential and ACR not in essential:
        # A letter or a mail proves no more than eidas1: never raise the value (journeys L31).
        raise RefusedToClient("unmet_authentication_requirements", "the essential acr cannot be reached")
    return claims
