"""Lookups and states of accounts."""

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from idp.accounts import user_numbers
from idp.accounts.models import Account
from idp.accounts.store import AccountStore, Closed, Unknown, state_of
from tests.conftest import Clock, Recorded
from tests.idp.accounts.making import make_account


@pytest.fixture
def signed_out() -> list[str]:
    return []


@pytest.fixture
def store(session: Session, clock: Clock, recorded: Recorded, signed_out: list[str]) -> AccountStore:
    return AccountStore(lambda: session, clock, recorded.record, signed_out.append)


def test_an_account_is_found_by_each_of_its_names(store: AccountStore, session: Session) -> None:
    account = make_account(session, identifier="KXPM3RTW9BCD", reference="CAF-73-1")
    assert store.get(account.id) is account
    assert store.by_identifier("kxpm-3rtw-9bcd") is account
    assert store.by_user_number(user_numbers.display(account.user_number).lower()) is account
    assert store.by_reference("CAF-73-1") is account
    for name in ("kxpm 3rtw 9bcd", account.user_number, "CAF-73-1"):
        assert store.find(name) is account


def test_an_unknown_name_is_refused_in_words(store: AccountStore) -> None:
    assert store.by_identifier("nobody") is None
    with pytest.raises(Unknown, match="« nobody »"):
        store.find("nobody")
    with pytest.raises(Unknown):
        store.get("0" * 32)


def test_accounts_are_listed_in_order_by_departement_and_state(store: AccountStore, session: Session) -> None:
    make_account(session, reference="b", departement="2A", locked_at=1)
    make_account(session, reference="a", personal_password_at=1)
    make_account(session, reference="c", personal_password_at=1, first_login_completed_at=2)
    make_account(session, reference="d", closed_at=1)
    make_account(session, reference="e", suspended_at=1, personal_password_at=1, first_login_completed_at=2)
    assert [account.reference for account in store.list()] == ["a", "b", "c", "d", "e"]
    assert [account.reference for account in store.list(departement="2A")] == ["b"]
    found = {state: [account.reference for account in store.list(state=state)] for state in ("en-cours", "actif")}
    assert found == {"en-cours": ["a"], "actif": ["c"]}
    assert [state_of(account) for account in store.list()] == ["en-cours", "verrouille", "actif", "ferme", "suspendu"]
    assert state_of(make_account(session)) == "jamais-connecte"


@pytest.mark.parametrize(
    ("stop", "lift", "events"),
    [
        ("lock", "unlock", ["account.locked", "account.unlocked"]),
        ("suspend", "resume", ["account.suspended", "account.resumed"]),
    ],
)
def test_a_stopped_account_is_signed_out_announced_and_recorded_once(
    store: AccountStore,
    session: Session,
    recorded: Recorded,
    signed_out: list[str],
    stopped: list[tuple[str, str]],
    stop: str,
    lift: str,
    events: list[str],
) -> None:
    account = make_account(session)
    assert getattr(store, stop)(account)
    assert not getattr(store, stop)(account)
    assert not account.is_open
    assert signed_out == [account.id]
    assert stopped == [(account.id, events[0].removeprefix("account."))]
    assert getattr(store, lift)(account)
    assert not getattr(store, lift)(account)
    assert account.is_open
    assert recorded.names == events


def test_a_state_changes_in_the_callers_transaction(store: AccountStore, session: Session, engine: Engine) -> None:
    account = make_account(session)
    session.commit()
    store.lock(account)
    session.rollback()
    with Session(engine) as elsewhere:
        assert elsewhere.get_one(Account, account.id).is_open


def test_a_closed_account_changes_no_more(store: AccountStore, session: Session) -> None:
    account = make_account(session, closed_at=1)
    with pytest.raises(Closed, match="fermé"):
        store.lock(account)


def test_the_information_of_the_first_step_is_kept(store: AccountStore, session: Session, clock: Clock) -> None:
    account = make_account(session)
    store.give_information(account.id, "Zoé", "d’Ormesson", "+33612345678")
    session.refresh(account)
    assert (account.given_name, account.family_name, account.telephone) == ("Zoé", "d’Ormesson", "+33612345678")
    assert account.information_given
    assert account.information_given_at == clock()


def test_an_account_tells_what_the_steps_ask(session: Session) -> None:
    account = make_account(session)
    asked = (account.organisation_name, account.siret, account.has_personal_password, account.in_first_login)
    assert asked == (None, None, False, True)
    assert account.must_choose_password
