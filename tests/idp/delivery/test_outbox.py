"""What waits: sealed, in order, withdrawn when told."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from idp.delivery.mailings import CodeMailing, NoticeMailing, Recipient, from_bytes
from idp.delivery.models import OutboxRow
from idp.delivery.outbox import Gaps, Outbox, purpose
from idp.delivery.refusals import NothingToRetry
from idp.delivery.working_days import PARIS, working_days_later
from keys.sealing import Sealer, Unsealable
from tests.conftest import Clock, Recorded
from tests.idp.delivery.conftest import (
    BY_POST,
    IDENTIFIER,
    PASSWORD,
    identifier_mailing,
    password_mailing,
)

Row = Callable[[str], OutboxRow]
FRIDAY_10_H = int(datetime(2026, 11, 27, 10, tzinfo=PARIS).timestamp())


def everything_in_the_database(engine: Engine) -> bytes:
    """Each file of SQLite, write-ahead log included; the rows as text of PostgreSQL."""
    if engine.dialect.name == "sqlite":
        database = Path(str(engine.url.database))
        return b"".join(file.read_bytes() for file in database.parent.glob(f"{database.name}*"))
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT outbox::text, encode(sealed, 'escape') FROM outbox").all()
    return "\n".join(text for found in rows for text in found if text).encode()


@pytest.mark.security("PW-13")
def test_the_database_holds_no_secret_in_clear(outbox: Outbox, session: Session, engine: Engine) -> None:
    outbox.queue(identifier_mailing())
    outbox.queue(password_mailing())
    outbox.queue(CodeMailing("a" * 32, "odile.lefevre@bailleur.example", "482913", 1800))
    session.commit()
    stored = everything_in_the_database(engine)
    assert b"idp.example" in stored, "the search looks at the right place"
    for clear in (IDENTIFIER, PASSWORD, PASSWORD.replace("-", ""), "482913", "odile.lefevre"):
        assert clear.encode() not in stored


def test_a_row_opens_to_the_mailing_that_was_queued(outbox: Outbox, sealer: Sealer, row: Row) -> None:
    for mailing in (
        identifier_mailing(),
        password_mailing(BY_POST),
        CodeMailing("a" * 32, "o@bailleur.example", "482913", 1800),
        NoticeMailing(None, "oubli_inconnu", "o@bailleur.example", {"numero": "U1"}),
    ):
        found = row(outbox.queue(mailing))
        assert found.sealed is not None
        assert from_bytes(found.kind, sealer.open(found.sealed, purpose=purpose(found.kind), id=found.id)) == mailing


def test_a_sealed_row_opens_for_no_other_kind_and_no_other_row(outbox: Outbox, sealer: Sealer, row: Row) -> None:
    found = row(outbox.queue(identifier_mailing()))
    assert found.sealed is not None
    with pytest.raises(Unsealable):
        sealer.open(found.sealed, purpose=purpose("mot-de-passe"), id=found.id)
    with pytest.raises(Unsealable):
        sealer.open(found.sealed, purpose=purpose(found.kind), id="b" * 32)


def test_a_known_mail_address_decides_for_mail_otherwise_it_is_a_letter(outbox: Outbox, row: Row) -> None:
    both = Recipient(BY_POST.name, "o@bailleur.example", BY_POST.address)
    assert row(outbox.queue(identifier_mailing(both))).channel == "mail"
    assert row(outbox.queue(identifier_mailing(BY_POST))).channel == "letter"


def test_a_queued_row_goes_away_with_its_transaction(outbox: Outbox, session: Session) -> None:
    outbox.queue(identifier_mailing())
    session.rollback()
    assert outbox.status()["waiting"] == 0


def test_the_password_mail_waits_for_the_gap(outbox: Outbox, clock: Clock, row: Row) -> None:
    outbox.queue(identifier_mailing())
    assert row(outbox.queue(password_mailing())).not_before == clock() + 600


def test_the_gap_counts_from_the_moment_the_identifier_left(
    outbox: Outbox, session: Session, clock: Clock, row: Row
) -> None:
    identifier = outbox.queue(identifier_mailing())
    session.execute(update(OutboxRow).where(OutboxRow.id == identifier).values(sent_at=clock(), sealed=None))
    clock.advance(400)
    assert row(outbox.queue(password_mailing())).not_before == clock() + 200
    clock.advance(1000)
    assert row(outbox.queue(password_mailing())).not_before == clock()


def test_a_password_sent_alone_waits_for_nothing(outbox: Outbox, clock: Clock, row: Row) -> None:
    assert row(outbox.queue(password_mailing())).not_before == clock()


def test_two_working_days_after_a_friday_is_the_tuesday(outbox: Outbox, clock: Clock, row: Row) -> None:
    clock.now = FRIDAY_10_H
    outbox.queue(identifier_mailing(BY_POST))
    left = row(outbox.queue(password_mailing(BY_POST))).not_before
    assert datetime.fromtimestamp(left, PARIS) == datetime(2026, 12, 1, 10, tzinfo=PARIS)


def test_working_days_keep_the_hour_of_paris_when_the_clocks_change() -> None:
    friday = int(datetime(2026, 10, 23, 10, tzinfo=PARIS).timestamp())
    assert datetime.fromtimestamp(working_days_later(friday, 1), PARIS) == datetime(2026, 10, 26, 10, tzinfo=PARIS)
    assert working_days_later(friday, 0) == friday


def test_without_gaps_the_password_may_leave_at_once(
    make_outbox: Callable[..., Outbox], clock: Clock, row: Row
) -> None:
    outbox = make_outbox(mail=0, letter=0)
    outbox.queue(identifier_mailing())
    outbox.queue(identifier_mailing(BY_POST, account_id="b" * 32))
    assert row(outbox.queue(password_mailing())).not_before == clock()
    assert row(outbox.queue(password_mailing(BY_POST, account_id="b" * 32))).not_before == clock()
    assert Gaps(0, 0).after(clock(), "letter") == clock()


def test_cancelling_wipes_what_waits_for_one_account_only(
    outbox: Outbox, session: Session, row: Row, recorded: Recorded
) -> None:
    mine, other = outbox.queue(password_mailing()), outbox.queue(password_mailing(account_id="b" * 32))
    sent = outbox.queue(identifier_mailing())
    session.execute(update(OutboxRow).where(OutboxRow.id == sent).values(sealed=None, sent_at=1, next_attempt_at=None))
    assert outbox.cancel("a" * 32) == 1
    assert outbox.cancel("a" * 32) == 0
    assert (row(mine).sealed, row(mine).next_attempt_at) == (None, None)
    assert row(mine).cancelled_at is not None
    assert row(sent).cancelled_at is None
    assert row(other).sealed is not None
    assert recorded == [("mailing.cancelled", {"account_id": "a" * 32, "count": 1})]


def test_the_status_counts_each_state_and_tells_the_age_of_the_oldest(
    outbox: Outbox, session: Session, clock: Clock
) -> None:
    assert outbox.status() == {"waiting": 0, "retrying": 0, "failed": 0, "sent": 0, "cancelled": 0, "oldest": 0}
    for state in ({}, {"attempts": 2}, {"failed_at": 1}, {"sent_at": 1}, {"cancelled_at": 1}):
        row_id = outbox.queue(identifier_mailing())
        if state:
            session.execute(update(OutboxRow).where(OutboxRow.id == row_id).values(state))
    clock.advance(90)
    assert outbox.status() == {"waiting": 1, "retrying": 1, "failed": 1, "sent": 1, "cancelled": 1, "oldest": 90}


def test_a_failed_row_is_given_new_attempts_alone_or_with_all_the_others(
    outbox: Outbox, session: Session, clock: Clock, row: Row, recorded: Recorded
) -> None:
    first, second, third = (outbox.queue(identifier_mailing(account_id=name * 32)) for name in "abc")
    failed = {"failed_at": clock(), "attempts": 9, "next_attempt_at": None, "last_error": "SMTPDataError 554"}
    session.execute(update(OutboxRow).where(OutboxRow.id.in_([first, second])).values(failed))
    assert {failure["id"] for failure in outbox.failures()} == {first, second}
    clock.advance(100)
    assert outbox.retry(first) == 1
    assert (row(first).failed_at, row(first).attempts, row(first).next_attempt_at) == (None, 0, clock())
    assert outbox.retry() == 1
    assert outbox.failures() == []
    assert recorded.names == ["mailing.retried", "mailing.retried"]
    with pytest.raises(NothingToRetry, match="idp outbox status"):
        outbox.retry(third)
