"""A person who comes by herself, without a service, lands on the list of services and starts one from there."""

from tests.journeys import first_login
from tests.journeys.browser import Person
from tests.journeys.landlord import Landlord
from tests.journeys.provider import Provider
from tests.journeys.service import EspaceBailleur


def test_the_first_sign_in_without_a_service_ends_on_the_list_of_services(
    person: Person, landlord: Landlord, provider: Provider, service: EspaceBailleur
) -> None:
    person.goes_to(provider.issuer + "/connexion")
    first_login.signs_in(person, landlord)
    for step in first_login.STEPS:
        step(person, landlord)
    person.sees(first_login.TERMINEE)
    person.follows("main a.bouton")
    person.sees("mes-services")
    person.follows(f"main a[href^='{service.url}/connexion']")
    person.sees_service("bailleur")


def test_whoever_is_signed_in_is_not_asked_again_on_the_sign_in_page(
    person: Person, landlord: Landlord, provider: Provider, service: EspaceBailleur
) -> None:
    first_login.completes(person, landlord, service)
    person.goes_to(provider.issuer + "/")
    person.sees("mes-services")


def test_the_list_of_services_asks_for_a_sign_in_first(person: Person, provider: Provider) -> None:
    person.goes_to(provider.issuer + "/mes-services")
    person.sees(first_login.CONNEXION)


def test_a_half_finished_first_sign_in_has_no_list_of_services(
    person: Person, landlord: Landlord, provider: Provider
) -> None:
    person.goes_to(provider.issuer + "/connexion")
    first_login.signs_in(person, landlord)
    person.goes_to(provider.issuer + "/mes-services")
    person.sees(first_login.INFORMATIONS)
