"""First logins that end, or take a step, at the same instant: one administrator, one acceptance, one password."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from consent.models import Acceptance
from idp.accounts.models import Account
from idp.accounts.organisations import Organisation
from idp.audit import AuditEvent
from idp.db import db
from idp.delivery.models import OutboxRow
from tests.concurrency.at_once import Answer, Post
from tests.concurrency.conftest import AtOnce
from tests.concurrency.visitor import Visitor
from tests.idp.newcomers import DONE, PASSWORD_STEP, RULES, TERMS, before_the_password, before_the_terms
from tests.idp.provider import Landlord, Provider

MANY = 50
COMPANY = "Société des Cinquante"
ADMINISTRATOR, TOO_LATE = "Vous êtes l’administrateur de", "Un administrateur existe déjà"
NewVisitor = Callable[[], Visitor]


def values(inside: Provider, column: Any, *conditions: Any) -> list[Any]:
    """What the database holds in a column."""
    with inside.transaction():
        return list(db.session.scalars(select(column).where(*conditions)))


def at_the_terms(visitor: NewVisitor, landlord: Landlord) -> tuple[Visitor, Post]:
    """A browser of this person with the last form filled in."""
    browser = visitor()
    browser.signs_in(landlord)
    return browser, browser.form(TERMS, accepter="y")


def pages(browsers: list[Visitor], answers: list[Answer]) -> list[str]:
    """What each browser shows after its answer: `main` alone, on one line."""
    shown = []
    for browser, answer in zip(browsers, answers, strict=True):
        browser.receives(answer.cookies)
        assert answer.location is not None, (answer.status, answer.body[:500])
        page = browser.sees(answer.location)
        assert page.status_code == 200
        main = re.search(r"<main.*</main>", page.text, re.DOTALL)
        assert main is not None
        shown.append(" ".join(main[0].split()))
    return shown


@pytest.fixture
def fifty(inside: Provider) -> list[Landlord]:
    """Colleagues of one SIRET, each one click away from the end."""
    organisation = inside.organisation("35600000000048", COMPANY)
    return [before_the_terms(inside, partner_type="moral", organisation_id=organisation) for _ in range(MANY)]


@pytest.mark.security("GA-11")
def test_of_fifty_first_logins_that_end_at_once_one_is_the_administrators(
    inside: Provider, fifty: list[Landlord], visitor: NewVisitor, together: AtOnce
) -> None:
    browsers, forms = zip(*(at_the_terms(visitor, landlord) for landlord in fifty), strict=True)
    answers = together(list(forms))
    assert Counter((answer.status, answer.location) for answer in answers) == {(303, DONE): MANY}
    ids = [landlord.id for landlord in fifty]
    assert Counter(values(inside, Account.role, Account.id.in_(ids))) == {"administrateur": 1, "utilisateur": MANY - 1}
    (administrator,) = values(inside, Account.id, Account.id.in_(ids), Account.role == "administrateur")
    assert values(inside, Organisation.administrator_account_id, Organisation.name == COMPANY) == [administrator]
    notices = Counter(values(inside, OutboxRow.account_id, OutboxRow.kind == "avis", OutboxRow.account_id.in_(ids)))
    of_administrator = notices.pop(administrator)
    assert set(notices.values()) == {of_administrator - 1}, "the administrator alone is told of this role by mail"
    of_one = dict(zip(ids, pages(list(browsers), answers), strict=True))
    assert f"{ADMINISTRATOR} {COMPANY}" in of_one.pop(administrator)
    assert [page for page in of_one.values() if ADMINISTRATOR in page or TOO_LATE not in page] == []


@pytest.mark.security("GA-07", "GA-11")
@pytest.mark.parametrize("path", [RULES, TERMS])
def test_a_text_accepted_from_two_browsers_at_once_is_accepted_once(
    inside: Provider, visitor: NewVisitor, together: AtOnce, path: str
) -> None:
    person = before_the_terms(inside) if path == TERMS else inside.landlord(completed=False)
    browsers, forms = [visitor(), visitor()], []
    for browser in browsers:
        browser.signs_in(person)
        forms.append(browser.form(path, accepter="y"))
    answers = together(forms)
    expected = DONE if path == TERMS else TERMS
    assert [(answer.status, answer.location) for answer in answers] == [(303, expected)] * 2
    assert len(set(pages(browsers, answers))) == (1 if path == TERMS else 2), "texts carry a token of their browser"
    document = path.rpartition("/")[2]
    proofs = values(inside, Acceptance.id, Acceptance.account_id == person.id, Acceptance.document == document)
    assert len(proofs) == 1
    told = values(inside, AuditEvent.event, AuditEvent.account_id == person.id)
    assert told.count("first_login.completed") == (1 if path == TERMS else 0)


@pytest.mark.security("GA-11")
def test_a_double_click_on_the_last_button_ends_the_first_login_once(
    inside: Provider, visitor: NewVisitor, together: AtOnce
) -> None:
    person = before_the_terms(inside)
    browser, form = at_the_terms(visitor, person)
    answers = together([form, form])
    # The cookie changes at the end of the gate: the slower of the two may find it dead, and is asked to sign in.
    assert DONE in [answer.location for answer in answers]
    assert {answer.location for answer in answers} <= {DONE, "/connexion"}
    browser.receives(next(answer.cookies for answer in answers if answer.location == DONE and answer.cookies))
    assert browser.sees("/mes-services").url.path == "/mes-services"
    told = values(inside, AuditEvent.event, AuditEvent.account_id == person.id)
    assert told.count("first_login.completed") == 1
    assert told.count("gate.completed") == 1


@pytest.mark.security("GA-06", "GA-07")
def test_of_two_passwords_chosen_at_once_in_two_browsers_one_counts(
    inside: Provider, visitor: NewVisitor, together: AtOnce
) -> None:
    person = before_the_password(inside)

    def choices() -> list[str]:
        chosen_by_them = AuditEvent.account_id == person.id, AuditEvent.event == "password.chosen"
        return values(inside, AuditEvent.event, *chosen_by_them)

    provisional, before = person.password, len(choices())
    chosen = ["Trois-hirondelles-au-printemps", "Quatre-hirondelles-a-l-automne"]
    browsers, forms = [visitor(), visitor()], []
    for browser, password in zip(browsers, chosen, strict=True):
        browser.signs_in(person)
        forms.append(browser.form(PASSWORD_STEP, nouveau_mot_de_passe=password, confirmation=password))
    answers = together(forms)
    assert [answer.status for answer in answers] == [303, 303]
    arrived = []
    for browser, answer in zip(browsers, answers, strict=True):
        browser.receives(answer.cookies)
        page = browser.sees(answer.location or "")
        assert page.status_code == 200
        arrived.append(page.url.path)
    # One goes on; the other is signed out and asked to sign in, politely, with the password that counts.
    assert sorted(arrived) == ["/connexion", RULES]
    assert len(choices()) == before + 1
    opened = []
    for password in [*chosen, provisional]:
        form = visitor().form("/connexion", identifiant=person.identifier, mot_de_passe=password)
        opened.append(together([form])[0].status == 303)
    assert opened == [path == RULES for path in arrived] + [False]
