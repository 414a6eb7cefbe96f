"""First step: the information, and the address proved by a code."""

from typing import Any

import pytest

from tests.consent.house import Browser, House

INFORMATION = "/premiere-connexion/informations"
CODE = "/premiere-connexion/code"
PASSWORD = "/premiere-connexion/mot-de-passe"
TOLD = {"nom": "N’Guyen", "prenom": "Zoé", "email": "zoe@exemple.fr", "telephone": "06 12 34 56 78"}


def text(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def told(browser: Browser, **values: str) -> Any:
    return browser.post(INFORMATION, **{**TOLD, **values})


def test_the_page_fills_in_what_is_known_and_says_how_much_remains(newcomer: Browser, house: House) -> None:
    house.change(given_name="Zoé", telephone="+33612345678")
    page = text(newcomer.get(INFORMATION))
    assert 'data-page="premiere-connexion.informations"' in page
    assert "app.etape|n=1|total=4" in page
    assert "app.etape_suivante|titre=e2.titre" in page
    for known in (
        'value="Zoé"',
        'value="suggere@exemple.fr"',
        'value="06\u00a012\u00a034\u00a056\u00a078"',
        "UABCDEFGHJKLM7",
    ):
        assert known in page
    assert "e1.chapo.physique|departement=2A" in page


def test_an_organisation_is_named(house: House) -> None:
    house.add("m1", partner_type="moral", organisation_name="Logis du Sud", siret="12345678900011", departement=None)
    page = text(house.browser("m1").get(INFORMATION))
    assert "e1.chapo.moral|organisme=Logis du Sud" in page
    assert "12345678900011" in page
    assert "e1.mail.aide.moral" in page


def test_an_account_without_departement_has_its_own_sentence(newcomer: Browser, house: House) -> None:
    house.change(departement=None)
    assert "e1.chapo.simple" in text(newcomer.get(INFORMATION))


def test_telling_sends_a_code_and_the_right_code_leads_to_the_password(newcomer: Browser, house: House) -> None:
    answer = told(newcomer)
    assert (answer.status_code, answer.location) == (303, CODE)
    assert house.sent == ["zoe@exemple.fr"]
    assert "e1b.texte|mail=zoe@exemple.fr|duree=1800 s" in text(newcomer.get(CODE))
    answer = newcomer.post(CODE, code=f" {house.code()} ")
    assert (answer.status_code, answer.location) == (303, PASSWORD)
    person = house.person()
    assert (person.given_name, person.family_name, person.telephone) == ("Zoé", "N’Guyen", "+33612345678")
    assert person.email == "zoe@exemple.fr"
    assert house.recorded == [("gate.step_completed", {"account_id": "a1", "step": "information"})]


@pytest.mark.security("GA-10")
def test_a_typed_address_is_not_verified_before_its_code(newcomer: Browser, house: House) -> None:
    told(newcomer)
    assert not house.person().email_verified
    assert newcomer.get(PASSWORD).location == f"{INFORMATION}?reprise=1"
    assert newcomer.post(CODE, code="000000").status_code == 422
    assert not house.person().email_verified


@pytest.mark.parametrize(
    ("wrong", "error", "field"),
    [
        ({"nom": ""}, "e1.erreur.nom_vide", "nom"),
        ({"prenom": ""}, "e1.erreur.prenom_vide", "prenom"),
        ({"prenom": "a\0b"}, "e1.erreur.prenom_caractere|caractere=U+0000", "prenom"),
        ({"email": ""}, "e1.erreur.mail_vide", "email"),
        ({"email": "a@x.fr,b@y.fr"}, "e1.erreur.mail_format", "email"),
        ({"telephone": "12"}, "e1.erreur.tel_format", "telephone"),
        ({"nom": "a" * 200_000}, "e1.erreur.nom_long", "nom"),
    ],
)
def test_what_is_mistyped_is_shown_again_with_the_rest_kept(
    newcomer: Browser, house: House, wrong: dict[str, str], error: str, field: str
) -> None:
    answer = told(newcomer, **wrong)
    page = text(answer)
    assert answer.status_code == 422
    assert "<title>Erreur" in page
    assert 'role="alert"' in page
    assert f'<a href="#{field}">{error}</a>' in page
    assert "\0" not in page
    for name in set(TOLD) - set(wrong):
        assert f'value="{TOLD[name]}"' in page
    assert house.sent == []
    assert house.person().family_name is None


def test_an_empty_form_is_answered_with_every_error(newcomer: Browser) -> None:
    page = text(newcomer.post(INFORMATION))
    assert "app.resume_erreur.plusieurs|n=3" in page


def test_a_probable_slip_is_doubted_once_then_accepted(newcomer: Browser, house: House) -> None:
    answer = told(newcomer, email="zoe@gmial.com")
    assert answer.status_code == 422
    assert "e1.erreur.mail_faute|suggestion=zoe@gmail.com" in text(answer)
    assert 'name="faute_signalee" type="hidden" value="zoe@gmial.com"' in text(answer)
    assert told(newcomer, email="zoe@gmial.com", faute_signalee="zoe@gmail.com").status_code == 422
    assert told(newcomer, email="zoe@gmial.com", faute_signalee="zoe@gmial.com", nom="").status_code == 422
    assert told(newcomer, email="zoe@gmial.com", faute_signalee="zoe@gmial.com").location == CODE
    assert house.sent == ["zoe@gmial.com"]


@pytest.mark.security("GA-11")
def test_a_double_click_sends_one_code_and_another_address_another(newcomer: Browser, house: House, clock: Any) -> None:
    told(newcomer)
    assert told(newcomer).location == CODE
    assert house.sent == ["zoe@exemple.fr"]
    told(newcomer, email="autre@exemple.fr")
    assert house.sent == ["zoe@exemple.fr", "autre@exemple.fr"]
    clock.advance(1800)
    told(newcomer, email="autre@exemple.fr")
    assert len(house.sent) == 3


def test_whoever_comes_back_before_the_code_finds_what_they_typed(newcomer: Browser, house: House) -> None:
    told(newcomer)
    page = text(house.browser().get(INFORMATION))
    assert "e1.code_en_attente|mail=zoe@exemple.fr" in page
    assert 'value="zoe@exemple.fr"' in page
    assert 'value="N’Guyen"' in page


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("", "e1b.erreur.vide"),
        ("12", "e1b.erreur.format"),
        ("000000", "e1b.erreur.faux"),
        ("9" * 200_000, "e1b.erreur.format"),
    ],
)
def test_a_wrong_code_is_refused_and_not_shown_again(newcomer: Browser, typed: str, error: str) -> None:
    told(newcomer)
    answer = newcomer.post(CODE, code=typed)
    assert answer.status_code == 422
    assert f'<a href="#code">{error}</a>' in text(answer)
    assert 'value="000000"' not in text(answer)


