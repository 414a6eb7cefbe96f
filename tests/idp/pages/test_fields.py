"""The form parts: labels, hints, errors and the summary, tied to one another."""

from typing import Any

import pytest
from flask import Flask, render_template_string
from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, StringField
from wtforms.validators import InputRequired, Length, Optional

from tests.idp.pages.samples import pages_app
from tests.idp.pages.test_rendered import parse, words

PAGE = """{%- from "_champs.html" import avis, bouton, case, champ, champ_mot_de_passe, etape, resume_erreurs -%}
<!DOCTYPE html><html lang="fr"><title>x</title><body>
{{ resume_erreurs(form, generale) }}{{ etape(2, 4, "Suite") }}{{ avis("Fait") }}
<p id="regle">Règle</p>
{{ champ(form.nom, aide="Comme sur le courrier", autocomplete="family-name", spellcheck="false", decrit_par="regle") }}
{{ champ(form.telephone, type="tel", autocomplete="tel") }}
{{ champ_mot_de_passe(form.secret, aide="12 au moins", autocomplete="new-password") }}
{{ case(form.accepter, "J’accepte <tout>") }}
{{ bouton("Continuer") }}{{ bouton("Refuser", name="refuser", value="1", secondaire=True) }}</body></html>"""


class Sample(FlaskForm):
    nom = StringField("Nom", [InputRequired("Saisissez votre nom"), Length(max=100)])
    telephone = StringField("Téléphone (facultatif)", [Optional()])
    secret = PasswordField("Mot de passe", [InputRequired("Choisissez un mot de passe"), Length(max=20)])
    accepter = BooleanField("Accepter", [InputRequired("Cochez la case")])


@pytest.fixture
def app() -> Flask:
    return pages_app()


def page(app: Flask, *, validate: bool = True, generale: str | None = None, **data: str) -> Any:
    with app.test_request_context("/", method="POST", data=data):
        form = Sample(meta={"csrf": False})
        if validate:
            form.validate()
        return parse(render_template_string(PAGE, form=form, generale=generale))


def field(tree: Any, name: str) -> Any:
    return tree.find(f".//input[@name='{name}']")


def by_id(tree: Any, name: str) -> Any:
    return tree.find(f".//*[@id='{name}']")


def test_without_error_there_is_no_summary_and_no_mark(app: Flask) -> None:
    tree = page(app, validate=False)
    assert tree.find(".//*[@role='alert']") is None
    assert not [element for element in tree.iter() if element.get("aria-invalid")]
    assert field(tree, "nom").get("aria-describedby") == "regle nom-aide"


def test_each_field_has_one_label_of_its_own_above_it(app: Flask) -> None:
    tree = page(app)
    for name in ("nom", "telephone", "secret", "accepter"):
        (label,) = tree.findall(f".//label[@for='{field(tree, name).get('id')}']")
        assert words(label)
    order = [element.tag for element in tree.iter() if element.tag in ("label", "input")]
    assert order == ["label", "input"] * 3 + ["input", "label"]


def test_an_error_is_tied_to_its_field_after_the_hint(app: Flask) -> None:
    tree = page(app)
    name = field(tree, "nom")
    assert name.get("aria-invalid") == "true"
    assert name.get("aria-describedby") == "regle nom-aide nom-erreur"
    assert words(by_id(tree, "nom-erreur")) == "Erreur\u00a0: Saisissez votre nom"
    assert "aria-invalid" not in field(tree, "telephone").attrib


def test_the_summary_takes_the_focus_and_says_the_same_as_the_fields(app: Flask) -> None:
    tree = page(app)
    summary = tree.find(".//*[@role='alert']")
    assert (summary.get("tabindex"), "autofocus" in summary.attrib) == ("-1", True)
    assert words(summary.find("h2")) == "Il y a 3 erreurs à corriger"
    for link in summary.iter("a"):
        target = link.get("href")[1:]
        assert by_id(tree, target).tag == "input"
        assert words(by_id(tree, f"{target}-erreur")) == f"Erreur\u00a0: {words(link)}"
    assert [link.get("href") for link in summary.iter("a")] == ["#nom", "#secret", "#accepter"]


def test_an_error_of_no_field_is_counted_and_is_no_link(app: Flask) -> None:
    tree = page(app, generale="Rien ne va", nom="Y", secret="x", accepter="oui")
    summary = tree.find(".//*[@role='alert']")
    assert words(summary.find("h2")) == "Il y a une erreur à corriger"
    assert [words(item) for item in summary.iter("li")] == ["Rien ne va"]
    assert not list(summary.iter("a"))


def test_what_was_typed_is_kept_except_the_password_and_the_box(app: Flask) -> None:
    tree = page(app, nom='L’Été "<b>"', secret="caché", accepter="oui")
    assert field(tree, "nom").get("value") == 'L’Été "<b>"'
    assert "value" not in field(tree, "secret").attrib
    assert "checked" not in field(tree, "accepter").attrib


def test_compulsory_fields_say_so_and_the_optional_one_does_not(app: Flask) -> None:
    tree = page(app)
    assert {name: "required" in field(tree, name).attrib for name in ("nom", "telephone", "secret", "accepter")} == {
        "nom": True,
        "telephone": False,
        "secret": True,
        "accepter": True,
    }


def test_no_password_is_cut_by_the_browser(app: Flask) -> None:
    assert "maxlength" not in field(page(app), "secret").attrib


def test_attributes_of_the_caller_arrive(app: Flask) -> None:
    name = field(page(app), "nom")
    assert (name.get("autocomplete"), name.get("spellcheck"), name.get("type")) == ("family-name", "false", "text")
    assert field(page(app), "telephone").get("type") == "tel"


def test_accepting_and_refusing_are_buttons_of_the_form(app: Flask) -> None:
    buttons = list(page(app).iter("button"))
    assert [(words(button), button.get("type")) for button in buttons] == [
        ("Continuer", "submit"),
        ("Refuser", "submit"),
    ]
    assert (buttons[1].get("name"), buttons[1].get("value")) == ("refuser", "1")


def test_a_step_says_where_the_person_stands_and_what_follows(app: Flask) -> None:
    text = words(page(app).find(".//*[@class='etape']"))
    assert "Étape\u00a02 sur\u00a04" in text
    assert "Étape suivante\u00a0: Suite" in text


def test_a_notice_is_a_status(app: Flask) -> None:
    assert words(page(app).find(".//*[@role='status']")) == "Fait"
