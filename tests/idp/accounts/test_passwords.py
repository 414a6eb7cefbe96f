"""The password service: constructions, comparison, replacement."""

import time
import unicodedata
from collections.abc import Iterator
from typing import Any

import bcrypt
import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from idp.accounts.models import Account, Password
from idp.accounts.passwords import Credentials, PasswordService, StoredHash, pepper_id
from tests.conftest import Clock, Recorded
from tests.idp.accounts.making import PEPPER, make_account, password_service

GOOD = "Trois vaches au bord du lac"


@pytest.fixture
def passwords(session: Session, clock: Clock, recorded: Recorded) -> PasswordService:
    return password_service(session, clock, recorded)


@pytest.fixture
def account(session: Session) -> Account:
    return make_account(session)


def choose(passwords: PasswordService, account: Account, password: str) -> bool:
    return passwords.store_personal(account.id, passwords.hash_personal(account.id, password))


def outcome(passwords: PasswordService, account: Account, password: str) -> str:
    return passwords.verify(passwords.credentials_of(account.identifier), password).outcome


@pytest.fixture
def statements(engine: Engine) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: Any, _k: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def test_a_chosen_password_signs_in_and_another_does_not(passwords: PasswordService, account: Account) -> None:
    assert choose(passwords, account, GOOD)
    assert outcome(passwords, account, GOOD) == "personal"
    assert outcome(passwords, account, GOOD.lower()) == "wrong"
    assert outcome(passwords, account, GOOD + " ") == "wrong"


def test_the_row_says_how_the_hash_was_made(passwords: PasswordService, account: Account, session: Session) -> None:
    choose(passwords, account, GOOD)
    row = session.scalars(select(Password)).one()
    assert (row.scheme, row.pepper_id, row.hash[:7]) == ("bcrypt-hmac384-v1", pepper_id(PEPPER), "$2b$04$")


def test_the_construction_is_the_one_of_the_security_page() -> None:
    """security.md 4, computed again by hand."""
    import base64
    import hashlib
    import hmac

    from idp.accounts.passwords import _prehash

    account_id = "00112233445566778899aabbccddeeff"
    message = b"op-pw-v1\0" + bytes.fromhex(account_id) + "é".encode()
    expected = base64.b64encode(hmac.new(PEPPER, message, hashlib.sha384).digest())
    assert _prehash(PEPPER, account_id, "é") == expected
    assert len(expected) == 64


@pytest.mark.security("LG-11")
@pytest.mark.parametrize(
    ("first", "second"),
    [("a" * 72, "a" * 73), ("a" * 71 + "é", "a" * 71 + "è"), ("x" * 200 + "1", "x" * 200 + "2"), ("ab", "abab")],
)
def test_texts_that_bcrypt_alone_confuses_are_told_apart(
    passwords: PasswordService, account: Account, first: str, second: str
) -> None:
    choose(passwords, account, first)
    assert outcome(passwords, account, first) == "personal"
    assert outcome(passwords, account, second) == "wrong"


@pytest.mark.security("LG-11")
@pytest.mark.parametrize("text", ["a\0a", "\0", "x" * 1025, "é" * 513, "x" * 10_000_000, "\ud800", "a\nb"])
def test_a_text_that_cannot_be_a_password_is_wrong_without_work(
    session: Session, clock: Clock, recorded: Recorded, text: str
) -> None:
    from tests.idp.accounts.making import DirectPool

    pool = DirectPool()
    passwords = PasswordService(lambda: session, [PEPPER], 4, pool, clock, recorded.record)
    account = make_account(session)
    assert outcome(passwords, account, text) == "wrong"
    assert pool.runs == 0
    with pytest.raises(ValueError, match="problems"):
        passwords.hash_personal(account.id, text)


def test_1024_bytes_of_any_letters_are_a_password(passwords: PasswordService, account: Account) -> None:
    choose(passwords, account, "é" * 512)
    assert outcome(passwords, account, "é" * 512) == "personal"