def test_after_too_many_tries_even_the_right_code_is_refused(newcomer: Browser, house: House) -> None:
    told(newcomer)
    for _ in range(5):
        newcomer.post(CODE, code="000000")
    assert "e1b.erreur.trop" in text(newcomer.post(CODE, code=house.code()))


def test_an_expired_code_is_told_and_another_one_is_sent(newcomer: Browser, house: House, clock: Any) -> None:
    told(newcomer)
    clock.advance(1801)
    assert "e1b.expire|mail=zoe@exemple.fr" in text(newcomer.get(CODE))
    assert "e1b.erreur.faux" in text(newcomer.post(CODE, code=house.code()))
    answer = newcomer.post(CODE, renvoyer="1")
    assert (answer.status_code, answer.location) == (303, f"{CODE}?renvoi=fait")
    assert "e1b.renvoye" in text(newcomer.get(answer.location))
    assert newcomer.post(CODE, code="654321").location == PASSWORD


def test_beyond_the_limit_no_code_is_sent_and_the_page_says_so(newcomer: Browser, house: House) -> None:
    told(newcomer)
    for _ in range(2):
        newcomer.post(CODE, renvoyer="1")
    answer = newcomer.post(CODE, renvoyer="1")
    assert answer.location == f"{CODE}?renvoi=limite"
    assert "e1b.limite" in text(newcomer.get(answer.location))
    assert len(house.sent) == 3


def test_an_unknown_value_in_the_address_says_nothing(newcomer: Browser) -> None:
    told(newcomer)
    page = text(newcomer.get(f"{CODE}?renvoi=<script>"))
    assert "e1b.limite" not in page
    assert "<script>" not in page


def test_the_code_page_without_a_code_sent_leads_back_to_the_information(newcomer: Browser) -> None:
    assert newcomer.get(CODE).location == f"{INFORMATION}?reprise=1"
    assert newcomer.post(CODE, code="123456").location == f"{INFORMATION}?reprise=1"


@pytest.mark.security("GA-11")
def test_a_second_tab_still_open_on_the_code_follows(newcomer: Browser, house: House) -> None:
    told(newcomer)
    code = house.code()
    assert newcomer.post(CODE, code=code).location == PASSWORD
    assert newcomer.post(CODE, code=code).location == f"{PASSWORD}?reprise=1"
    assert newcomer.get(CODE).location == f"{PASSWORD}?reprise=1"


@pytest.mark.security("GA-11")
def test_the_slower_half_of_a_double_click_on_the_code_follows_too(newcomer: Browser, house: House) -> None:
    """The other request proves the address between our look at what is due and our check."""
    told(newcomer)

    def other_half() -> None:
        house.change(email="zoe@exemple.fr")

    house.before_check = other_half
    assert newcomer.post(CODE, code="000000").location == PASSWORD
    assert "gate.step_completed" not in house.recorded.names


@pytest.mark.security("GA-11")
def test_a_person_signed_out_meanwhile_is_told_the_code_is_wrong(newcomer: Browser, house: House) -> None:
    told(newcomer)
    house.before_check = lambda: house.change(closed=True)
    assert newcomer.post(CODE, code="000000").status_code == 422


def test_a_verified_address_is_not_asked_again(house: House) -> None:
    house.add_finished(family_name=None)
    browser = house.browser()
    page = text(browser.get(INFORMATION))
    assert "e1.mail_verifiee|mail=a1@exemple.fr" in page
    assert 'name="email"' not in page
    answer = browser.post(INFORMATION, nom="Le Goff", prenom="Zoé", telephone="", email="pirate@exemple.fr")
    assert answer.location == "/premiere-connexion/regles-d-usage"
    assert house.sent == []
    assert house.person().email == "a1@exemple.fr"


@pytest.mark.security("GA-11")
def test_a_code_sent_from_another_page_than_ours_is_refused(newcomer: Browser, house: House) -> None:
    told(newcomer)
    house.app.config["WTF_CSRF_ENABLED"] = True
    answer = newcomer.post(CODE, code=house.code())
    assert answer.status_code == 422
    assert "<li>page.csrf</li>" in text(answer)
    assert not house.person().email_verified
