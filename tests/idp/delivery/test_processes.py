"""Several processes that send, and one that is killed."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from idp.delivery.models import OutboxRow
from idp.delivery.outbox import Gaps, Outbox
from idp.delivery.worker import LEASE, Counts, OutboxWorker
from tests.conftest import Clock
from tests.idp.delivery.conftest import BY_POST, PASSWORD, identifier_mailing, password_mailing, smtp_channel
from tests.idp.delivery.smtp_server import SmtpServerForTests

Start = Callable[..., "subprocess.Popen[str]"]
NO_GAPS = Gaps(0, 0)


@pytest.fixture
def start(engine: Engine, smtp: SmtpServerForTests, tmp_path: Path, clock: Clock) -> Start:
    """Starts a sending process; it waits for a line before it sends."""

    def run(*die: str) -> "subprocess.Popen[str]":
        database = engine.url.render_as_string(hide_password=False)
        arguments = [database, smtp.url, str(tmp_path / "letters"), str(clock()), *die]
        command = [sys.executable, "-m", "tests.idp.delivery.sending_process", *arguments]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    return run


def test_two_processes_at_once_send_each_mail_and_letter_once(
    start: Start, smtp: SmtpServerForTests, outbox: Outbox, session: Session, tmp_path: Path
) -> None:
    for number in range(30):
        outbox.queue(identifier_mailing(account_id=f"{number:032}"))
    for number in range(10):
        outbox.queue(identifier_mailing(BY_POST, account_id=f"{number + 30:032}"))
    session.commit()
    processes = [start(), start()]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    shares = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert sum(shares) == 40
    assert min(shares) > 0, "both had a part of it"
    assert set(Counter(mail["Message-ID"] for mail in smtp.mails).values()) == {1}
    assert len(smtp.raw) == 30
    assert len(list((tmp_path / "letters" / "identifiers").glob("*.pdf"))) == 10
    assert outbox.status()["sent"] == 40


@pytest.mark.security("F-16")
def test_a_kill_between_the_server_and_the_commit_gives_one_duplicate_with_the_same_id_and_password(
    start: Start,
    smtp: SmtpServerForTests,
    make_worker: Callable[..., OutboxWorker],
    outbox: Outbox,
    session: Session,
    clock: Clock,
    row: Callable[[str], OutboxRow],
) -> None:
    row_id = outbox.queue(password_mailing())
    session.commit()
    assert start("die").communicate("go\n", timeout=60) is not None
    assert len(smtp.raw) == 1
    assert row(row_id).sent_at is None
    worker = make_worker(smtp_channel(smtp.url), NO_GAPS)
    assert worker.send_due() == Counts(), "the dead process's lease still holds"
    clock.advance(LEASE)
    assert worker.send_due() == Counts(sent=1)
    clock.advance(LEASE)
    assert worker.send_due() == Counts()
    first, second = smtp.mails
    assert first["Message-ID"] == second["Message-ID"] == f"<{row_id}@idp.example>"
    for mail in (first, second):
        body = mail.get_body(("plain",))
        assert body is not None
        assert PASSWORD in body.get_content()
    assert row(row_id).sealed is None


@pytest.mark.security("F-16")
def test_a_kill_after_the_letter_was_written_leaves_one_letter(
    start: Start,
    make_worker: Callable[..., OutboxWorker],
    outbox: Outbox,
    session: Session,
    clock: Clock,
    smtp: SmtpServerForTests,
    tmp_path: Path,
) -> None:
    outbox.queue(identifier_mailing(BY_POST))
    session.commit()
    assert start("die").communicate("go\n", timeout=60) is not None
    folder = tmp_path / "letters" / "identifiers"
    [letter] = folder.iterdir()
    written = letter.stat().st_mtime_ns
    clock.advance(LEASE)
    assert make_worker(smtp_channel(smtp.url), NO_GAPS).send_due() == Counts(sent=1)
    assert [file.stat().st_mtime_ns for file in folder.iterdir()] == [written]