def test_nfc_and_nfd_are_the_same_password_but_compatibility_forms_are_not(
    passwords: PasswordService, account: Account
) -> None:
    choose(passwords, account, "Fenêtre à ﬁlets n° 7")
    assert outcome(passwords, account, unicodedata.normalize("NFD", "Fenêtre à ﬁlets n° 7")) == "personal"
    assert outcome(passwords, account, "Fenêtre à filets n° 7") == "wrong"


def test_a_hash_moved_to_another_account_opens_nothing(
    passwords: PasswordService, account: Account, session: Session
) -> None:
    other = make_account(session)
    choose(passwords, account, GOOD)
    stored = passwords.credentials_of(account.identifier).personal
    assert passwords.verify(Credentials(other.id, True, stored), GOOD).outcome == "wrong"


@pytest.mark.parametrize("broken", ["", "$2b$04$short", "plain", "$2b$99$" + "a" * 53])
def test_a_broken_hash_is_a_failed_sign_in(passwords: PasswordService, account: Account, broken: str) -> None:
    stored = StoredHash("plain" if broken == "plain" else "bcrypt-hmac384-v1", pepper_id(PEPPER), broken)
    assert passwords.verify(Credentials(account.id, True, stored), GOOD).outcome == "wrong"


def test_an_unknown_identifier_gives_credentials_that_never_match(passwords: PasswordService) -> None:
    credentials = passwords.credentials_of("nobody")
    assert credentials == Credentials()
    assert passwords.verify(credentials, GOOD).outcome == "wrong"


def test_credentials_take_one_select_and_comparing_none(
    passwords: PasswordService, account: Account, statements: list[str]
) -> None:
    choose(passwords, account, GOOD)
    passwords.issue_provisional(account.id, "recovery", "mail", 60)
    for name in (account.identifier, "nobody"):
        statements.clear()
        credentials = passwords.credentials_of(name)
        assert len(statements) == 1
        passwords.verify(credentials, GOOD)
        assert len(statements) == 1


