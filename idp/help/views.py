"""The pages: an address and a template for each. The prose is in `templates/help/<language>/`."""

from collections.abc import Callable

from flask import Blueprint, current_app, render_template

from idp.services import Services
from idp.web.translations import language

PAGES = {
    "first_login": "/aide/premiere-connexion",
    "user_number": "/aide/numero-utilisateur",
    "administrator": "/aide/administrateur",
    "legal_notice": "/mentions-legales",
    "personal_data": "/donnees-personnelles",
    "accessibility": "/accessibilite",
    "security": "/securite",
}


def blueprint() -> Blueprint:
    """The blueprint `help`: one view for each page, in the language of the request."""
    help_pages = Blueprint("help", __name__)
    for endpoint, path in PAGES.items():
        help_pages.add_url_rule(path, endpoint, _page(endpoint))
    return help_pages


def _page(name: str) -> Callable[[], str]:
    def show() -> str:
        services: Services = current_app.extensions["idp"]
        return render_template(f"help/{language()}/{name}.html", settings=services.settings)

    return show
