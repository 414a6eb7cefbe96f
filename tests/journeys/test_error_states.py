"""Each page says what to correct, keeps what was typed but secrets, and lets the person go on."""

from collections.abc import Callable

import pytest

from tests.journeys import first_login
from tests.journeys.browser import Person
from tests.journeys.landlord import Landlord, new_landlord
from tests.journeys.landlords import import_landlords
from tests.journeys.provider import Provider
from tests.journeys.service import EspaceBailleur


def on_step(person: Person, landlord: Landlord, service: EspaceBailleur, done: int) -> None:
    """Signed in, with `done` steps completed."""
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord)
    for step in first_login.STEPS[:done]:
        step(person, landlord)


def test_signing_in_with_nothing_with_half_and_with_a_wrong_password(
    person: Person, landlord: Landlord, service: EspaceBailleur
) -> None:
    first_login.arrives(person, service)
    person.sends("mot_de_passe")
    person.is_refused_on(first_login.CONNEXION)
    person.sends("mot_de_passe", identifiant=landlord.identifiant, mot_de_passe="")
    person.is_refused_on(first_login.CONNEXION)
    assert person.page.locator("[name=identifiant]").input_value() == landlord.identifiant
    first_login.signs_in(person, landlord, "Un autre mot de passe 2026")
    person.is_refused_on(first_login.CONNEXION)
    assert person.page.locator("[name=mot_de_passe]").input_value() == ""
    first_login.signs_in(person, landlord)
    person.sees(first_login.INFORMATIONS)


def test_an_unknown_identifier_and_a_wrong_password_look_alike(
    person: Person, landlord: Landlord, service: EspaceBailleur
) -> None:
    shown = []
    for identifiant in (landlord.identifiant, "inconnu-au-bataillon"):
        first_login.arrives(person, service)
        person.sends("mot_de_passe", identifiant=identifiant, mot_de_passe="Un autre mot de passe 2026")
        person.is_refused_on(first_login.CONNEXION)
        shown.append(person.page.locator("main").inner_text())
    assert shown[0] == shown[1]


def test_a_mistaken_pair_of_two_accounts_is_refused(
    person: Person, provider: Provider, service: EspaceBailleur
) -> None:
    paris, corse = new_landlord(departement="75"), new_landlord(departement="2B")
    import_landlords(provider, paris, corse)
    first_login.arrives(person, service)
    first_login.signs_in(person, paris, corse.provisoire)
    person.is_refused_on(first_login.CONNEXION)


def test_after_many_wrong_tries_the_person_is_told_to_wait(
    person: Person, landlord: Landlord, service: EspaceBailleur
) -> None:
    first_login.arrives(person, service)
    for _ in range(11):
        first_login.signs_in(person, landlord, "Un autre mot de passe 2026")
        if person.on != first_login.CONNEXION or person.last is None or person.last.status == 429:
            break
    assert person.last is not None
    assert person.last.status in (422, 429)
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord)
    assert person.on != first_login.INFORMATIONS, "the right password got through a suspension"


def test_information_that_is_missing_or_mistyped(person: Person, landlord: Landlord, service: EspaceBailleur) -> None:
    on_step(person, landlord, service, 0)
    person.sends("nom", nom="", prenom="", email="")
    person.is_refused_on(first_login.INFORMATIONS)
    assert person.page.locator("[aria-invalid=true]").count() == 3
    person.sends("nom", nom="d’Ormesson", prenom="Jean", email="jean-sans-arobase", telephone="12")
    person.is_refused_on(first_login.INFORMATIONS)
    assert person.page.locator("[name=nom]").input_value() == "d’Ormesson"
    person.sends("nom", email=landlord.email, telephone="06 12 34 56 78")
    person.sees(first_login.CODE)