@pytest.mark.parametrize("who", ["unknown", "never signed in", "personal", "locked", "older cost"])
def test_a_wrong_password_costs_one_hash_of_the_current_cost_whoever_is_behind(
    session: Session, clock: Clock, recorded: Recorded, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_account(session, locked_at=1 if who == "locked" else None)
    older = password_service(session, clock, recorded, cost=4 if who == "older cost" else 6)
    if who not in ("unknown", "never signed in"):
        choose(older, account, GOOD)
    passwords = password_service(session, clock, recorded, cost=6)
    credentials = passwords.credentials_of("nobody" if who == "unknown" else account.identifier)
    work: list[int] = []
    real = bcrypt.hashpw

    def counted(password: bytes, salt: bytes) -> bytes:
        work.append(2 ** int(salt[4:6]))
        return real(password, salt)

    monkeypatch.setattr(bcrypt, "hashpw", counted)
    assert passwords.verify(credentials, "wrong").outcome == "wrong"
    assert sum(work) == 2**6


@pytest.mark.parametrize("state", ["locked_at", "suspended_at", "closed_at"])
def test_a_stopped_account_looks_like_a_wrong_password(
    session: Session, passwords: PasswordService, state: str
) -> None:
    account = make_account(session)
    choose(passwords, account, GOOD)
    setattr(account, state, 1)
    session.flush()
    verdict = passwords.verify(passwords.credentials_of(account.identifier), GOOD)
    assert (verdict.outcome, verdict.stopped) == ("wrong", True)
    assert not passwords.verify(passwords.credentials_of(account.identifier), "no").stopped


def test_an_older_cost_is_renewed_at_sign_in(session: Session, clock: Clock, recorded: Recorded) -> None:
    account = make_account(session)
    choose(password_service(session, clock, recorded, cost=4), account, GOOD)
    passwords = password_service(session, clock, recorded, cost=5)
    verdict = passwords.verify(passwords.credentials_of(account.identifier), GOOD)
    assert verdict.rehash is not None
    assert passwords.rehash(verdict.rehash)
    again = passwords.verify(passwords.credentials_of(account.identifier), GOOD)
    assert (again.outcome, again.rehash) == ("personal", None)


def test_an_older_pepper_still_verifies_and_is_renewed(session: Session, clock: Clock, recorded: Recorded) -> None:
    account = make_account(session)
    choose(password_service(session, clock, recorded), account, GOOD)
    passwords = password_service(session, clock, recorded, peppers=(b"n" * 32, PEPPER))
    verdict = passwords.verify(passwords.credentials_of(account.identifier), GOOD)
    assert verdict.outcome == "personal"
    assert verdict.rehash is not None
    passwords.rehash(verdict.rehash)
    alone = password_service(session, clock, recorded, peppers=(b"n" * 32,))
    assert outcome(alone, account, GOOD) == "personal"


def test_a_renewal_never_undoes_a_password_changed_meanwhile(
    session: Session, clock: Clock, recorded: Recorded
) -> None:
    account = make_account(session)
    choose(password_service(session, clock, recorded, cost=4), account, GOOD)
    passwords = password_service(session, clock, recorded, cost=5)
    verdict = passwords.verify(passwords.credentials_of(account.identifier), GOOD)
    passwords.require_choice(account.id)
    choose(passwords, account, "Un autre mot de passe tout neuf")
    assert verdict.rehash is not None
    assert not passwords.rehash(verdict.rehash)
    assert outcome(passwords, account, "Un autre mot de passe tout neuf") == "personal"


def test_a_lost_pepper_is_noticed_and_never_lets_in(session: Session, clock: Clock, recorded: Recorded) -> None:
    account = make_account(session)
    choose(password_service(session, clock, recorded), account, GOOD)
    passwords = password_service(session, clock, recorded, peppers=(b"n" * 32,))
    assert passwords.lost_pepper()
    assert outcome(passwords, account, GOOD) == "wrong"
    assert not password_service(session, clock, recorded).lost_pepper()
    with pytest.raises(ValueError, match="pepper"):
        password_service(session, clock, recorded, peppers=())


# Provisional passwords


@pytest.mark.security("PW-05")
def test_a_provisional_password_is_79_random_bits_in_groups_and_stored_as_a_keyed_hash_only(
    passwords: PasswordService, account: Account, session: Session
) -> None:
    clear = passwords.issue_provisional(account.id, "first-login", "mail", 60)
    groups = clear.split("-")
    assert [len(group) for group in groups] == [4, 4, 4, 4]
    assert not set(clear) & set("01OIL")
    row = session.scalars(select(Password)).one()
    assert row.scheme == "hmac384-v1"
    assert clear not in row.hash
    assert clear.replace("-", "") not in row.hash
    assert len({passwords.new_provisional(account.id, "recovery", "mail", 1)[0] for _ in range(1000)}) == 1000


def test_a_provisional_password_is_read_with_its_purpose_whatever_its_case_and_groups(
    passwords: PasswordService, account: Account
) -> None:
    clear = passwords.issue_provisional(account.id, "first-login", "mail", 60)
    for typed in (clear, clear.lower(), clear.replace("-", ""), clear.replace("-", " ")):
        verdict = passwords.verify(passwords.credentials_of(account.identifier), typed)
        assert (verdict.outcome, verdict.purpose) == ("provisional", "first-login")
    assert outcome(passwords, account, clear[:-1]) == "wrong"
    assert outcome(passwords, account, "") == "wrong"


@pytest.mark.security("GA-07", "PW-04")
def test_a_provisional_password_expires_and_says_so_only_to_its_holder(
    passwords: PasswordService, account: Account, clock: Clock
) -> None:
    clear = passwords.issue_provisional(account.id, "first-login", "mail", 60)
    clock.advance(59)
    assert outcome(passwords, account, clear) == "provisional"
    clock.advance(1)
    assert outcome(passwords, account, clear) == "provisional_expired"
    assert outcome(passwords, account, "wrong") == "wrong"


@pytest.mark.security("PW-04")
def test_only_the_newest_provisional_password_works(passwords: PasswordService, account: Account) -> None:
    first = passwords.issue_provisional(account.id, "first-login", "mail", 60)
    second = passwords.issue_provisional(account.id, "first-login", "letter", 60)
    assert outcome(passwords, account, first) == "wrong"
    assert outcome(passwords, account, second) == "provisional"


@pytest.mark.security("GA-06", "PW-04")
def test_the_provisional_password_dies_in_the_commit_that_stores_the_personal_one(
    passwords: PasswordService, account: Account, session: Session, engine: Engine
) -> None:
    clear = passwords.issue_provisional(account.id, "first-login", "mail", 60)
    session.commit()
    choose(passwords, account, GOOD)
    with Session(engine) as elsewhere:
        assert elsewhere.scalars(select(Password.kind)).all() == ["provisional"]
    session.commit()
    with Session(engine) as elsewhere:
        assert elsewhere.scalars(select(Password.kind)).all() == ["personal"]
    assert outcome(passwords, account, clear) == "wrong"
    session.refresh(account)
    assert account.has_personal_password
    assert not account.must_choose_password


@pytest.mark.security("GA-06")
def test_the_provisional_password_cannot_be_chosen_again(passwords: PasswordService, account: Account) -> None:
    clear = passwords.issue_provisional(account.id, "first-login", "mail", 60)
    assert passwords.problems(account, clear) == [("e2.erreur.identique", {})]
    assert passwords.problems(account, clear.lower().replace("-", "")) == [("e2.erreur.identique", {})]
    assert passwords.problems(account, GOOD) == []
    assert passwords.problems(account, "court") == [("e2.erreur.court", {"n": 5})]
    assert passwords.problems(account, "a\0" * 8) == [("e2.erreur.caractere", {})]


@pytest.mark.security("GA-07")
def test_the_second_of_two_tabs_stores_nothing(passwords: PasswordService, account: Account) -> None:
    passwords.issue_provisional(account.id, "first-login", "mail", 60)
    assert choose(passwords, account, GOOD)
    assert not choose(passwords, account, "Un autre mot de passe tout neuf")
    assert outcome(passwords, account, GOOD) == "personal"


@pytest.mark.security("PW-04")
def test_a_recovery_leaves_the_current_password_working_until_another_is_chosen(
    passwords: PasswordService, account: Account, session: Session
) -> None:
    choose(passwords, account, GOOD)
    clear = passwords.issue_provisional(account.id, "recovery", "mail", 60)
    assert outcome(passwords, account, GOOD) == "personal"
    verdict = passwords.verify(passwords.credentials_of(account.identifier), clear)
    assert (verdict.outcome, verdict.purpose) == ("provisional", "recovery")
    passwords.require_choice(account.id)
    assert choose(passwords, account, "Un autre mot de passe tout neuf")
    assert outcome(passwords, account, GOOD) == "wrong"
    assert outcome(passwords, account, clear) == "wrong"


def test_a_stored_password_is_announced_and_recorded_without_secrets(
    passwords: PasswordService, account: Account, recorded: Recorded, stopped: list[tuple[str, str]]
) -> None:
    clear = passwords.issue_provisional(account.id, "first-login", "mail", 60)
    choose(passwords, account, GOOD)
    assert stopped == [(account.id, "password")]
    assert recorded.names == ["password.provisional_issued", "password.chosen"]
    assert clear not in str(recorded)
    assert GOOD not in str(recorded)


def test_a_hash_is_stored_for_the_account_it_was_made_for_only(
    passwords: PasswordService, account: Account, session: Session
) -> None:
    other = make_account(session)
    with pytest.raises(ValueError, match="another account"):
        passwords.store_personal(other.id, passwords.hash_personal(account.id, GOOD))


def test_a_closed_account_chooses_no_password(passwords: PasswordService, session: Session) -> None:
    account = make_account(session, closed_at=1)
    assert not choose(passwords, account, GOOD)


def test_100_000_provisional_hashes_take_minutes_not_hours(passwords: PasswordService, account: Account) -> None:
    start = time.process_time()
    for _ in range(1000):
        passwords.new_provisional(account.id, "first-login", "letter", 60)
    assert time.process_time() - start < 1.0
