"""Sending: once, in order, with patience, and nothing left behind."""

import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from idp.delivery.channel import Envelope, Later, Never, Unreachable
from idp.delivery.email import FileChannel
from idp.delivery.mailings import CodeMailing, Mailing
from idp.delivery.models import OutboxRow
from idp.delivery.outbox import Gaps, Outbox
from idp.delivery.worker import DAY, LEASE, Counts, OutboxWorker
from keys.sealing import Sealer
from tests.conftest import Clock, Recorded
from tests.idp.delivery.conftest import BY_POST, IDENTIFIER, PASSWORD, identifier_mailing, password_mailing
from tests.idp.delivery.test_outbox import everything_in_the_database

Row = Callable[[str], OutboxRow]
MakeWorker = Callable[..., OutboxWorker]
CODE = CodeMailing("c" * 32, "odile.lefevre@bailleur.example", "482913", 1800)


class Scripted:
    """A channel that does what it is told, then accepts; it remembers what left."""

    def __init__(self, *answers: Exception) -> None:
        self.answers = list(answers)
        self.left: list[Mailing] = []
        self.attempts = 0
        self.closed = 0

    def deliver(self, envelope: Envelope) -> None:
        self.attempts += 1
        if self.answers:
            raise self.answers.pop(0)
        self.left.append(envelope.mailing)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def channel() -> Scripted:
    return Scripted()


@pytest.fixture
def worker(make_worker: MakeWorker, channel: Scripted) -> OutboxWorker:
    return make_worker(channel)


@pytest.fixture
def queued(outbox: Outbox, session: Session) -> Callable[..., list[str]]:
    """Queues and commits."""

    def queue(*mailings: Mailing) -> list[str]:
        ids = [outbox.queue(mailing) for mailing in mailings]
        session.commit()
        return ids

    return queue


Queue = Callable[..., list[str]]


def test_what_was_sent_is_marked_and_wiped(
    worker: OutboxWorker, channel: Scripted, queued: Queue, row: Row, clock: Clock, recorded: Recorded
) -> None:
    [row_id] = queued(identifier_mailing())
    assert worker.send_due() == Counts(sent=1)
    assert channel.left == [identifier_mailing()]
    found = row(row_id)
    assert (found.sealed, found.next_attempt_at, found.claimed_by) == (None, None, None)
    assert found.sent_at == clock()
    details = {"account_id": "a" * 32, "kind": "identifiant", "channel": "mail", "mailing_id": row_id}
    assert recorded == [("mailing.sent", details)]
    assert worker.send_due() == Counts()
    assert channel.closed == 2


@pytest.mark.security("PW-13")
def test_nothing_in_clear_stays_in_the_database_once_sent(
    worker: OutboxWorker, queued: Queue, row: Row, engine: Engine
) -> None:
    ids = queued(identifier_mailing(account_id="b" * 32), password_mailing(), CODE)
    assert worker.send_due() == Counts(sent=3)
    assert [row(row_id).sealed for row_id in ids] == [None, None, None]
    stored = everything_in_the_database(engine)
    assert b"idp.example" in stored, "the search looks at the right place"
    for clear in (IDENTIFIER, PASSWORD, "482913", "odile.lefevre"):
        assert clear.encode() not in stored


@pytest.mark.security("PW-13")
def test_the_password_leaves_after_the_identifier_and_the_gap(
    worker: OutboxWorker, channel: Scripted, queued: Queue, clock: Clock
) -> None:
    queued(identifier_mailing(), password_mailing())
    assert worker.send_due() == Counts(sent=1)
    clock.advance(599)
    assert worker.send_due() == Counts()
    clock.advance(1)
    assert worker.send_due() == Counts(sent=1)
    assert channel.left == [identifier_mailing(), password_mailing()]


def test_a_late_identifier_makes_its_password_wait_as_long_again(
    make_worker: MakeWorker, queued: Queue, clock: Clock
) -> None:
    channel = Scripted(Later("SMTPDataError 451"))
    worker = make_worker(channel)
    queued(identifier_mailing(), password_mailing())
    assert worker.send_due() == Counts(postponed=1)
    clock.advance(3600)
    assert worker.send_due() == Counts(sent=1), "the password is due, but its identifier only left now"
    clock.advance(599)
    assert worker.send_due() == Counts()
    clock.advance(1)
    assert worker.send_due() == Counts(sent=1)


