import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from keys import sentinel
from keys.models import SentinelRecord
from keys.ring import KeyRing
from keys.sentinel import WrongSecret, check

GOOD, OLD, WRONG = b"good" * 8, b"old!" * 8, b"wrong" * 8

pytestmark = pytest.mark.security("F-23")


def rows(session: Session) -> int:
    return session.execute(select(func.count()).select_from(SentinelRecord)).scalar_one()


def test_the_first_start_stores_the_row_and_the_next_ones_recognise_it(session: Session) -> None:
    assert check(session, "kek", [GOOD], may_create=True)
    assert not check(session, "kek", [GOOD], may_create=True)
    assert not check(session, "kek", [GOOD], may_create=False)
    assert rows(session) == 1


def test_the_row_does_not_tell_the_secret_nor_that_two_are_the_same(session: Session) -> None:
    check(session, "kek", [GOOD], may_create=True)
    check(session, "pepper", [GOOD], may_create=True)
    first, second = session.execute(select(SentinelRecord.digest)).scalars()
    assert first != second
    assert GOOD not in (first, second)


@pytest.mark.parametrize(("kind", "name"), [("kek", "IDP_KEY_ENCRYPTION_KEYS"), ("pepper", "IDP_PASSWORD_PEPPERS")])
@pytest.mark.parametrize("may_create", [True, False])
@pytest.mark.parametrize("secrets", [[WRONG], [WRONG, OLD], []])
def test_a_wrong_secret_refuses_to_start(
    session: Session, kind: str, name: str, may_create: bool, secrets: list[bytes]
) -> None:
    check(session, kind, [GOOD], may_create=True)
    with pytest.raises(WrongSecret, match=f"{name} n'est pas le secret de cette base : remettez") as refused:
        check(session, kind, secrets, may_create=may_create)
    assert refused.value.kind == kind
    assert not check(session, kind, [GOOD], may_create=False)


@pytest.mark.parametrize("secrets", [[GOOD], []])
def test_a_database_that_is_not_new_and_knows_no_secret_refuses_to_start(
    session: Session, secrets: list[bytes]
) -> None:
    with pytest.raises(WrongSecret, match="restaurez sa sauvegarde"):
        check(session, "kek", secrets, may_create=False)
    assert rows(session) == 0


def test_without_a_secret_even_a_first_start_is_refused(session: Session) -> None:
    with pytest.raises(WrongSecret):
        check(session, "pepper", [], may_create=True)
    assert rows(session) == 0


def test_keys_without_a_row_are_not_a_first_start(session: Session, ring: KeyRing) -> None:
    with pytest.raises(WrongSecret):
        check(session, "kek", [GOOD], may_create=True)
    assert rows(session) == 0
    assert len(ring.list()) == 1


def test_a_secret_is_changed_in_three_starts(session: Session) -> None:
    check(session, "kek", [OLD], may_create=True)
    assert not check(session, "kek", [OLD, GOOD], may_create=False)
    assert not check(session, "kek", [GOOD, OLD], may_create=False)
    assert not check(session, "kek", [GOOD], may_create=False)
    with pytest.raises(WrongSecret):
        check(session, "kek", [OLD], may_create=False)


@pytest.mark.security("F-27")
@pytest.mark.parametrize("other", [GOOD, WRONG])
def test_who_comes_second_is_held_to_the_secret_of_the_first(
    session: Session, monkeypatch: pytest.MonkeyPatch, other: bytes
) -> None:
    """The row of the first appears after the second looked for it (see also test_first_start.py)."""
    read, looked = sentinel._row, []

    def before_the_first(session: Session, kind: str) -> bytes | None:
        if not looked:
            looked.append(kind)
            check(session, kind, [GOOD], may_create=True)
            return None
        return read(session, kind)

    monkeypatch.setattr(sentinel, "_row", before_the_first)
    if other == GOOD:
        assert not check(session, "kek", [other], may_create=True)
    else:
        with pytest.raises(WrongSecret):
            check(session, "kek", [other], may_create=True)
    assert rows(session) == 1
