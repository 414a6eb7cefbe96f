"""New accounts, and credentials sent again: two sends, the same transaction."""

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from idp.accounts import identifiers
from idp.accounts.enrolment import Enrolment, Lives, NewAccount, Taken
from idp.accounts.models import Account, Password
from idp.accounts.organisations import Organisation
from idp.accounts.passwords import PasswordService
from idp.accounts.store import Closed
from idp.delivery.mailings import IdentifierMailing, PasswordMailing
from idp.delivery.refusals import RecipientRefused
from tests.conftest import Clock, Recorded
from tests.idp.accounts.making import SIRET, Post, make_account, make_organisation, password_service

BY_MAIL = NewAccount("CAF-1", "physique", "73", "Lefèvre", "Zoé", imported_email="zoe@exemple.fr")
BY_LETTER = NewAccount(
    "CAF-2", "physique", "2A", "Le Goff", "Yves", address_1="12, rue du Lac", postal_code="20000", city="Ajaccio"
)
MANAGER = NewAccount(
    "CAF-3", "moral", "73", organisation_name="SCI du Lac", siret=SIRET, imported_email="sci@exemple.fr"
)


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def passwords(session: Session, clock: Clock, recorded: Recorded) -> PasswordService:
    return password_service(session, clock, recorded)


@pytest.fixture
def enrolment(session: Session, passwords: PasswordService, post: Post, clock: Clock, recorded: Recorded) -> Enrolment:
    return Enrolment(lambda: session, passwords, post, clock, recorded.record, end_provisional=[].append)


def both(post: Post) -> tuple[IdentifierMailing, PasswordMailing]:
    identifier, password = post.queued[-2:]
    assert isinstance(identifier, IdentifierMailing)
    assert isinstance(password, PasswordMailing)
    return identifier, password


def outcome(passwords: PasswordService, identifier: str, password: str) -> str:
    return passwords.verify(passwords.credentials_of(identifier), password).outcome


def test_a_new_account_gets_its_identifier_and_its_password_in_two_sends_that_work_together(
    enrolment: Enrolment, post: Post, passwords: PasswordService, clock: Clock
) -> None:
    made = enrolment.enrol(BY_MAIL)
    identifier, password = both(post)
    assert len(post.queued) == 2
    assert identifier.user_number == password.user_number == made.user_number
    assert identifiers.canonical(identifier.identifier) == made.identifier
    assert outcome(passwords, identifier.identifier, password.provisional_password) == "provisional"
    assert identifier.recipient.email == password.recipient.email == "zoe@exemple.fr"
    assert password.expires_at == clock() + 7 * 86_400
    assert not password.recovery


def test_the_identifier_says_nothing_of_its_holder(enrolment: Enrolment, session: Session) -> None:
    made = enrolment.enrol(BY_MAIL)
    account = session.get_one(Account, made.account_id)
    for part in ("LEF", "ZOE", "73", made.user_number[1:5], made.account_id[:4].upper()):
        assert part not in account.identifier or part == "73"
    assert account.identifier != enrolment.enrol(BY_LETTER).identifier


def test_without_a_mail_address_both_go_by_letter_and_live_thirty_days(
    enrolment: Enrolment, post: Post, clock: Clock
) -> None:
    made = enrolment.enrol(BY_LETTER)
    identifier, password = both(post)
    assert made.channel == "letter"
    assert identifier.recipient.email is None
    assert identifier.recipient.name == "Yves Le Goff"
    assert identifier.recipient.address == ("12, rue du Lac", "20000 Ajaccio")
    assert password.expires_at == clock() + 30 * 86_400


def test_lives_are_settings(
    session: Session, passwords: PasswordService, post: Post, clock: Clock, recorded: Recorded
) -> None:
    short = Enrolment(lambda: session, passwords, post, clock, recorded.record, Lives(mail=60, letter=120), [].append)
    short.enrol(BY_MAIL)
    assert both(post)[1].expires_at == clock() + 60
    short.enrol(BY_LETTER)
    assert both(post)[1].expires_at == clock() + 120


def test_two_accounts_of_one_siret_share_one_organisation(enrolment: Enrolment, session: Session, post: Post) -> None:
    enrolment.enrol(MANAGER)
    second = NewAccount("CAF-4", "moral", "74", organisation_name="Autre nom", siret=SIRET, imported_email="x@x.fr")
    enrolment.enrol(second)
    (organisation,) = session.scalars(select(Organisation)).all()
    assert (organisation.siret, organisation.name) == (SIRET, "SCI du Lac")
    assert organisation.administrator_account_id is None
    assert {account.organisation_id for account in session.scalars(select(Account))} == {organisation.id}
    assert both(post)[0].partner_type == "moral"


def test_a_letter_to_an_organisation_names_it_then_the_person(enrolment: Enrolment, post: Post) -> None:
    enrolment.enrol(
        NewAccount(
            "CAF-5",
            "moral",
            "73",
            "Martin",
            "Inès",
            organisation_name="SCI du Lac",
            siret=SIRET,
            address_1="1 place de la Gare",
            postal_code="73000",
            city="Chambéry",
        )
    )
    recipient = both(post)[0].recipient
    assert recipient.name == "SCI du Lac"
    assert recipient.address == ("Inès Martin", "1 place de la Gare", "73000 Chambéry")


def test_an_account_that_nothing_can_reach_is_refused_before_anything_is_written(
    enrolment: Enrolment, session: Session
) -> None:
    with pytest.raises(RecipientRefused):
        enrolment.enrol(NewAccount("CAF-6", "physique", "73", "Martin"))
    assert session.scalars(select(Account)).all() == []


