"""`python -m tests.faults.condemned`: a process whose children are killed at a chosen point of their work.

The first line of standard input holds the settings, each following one an order: what to do, and at which point to
die. A child is a fork of a provider that has not opened its database yet, so that each does the same from the start.
It tells the points that it reaches: just before and just after each statement, just before and just after COMMIT.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from flask import Flask

from idp.accounts.importing.command import import_
from idp.app import create_app
from idp.audit import record
from idp.db import db
from idp.settings import Settings
from tests.faults.points import Points

Order = dict[str, Any]


def main() -> None:
    """Serve orders until standard input ends."""
    app = create_app(Settings.model_validate_json(sys.stdin.readline()))
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_child(app, json.loads(line))) + "\n")
        sys.stdout.flush()


def _child(app: Flask, order: Order) -> dict[str, Any]:
    """Fork, let the child work or die, and give what it told and how it ended."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        _work(app, order, os.fdopen(writer, "w", buffering=1).write)
    os.close(writer)
    with open(reader) as pipe:
        told = [json.loads(line) for line in pipe]
    _, status = os.waitpid(child, 0)
    return {
        "points": [value for kind, value in told if kind == "point"],
        "answer": next((value for kind, value in told if kind == "answer"), None),
        "killed": os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL,
    }


def _work(app: Flask, order: Order, write: Callable[[str], Any]) -> NoReturn:
    def tell(kind: str, value: Any) -> None:
        write(json.dumps([kind, value]) + "\n")

    try:
        with app.app_context():
            Points(db.engine, order["at"], lambda name: tell("point", name))
        tell("answer", WORKS[order["work"]](app, order))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _import(app: Flask, order: Order) -> None:
    """The command itself, as its operator runs it again and again: with a report that it takes up."""
    with app.app_context():
        import_.main([order["file"], "--report", order["report"], "--resume"], standalone_mode=False)


def _post(app: Flask, order: Order) -> dict[str, Any]:
    """One request, from the first look at its cookie to the end of its answer."""
    client = app.test_client()
    for name, value in order["cookies"].items():
        client.set_cookie(name, value)
    issuer = app.extensions["idp"].settings.issuer
    response = client.post(order["path"], base_url=issuer, data=order["form"], headers=order["headers"])
    location = response.headers.get("Location")
    return {"status": response.status_code, "location": location, "body": response.get_data(as_text=True)}


def _in_two_commits(app: Flask, _order: Order) -> None:
    """Work that does not hold together: what the tests must find."""
    with app.app_context():
        for event_name in ("test.first_half", "test.second_half"):
            record(event_name)
            db.session.commit()


WORKS = {"import": _import, "post": _post, "in two commits": _in_two_commits}

if __name__ == "__main__":
    main()
