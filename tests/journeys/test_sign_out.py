"""Signing out at the service signs out at the provider; asked at the provider itself, it is confirmed first."""

from tests.journeys import first_login
from tests.journeys.browser import Person
from tests.journeys.landlord import Landlord
from tests.journeys.provider import Provider
from tests.journeys.service import EspaceBailleur


def test_signing_out_at_the_service_ends_both_sessions(
    person: Person, landlord: Landlord, service: EspaceBailleur
) -> None:
    first_login.completes(person, landlord, service)
    person.presses("se_deconnecter")
    person.sees_service("deconnecte")
    assert person.page.url.startswith(service.url + "/deconnecte?state=")
    person.goes_to(service.url + "/bailleur")
    person.sees(first_login.CONNEXION)


def test_the_back_button_after_signing_out_shows_nothing(
    person: Person, landlord: Landlord, service: EspaceBailleur
) -> None:
    first_login.completes(person, landlord, service)
    person.presses("se_deconnecter")
    person.goes_back()
    assert landlord.numero_utilisateur not in person.page.content()


def test_signing_out_at_the_provider_is_confirmed_and_can_be_cancelled(
    person: Person, landlord: Landlord, service: EspaceBailleur, provider: Provider
) -> None:
    first_login.completes(person, landlord, service)
    person.goes_to(provider.issuer + "/deconnexion")
    person.sees("deconnexion")
    person.goes_to(service.url + "/connexion")
    person.sees_service("bailleur")  # asking is not confirming

    person.goes_to(provider.issuer + "/deconnexion")
    person.presses("confirmer")
    assert person.on is not None
    person.goes_to(service.url + "/connexion")
    person.sees(first_login.CONNEXION)
