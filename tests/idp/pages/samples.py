"""Every page for people that `idp` draws by itself, in each of its states, on an app with nothing behind it."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, g, render_template
from flask_wtf import FlaskForm
from flask_wtf.csrf import CSRFProtect

from idp import help as help_pages
from idp.settings import Settings
from idp.signin.forms import SignInForm, SignOutForm
from idp.web.assets import init_assets
from idp.web.translations import duree, init_translations, t

Context = Callable[[], dict[str, Any]]

SIGNIN = (
    "connexion",
    "deconnexion",
    "deconnecte",
    "mes_services",
    "prolonger",
    "mot_de_passe_oublie",
    "probleme_de_connexion",
    "demande_perdue",
)

SERVICE = SimpleNamespace(
    name="Espace bailleur & «\u00a0Co\u00a0»",
    initiate_login_uri="https://bailleur.example/entrer",
    client_uri="https://bailleur.example/",
    policy_uri="https://bailleur.example/donnees",
    tos_uri="https://bailleur.example/conditions",
    logo_uri="https://bailleur.example/logo.svg",
)

PERSON = SimpleNamespace(
    id="1", identifier="HBFD-7K3M-Q2XW", user_number="U7KM4PXA9HT3WR", departement="2A", organisation_name=None
)
ORGANISATION = SimpleNamespace(
    id="2", identifier="XW4Q-M3K7-DFBH", user_number="UQ2WX7KM4PXA9H", departement="974", organisation_name="SCI L’Été"
)


def _validated(form: FlaskForm) -> FlaskForm:
    form.validate()
    return form


PAGES: dict[str, tuple[str, Context]] = {
    "connexion": ("connexion.html", lambda: {"form": SignInForm()}),
    "connexion-service": (
        "connexion.html",
        lambda: {"form": SignInForm(), "service": SERVICE, "service_name": SERVICE.name, "demo": True},
    ),
    "connexion-vide": ("connexion.html", lambda: {"form": _validated(SignInForm())}),
    "connexion-refus": (
        "connexion.html",
        lambda: {"form": SignInForm(), "erreur_generale": t("connexion.erreur.couple")},
    ),
    "connexion-attente": (
        "connexion.html",
        lambda: {"form": SignInForm(), "attente": t("connexion.attente", duree=duree(240))},
    ),
    "suspendue": ("suspendue.html", lambda: {"duree_restante": duree(900)}),
    "provisoire-expire": ("provisoire_expire.html", dict),
    "deconnexion": ("deconnexion.html", lambda: {"form": SignOutForm(), "session_idle": 1800}),
    "deconnecte": ("deconnecte.html", dict),
    "mes-services": (
        "mes_services.html",
        lambda: {"compte": ORGANISATION, "services": [SERVICE], "session_idle": 1800},
    ),
    "mes-services-aucun": ("mes_services.html", lambda: {"compte": PERSON, "services": []}),
    "session-finie": (
        "session_finie.html",
        lambda: {"duree_inactivite": duree(1800), "retour_url": "/", "service_name": SERVICE.name},
    ),
    "demande-perdue": ("demande_perdue.html", lambda: {"service": SERVICE, "service_name": SERVICE.name}),
    "demande-perdue-sans-service": ("demande_perdue.html", dict),
    "mot-de-passe-oublie": ("recours.html", dict),
    "probleme-de-connexion": ("recours.html", lambda: {"contact": "votre Caf, au 3230"}),
    "erreur-404": (
        "erreur.html",
        lambda: {"titre": t("page.404.titre"), "texte": t("page.404.texte"), "statut": 404, "reference": "a1b2"},
    ),
    "erreur-500": (
        "erreur.html",
        lambda: {"titre": t("page.500.titre"), "texte": t("page.500.texte", reference="a1b2"), "reference": "a1b2"},
    ),
    "erreur-503": (
        "erreur.html",
        lambda: {"titre": t("page.503.titre"), "texte": t("connexion.service_indisponible"), "statut": 503},
    ),
    "erreur-csrf": (
        "erreur.html",
        lambda: {"titre": t("page.csrf.titre"), "texte": t("page.csrf"), "statut": 403, "recharger": True},
    ),
    "erreur-demande": (
        "erreur.html",
        lambda: {
            "titre": t("page.demande.titre"),
            "texte": t("page.demande.texte"),
            "detail": "redirect_uri <unknown>",
        },
    ),
}

HELP = tuple(path for path in help_pages.views.PAGES.values())


def pages_app() -> Flask:
    """An app that can draw every page: the real forms, catalogue and help; the other rooms are empty addresses."""
    app = Flask("idp")
    app.config.update(SECRET_KEY="0" * 40, TESTING=True, SERVER_NAME="localhost")
    app.extensions["idp"] = SimpleNamespace(
        settings=Settings(issuer="https://compte.example", caf_contact="www.caf.fr")
    )
    app.jinja_env.globals["csp_nonce"] = lambda: "nonce"
    CSRFProtect(app)
    init_translations(app)
    init_assets(app)
    app.register_blueprint(help_pages.blueprint())
    for endpoint in SIGNIN:
        app.add_url_rule(f"/{endpoint.replace('_', '-')}", f"signin.{endpoint}", lambda: "")
    return app


def draw(app: Flask, name: str, language: str = "fr") -> str:
    """The HTML of a sample page (or of a help page, by its path), in a language."""
    with app.test_request_context(name if name in HELP else f"/{name}", method="POST"):
        g.locale = language
        if name in HELP:
            return app.ensure_sync(app.view_functions[app.create_url_adapter(None).match(name)[0]])()
        template, context = PAGES[name]
        return render_template(template, **context())


ALL = [*PAGES, *HELP]
everywhere = pytest.mark.parametrize("language", ["fr", "en"])
every_page = pytest.mark.parametrize("name", ALL)
