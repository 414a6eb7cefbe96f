"""The authorization endpoint (OpenID Connect Core §3.1.2): read, refuse, hand to the desk."""

import logging

from flask import Blueprint, Response, make_response, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from idp import session as browser_session
from idp.oidc import authorization_request, responses
from idp.oidc.authorization_request import RefusedOnPage, RefusedToClient
from idp.oidc.desk import Desk
from idp.oidc.parked_requests import Parked
from idp.web.desk import PARAMETER, demande
from idp.web.error_pages import error_page
from idp.web.translations import t

log = logging.getLogger(__name__)


def register(blueprint: Blueprint, desk: Desk) -> None:
    """Add the endpoint, and its way back for a person who declined."""

    @blueprint.get("/oauth2/authorize")
    def authorize() -> Response:
        if PARAMETER in request.args:
            return _resume(desk, declined=False)
        return _answer(desk, request.args, None)

    @blueprint.post("/oauth2/authorize")
    def authorize_by_post() -> Response:
        """OpenID Connect Core §3.1.2.1 wants POST too. A cross-site POST carries no cookie: the request is parked
        for the browser that comes back with its name, by GET."""
        if request.query_string:
            return _refusal(RefusedOnPage("parameters belong in the body of a POST, not in its query"))
        try:
            back, parameters = authorization_request.return_address(request.form, desk.clients)
        except RefusedOnPage as refused:
            return _refusal(refused)
        try:
            asked = authorization_request.read(back, parameters)
        except RefusedToClient as refused:
            return responses.error(back, desk.issuer, refused.error, str(refused))
        name = desk.parked.park(back.client.client_id, dict(asked.parameters), desk.clock(), None)
        return responses.redirect(url_for("oidc.authorize", demande=name))

    @blueprint.get("/oauth2/authorize/refus")
    def declined() -> Response:
        return _resume(desk, declined=True)


def _resume(desk: Desk, *, declined: bool) -> Response:
    """A parked request comes back, from a page or from a bookmark."""
    name = demande()
    parked = desk.parked.open(name, desk.clock(), browser_session.browser()) if name else None
    if parked is None:
        return _lost(desk, name)
    return _answer(desk, parked.parameters, parked, declined=declined)


def _lost(desk: Desk, name: str | None) -> Response:
    """Too old, answered already, or another browser's: explain, and link back to the service."""
    service = desk.parked.service(name, desk.clients) if name else None
    return make_response(render_template("demande_perdue.html", service=service), 400)


def _answer(desk: Desk, values: MultiDict[str, str], parked: Parked | None, *, declined: bool = False) -> Response:
    try:
        back, parameters = authorization_request.return_address(values, desk.clients)
    except RefusedOnPage as refused:
        return _refusal(refused)
    try:
        asked = authorization_request.read(back, parameters)
    except RefusedToClient as refused:
        return responses.error(back, desk.issuer, refused.error, str(refused))
    if declined and parked is not None:
        return desk.decline(asked, parked)
    return desk.decide(asked, parked)


def _refusal(refused: RefusedOnPage) -> Response:
    """The service is mistaken and cannot be told: a page for the person, with the reason for its developer."""
    # To the log and not to the audit trail: it comes before any client is known, and a stranger could fill a table.
    log.warning("authorization refused", extra={"fields": {"reason": str(refused)}})
    return error_page(400, t("page.demande.titre"), t("page.demande.texte"), detail=str(refused))
