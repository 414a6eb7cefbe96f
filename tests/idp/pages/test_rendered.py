"""Each page in each of its states, drawn and read back: valid, whole, tied together, well set in type."""

import re
from xml.etree.ElementTree import Element

import html5lib
import pytest

from tests.idp.pages import typography
from tests.idp.pages.samples import ALL, draw, every_page, everywhere, pages_app

APP = pages_app()
SELECTED = {"erreur-demande": ("code",)}
"""Elements of a page that speak to developers, in English."""


def parse(html: str) -> Element:
    """The tree. Raises on the first error of the HTML specification's parser."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parse(html)


def words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split(" ")).strip()


def spoken(page: Element, skipped: tuple[str, ...]) -> list[str]:
    """What is read aloud or shown, text by text."""
    found = []
    for element in page.iter():
        if element.tag in ("script", "style", *skipped):
            continue
        found += [element.text or "", *(child.tail or "" for child in element)]
        found += [element.get(name, "") for name in ("alt", "aria-label", "data-afficher", "data-reste-120")]
    return [re.sub(r"[\n\t]+ *", "\n", text) for text in found if text.strip()]


@everywhere
@every_page
def test_a_page_is_valid_html(name: str, language: str) -> None:
    parse(draw(APP, name, language))


@everywhere
@every_page
def test_a_page_says_its_language_its_name_and_has_one_first_heading(name: str, language: str) -> None:
    page = parse(draw(APP, name, language))
    assert page.get("lang") == language
    assert len(page.findall(".//h1")) == 1
    title = page.findtext(".//title") or ""
    assert title.endswith(" – Mon Compte Partenaire")
    assert len(title) > len(" – Mon Compte Partenaire") + 2
    assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", page.find("body").get("data-page", ""))


@everywhere
@every_page
def test_a_page_has_its_landmarks_and_a_way_past_the_header(name: str, language: str) -> None:
    body = parse(draw(APP, name, language)).find("body")
    assert body is not None
    first = body.find(".//a")
    assert first is not None
    assert first.get("href") == "#contenu"
    main = body.find("main")
    assert main is not None
    assert main.get("id") == "contenu"
    assert body.find("header") is not None
    assert body.find("footer/nav") is not None


@everywhere
@every_page
def test_ids_are_unique_and_every_reference_finds_its_target(name: str, language: str) -> None:
    page = parse(draw(APP, name, language))
    ids = [element.get("id") for element in page.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    wanted = {
        target
        for element in page.iter()
        for attribute in ("for", "aria-describedby", "aria-labelledby", "aria-controls")
        for target in element.get(attribute, "").split()
    }
    wanted |= {href[1:] for element in page.iter("a") if (href := element.get("href", "")).startswith("#")}
    assert wanted <= set(ids)


@everywhere
@every_page
def test_nothing_is_fetched_from_elsewhere_and_nothing_is_inline(name: str, language: str) -> None:
    page = parse(draw(APP, name, language))
    for element in page.iter():
        if element.tag in ("img", "script", "link", "iframe", "source"):
            address = element.get("src") or element.get("href") or ""
            assert address.startswith("/static/"), address
            assert "?v=" in address
        assert not element.get("style")
        assert not [attribute for attribute in element.keys() if attribute.startswith("on")]  # noqa: SIM118 - not a dict
    scripts = page.findall(".//script")
    assert [(script.get("nonce"), script.text) for script in scripts] == [("nonce", None)]


@every_page
def test_french_pages_are_well_set_in_type(name: str) -> None:
    texts = spoken(parse(draw(APP, name)), SELECTED.get(name, ()))
    assert not [fault for text in texts for fault in typography.faults(text)]


@everywhere
@every_page
def test_every_form_is_ours_to_check_and_carries_a_token(name: str, language: str) -> None:
    for form in parse(draw(APP, name, language)).iter("form"):
        assert form.get("method") == "post"
        assert "novalidate" in form.attrib
        assert form.get("action") is None
        assert next(field.get("name") for field in form.iter("input")) == "csrf_token"


@everywhere
def test_titles_are_unique_apart_from_states_of_one_page(language: str) -> None:
    titles: dict[str, set[str]] = {}
    for name in ALL:
        page = parse(draw(APP, name, language))
        title = (page.findtext(".//title") or "").removeprefix("Erreur\u00a0: ").removeprefix("Error: ")
        titles.setdefault(title, set()).add(page.find("body").get("data-page", ""))
    assert {title: pages for title, pages in titles.items() if len(pages) > 1} == {}


def test_the_sign_in_page_has_the_words_of_the_leaflet() -> None:
    page = parse(draw(APP, "connexion"))
    assert words(page.find(".//h1")) == "Connexion"
    assert [words(button) for button in page.iter("button")] == ["Connexion"]
    links = [words(link) for link in page.iter("a")]
    assert links.index("Mot de passe oublié") + 1 == links.index("Problème de connexion")


def test_the_help_links_come_in_the_same_order_everywhere() -> None:
    footers = {tuple(link.get("href") for link in parse(draw(APP, name)).findall(".//footer//a")) for name in ALL}
    assert len(footers) == 1


def test_sign_in_fields_say_what_a_password_manager_needs() -> None:
    fields = {field.get("name"): field for field in parse(draw(APP, "connexion")).iter("input")}
    assert fields["identifiant"].get("autocomplete") == "username"
    assert fields["mot_de_passe"].get("autocomplete") == "current-password"
    assert fields["mot_de_passe"].get("type") == "password"
    assert "maxlength" not in fields["mot_de_passe"].attrib
    assert all("required" in fields[name].attrib for name in ("identifiant", "mot_de_passe"))


@pytest.mark.security("SE-08")
def test_what_a_service_calls_itself_cannot_become_markup() -> None:
    with APP.test_request_context("/erreur"):
        from flask import render_template

        html = render_template("demande_perdue.html", service_name="<script>alert(1)</script>", service=None)
    assert "<script>alert" not in html


def test_links_to_the_service_policies_are_links_and_no_picture_is_fetched() -> None:
    page = parse(draw(APP, "connexion-service"))
    addresses = {link.get("href") for link in page.iter("a")}
    assert {"https://bailleur.example/donnees", "https://bailleur.example/conditions"} <= addresses
    assert not list(page.iter("img"))


def test_the_banner_stands_on_a_demonstration_only() -> None:
    assert "Environnement de démonstration" in draw(APP, "connexion-service")
    assert "Environnement de démonstration" not in draw(APP, "connexion")


def test_the_warning_before_the_end_is_there_for_whoever_is_signed_in_only() -> None:
    signed_in, stranger = parse(draw(APP, "mes-services")), parse(draw(APP, "connexion"))
    assert signed_in.find("body").get("data-session-idle") == "1800"
    assert signed_in.find(".//dialog") is not None
    assert "data-session-idle" not in stranger.find("body").attrib
    assert stranger.find(".//dialog") is None
