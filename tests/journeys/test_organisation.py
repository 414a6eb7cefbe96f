"""Two colleagues hold the same organisation's letters: the first to finish is its administrator, the other is told."""

from collections.abc import Callable

from stdnum import luhn

from tests.journeys import first_login
from tests.journeys.browser import Person
from tests.journeys.landlord import Landlord, new_landlord
from tests.journeys.landlords import import_landlords
from tests.journeys.provider import Provider
from tests.journeys.service import EspaceBailleur

COMPANY = "SCI du Vieux Pont"


def siret(number: int) -> str:
    """A SIRET made from `number`: company and establishment each end with their check digit."""
    siren = f"{number % 10**8:08d}"
    start = siren + luhn.calc_check_digit(siren) + "0001"
    return start + luhn.calc_check_digit(start)


def colleagues(provider: Provider) -> tuple[Landlord, Landlord]:
    """Two accounts of one organisation."""
    first = new_landlord(mot_de_passe="Le pont enjambe la rivière depuis 1812")
    name = f"{COMPANY} {first.nom}"
    number = siret(int.from_bytes(first.nom.encode(), "big"))
    first.raison_sociale, first.siret = name, number
    second = new_landlord(
        prenom="Gaël", raison_sociale=name, siret=number, mot_de_passe="La rivière coule sous le pont 1812"
    )
    import_landlords(provider, first, second)
    return first, second


def test_the_first_to_finish_is_the_administrator_and_the_second_is_told(
    new_person: Callable[[], Person], provider: Provider, service: EspaceBailleur
) -> None:
    first, second = colleagues(provider)
    person = new_person()
    first_login.completes(person, first, service)
    assert person.reads("role") == "administrateur"
    assert person.reads("organisation") == first.raison_sociale
    assert person.reads("siret") == first.siret
    assert person.reads("type_partenaire") == "moral"

    person = new_person()
    first_login.arrives(person, service)
    first_login.signs_in(person, second)
    told = [person.page.locator("main").inner_text()]
    for step in first_login.STEPS:
        step(person, second)
        told.append(person.page.locator("main").inner_text())
    assert any("administrat" in text for text in told), "nobody told the second colleague"
    first_login.finishes(person)
    assert person.reads("role") == "utilisateur"
    assert person.reads("organisation") == first.raison_sociale
