"""A person who refuses a text goes back to the service with `access_denied`, and may come back and accept."""

import pytest

from tests.journeys import first_login
from tests.journeys.browser import Person
from tests.journeys.landlords import Landlord
from tests.journeys.service import EspaceBailleur


def returns_to_the_service(person: Person) -> None:
    """From the page that says what refusing means, confirm and go back."""
    if person.on is not None:
        person.follows("main a[href*='access_denied'], main a.retour-service, main form button[name=retour]")


@pytest.mark.parametrize("refused", [2, 3], ids=["rules-of-use", "terms"])
def test_refusing_a_text_is_told_to_the_service_and_can_be_reversed(
    refused: int, person: Person, landlord: Landlord, service: EspaceBailleur
) -> None:
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord)
    for step in first_login.STEPS[:refused]:
        step(person, landlord)
    person.presses("refuser")
    returns_to_the_service(person)
    person.sees_service("refus")
    assert "error=access_denied" in person.page.url
    assert "iss=" in person.page.url

    person.follows(".action")
    if person.on == first_login.CONNEXION:
        first_login.signs_in(person, landlord, landlord.mot_de_passe)
    for step in first_login.STEPS[refused:]:
        step(person, landlord)
    person.sees_service("bailleur")
