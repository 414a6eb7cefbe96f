"""`idp outbox`: see what waits, send it now, give a failed one another day, or work in the foreground."""

import json
import signal
import threading
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup

from idp.delivery.outbox import STATES, Outbox
from idp.delivery.refusals import NothingToRetry
from idp.delivery.worker import BATCH, OutboxWorker

outbox_cli = AppGroup("outbox", help="Les mails et les courriers qui attendent de partir.")

WORDS = {
    "waiting": "en attente",
    "retrying": "à réessayer",
    "failed": "en échec",
    "sent": "partis",
    "cancelled": "annulés",
}
as_json = click.option("--json", "as_json", is_flag=True, help="Un document JSON sur la sortie standard.")


@outbox_cli.command("status")
@as_json
def status(as_json: bool) -> None:
    """Dire combien d’envois attendent, sont partis ou ont échoué.

    \b
    Exemple :
      idp outbox status
    """
    counts, failures = _outbox().status(), _outbox().failures()
    if as_json:
        click.echo(json.dumps({**counts, "failures": failures}, ensure_ascii=False))
        return
    for state in STATES:
        click.echo(f"{WORDS[state]:<12} {counts[state]:>8}")
    if counts["oldest"]:
        click.echo(f"Le plus ancien attend depuis {counts['oldest']} s.")
    for failure in failures:
        created = datetime.fromtimestamp(failure["created_at"], UTC)
        click.echo(
            f"{failure['id']}  {failure['kind']:<12}  {failure['channel']:<6}  {created:%Y-%m-%d %H:%M} UTC  "
            f"{failure['last_error']}"
        )


@outbox_cli.command("send")
@click.option("--limit", type=click.IntRange(min=1), default=None, help="Nombre d’envois à tenter ; tous par défaut.")
@as_json
def send(limit: int | None, as_json: bool) -> None:
    """Envoyer maintenant ce qui doit partir. Chaque envoi est enregistré aussitôt.

    \b
    Exemple :
      idp outbox send --limit 500
    """
    worker, total = _worker(), {"sent": 0, "postponed": 0, "failed": 0, "expired": 0}
    left = limit
    while left is None or left > 0:
        size = BATCH if left is None else min(BATCH, left)
        done = worker.send_due(size)
        total = {name: total[name] + count for name, count in asdict(done).items()}
        left = None if left is None else left - done.tried
        if done.tried < size:
            break
    _tell(
        total,
        f"{total['sent']} envoyés, {total['postponed']} à réessayer, {total['failed']} en échec, "
        f"{total['expired']} expirés.",
        as_json=as_json,
    )
    if total["failed"] or total["postponed"]:
        raise click.ClickException("tout n’est pas parti : voyez « idp outbox status »")


@outbox_cli.command("retry")
@click.argument("identifier", metavar="[ID]", required=False)
@click.option("--all", "everything", is_flag=True, help="Tous les envois en échec.")
@as_json
def retry(identifier: str | None, everything: bool, as_json: bool) -> None:
    """Redonner un jour d’essais à un envoi en échec, ou à tous.

    \b
    Exemple :
      idp outbox retry --all
    """
    if bool(identifier) == everything:
        raise click.UsageError("donnez un numéro d’envoi, ou bien --all")
    try:
        count = _outbox().retry(identifier)
    except NothingToRetry as refused:
        raise click.ClickException(str(refused)) from None
    _tell({"retried": count}, f"{count} envois remis en attente.", as_json=as_json)


@outbox_cli.command("work")
@click.option("--json", "as_json", is_flag=True, help="À la fin, un document JSON sur la sortie standard.")
def work(as_json: bool) -> None:
    """Envoyer sans fin, au premier plan, jusqu’à SIGTERM ou Ctrl-C.

    \b
    Exemple :
      idp outbox work
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    click.echo("Les envois partent au fur et à mesure. Ctrl-C pour arrêter.", err=True)
    _worker().run_forever(stop)
    _tell({"stopped": True}, "Arrêté.", as_json=as_json)


def _tell(document: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    click.echo(json.dumps(document) if as_json else sentence)


def _outbox() -> Outbox:
    outbox: Outbox = current_app.extensions["idp"].outbox
    return outbox


def _worker() -> OutboxWorker:
    worker: OutboxWorker = current_app.extensions["idp"].outbox_worker()
    return worker