def test_a_password_never_overtakes_an_identifier_that_failed(
    make_worker: MakeWorker, outbox: Outbox, session: Session, queued: Queue, clock: Clock
) -> None:
    channel = Scripted(Never("SMTPRecipientsRefused 550"))
    worker = make_worker(channel)
    [identifier, _password] = queued(identifier_mailing(), password_mailing())
    assert worker.send_due() == Counts(failed=1)
    clock.advance(DAY)
    assert worker.send_due() == Counts()
    outbox.retry(identifier)
    session.commit()
    assert worker.send_due() == Counts(sent=1)
    clock.advance(600)
    assert worker.send_due() == Counts(sent=1)


def test_without_gaps_both_leave_in_one_batch_the_identifier_first(
    make_worker: MakeWorker, make_outbox: Callable[..., Outbox], session: Session, channel: Scripted
) -> None:
    outbox = make_outbox(mail=0, letter=0)
    outbox.queue(identifier_mailing())
    outbox.queue(password_mailing())
    session.commit()
    assert make_worker(channel, Gaps(0, 0)).send_due() == Counts(sent=2)
    assert channel.left == [identifier_mailing(), password_mailing()]


def test_a_code_is_served_before_a_heap_of_letters(worker: OutboxWorker, queued: Queue, row: Row, clock: Clock) -> None:
    queued(*(identifier_mailing(BY_POST, account_id=f"{n:032}") for n in range(3)))
    clock.advance(5)
    [code] = queued(CODE)
    assert worker.send_due(limit=1) == Counts(sent=1)
    assert row(code).sent_at is not None


