"""Second step: the personal password."""

from typing import Any

import pytest

from tests.consent.house import Browser, House

PASSWORD = "/premiere-connexion/mot-de-passe"
CHOSEN = "correct cheval pile agrafe"


@pytest.fixture
def chooser(house: House) -> Browser:
    """Somebody who told everything and has a provisional password."""
    house.add(given_name="Zoé", family_name="Y", email="zoe@exemple.fr")
    return house.browser()


def choose(browser: Browser, password: str, confirmation: str | None = None) -> Any:
    return browser.post(
        PASSWORD, nouveau_mot_de_passe=password, confirmation=password if confirmation is None else confirmation
    )


def test_the_rules_come_before_the_fields_and_the_manager_knows_the_account(chooser: Browser) -> None:
    page = chooser.get(PASSWORD).get_data(as_text=True)
    assert page.index("e2.regle.1") < page.index("nouveau_mot_de_passe")
    assert 'autocomplete="username" value="ident-1"' in page
    assert page.count('autocomplete="new-password"') == 2
    assert "app.etape|n=2|total=4" in page
    assert "maxlength" not in page


def test_an_organisation_is_told_of_its_longer_rule_before_typing(house: House) -> None:
    house.add("m1", partner_type="moral", given_name="A", family_name="B", email="m@exemple.fr")
    page = house.browser("m1").get(PASSWORD).get_data(as_text=True)
    assert "e2.regle.organisme.1" in page
    assert "e2.regle.1<" not in page


@pytest.mark.security("GA-06")
def test_choosing_a_password_ends_the_provisional_one_and_leads_on(chooser: Browser, house: House) -> None:
    answer = choose(chooser, CHOSEN)
    assert (answer.status_code, answer.location) == (303, "/premiere-connexion/regles-d-usage")
    assert house.person().provisional is None
    assert house.person().personal == CHOSEN
    assert house.recorded == [("gate.step_completed", {"account_id": "a1", "step": "password"})]
    assert house.completions == []


@pytest.mark.security("GA-06")
def test_the_provisional_password_cannot_be_chosen_again(chooser: Browser, house: House) -> None:
    answer = choose(chooser, "PROVISOIRE")
    assert answer.status_code == 422
    assert "e2.erreur.identique" in answer.get_data(as_text=True)
    assert house.person().provisional == "PROVISOIRE"


@pytest.mark.parametrize(
    ("password", "confirmation", "error"),
    [
        ("", "", "e2.erreur.vide"),
        ("court", "court", "e2.erreur.court|n=5"),
        (CHOSEN, "", "e2.erreur.confirmation_vide"),
        (CHOSEN, "autre", "e2.erreur.confirmation"),
        ("a\0" * 20, "a\0" * 20, "e2.erreur.courant"),
    ],
)
def test_a_refused_password_is_told_why_and_never_shown_again(
    chooser: Browser, house: House, password: str, confirmation: str, error: str
) -> None:
    answer = choose(chooser, password, confirmation)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f">{error}</a>" in page
    assert not password or f'value="{password}' not in page
    assert house.person().provisional == "PROVISOIRE"


def test_spaces_emoji_and_128_characters_are_a_password(chooser: Browser, house: House) -> None:
    password = " 🐈 " * 32 + "é"
    assert choose(chooser, password).status_code == 303
    assert house.person().personal == password


def test_a_busy_house_asks_to_try_again_and_changes_nothing(chooser: Browser, house: House) -> None:
    house.busy = True
    answer = choose(chooser, CHOSEN)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert "connexion.service_indisponible" in answer.get_data(as_text=True)
    assert CHOSEN not in answer.get_data(as_text=True)
    house.busy = False
    assert choose(chooser, CHOSEN).status_code == 303


@pytest.mark.security("GA-07", "GA-11")
def test_a_second_place_that_chooses_later_changes_nothing(chooser: Browser, house: House) -> None:
    elsewhere = house.browser()
    choose(chooser, CHOSEN)
    answer = choose(elsewhere, "un autre mot de passe")
    assert answer.location == "/premiere-connexion/regles-d-usage?reprise=1"
    assert "connexion.reprise" in elsewhere.get(answer.location).get_data(as_text=True)
    assert house.person().personal == CHOSEN


def test_after_a_recovery_only_the_password_is_due(house: House) -> None:
    house.add_finished(provisional="PROVISOIRE")
    browser = house.browser()
    house.accept_both()
    page = browser.get(PASSWORD).get_data(as_text=True)
    assert "e2.chapo.recuperation" in page
    assert "app.etape|" not in page
    assert choose(browser, CHOSEN).location == "/bureau"
    assert browser.get(PASSWORD).location == "/bureau"
    assert house.completions == ["a1"]
