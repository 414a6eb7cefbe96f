"""Help and legal pages are reachable from the sign-in page, and by everybody."""

import pytest

from tests.journeys import first_login
from tests.journeys.browser import Person
from tests.journeys.provider import Provider
from tests.journeys.service import EspaceBailleur

PAGES = (
    "aide/numero-utilisateur",
    "aide/premiere-connexion",
    "aide/administrateur",
    "mentions-legales",
    "donnees-personnelles",
    "accessibilite",
    "securite",
)


@pytest.mark.parametrize("path", PAGES)
def test_anybody_reads_the_page(path: str, person: Person, provider: Provider) -> None:
    person.goes_to(f"{provider.issuer}/{path}")
    person.sees(path.replace("/", "."))


@pytest.mark.parametrize("path", ["mot-de-passe-oublie", "probleme-de-connexion"])
def test_the_two_ways_out_of_the_sign_in_page_say_whom_to_ask(
    path: str, person: Person, service: EspaceBailleur
) -> None:
    first_login.arrives(person, service)
    person.follows(f"main a[href*='/{path}']")
    assert person.on is not None
    assert person.last is not None
    assert person.last.status == 200


def test_a_page_that_does_not_exist_says_so_and_leads_on(person: Person, provider: Provider) -> None:
    person.goes_to(f"{provider.issuer}/nulle-part")
    assert person.last is not None
    assert person.last.status == 404
    assert person.on is not None


def test_the_footer_of_the_sign_in_page_leads_to_the_legal_pages(person: Person, service: EspaceBailleur) -> None:
    first_login.arrives(person, service)
    linked = {link.get_attribute("href") or "" for link in person.page.locator("footer a").all()}
    for path in ("mentions-legales", "donnees-personnelles", "accessibilite", "securite"):
        assert any(f"/{path}" in href for href in linked), f"no link to /{path}"
