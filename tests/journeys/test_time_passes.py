"""What a person meets when she comes too late: each time a page says so, and what to do.

These journeys move the time of a provider of their own: the others must not see it.
"""

from collections.abc import Iterator

import pytest

from tests.journeys import first_login
from tests.journeys.browser import Person
from tests.journeys.fixtures import new_provider
from tests.journeys.landlord import Landlord
from tests.journeys.provider import Provider
from tests.journeys.service import EspaceBailleur

MINUTE, HOUR, DAY = 60, 3600, 86400
WRONG = "Un autre mot de passe 2026"


@pytest.fixture(scope="module")
def provider(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    provider = new_provider(request, tmp_path_factory.mktemp("time"))
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def service(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EspaceBailleur]:
    service = EspaceBailleur(tmp_path_factory.mktemp("service"), provider)
    service.server.start()
    yield service
    service.server.stop()


@pytest.fixture(autouse=True)
def present(provider: Provider) -> Iterator[None]:
    """Time is what it is, before and after each journey."""
    provider.moves_time(0)
    yield
    provider.moves_time(0)


def test_a_provisional_password_that_came_too_late_has_a_page_of_its_own(
    person: Person, landlord: Landlord, service: EspaceBailleur, provider: Provider
) -> None:
    provider.moves_time(8 * DAY)
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord, WRONG)
    person.is_refused_on(first_login.CONNEXION)  # only who holds the right one is told that it is too late
    first_login.signs_in(person, landlord)
    assert person.on == "connexion.provisoire-expire"
    assert person.page.locator("main a[href*='/probleme-de-connexion']").count()


@pytest.mark.parametrize("exists", [True, False], ids=["existing", "unknown"])
def test_ten_failures_suspend_an_identifier_until_the_time_said(
    exists: bool, person: Person, landlord: Landlord, service: EspaceBailleur, provider: Provider
) -> None:
    tried = landlord.identifiant if exists else f"inconnu{landlord.reference}"
    first_login.arrives(person, service)
    for failure in range(10):
        person.sends("mot_de_passe", identifiant=tried, mot_de_passe=WRONG)
        assert person.last is not None
        assert person.last.status == 422
        if failure == 4:
            person.sends("mot_de_passe", identifiant=tried, mot_de_passe=WRONG)
            assert person.last.status == 429  # five failures: wait a little
        provider.moves_time((failure + 1) * 20 * MINUTE)
        first_login.arrives(person, service)
    provider.moves_time(10 * 20 * MINUTE - 18 * MINUTE)
    person.sends("mot_de_passe", identifiant=tried, mot_de_passe=landlord.provisoire)
    assert person.last is not None
    assert person.last.status == 429
    assert person.on == "connexion.suspendue"
    provider.moves_time(10 * 20 * MINUTE)
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord)
    person.sees(first_login.INFORMATIONS)


def test_a_code_that_came_too_late_can_be_replaced(
    person: Person, landlord: Landlord, service: EspaceBailleur, provider: Provider
) -> None:
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord)
    person.sends("nom", nom=landlord.nom, prenom=landlord.prenom, email=landlord.email)
    late = landlord.mailbox.code()
    provider.moves_time(20 * MINUTE)
    person.reloads()
    provider.moves_time(35 * MINUTE)
    person.sends("code", code=late)
    person.is_refused_on(first_login.CODE)
    person.presses("renvoyer")
    person.sends("code", code=landlord.mailbox.code())
    person.sees(first_login.MOT_DE_PASSE)


def test_half_an_hour_without_a_move_ends_the_session_and_loses_nothing(
    person: Person, landlord: Landlord, service: EspaceBailleur, provider: Provider
) -> None:
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord)
    first_login.gives_information(person, landlord)
    provider.moves_time(31 * MINUTE)
    person.reloads()
    assert person.on != first_login.MOT_DE_PASSE
    if person.on != first_login.CONNEXION:
        person.follows("main a.bouton, main a[href*='/connexion']")
    person.sees(first_login.CONNEXION)
    first_login.signs_in(person, landlord)
    for step in first_login.STEPS[1:]:
        step(person, landlord)
    person.sees(first_login.TERMINEE)


def test_a_request_that_waited_too_long_is_explained_with_a_way_back_to_the_service(
    person: Person, landlord: Landlord, service: EspaceBailleur, provider: Provider
) -> None:
    first_login.arrives(person, service)
    provider.moves_time(13 * HOUR)
    first_login.signs_in(person, landlord)
    person.sees("demande-perdue")
    person.follows(f"main a[href^='{service.url}']")
    person.sees(first_login.INFORMATIONS)
