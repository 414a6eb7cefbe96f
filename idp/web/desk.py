"""The way back to the desk: which parked authorization request a visit belongs to.

The parameter `demande` names it. It is added here to the address of every page for people, and to the redirects
between them, so that nobody else handles it. It is opaque: a page can only hand it on, or tell which service waits.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, g, request, url_for

from clients.registry import Client
from idp.web.headers import allow_redirect_to
from idp.web.translations import choose_language

PARAMETER = "demande"
NAMED = b"demande="
_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}\Z")
PEOPLE = ("signin.", "consent.", "help.")


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the pages may know of the request that waits: the service, where its answer goes, two wishes of it."""

    service: Client
    redirect_uri: str
    ui_locales: str | None
    login_hint: str | None
    sid: str | None
    """The sign-in that was made for this request, if there was one."""


def demande() -> str | None:
    """The name of the parked request of this visit, if it has the right shape; it may be too old or unknown."""
    value: str | None = g.get("demande")
    return value


def waiting() -> Waiting | None:
    """The request that waits behind this visit, None when the person came by themselves or it is over."""
    found: Waiting | None = g.get("waiting")
    return found


def desk_url() -> str:
    """Where a person goes once a page has done its part: the desk, or the list of services."""
    if demande():
        return url_for("oidc.authorize", demande=demande())
    return url_for("signin.mes_services")


def init(app: Flask, find: Callable[[str], Waiting | None]) -> None:
    """Read `demande` at each visit of a person's page, find what waits, write the name into people's addresses."""

    @app.before_request
    def read() -> None:
        if NAMED not in request.query_string:
            return
        value = request.args.get(PARAMETER, "")
        g.demande = value if _SHAPE.match(value) else None
        if g.demande and (request.endpoint or "").startswith(PEOPLE):
            g.waiting = find(g.demande)
            if g.waiting:
                # A form of this page ends, after redirects, at the service.
                allow_redirect_to(g.waiting.redirect_uri)
                if g.waiting.ui_locales:
                    choose_language(g.waiting.ui_locales)

    @app.url_defaults
    def write(endpoint: str, values: dict[str, Any]) -> None:
        if g and g.get("demande") and endpoint.startswith(PEOPLE):
            values.setdefault(PARAMETER, g.demande)

    @app.context_processor
    def service() -> dict[str, Any]:
        found = waiting()
        return {"service": found.service if found else None, "service_name": found.service.name if found else None}
