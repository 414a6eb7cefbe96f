"""A new version of the terms is published while people are signed in: each is asked once, and only for that."""

from tests.journeys import first_login
from tests.journeys.browser import Person
from tests.journeys.landlord import Landlord, letters_of
from tests.journeys.provider import Provider
from tests.journeys.service import EspaceBailleur


def publish_new_terms(provider: Provider, mark: str) -> None:
    """Publish by the real command, as an operator does while the provider serves."""
    text = provider.folder / f"conditions-{mark}.md"
    text.write_text(f"# Conditions d’utilisation\n\nUne version nouvelle, repère {mark}.\n", encoding="utf-8")
    changes = "L’article 3 est précisé."
    provider.idp("documents", "publish", "conditions-d-utilisation", "--file", str(text), "--changes", changes)


def test_a_new_version_is_asked_once_and_stops_the_refresh_until_then(
    person: Person, landlord: Landlord, service: EspaceBailleur, provider: Provider
) -> None:
    first_login.completes(person, landlord, service)
    publish_new_terms(provider, letters_of(hash(landlord.nom) % 10**9))

    person.presses("actualiser")
    assert person.page.locator("[data-nouvelles]").get_attribute("data-nouvelles") == "refusee"

    person.goes_to(service.url + "/connexion")
    first_login.accepts(person, first_login.CONDITIONS)
    person.sees_service("bailleur")
    person.presses("actualiser")
    assert person.page.locator("[data-nouvelles]").get_attribute("data-nouvelles") == "a-jour"

    person.presses("se_deconnecter")
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord, landlord.mot_de_passe)
    person.sees_service("bailleur")
