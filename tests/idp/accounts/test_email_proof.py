"""The code that proves a mail address."""

import threading

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from idp.accounts.email_proof import EmailProofs
from idp.accounts.mail_addresses import NotAnAddress
from idp.accounts.models import Account, EmailProof
from idp.delivery.mailings import CodeMailing, NoticeMailing
from tests.conftest import Clock, Recorded
from tests.idp.accounts.making import PEPPER, Post, make_account

ADDRESS = "zoe.ravoux@exemple.fr"


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def proofs(session: Session, clock: Clock, recorded: Recorded, post: Post) -> EmailProofs:
    return EmailProofs(lambda: session, PEPPER, clock, recorded.record, post)


@pytest.fixture
def account(session: Session) -> Account:
    return make_account(session)


def code_in(post: Post) -> str:
    mailing = post.queued[-1]
    assert isinstance(mailing, CodeMailing)
    return mailing.code


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


@pytest.mark.security("GA-10")
def test_the_right_code_makes_the_address_the_verified_one(
    proofs: EmailProofs, account: Account, post: Post, clock: Clock
) -> None:
    proofs.start(account, ADDRESS)
    assert not account.email_verified
    assert account.email is None
    clock.advance(60)
    assert proofs.check(account, code_in(post)) == "right"
    assert (account.email, account.email_key, account.email_verified_at) == (ADDRESS, ADDRESS, clock())
    assert proofs.pending(account.id) is None


@pytest.mark.security("GA-10")
def test_an_imported_or_typed_address_is_not_verified(session: Session, account: Account) -> None:
    assert account.suggested_email == ADDRESS
    assert account.email is None
    assert not account.email_verified


def test_a_code_is_six_digits_and_works_with_spaces_around(proofs: EmailProofs, account: Account, post: Post) -> None:
    proofs.start(account, ADDRESS)
    code = code_in(post)
    assert len(code) == 6
    assert code.isdigit()
    assert proofs.check(account, f" {code} ") == "right"


def test_a_code_is_not_in_the_database(proofs: EmailProofs, account: Account, post: Post, session: Session) -> None:
    import hashlib

    proofs.start(account, ADDRESS)
    row = session.scalars(select(EmailProof)).one()
    assert row.digest != hashlib.sha256(code_in(post).encode()).digest()
    assert code_in(post).encode() not in row.digest


def test_a_code_works_once(proofs: EmailProofs, account: Account, post: Post) -> None:
    proofs.start(account, ADDRESS)
    assert proofs.check(account, code_in(post)) == "right"
    assert proofs.check(account, code_in(post)) == "wrong"


def test_five_wrong_codes_end_the_right_one(proofs: EmailProofs, account: Account, post: Post) -> None:
    proofs.start(account, ADDRESS)
    for _ in range(5):
        assert proofs.check(account, wrong(code_in(post))) == "wrong"
    assert proofs.check(account, code_in(post)) == "too_many"
    assert proofs.resend(account)
    assert proofs.check(account, code_in(post)) == "right"


def test_a_code_lives_thirty_minutes(proofs: EmailProofs, account: Account, post: Post, clock: Clock) -> None:
    proofs.start(account, ADDRESS)
    clock.advance(1_800)
    assert proofs.check(account, code_in(post)) == "expired"
    pending = proofs.pending(account.id)
    assert pending is not None
    assert (pending.email, pending.expires_at) == (ADDRESS, clock())


def test_only_the_latest_code_works(proofs: EmailProofs, account: Account, post: Post) -> None:
    proofs.start(account, ADDRESS)
    first = code_in(post)
    proofs.start(account, "autre@exemple.fr")
    if first != code_in(post):
        assert proofs.check(account, first) == "wrong"
    assert proofs.check(account, code_in(post)) == "right"
    assert account.email == "autre@exemple.fr"


def test_a_code_of_one_account_is_worth_nothing_to_another(
    proofs: EmailProofs, account: Account, post: Post, session: Session
) -> None:
    other = make_account(session)
    proofs.start(account, ADDRESS)
    assert proofs.check(other, code_in(post)) == "wrong"
    assert proofs.check(account, code_in(post)) == "right"


def test_checking_and_resending_without_a_code_change_nothing(proofs: EmailProofs, account: Account) -> None:
    assert proofs.check(account, "123456") == "wrong"
    assert not proofs.resend(account)


@pytest.mark.parametrize("code", ["", "abc", "\ud800", "1" * 10_000, "1\x002345"])
def test_any_text_may_be_typed_as_a_code(proofs: EmailProofs, account: Account, code: str) -> None:
    proofs.start(account, ADDRESS)
    assert proofs.check(account, code) == "wrong"


def test_five_mails_leave_in_fifteen_minutes_for_an_account(
    proofs: EmailProofs, account: Account, post: Post, clock: Clock
) -> None:
    proofs.start(account, ADDRESS)
    assert [proofs.resend(account) for _ in range(5)] == [True] * 4 + [False]
    proofs.start(account, "autre@exemple.fr")
    assert len(post.queued) == 5
    pending = proofs.pending(account.id)
    assert pending is not None
    assert pending.email == "autre@exemple.fr"
    clock.advance(900)
    assert proofs.resend(account)
    assert len(post.queued) == 6


def test_five_mails_leave_in_fifteen_minutes_for_an_address_whoever_asks(
    proofs: EmailProofs, session: Session, post: Post
) -> None:
    for _ in range(7):
        proofs.start(make_account(session), ADDRESS)
    assert len(post.queued) == 5


