"""A landlord whose address is known receives two mails, and follows the leaflet to Espace bailleur."""

from tests.journeys import first_login
from tests.journeys.browser import Person
from tests.journeys.landlord import Landlord
from tests.journeys.mailbox import IDENTIFIANT, MOT_DE_PASSE, text_part, values
from tests.journeys.service import EspaceBailleur


def test_two_mails_lead_to_espace_bailleur(person: Person, landlord: Landlord, service: EspaceBailleur) -> None:
    first_login.completes(person, landlord, service)
    assert person.reads("nom") == f"{landlord.prenom} {landlord.nom}"
    assert person.reads("numero_utilisateur") == landlord.numero_utilisateur
    assert person.reads("departement") == landlord.departement
    assert person.reads("type_partenaire") == "physique"
    assert person.reads("email") == landlord.email
    assert person.reads("organisation") is None


def test_each_mail_holds_one_half_and_is_marked_as_automatic(landlord: Landlord, javascript: bool) -> None:
    (identifier,), (password,) = landlord.mailbox.all("identifiant"), landlord.mailbox.all("mot-de-passe")
    assert landlord.provisoire not in identifier.as_string()
    assert landlord.identifiant not in password.as_string()
    assert MOT_DE_PASSE not in values(text_part(identifier))
    assert IDENTIFIANT not in values(text_part(password))
    for mail in (identifier, password):
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail.get_body(("html",)) is not None


def test_she_signs_in_again_without_any_step(person: Person, landlord: Landlord, service: EspaceBailleur) -> None:
    first_login.completes(person, landlord, service)
    person.presses("se_deconnecter")
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord, landlord.mot_de_passe)
    person.sees_service("bailleur")


def test_the_provisional_password_is_worth_nothing_once_she_chose_hers(
    person: Person, landlord: Landlord, service: EspaceBailleur
) -> None:
    first_login.completes(person, landlord, service)
    person.presses("se_deconnecter")
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord, landlord.provisoire)
    person.is_refused_on(first_login.CONNEXION)


def test_a_second_service_visit_asks_nothing_while_she_is_signed_in(
    person: Person, landlord: Landlord, service: EspaceBailleur
) -> None:
    first_login.completes(person, landlord, service)
    person.goes_to(service.url + "/connexion")
    person.sees_service("bailleur")


def test_her_information_is_brought_up_to_date_with_the_refresh_token(
    person: Person, landlord: Landlord, service: EspaceBailleur
) -> None:
    first_login.completes(person, landlord, service)
    for _ in range(2):  # the second one uses the rotated token
        person.presses("actualiser")
        assert person.page.locator("[data-nouvelles]").get_attribute("data-nouvelles") == "a-jour"
        assert person.reads("numero_utilisateur") == landlord.numero_utilisateur
