"""mod_auth_openidc under a real Apache protects a page, learns who arrived and refreshes its tokens."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.interop.apache import Apache
from tests.journeys import first_login
from tests.journeys.browser import Person
from tests.journeys.landlord import Landlord
from tests.journeys.provider import Provider


@pytest.fixture(scope="module")
def apache(provider: Provider) -> Iterator[Apache]:
    apache = Apache(provider)
    apache.server.start()
    yield apache
    apache.close()


def told_by(person: Person) -> dict[str, Any]:
    """What the protected page was told."""
    told: dict[str, Any] = json.loads(person.page.locator("body").inner_text())
    return told


def test_a_protected_page_learns_who_arrived_and_its_tokens_are_refreshed(
    apache: Apache, person: Person, landlord: Landlord
) -> None:
    person.goes_to(apache.page)
    first_login.signs_in(person, landlord)
    for step in first_login.STEPS:
        step(person, landlord)
    person.follows("main a.bouton")
    assert person.page.url == apache.page
    told = told_by(person)
    assert told["REMOTE_USER"] == landlord.numero_utilisateur
    assert told["OIDC_CLAIM_email"] == landlord.email
    assert told["OIDC_CLAIM_departement"] == landlord.departement
    assert told["OIDC_CLAIM_acr"] == "eidas1"

    ask = urlencode({"refresh": apache.page, "access_token": told["OIDC_access_token"]})
    person.goes_to(f"{apache.page}/retour?{ask}")
    assert person.page.url == apache.page, "the module says why in the query"
    fresh = told_by(person)
    assert fresh["OIDC_access_token"] != told["OIDC_access_token"]
    assert fresh["OIDC_refresh_token"] != told["OIDC_refresh_token"]
    assert fresh["REMOTE_USER"] == told["REMOTE_USER"]
