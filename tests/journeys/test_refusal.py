"""A person who refuses a text goes back to the service with `access_denied`, and may come back and accept."""

import pytest

from tests.journeys import first_login
from tests.journeys.browser import Person
from tests.journeys.landlord import Landlord
from tests.journeys.service import EspaceBailleur


@pytest.mark.parametrize("refused", [2, 3], ids=["rules-of-use", "terms"])
def test_refusing_a_text_is_told_to_the_service_and_can_be_reversed(
    refused: int, person: Person, landlord: Landlord, service: EspaceBailleur
) -> None:
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord)
    for step in first_login.STEPS[:refused]:
        step(person, landlord)
    person.presses("refuser")
    person.sees("premiere-connexion.refus")
    person.presses("retour")
    person.sees_service("refus")
    assert "error=access_denied" in person.page.url
    assert "iss=" in person.page.url

    person.follows(".action")
    if person.on == first_login.CONNEXION:
        first_login.signs_in(person, landlord, landlord.mot_de_passe)
    for step in first_login.STEPS[refused:]:
        step(person, landlord)
    first_login.finishes(person)


def test_who_refused_by_mistake_reads_the_text_again(
    person: Person, landlord: Landlord, service: EspaceBailleur
) -> None:
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord)
    for step in first_login.STEPS[:2]:
        step(person, landlord)
    person.presses("refuser")
    person.follows("main a[href*='regles-d-usage']")
    first_login.accepts(person, first_login.REGLES)
    person.sees(first_login.CONDITIONS)