@pytest.mark.security("LG-15")
@pytest.mark.parametrize("key", ["reference", "identifier", "user_number"])
def test_a_key_that_another_account_has_is_refused(enrolment: Enrolment, session: Session, key: str) -> None:
    values = {"reference": "CAF-9", "identifier": "BAILLEUR0009", "user_number": "AB12CD34EF56GH"}
    new = {"partner_type": "physique", "departement": "73", "family_name": "A", "imported_email": "a@exemple.fr"}
    enrolment.enrol(NewAccount(**{**new, **values}))
    session.commit()
    other = {"reference": "CAF-8", "identifier": "BAILLEUR0008", "user_number": "AB12CD34EF56GK"}
    with pytest.raises(Taken):
        enrolment.enrol(NewAccount(**{**new, **other, key: values[key]}))
    session.rollback()
    assert len(session.scalars(select(Account)).all()) == 1


@pytest.mark.security("OR-12")
def test_an_account_made_again_after_it_was_erased_is_somebody_else(enrolment: Enrolment, session: Session) -> None:
    first = enrolment.enrol(BY_MAIL)
    session.delete(session.get_one(Account, first.account_id))
    session.flush()
    assert session.scalars(select(Password)).all() == []
    second = enrolment.enrol(BY_MAIL)
    assert second.account_id != first.account_id
    assert second.identifier != first.identifier


def test_nothing_stays_when_the_caller_rolls_back(enrolment: Enrolment, session: Session, engine: Engine) -> None:
    enrolment.enrol(MANAGER)
    session.rollback()
    with Session(engine) as elsewhere:
        for table in (Account, Password, Organisation):
            assert elsewhere.scalars(select(table)).all() == []


def test_no_secret_is_recorded(enrolment: Enrolment, post: Post, recorded: Recorded, session: Session) -> None:
    made = enrolment.enrol(BY_MAIL)
    enrolment.reissue(session.get_one(Account, made.account_id))
    assert recorded.names == ["account.created", "password.provisional_issued", "account.reissued"]
    for mailing in post.queued:
        if isinstance(mailing, PasswordMailing):
            assert mailing.provisional_password not in str(recorded)
            assert mailing.provisional_password not in repr(mailing)


# Sent again


@pytest.mark.security("PW-04")
def test_reissuing_cancels_what_waits_and_only_the_new_password_works(
    enrolment: Enrolment, post: Post, passwords: PasswordService, session: Session
) -> None:
    made = enrolment.enrol(BY_MAIL)
    former = both(post)[1].provisional_password
    assert enrolment.reissue(session.get_one(Account, made.account_id)) == "mail"
    identifier, password = both(post)
    assert post.cancelled == [made.account_id]
    assert identifiers.canonical(identifier.identifier) == made.identifier
    assert outcome(passwords, made.identifier, former) == "wrong"
    assert outcome(passwords, made.identifier, password.provisional_password) == "provisional"


def test_the_password_alone_can_be_sent_again(enrolment: Enrolment, post: Post, session: Session) -> None:
    made = enrolment.enrol(BY_LETTER)
    assert enrolment.reissue(session.get_one(Account, made.account_id), password_only=True) == "letter"
    assert [type(mailing).__name__ for mailing in post.queued[2:]] == ["PasswordMailing"]


def test_who_has_a_personal_password_gets_a_recovery_one_for_a_day(
    enrolment: Enrolment, post: Post, session: Session, clock: Clock, passwords: PasswordService
) -> None:
    proved = {"email": "prouvee@exemple.fr", "email_key": "prouvee@exemple.fr", "first_login_completed_at": 1}
    account = make_account(session, personal_password_at=1, origin="letter", **proved)
    assert enrolment.reissue(account) == "mail"
    password = both(post)[1]
    assert (password.recovery, password.expires_at) == (True, clock() + 86_400)
    assert password.recipient.email == "prouvee@exemple.fr"
    verdict = passwords.verify(passwords.credentials_of(account.identifier), password.provisional_password)
    assert (verdict.outcome, verdict.purpose) == ("provisional", "recovery")


def test_an_imported_address_is_not_used_for_an_account_that_was_sent_letters(
    enrolment: Enrolment, post: Post, session: Session
) -> None:
    account = make_account(session, origin="letter", address_1="4 rue du Port", postal_code="29200", city="Brest")
    assert enrolment.reissue(account) == "letter"
    assert both(post)[1].recipient.email is None


def test_a_letter_names_the_organisation_of_an_account(enrolment: Enrolment, post: Post, session: Session) -> None:
    organisation = make_organisation(session)
    account = make_account(
        session,
        partner_type="moral",
        organisation_id=organisation.id,
        origin="letter",
        address_1="4 rue du Port",
        postal_code="29200",
        city="Brest",
    )
    enrolment.reissue(account)
    assert both(post)[0].recipient.name == "SCI du Lac"


def test_nothing_is_sent_to_a_closed_account(enrolment: Enrolment, session: Session, post: Post) -> None:
    with pytest.raises(Closed):
        enrolment.reissue(make_account(session, closed_at=1))
    assert post.queued == []


@pytest.mark.security("OR-03")
def test_before_the_first_login_is_done_credentials_sent_again_go_where_the_first_ones_went(
    enrolment: Enrolment, post: Post, session: Session
) -> None:
    thief = {"email": "voleur@exemple.fr", "email_key": "voleur@exemple.fr", "email_verified_at": 1}
    account = make_account(session, **thief)
    assert enrolment.reissue(account) == "mail"
    assert {mailing.recipient.email for mailing in both(post)} == {"zoe.ravoux@exemple.fr"}
    assert (account.email, account.email_key, account.email_verified_at) == (None, None, None)
