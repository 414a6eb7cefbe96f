"""The one writer of authorization responses, success and error (RFC 6749 §4.1.2, RFC 9207 `iss`)."""

from urllib.parse import urlencode, urlsplit, urlunsplit

from flask import Response

from idp.oidc.authorization_request import ReturnAddress


def success(back: ReturnAddress, issuer: str, code: str) -> Response:
    """Send the person back to the service with a code."""
    return _redirect(back, issuer, {"code": code})


def error(back: ReturnAddress, issuer: str, error: str, description: str) -> Response:
    """Send the person back to the service with an error of the specification and an ASCII description."""
    return _redirect(back, issuer, {"error": error, "error_description": description})


def add_query(uri: str, parameters: dict[str, str]) -> str:
    """`uri` with parameters added; the query that was registered stays as it is, byte for byte."""
    parts = urlsplit(uri)
    query = "&".join(part for part in (parts.query, urlencode(parameters)) if part)
    return urlunsplit(parts._replace(query=query))


def redirect(uri: str) -> Response:
    """303: the browser follows with GET and sends no form again (AZ-14)."""
    return Response(status=303, headers={"Location": uri})


def _redirect(back: ReturnAddress, issuer: str, parameters: dict[str, str]) -> Response:
    if back.state is not None:
        parameters["state"] = back.state
    parameters["iss"] = issuer
    return redirect(add_query(back.redirect_uri, parameters))
