"""A person leaves at each step, comes back in another browser or goes about it the wrong way, and loses nothing."""

from collections.abc import Callable

import pytest

from tests.journeys import first_login
from tests.journeys.browser import Person
from tests.journeys.landlord import Landlord
from tests.journeys.provider import Provider
from tests.journeys.service import EspaceBailleur

ORDER = (
    first_login.INFORMATIONS,
    first_login.MOT_DE_PASSE,
    first_login.REGLES,
    first_login.CONDITIONS,
)


@pytest.mark.parametrize("done", range(4), ids=["before-1", "after-1", "after-2", "after-3"])
def test_leaving_after_a_step_means_coming_back_to_the_next(
    done: int, new_person: Callable[[], Person], landlord: Landlord, service: EspaceBailleur
) -> None:
    person = new_person()
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord)
    for step in first_login.STEPS[:done]:
        step(person, landlord)
    person.sees(ORDER[done])

    back = new_person()
    first_login.arrives(back, service)
    first_login.signs_in(back, landlord, landlord.mot_de_passe if done >= 2 else landlord.provisoire)
    back.sees(ORDER[done])
    for step in first_login.STEPS[done:]:
        step(back, landlord)
    first_login.finishes(back)


def test_leaving_before_the_code_keeps_what_was_typed(
    new_person: Callable[[], Person], landlord: Landlord, service: EspaceBailleur
) -> None:
    person = new_person()
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord)
    person.sends("nom", nom=landlord.nom, prenom=landlord.prenom, email=landlord.email)
    code = landlord.mailbox.code()

    back = new_person()
    first_login.arrives(back, service)
    first_login.signs_in(back, landlord)
    if back.on == first_login.INFORMATIONS:
        assert back.page.locator("[name=nom]").input_value() == landlord.nom
        assert back.page.locator("[name=email]").input_value() == landlord.email
        back.sends("nom")
    back.sees(first_login.CODE)
    back.sends("code", code=code)
    back.sees(first_login.MOT_DE_PASSE)


def test_the_request_survives_a_restart_of_the_provider(
    person: Person, landlord: Landlord, service: EspaceBailleur, provider: Provider
) -> None:
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord)
    first_login.gives_information(person, landlord)
    provider.stop()
    provider.start()
    for step in first_login.STEPS[1:]:
        step(person, landlord)
    first_login.finishes(person)


@pytest.mark.parametrize("later", ORDER[1:])
def test_a_later_step_cannot_be_reached_by_its_address(
    later: str, person: Person, landlord: Landlord, service: EspaceBailleur, provider: Provider
) -> None:
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord)
    person.goes_to(f"{provider.issuer}/{later.replace('.', '/')}")
    assert person.on == first_login.INFORMATIONS


def test_a_step_done_in_another_tab_is_not_asked_again(
    person: Person, landlord: Landlord, service: EspaceBailleur
) -> None:
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord)
    first_login.gives_information(person, landlord)
    first_login.chooses_password(person, landlord)
    other = Person(person.context, person.inspector, person.visited, person.javascript)
    other.goes_to(person.page.url)
    first_login.accepts(person, first_login.REGLES)
    first_login.accepts(other, first_login.REGLES)
    assert other.on == first_login.CONDITIONS
    first_login.accepts(person, first_login.CONDITIONS)
    first_login.finishes(person)


def test_the_back_button_after_a_step_leads_to_the_due_one(
    person: Person, landlord: Landlord, service: EspaceBailleur
) -> None:
    first_login.arrives(person, service)
    first_login.signs_in(person, landlord)
    first_login.gives_information(person, landlord)
    first_login.chooses_password(person, landlord)
    person.sees(first_login.REGLES)
    person.goes_back()
    assert person.on == first_login.REGLES
