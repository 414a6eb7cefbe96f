"""`idp outbox`, as an operator uses it."""

import json
import os
import signal
from collections.abc import Callable
from types import SimpleNamespace

import click.testing
import pytest
from flask import Flask
from sqlalchemy.orm import Session

from idp.delivery.channel import Never
from idp.delivery.cli import outbox_cli
from idp.delivery.outbox import Outbox
from idp.delivery.worker import OutboxWorker
from tests.idp.delivery.conftest import identifier_mailing, password_mailing
from tests.idp.delivery.test_worker import Scripted

Run = Callable[..., click.testing.Result]


@pytest.fixture
def channel() -> Scripted:
    return Scripted()


@pytest.fixture
def run(outbox: Outbox, make_worker: Callable[..., OutboxWorker], channel: Scripted, session: Session) -> Run:
    """Runs `idp outbox ...` with one commit at the end, as idp's root group does."""
    app = Flask("idp")
    app.extensions["idp"] = SimpleNamespace(outbox=outbox, outbox_worker=lambda: make_worker(channel))

    def invoke(*arguments: str) -> click.testing.Result:
        with app.app_context():
            result = app.test_cli_runner().invoke(outbox_cli, arguments)
        session.commit() if result.exit_code == 0 else session.rollback()
        return result

    return invoke


@pytest.fixture
def one_failed(outbox: Outbox, session: Session, run: Run, channel: Scripted) -> str:
    row_id = outbox.queue(identifier_mailing())
    session.commit()
    channel.answers.append(Never("SMTPRecipientsRefused 550"))
    assert run("send").exit_code == 1
    return row_id


def test_status_counts_and_names_the_failures_without_an_address(run: Run, outbox: Outbox, one_failed: str) -> None:
    outbox.queue(identifier_mailing(account_id="b" * 32))
    told = run("status")
    assert told.exit_code == 0
    assert one_failed in told.output
    assert "SMTPRecipientsRefused 550" in told.output
    assert "@" not in told.output
    document = json.loads(run("status", "--json").stdout)
    assert (document["waiting"], document["failed"]) == (1, 1)
    assert document["failures"][0]["id"] == one_failed


def test_status_tells_since_when_the_oldest_waits(run: Run, outbox: Outbox, clock: Callable[[], int]) -> None:
    outbox.queue(identifier_mailing())
    clock.advance(90)  # type: ignore[attr-defined]
    assert "depuis 90 s" in run("status").output


def test_send_sends_all_or_up_to_the_limit(run: Run, outbox: Outbox, session: Session, channel: Scripted) -> None:
    for number in range(130):
        outbox.queue(identifier_mailing(account_id=f"{number:032}"))
    session.commit()
    assert json.loads(run("send", "--limit", "5", "--json").stdout)["sent"] == 5
    assert run("send").output == "125 envoyés, 0 à réessayer, 0 en échec, 0 expirés.\n"
    assert len(channel.left) == 130


def test_send_says_when_not_everything_left(run: Run, outbox: Outbox, session: Session, channel: Scripted) -> None:
    outbox.queue(password_mailing())
    session.commit()
    channel.answers.append(OSError("disk"))
    result = run("send", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["postponed"] == 1
    assert "idp outbox status" in result.stderr


def test_retry_gives_one_or_all_another_chance(run: Run, one_failed: str) -> None:
    assert json.loads(run("retry", one_failed, "--json").stdout) == {"retried": 1}
    assert run("send").exit_code == 0
    assert run("retry", "--all").output == "0 envois remis en attente.\n"


def test_retry_refuses_an_unknown_row_and_an_unclear_wish(run: Run, one_failed: str) -> None:
    assert run("retry", "f" * 32).exit_code == 1
    assert run("retry").exit_code == 2
    assert run("retry", one_failed, "--all").exit_code == 2


def test_work_sends_until_it_is_told_to_stop(
    run: Run, outbox: Outbox, session: Session, channel: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox.queue(identifier_mailing())
    session.commit()
    send = OutboxWorker.send_due

    def send_then_be_told(worker: OutboxWorker, limit: int = 100) -> object:
        counts = send(worker, limit)
        os.kill(os.getpid(), signal.SIGTERM)
        return counts

    monkeypatch.setattr(OutboxWorker, "send_due", send_then_be_told)
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    try:
        result = run("work", "--json")
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])
    assert json.loads(result.stdout) == {"stopped": True}
    assert len(channel.left) == 1


@pytest.mark.parametrize("command", ["status", "send", "retry", "work"])
def test_each_command_helps_with_an_example(run: Run, command: str) -> None:
    assert f"idp outbox {command}" in run(command, "--help").output