def test_a_code_that_is_missing_mistyped_or_wrong(person: Person, landlord: Landlord, service: EspaceBailleur) -> None:
    on_step(person, landlord, service, 0)
    person.sends("nom", nom=landlord.nom, prenom=landlord.prenom, email=landlord.email)
    code = landlord.mailbox.code()
    wrong = f"{(int(code.replace(' ', '')) + 1) % 10**6:06d}"
    for typed in ("", "12", "abcdef", wrong):
        person.sends("code", code=typed)
        person.is_refused_on(first_login.CODE)
    person.sends("code", code=code)
    person.sees(first_login.MOT_DE_PASSE)


def test_another_code_can_be_asked(person: Person, landlord: Landlord, service: EspaceBailleur) -> None:
    on_step(person, landlord, service, 0)
    person.sends("nom", nom=landlord.nom, prenom=landlord.prenom, email=landlord.email)
    landlord.mailbox.code()
    person.presses("renvoyer")
    assert person.on == first_login.CODE


def test_an_address_of_another_account_shows_the_same_page_and_no_usable_code(
    person: Person, new_person: Callable[[], Person], provider: Provider, service: EspaceBailleur
) -> None:
    first, second = new_landlord(), new_landlord()
    import_landlords(provider, first, second)
    first_login.completes(person, first, service)
    other = new_person()
    on_step(other, second, service, 0)
    other.sends("nom", nom=second.nom, prenom=second.prenom, email=first.email)
    other.sees(first_login.CODE)
    assert len(first.mailbox.all("code")) == 1, "a code was sent to an address that is taken"
    other.sends("code", code="123456")
    other.is_refused_on(first_login.CODE)


@pytest.mark.parametrize(
    ("password", "confirmation"),
    [("", ""), ("court", "court"), ("Trois-hirondelles-au-75", "Trois-hirondelles-au-57"), ("azerty", "")],
    ids=["nothing", "short", "different", "known"],
)
def test_a_password_that_cannot_be_chosen(
    password: str, confirmation: str, person: Person, landlord: Landlord, service: EspaceBailleur
) -> None:
    on_step(person, landlord, service, 1)
    person.sends("confirmation", nouveau_mot_de_passe=password, confirmation=confirmation)
    person.is_refused_on(first_login.MOT_DE_PASSE)
    assert person.page.locator("[name=nouveau_mot_de_passe]").input_value() == ""
    first_login_continues(person, landlord)


def first_login_continues(person: Person, landlord: Landlord) -> None:
    """After an error, the right password is taken."""
    person.sends("confirmation", nouveau_mot_de_passe=landlord.mot_de_passe, confirmation=landlord.mot_de_passe)
    person.sees(first_login.REGLES)


def test_a_long_password_with_accents_spaces_and_emoji_is_taken_and_opens(
    person: Person, provider: Provider, service: EspaceBailleur
) -> None:
    landlord = new_landlord(mot_de_passe="Été à Noël 🏠 " * 9 + "fin")
    import_landlords(provider, landlord)
    first_login.completes(person, landlord, service)
    person.presses("se_deconnecter")
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord, landlord.mot_de_passe)
    person.sees_service("bailleur")


@pytest.mark.parametrize("done", [2, 3], ids=["rules-of-use", "terms"])
def test_a_text_is_not_accepted_without_ticking_the_box(
    done: int, person: Person, landlord: Landlord, service: EspaceBailleur
) -> None:
    on_step(person, landlord, service, done)
    page = (first_login.REGLES, first_login.CONDITIONS)[done - 2]
    assert not person.page.locator("[name=accepter]").is_checked()
    person.sends("accepter")
    person.is_refused_on(page)
    person.ticks("accepter")
    person.sends("accepter")
    assert person.on != page


def test_a_wrong_request_of_a_service_is_explained_on_a_page(
    person: Person, service: EspaceBailleur, provider: Provider
) -> None:
    wrong = f"response_type=code&client_id={service.client_id}&redirect_uri=http://127.0.0.1/ailleurs&scope=openid"
    person.goes_to(f"{provider.issuer}/oauth2/authorize?{wrong}")
    assert person.last is not None
    assert person.last.status == 400
    assert person.on is not None
