"""Errors, rendered once: a page in plain French for a person, JSON for a client; each with the request id."""

import logging

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, InternalServerError

from idp.web.hash_pool import TooBusy
from idp.web.translations import t

log = logging.getLogger(__name__)

# Paths that programs call: they get JSON.
CLIENT_PATHS = ("/oauth2/", "/.well-known/")
PERSON_PATHS = ("/oauth2/authorize", "/oauth2/end-session")


def for_a_client() -> bool:
    """True when the caller of this request is a program."""
    path = request.path
    return path.startswith(CLIENT_PATHS) and not path.startswith(PERSON_PATHS)


def error_page(status: int, title: str, text: str, **context: object) -> Response:
    """A whole page that says what happened and what to do, with the request id as its reference."""
    page = render_template(
        "erreur.html", titre=title, texte=text, statut=status, reference=g.get("request_id", ""), **context
    )
    return make_response(page, status)


def json_error(status: int, error: str, description: str) -> Response:
    """The body that OAuth gives errors (RFC 6749 §5.2), with the request id."""
    response = jsonify(error=error, error_description=description, request_id=g.get("request_id", ""))
    response.status_code = status
    return response


def unavailable() -> Response:
    """503: nothing is lost, try again (a database that does not answer, a full hash queue)."""
    if for_a_client():
        response = json_error(503, "temporarily_unavailable", "The service is momentarily unavailable.")
    else:
        response = error_page(503, t("page.503.titre"), t("connexion.service_indisponible"))
    response.headers["Retry-After"] = "10"
    return response


def init(app: Flask) -> None:
    """Install the handlers."""

    @app.errorhandler(CSRFError)
    def csrf(_error: CSRFError) -> Response:
        return error_page(403, t("page.csrf.titre"), t("page.csrf"), recharger=True)

    @app.errorhandler(TooBusy)
    def busy(_error: TooBusy) -> Response:
        return unavailable()

    @app.errorhandler(PoolTimeout)
    @app.errorhandler(DBAPIError)
    def database(error: Exception) -> Response:
        # The text of a database error holds parameters: only its kind is written.
        log.error(
            "database error",
            extra={"fields": {"kind": type(error).__name__}},
        )
        return unavailable()

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        if isinstance(error, InternalServerError):
            # A database that fails at the commit, after the view, comes here and not to `database` (F-01, F-03).
            lost = isinstance(error.original_exception, (DBAPIError, PoolTimeout))
            return unavailable() if lost else unexpected()
        status = error.code or 500
        if for_a_client():
            response = json_error(status, "invalid_request", error.name)
        elif status == 404:
            response = error_page(404, t("page.404.titre"), t("page.404.texte"))
        else:
            response = error_page(status, t("page.refus.titre"), t("page.refus.texte"))
        for name, value in error.get_headers(request.environ):
            if name in ("Allow", "Retry-After"):
                response.headers[name] = value
        return response


def unexpected() -> Response:
    """500: our own fault. Flask has written the trace to the log; the person gets its reference."""
    if for_a_client():
        return json_error(500, "server_error", "An unexpected error occurred.")
    reference = str(g.get("request_id", ""))
    return error_page(500, t("page.500.titre"), t("page.500.texte", reference=reference))
