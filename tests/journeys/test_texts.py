"""The texts: each version has a page to print or keep, and without a published one nobody is vouched for."""

from collections.abc import Iterator

import pytest

from tests.journeys import first_login
from tests.journeys.browser import Person
from tests.journeys.fixtures import new_provider
from tests.journeys.landlord import Landlord, new_landlord
from tests.journeys.landlords import import_landlords
from tests.journeys.provider import Provider
from tests.journeys.service import EspaceBailleur


@pytest.mark.parametrize("done", [2, 3], ids=["rules-of-use", "terms"])
def test_the_text_has_a_page_of_its_own(done: int, person: Person, landlord: Landlord, service: EspaceBailleur) -> None:
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord)
    for step in first_login.STEPS[:done]:
        step(person, landlord)
    shown = person.page.locator("article.texte").inner_text()
    person.follows("main a[href*='/textes/']")
    person.sees("textes")
    assert person.page.locator("article.texte").inner_text() == shown


@pytest.fixture(scope="module")
def unpublished(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Provider, EspaceBailleur]]:
    """A provider whose operator forgot to publish the texts, and its service."""
    provider = new_provider(request, tmp_path_factory.mktemp("unpublished"), publish=False)
    provider.start()
    service = EspaceBailleur(tmp_path_factory.mktemp("service"), provider)
    service.server.start()
    yield provider, service
    service.server.stop()
    provider.stop()


def test_without_a_published_text_the_person_is_told_and_nobody_is_vouched_for(
    person: Person, unpublished: tuple[Provider, EspaceBailleur]
) -> None:
    provider, service = unpublished
    landlord = new_landlord()
    import_landlords(provider, landlord)
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord)
    for step in first_login.STEPS[:2]:
        if person.on != "premiere-connexion.indisponible":
            step(person, landlord)
    assert person.on == "premiere-connexion.indisponible"
    assert person.last is not None
    assert person.last.status == 503
    person.goes_to(service.url + "/connexion")
    assert person.on is not None, "the service was reached"
