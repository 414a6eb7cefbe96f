"""What a page can ask of the catalogue: texts, dates, hours, durations, in the language of the request."""

import logging

import pytest
from flask import Flask, g, render_template_string
from markupsafe import Markup

from idp.web.translations import (
    MissingText,
    choose_language,
    date_longue,
    duree,
    heure,
    init_translations,
    language,
    t,
)
from tests.idp.pages.samples import pages_app

SUMMER_EVENING = 1782858600  # 30 June 2026, 22:30 UTC: already 1 July, 0:30, in Paris
AUTUMN_NOON = 1795519800  # 24 November 2026, 11:30 UTC


@pytest.fixture
def app() -> Flask:
    return pages_app()


def test_french_is_spoken_unless_something_else_is_asked(app: Flask) -> None:
    with app.test_request_context():
        assert language() == "fr"
        assert t("connexion.titre") == "Connexion"


@pytest.mark.parametrize(
    ("asked", "answered"),
    [("en", "en"), ("en-GB fr", "en"), ("de en", "en"), ("de", "fr"), ("", "fr"), ("FR-ca", "fr")],
)
def test_the_first_language_that_we_speak_is_chosen(app: Flask, asked: str, answered: str) -> None:
    with app.test_request_context():
        t("connexion.titre")  # a text drawn before the choice does not pin the language
        choose_language(asked)
        assert language() == answered
        assert t("connexion.titre") == {"fr": "Connexion", "en": "Sign in"}[answered]


def test_a_language_that_we_do_not_speak_is_french(app: Flask) -> None:
    with app.test_request_context():
        g.locale = "../../etc"
        assert language() == "fr"


def test_values_fill_the_placeholders(app: Flask) -> None:
    with app.test_request_context():
        assert t("app.etape", n=1, total=4) == "Étape\u00a01 sur\u00a04"


def test_a_value_is_escaped_once_by_the_template(app: Flask) -> None:
    with app.test_request_context():
        page = render_template_string("{{ t('fin.bouton', service=name) }}", name="{n} <b> & L’Été")
    assert page == "Accéder à «\u00a0{n} &lt;b&gt; &amp; L’Été\u00a0»"


def test_markup_goes_in_as_it_is_and_the_rest_is_escaped(app: Flask) -> None:
    with app.test_request_context():
        text = t("pb.issue.attendre.texte", delai_courrier=Markup("<b>10 jours</b>"))
        mixed = t("admin.retirer.titre", prenom=Markup("<i>A</i>"), nom="<B>")
    assert isinstance(text, Markup)
    assert "<b>10 jours</b>" in text
    assert "<i>A</i> &lt;B&gt;" in mixed


def test_a_missing_text_or_value_is_an_error_in_tests_and_demo(app: Flask) -> None:
    with app.test_request_context():
        with pytest.raises(MissingText, match=r"no\.such\.key"):
            t("no.such.key")
        with pytest.raises(MissingText, match="total"):
            t("app.etape", n=1)


def test_a_missing_text_or_value_is_logged_in_production_and_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    app = Flask("idp")
    init_translations(app, strict=False)
    with app.test_request_context(), caplog.at_level(logging.ERROR):
        assert t("no.such.key") == "no.such.key"
        assert "{total}" in t("app.etape", n=1)
    assert [record.message for record in caplog.records] == ["missing text"] * 2


def test_texts_are_french_outside_of_a_request(app: Flask) -> None:
    with app.app_context():
        assert t("connexion.bouton") == "Connexion"


def test_a_day_is_the_day_in_paris(app: Flask) -> None:
    with app.test_request_context():
        assert date_longue(AUTUMN_NOON) == "24\u00a0novembre 2026"
        assert date_longue(SUMMER_EVENING) == "1er\u00a0juillet 2026"
        g.locale = "en"
        assert date_longue(SUMMER_EVENING) == "1\u00a0July 2026"


def test_an_hour_is_the_hour_in_paris(app: Flask) -> None:
    with app.test_request_context():
        assert heure(AUTUMN_NOON) == "12\u00a0h\u00a030"
        assert heure(SUMMER_EVENING) == "0\u00a0h\u00a030"
        g.locale = "en"
        assert heure(AUTUMN_NOON) == "12:30"


@pytest.mark.parametrize(
    ("seconds", "french", "english"),
    [
        (0, "0 seconde", "0 seconds"),
        (1, "1 seconde", "1 second"),
        (30, "30 secondes", "30 seconds"),
        (60, "1 minute", "1 minute"),
        (61, "2 minutes", "2 minutes"),
        (1800, "30 minutes", "30 minutes"),
        (3599, "1 heure", "1 hour"),
        (5400, "1 heure et 30 minutes", "1 hour and 30 minutes"),
        (86400, "24 heures", "24 hours"),
        (2 * 86400, "2 jours", "2 days"),
        (6 * 86400 + 1, "7 jours", "7 days"),
    ],
)
def test_a_duration_is_never_said_shorter_than_it_is(app: Flask, seconds: int, french: str, english: str) -> None:
    with app.test_request_context():
        assert duree(seconds).replace("\u00a0", " ") == french
        assert " " not in duree(seconds).replace(" et ", "")
    with app.test_request_context():
        g.locale = "en"
        assert duree(seconds).replace("\u00a0", " ") == english
