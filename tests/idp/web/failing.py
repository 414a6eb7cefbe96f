"""A database that fails while something is done: not reachable, or full at the commit."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from idp.db import db
from tests.idp.provider import Provider


@contextmanager
def unreachable(provider: Provider) -> Iterator[None]:
    """No connection can be made, and none is left from before."""
    with provider.app.app_context():
        engine = db.engine

    def refuse(*_: Any) -> None:
        raise engine.dialect.loaded_dbapi.OperationalError("the database is gone")

    event.listen(engine, "do_connect", refuse)
    engine.dispose()
    try:
        yield
    finally:
        event.remove(engine, "do_connect", refuse)


@contextmanager
def full(provider: Provider) -> Iterator[None]:
    """Everything works but the commit, as on a full disk."""
    with provider.app.app_context():
        engine = db.engine

    def refuse(_connection: Any) -> None:
        raise OperationalError("COMMIT", {}, Exception("database or disk is full"))

    event.listen(engine, "commit", refuse)
    try:
        yield
    finally:
        event.remove(engine, "commit", refuse)
