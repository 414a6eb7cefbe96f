"""The Authlib server: the table of grants and endpoints, fed with checked requests only.

Authlib carries the grants and endpoints. What it leaves open is closed here and in `grants.py`: parameters come from
the body alone and once each, one client authentication method a request, answers are never cached.
"""

from collections.abc import Mapping
from typing import Any

from authlib.oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749.errors import InvalidRequestError, OAuth2Error
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload, OAuth2Request
from flask import Request, Response, json
from flask import request as current_request

from clients.registry import Client, ClientRegistry
from idp.oidc.client_authentication import METHODS, ClientAuthentication
from idp.oidc.parameters import BadParameters, single

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
FORM = "application/x-www-form-urlencoded"


class BodyRequest(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    """A request to an endpoint of the back channel. Its parameters are those of the body, and no others."""

    def __init__(self, request: Request, uri: str) -> None:
        super().__init__(request.method, uri, headers=request.headers)
        self._form = _body(request)
        self.payload = BasicOAuth2Payload(self._form)

    @property
    def form(self) -> Mapping[str, str]:
        """The parameters, each once."""
        return self._form


class Server(AuthorizationServer):  # type: ignore[misc]
    """Authlib's server over our registry and stores."""

    def __init__(self, clients: ClientRegistry, authentication: ClientAuthentication, issuer: str) -> None:
        super().__init__()
        self.clients = clients
        self.issuer = issuer
        self._authentication = authentication

    def query_client(self, client_id: str) -> Client | None:
        """The client, if it is there and enabled."""
        client = self.clients.get(client_id)
        return client if client is not None and client.enabled else None

    def authenticate_client(
        self, request: BodyRequest, methods: list[str] | tuple[str, ...] = METHODS, endpoint: str = "token"
    ) -> Client:
        """The one client that this request proves to come from; every endpoint takes every method."""
        client, request.auth_method = self._authentication.authenticate(
            request.form, current_request.headers.get("Authorization")
        )
        return client

    def create_oauth2_request(self, request: Any) -> BodyRequest:
        """The current Flask request, checked. Raises `OAuth2Error`."""
        if isinstance(request, BodyRequest):
            return request
        return BodyRequest(current_request, self.issuer + current_request.path)

    def answer(self, kind: str) -> Response:
        """Run one endpoint on the current request: `token`, or the name of an Authlib endpoint."""
        try:
            request = self.create_oauth2_request(None)
        except OAuth2Error as error:
            return self.handle_error_response(None, error)
        if kind == "token":
            answer: Response = self.create_token_response(request)
        else:
            answer = self.create_endpoint_response(kind, request)
        return answer

    def handle_error_response(self, request: Any, error: OAuth2Error) -> Response:
        """RFC 6749 §5.2. `invalid_client` is a 401 that says how to authenticate."""
        status, body, headers = error()
        response = self.handle_response(status, body, headers)
        if status == 401:
            response.headers["WWW-Authenticate"] = 'Basic realm="Mon Compte Partenaire"'
        return response

    def handle_response(self, status: int, payload: Any, headers: Any) -> Response:
        """A Flask response that no cache keeps."""
        body = json.dumps(payload) if isinstance(payload, dict) else payload
        response = Response(body, status=status, headers=dict(headers))
        response.headers.update(NO_STORE)
        return response

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Authlib's announcements: nobody listens."""


def _body(request: Request) -> Mapping[str, str]:
    """RFC 6749 §3.2: POST, form-encoded, nothing in the query (a secret there would be logged)."""
    if request.query_string:
        raise InvalidRequestError("parameters belong in the body, not in the query")
    if request.mimetype != FORM:
        raise InvalidRequestError(f"the body must be {FORM}", status_code=415)
    try:
        return single(request.form)
    except BadParameters as bad:
        raise InvalidRequestError(str(bad)) from None