def test_beyond_the_limit_the_code_already_sent_still_works(proofs: EmailProofs, account: Account, post: Post) -> None:
    for _ in range(7):
        proofs.start(account, ADDRESS)
    assert len(post.queued) == 5
    assert proofs.check(account, code_in(post)) == "right"


@pytest.mark.security("OR-07")
def test_an_address_of_another_account_gets_a_notice_and_no_code_and_the_page_sees_no_difference(
    proofs: EmailProofs, account: Account, session: Session, post: Post
) -> None:
    make_account(session, email="Zoe.Ravoux@exemple.fr", email_key=ADDRESS, email_verified_at=1)
    proofs.start(account, ADDRESS)
    (notice,) = post.queued
    assert isinstance(notice, NoticeMailing)
    assert (notice.key, notice.email) == ("code_deja", ADDRESS)
    pending = proofs.pending(account.id)
    assert pending is not None
    assert pending.email == ADDRESS
    assert proofs.check(account, "000000") == "wrong"
    session.refresh(account)
    assert account.email is None


@pytest.mark.security("OR-07")
def test_an_address_proved_by_another_meanwhile_is_refused_without_an_error(
    proofs: EmailProofs, account: Account, session: Session, post: Post
) -> None:
    proofs.start(account, ADDRESS)
    code = code_in(post)
    make_account(session, email=ADDRESS, email_key=ADDRESS, email_verified_at=1)
    session.commit()
    assert proofs.check(account, code) == "wrong"
    assert isinstance(post.queued[-1], NoticeMailing)
    assert proofs.check(account, code) == "wrong"
    assert proofs.pending(account.id) is not None
    session.commit()
    session.refresh(account)
    assert account.email is None


@pytest.mark.security("OR-07")
def test_twenty_accounts_that_prove_one_address_at_once_leave_it_to_one(
    engine: Engine, clock: Clock, recorded: Recorded
) -> None:
    with Session(engine) as session:
        ids = [make_account(session).id for _ in range(20)]
        session.commit()
    codes = {}
    for number, account_id in enumerate(ids):
        with Session(engine) as session:
            post = Post()
            proofs = EmailProofs(lambda s=session: s, PEPPER, clock, recorded.record, post)
            clock.advance(900 if number % 5 == 0 else 0)
            proofs.start(session.get_one(Account, account_id), ADDRESS)
            codes[account_id] = code_in(post)
            session.commit()
    clock.now -= 900 * 3
    verdicts: list[str] = []
    start = threading.Barrier(len(ids))

    def prove(account_id: str) -> None:
        with Session(engine) as session:
            proofs = EmailProofs(lambda: session, PEPPER, clock, recorded.record, Post())
            start.wait()
            verdicts.append(proofs.check(session.get_one(Account, account_id), codes[account_id]))
            session.commit()

    threads = [threading.Thread(target=prove, args=(each,)) for each in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(verdicts) == ["right"] + ["wrong"] * 19
    with Session(engine) as session:
        assert session.scalars(select(Account.email).where(Account.email.is_not(None))).all() == [ADDRESS]


def test_fifty_guesses_at_once_are_five_tries(engine: Engine, clock: Clock, recorded: Recorded, post: Post) -> None:
    with Session(engine) as session:
        account_id = make_account(session).id
        account = session.get_one(Account, account_id)
        EmailProofs(lambda: session, PEPPER, clock, recorded.record, post).start(account, ADDRESS)
        session.commit()
    verdicts: list[str] = []
    start = threading.Barrier(10)

    def guess() -> None:
        start.wait()
        for _ in range(5):
            with Session(engine) as session:
                proofs = EmailProofs(lambda s=session: s, PEPPER, clock, recorded.record, Post())
                verdicts.append(proofs.check(session.get_one(Account, account_id), wrong(code_in(post))))
                session.commit()

    threads = [threading.Thread(target=guess) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(verdicts) == ["too_many"] * 45 + ["wrong"] * 5


@pytest.mark.security("OR-07")
def test_a_failed_proof_leaves_the_rest_of_the_transaction_alone(
    proofs: EmailProofs, account: Account, session: Session, engine: Engine, post: Post
) -> None:
    """A savepoint that opened the transaction would commit it on SQLite: what follows could not be undone."""
    proofs.start(account, ADDRESS)
    make_account(session, email=ADDRESS, email_key=ADDRESS, email_verified_at=1)
    session.commit()
    proofs.check(account, code_in(post))
    session.rollback()
    with Session(engine) as elsewhere:
        assert elsewhere.scalars(select(EmailProof.tries)).all() == [0]


@pytest.mark.security("ML-01", "ML-02")
@pytest.mark.parametrize(
    "typed",
    [
        "",
        "zoe",
        "a@x.fr,b@y.fr",
        "a@x.fr>,<b@y.fr",
        "a@x.fr\r\nBcc: b@y.fr",
        "Zoé <a@x.fr>",
        "=?utf-8?q?a?=@",
        "a@b\0.fr",
    ],
)
def test_what_is_not_one_address_is_refused_before_anything_is_sent(
    proofs: EmailProofs, account: Account, post: Post, typed: str
) -> None:
    with pytest.raises(NotAnAddress):
        proofs.start(account, typed)
    assert post.queued == []


def test_events_hold_no_address_and_no_code(
    proofs: EmailProofs, account: Account, post: Post, recorded: Recorded
) -> None:
    proofs.start(account, ADDRESS)
    proofs.check(account, wrong(code_in(post)))
    proofs.check(account, code_in(post))
    assert recorded.names == ["email.code_sent", "email.code_refused", "email.verified"]
    assert ADDRESS not in str(recorded)
    assert code_in(post) not in str(recorded)