@pytest.mark.security("F-15")
def test_attempts_double_from_a_minute_to_an_hour_and_end_after_a_day(
    make_worker: MakeWorker, queued: Queue, row: Row, clock: Clock, recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    worker = make_worker(Scripted(*[Later("SMTPDataError 451")] * 100))
    [row_id] = queued(identifier_mailing())
    started, waits = clock(), []
    while worker.send_due().postponed:
        again = row(row_id).next_attempt_at
        assert again is not None
        waits.append(again - clock())
        clock.now = again - 1
        assert worker.send_due() == Counts()
        clock.now = again
    assert waits[:7] == [60, 120, 240, 480, 960, 1920, 3600]
    assert set(waits[7:]) == {3600}
    assert DAY - 3600 < clock() - started <= DAY
    found = row(row_id)
    assert (found.failed_at, found.next_attempt_at, found.last_error) == (clock(), None, "SMTPDataError 451")
    assert found.sealed is not None, "kept for « idp outbox retry »"
    assert recorded.names == ["mailing.failed"]
    assert [record.levelno for record in caplog.records].count(logging.ERROR) == 1
    assert len(caplog.records) == len(waits) + 1, "one line for each attempt"


@pytest.mark.security("F-15")
def test_a_refusal_for_good_fails_at_once(make_worker: MakeWorker, queued: Queue, row: Row, recorded: Recorded) -> None:
    [row_id] = queued(identifier_mailing())
    assert make_worker(Scripted(Never("SMTPRecipientsRefused 550"))).send_due() == Counts(failed=1)
    assert row(row_id).last_error == "SMTPRecipientsRefused 550"
    assert recorded[0][1]["reason"] == "SMTPRecipientsRefused 550"


def test_a_surprise_costs_one_attempt_of_one_row(make_worker: MakeWorker, queued: Queue, row: Row) -> None:
    channel = Scripted(ValueError("odile.lefevre@bailleur.example"))
    first, _ = queued(identifier_mailing(), identifier_mailing(account_id="b" * 32))
    assert make_worker(channel).send_due() == Counts(sent=1, postponed=1)
    assert row(first).last_error in ("ValueError", None)


@pytest.mark.security("F-15")
def test_an_unreachable_server_is_asked_once_a_batch_and_letters_go_on(make_worker: MakeWorker, queued: Queue) -> None:
    channel = Scripted(*[Unreachable("TimeoutError")] * 9)
    queued(*(identifier_mailing(account_id=name * 32) for name in "abc"))
    queued(identifier_mailing(BY_POST, account_id="d" * 32))
    assert make_worker(channel).send_due() == Counts(sent=1, postponed=1)
    assert channel.attempts == 1


@pytest.mark.security("F-15")
def test_what_expired_is_wiped_and_never_sent(
    worker: OutboxWorker, channel: Scripted, queued: Queue, row: Row, clock: Clock, recorded: Recorded
) -> None:
    [row_id] = queued(CODE)
    clock.advance(1800)
    assert worker.send_due() == Counts(expired=1)
    found = row(row_id)
    assert (found.sealed, found.last_error, channel.left) == (None, "Expired", [])
    assert recorded.names == ["mailing.expired"]


def test_a_row_that_does_not_open_fails_and_stays(
    worker: OutboxWorker, session: Session, queued: Queue, row: Row
) -> None:
    [row_id] = queued(identifier_mailing())
    session.execute(update(OutboxRow).values(sealed=Sealer([b"x" * 32]).seal(b"{}", purpose="outbox.code", id="x")))
    session.commit()
    assert worker.send_due() == Counts(failed=1)
    assert row(row_id).last_error == "Unsealable"


def test_a_claimed_row_is_left_alone_until_its_lease_ends(
    worker: OutboxWorker, session: Session, queued: Queue, clock: Clock
) -> None:
    queued(identifier_mailing())
    session.execute(update(OutboxRow).values(claimed_until=clock() + LEASE, claimed_by="another"))
    session.commit()
    assert worker.send_due() == Counts()
    clock.advance(LEASE)
    assert worker.send_due() == Counts(sent=1)


def test_a_claim_that_another_worker_wins_leads_to_the_next_row(
    worker: OutboxWorker,
    channel: Scripted,
    session: Session,
    queued: Queue,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = queued(identifier_mailing(), identifier_mailing(account_id="b" * 32))
    look, seen = worker._first_due, []

    def look_then_lose(*arguments: object) -> str | None:
        found = look(*arguments)  # type: ignore[arg-type]
        if not seen and found:
            seen.append(found)
            session.execute(
                update(OutboxRow).where(OutboxRow.id == found).values(claimed_until=clock() + LEASE, claimed_by="other")
            )
        return found

    monkeypatch.setattr(worker, "_first_due", look_then_lose)
    assert worker.send_due() == Counts(sent=1)
    assert {first, second} - set(seen)


def test_the_limit_is_kept(worker: OutboxWorker, queued: Queue) -> None:
    queued(*(identifier_mailing(account_id=f"{n:032}") for n in range(5)))
    assert [worker.send_due(limit=2).sent for _ in range(4)] == [2, 2, 1, 0]


def test_a_mail_cancelled_while_it_waits_never_leaves(
    worker: OutboxWorker, channel: Scripted, outbox: Outbox, session: Session, queued: Queue
) -> None:
    queued(identifier_mailing(), password_mailing())
    outbox.cancel("a" * 32)
    session.commit()
    assert worker.send_due() == Counts()
    assert channel.attempts == 0


def test_an_eml_file_is_written_once_for_its_owner_only(
    make_worker: MakeWorker, file_channel: FileChannel, session: Session, queued: Queue, tmp_path: Path
) -> None:
    [row_id] = queued(identifier_mailing())
    worker = make_worker(file_channel)
    worker.send_due()
    [file] = (tmp_path / "mails").iterdir()
    assert file.name == f"{row_id}.eml"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    before = file.read_bytes()
    file_channel.deliver(Envelope(row_id, "<x@idp.example>", identifier_mailing(), 0))
    assert file.read_bytes() == before


def test_the_thread_survives_a_lost_database_says_so_and_stops_when_told(
    make_worker: MakeWorker, queued: Queue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stop, sent = threading.Event(), threading.Event()
    channel = Scripted()
    worker = make_worker(channel)
    queued(identifier_mailing())
    send, troubles = worker.send_due, [OperationalError("SELECT", {}, sqlite3.OperationalError("secret in here"))]

    def unlucky(limit: int = 100) -> Counts:
        if troubles:
            raise troubles.pop()
        counts = send(limit)
        sent.set() if counts.sent else stop.set()
        return counts

    monkeypatch.setattr(worker, "send_due", unlucky)
    worker.run_forever(stop, poll=0.01)
    assert sent.is_set()
    assert [record.getMessage() for record in caplog.records] == ["outbox worker stumbled"]
    assert caplog.records[0].__dict__["fields"] == {"error": "OperationalError"}


def test_a_full_batch_is_followed_by_the_next_without_a_pause(
    worker: OutboxWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0)
            return len(pauses) > 2

    monkeypatch.setattr(worker, "send_due", lambda: Counts(sent=100) if len(pauses) == 1 else Counts())
    worker.run_forever(Stop(), poll=1.0)
    assert pauses[1] == 0
    assert 0.5 <= pauses[2] <= 1.5


def test_without_its_audit_event_a_sending_is_not_marked(
    session: Session, sealer: Sealer, clock: Clock, channel: Scripted, queued: Queue, row: Row
) -> None:
    def broken(_event: str, **_details: object) -> None:
        raise RuntimeError("no audit")

    worker = OutboxWorker(lambda: session, sealer, clock, {"mail": channel}, broken, Gaps(0, 0))
    [row_id] = queued(identifier_mailing())
    with pytest.raises(RuntimeError, match="no audit"):
        worker.send_due()
    found = row(row_id)
    assert found.sent_at is None
    assert found.sealed is not None
    assert found.claimed_until == clock() + LEASE, "tried again when the lease ends"
