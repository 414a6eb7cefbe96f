"""The terms, accepted by the first person of an organisation, killed everywhere: all that follows, or nothing."""

import hashlib
import itertools
from typing import Any

import pytest
from sqlalchemy import select

from consent.documents import TERMS as TERMS_DOCUMENT
from consent.models import Acceptance
from idp.accounts.models import Account
from idp.accounts.organisations import Organisation
from idp.audit import AuditEvent
from idp.db import db
from idp.delivery.mailings import NoticeMailing, from_bytes
from idp.delivery.models import OutboxRow
from idp.delivery.outbox import purpose
from idp.services import Services
from idp.session import BrowserSession, SignIn
from tests.faults.everywhere import Trial, killed_everywhere
from tests.faults.executioner import Executioner
from tests.faults.test_import import names, siret
from tests.idp.newcomers import DONE, TERMS, before_the_terms
from tests.idp.provider import Landlord, Provider

COOKIE = "mcp-session"
EVENTS = [
    "first_login.completed",
    "gate.acceptance_recorded",
    "gate.completed",
    "gate.step_completed",
    "organisation.administrator_claimed",
]
_numbers = itertools.count(50_000)


@pytest.mark.timeout(900)
@pytest.mark.security("F-17", "GA-11", "SE-01")
def test_the_last_step_is_done_whole_or_not_at_all_and_a_second_try_completes_it(
    provider: Provider, executioner: Executioner, announce: Any
) -> None:
    points = killed_everywhere(provider, executioner, lambda: last_step(provider, executioner))
    assert any("UPDATE organisations" in point for point in points)
    announce("the last gate step", points)


def last_step(provider: Provider, executioner: Executioner) -> Trial:
    """One click of the first person of an organisation that has no administrator."""
    organisation = provider.organisation(siret(next(_numbers)))
    person = before_the_terms(provider, partner_type="moral", organisation_id=organisation)
    browser = provider.browser()
    assert browser.sign_in(person).status_code == 303
    form = {**browser.hidden_fields(TERMS), "accepter": "y"}
    cookie = browser.client.get_cookie(COOKIE)
    assert cookie is not None
    order = {"work": "post", "path": TERMS, "form": form, "cookies": {COOKIE: cookie.value}, "headers": {}}

    def again(committed: bool) -> None:
        answer = executioner.run(order).answer
        assert answer is not None
        assert answer["status"] == 303
        # After the commit the cookie that the browser never received is the only one: she signs in, with nothing due.
        assert answer["location"] == ("/connexion" if committed else DONE)
        returned = provider.browser()
        assert returned.sign_in(person).status_code == 303
        assert returned.get("/mes-services").status_code == 200

    return Trial(order, lambda: completed(provider, person, organisation, cookie.value), again)


def completed(provider: Provider, person: Landlord, organisation: str, cookie: str) -> None:
    """Acceptance, completion, role, the organisation's administrator, its notice, the new cookie: each once."""
    with provider.transaction() as services:
        proofs = names(Acceptance.document, Acceptance.account_id == person.id)
        assert proofs.count(TERMS_DOCUMENT) == 1
        account = select(Account.first_login_completed_at.is_not(None), Account.role).where(Account.id == person.id)
        assert tuple(db.session.execute(account).one()) == (True, "administrateur")
        of_organisation = Organisation.id == organisation
        assert names(Organisation.administrator_account_id, of_organisation) == [person.id]
        assert notices(services, person) == ["admin", "pret"]
        old = hashlib.sha256(cookie.encode()).digest()
        assert names(BrowserSession.digest, BrowserSession.digest == old) == []
        assert "personal" in names(SignIn.kind, SignIn.account_id == person.id)
        events = names(AuditEvent.event, AuditEvent.account_id == person.id, AuditEvent.event.in_(EVENTS))
        # The rules of use were accepted before, outside any page.
        assert events == sorted([*EVENTS, "gate.acceptance_recorded"])


def notices(services: Services, person: Landlord) -> list[str]:
    """What the mails that wait for this person tell of."""
    waiting = db.session.execute(
        select(OutboxRow.id, OutboxRow.kind, OutboxRow.sealed).where(OutboxRow.account_id == person.id)
    )
    mailings = [
        from_bytes(row.kind, services.sealer.open(row.sealed, purpose=purpose(row.kind), id=row.id)) for row in waiting
    ]
    return sorted(mailing.key for mailing in mailings if isinstance(mailing, NoticeMailing))
