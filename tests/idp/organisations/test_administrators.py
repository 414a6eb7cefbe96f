"""The first person to complete the first login administers the organisation: exactly one, whatever happens at once."""

import threading

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from idp.accounts.models import Account
from idp.accounts.organisations import Organisation
from idp.delivery.mailings import NoticeMailing
from idp.organisations import administrators
from idp.organisations.administrators import complete_first_login
from tests.conftest import Clock, Recorded
from tests.idp.accounts.making import Post, make_account, make_organisation


def make_member(session: Session, organisation: Organisation, number: int = 0) -> Account:
    email = f"membre{number}@exemple.fr"
    return make_account(
        session,
        partner_type="moral",
        organisation_id=organisation.id,
        email=email,
        email_key=email,
        email_verified_at=1,
    )


def test_the_first_becomes_administrator_and_the_next_a_user(
    session: Session, clock: Clock, recorded: Recorded
) -> None:
    organisation, post = make_organisation(session), Post()
    first, second = make_member(session, organisation, 1), make_member(session, organisation, 2)
    assert complete_first_login(session, second, clock(), post, recorded.record) == "administrateur"
    assert complete_first_login(session, first, clock(), post, recorded.record) == "utilisateur"
    for row in (organisation, first, second):
        session.refresh(row)
    assert organisation.administrator_account_id == second.id
    assert organisation.administrator_since == clock()
    assert (first.role, second.role) == ("utilisateur", "administrateur")
    assert first.first_login_completed_at == clock()
    assert administrators.administrator_of(session, organisation.id) == second.id


def test_the_new_administrator_is_told_and_it_is_recorded(session: Session, clock: Clock, recorded: Recorded) -> None:
    organisation, post = make_organisation(session), Post()
    first, second = make_member(session, organisation, 1), make_member(session, organisation, 2)
    complete_first_login(session, first, clock(), post, recorded.record)
    complete_first_login(session, second, clock(), post, recorded.record)
    (notice,) = post.queued
    assert isinstance(notice, NoticeMailing)
    assert (notice.key, notice.email) == ("admin", first.email)
    assert notice.values == {"organisme": "SCI du Lac", "siret": organisation.siret}
    claimed = ("organisation.administrator_claimed", {"account_id": first.id, "organisation_id": organisation.id})
    assert recorded == [claimed]


def test_completing_twice_changes_nothing(session: Session, clock: Clock, recorded: Recorded) -> None:
    organisation, post = make_organisation(session), Post()
    first, second = make_member(session, organisation, 1), make_member(session, organisation, 2)
    before = clock()
    for member in (first, second):
        complete_first_login(session, member, clock(), post, recorded.record)
    clock.advance(60)
    assert complete_first_login(session, first, clock(), post, recorded.record) == "administrateur"
    assert complete_first_login(session, second, clock(), post, recorded.record) == "utilisateur"
    session.refresh(first)
    assert first.first_login_completed_at == before
    assert len(post.queued) == len(recorded) == 1


def test_a_natural_person_has_no_role(session: Session, clock: Clock, recorded: Recorded) -> None:
    account, post = make_account(session), Post()
    assert complete_first_login(session, account, clock(), post, recorded.record) is None
    session.refresh(account)
    assert account.role is None
    assert not account.in_first_login
    assert post.queued == []


def test_claiming_again_keeps_the_administrator(session: Session, clock: Clock) -> None:
    organisation = make_organisation(session)
    member = make_member(session, organisation)
    assert administrators.claim(session, member.id, organisation.id, clock()) == "administrateur"
    assert administrators.claim(session, member.id, organisation.id, clock() + 1) == "administrateur"
    session.refresh(organisation)
    assert organisation.administrator_since == clock()


@pytest.mark.security("OR-02")
def test_a_first_login_that_is_rolled_back_leaves_the_role_free(
    session: Session, clock: Clock, recorded: Recorded
) -> None:
    organisation, post = make_organisation(session), Post()
    first, second = make_member(session, organisation, 1), make_member(session, organisation, 2)
    session.commit()
    complete_first_login(session, first, clock(), post, recorded.record)
    session.rollback()
    assert complete_first_login(session, second, clock(), post, recorded.record) == "administrateur"


def test_fifty_first_logins_at_once_make_one_administrator_and_no_error(
    engine: Engine, clock: Clock, recorded: Recorded
) -> None:
    with Session(engine) as session:
        organisation = make_organisation(session)
        ids = [make_member(session, organisation, number).id for number in range(50)]
        session.commit()
    roles: list[str | None] = []
    errors: list[BaseException] = []
    start = threading.Barrier(len(ids))

    def complete(account_id: str) -> None:
        try:
            with Session(engine) as session:
                account = session.get_one(Account, account_id)
                session.rollback()
                start.wait()
                role = complete_first_login(session, account, clock(), Post(), recorded.record)
                session.commit()
                roles.append(role)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=complete, args=(each,)) for each in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(map(str, roles)) == ["administrateur"] + ["utilisateur"] * 49
    with Session(engine) as session:
        (administrator,) = session.scalars(select(Account.id).where(Account.role == "administrateur"))
        assert session.scalars(select(Organisation.administrator_account_id)).one() == administrator
        assert len(session.scalars(select(Account.id).where(Account.role == "utilisateur")).all()) == 49
