"""A person may look at the password that she types; the button exists only where it can work."""

from tests.journeys import first_login
from tests.journeys.browser import Person
from tests.journeys.landlord import Landlord
from tests.journeys.service import EspaceBailleur


def test_the_password_is_shown_on_request_and_hidden_again_when_sent(
    person: Person, landlord: Landlord, service: EspaceBailleur
) -> None:
    first_login.arrives(person, service)
    field = person.page.locator("[name=mot_de_passe]")
    show = person.page.locator("main button[aria-pressed]")
    if not person.javascript:
        assert show.count() == 0
        return
    person.fills(identifiant=landlord.identifiant, mot_de_passe=landlord.provisoire)
    show.press("Enter")  # with the keyboard
    assert show.get_attribute("aria-pressed") == "true"
    assert field.get_attribute("type") == "text"
    assert show.get_attribute("aria-controls") == field.get_attribute("id")
    person.page.evaluate("document.querySelector('form').addEventListener('submit', (e) => e.preventDefault())")
    field.press("Enter")
    assert field.get_attribute("type") == "password"
