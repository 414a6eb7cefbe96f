"""SQL statements and commits of one operation: counted, by asking SQLite itself to tell each statement it runs.

Counted in this process on an installation of its own, right after a warm-up. A served provider also reads a client
and the list of keys again, once every 4 seconds each.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from idp.db import db
from tests.bench.inside import Inside

ROUNDS = 20


def per_operation(inside: Inside, workload: str) -> tuple[float, float]:
    """Statements (without BEGIN, COMMIT, PRAGMA) and commits of one operation, on average."""
    operation = getattr(inside, workload.replace("-", "_"))
    rounds = 2 if workload == "password" else ROUNDS
    with inside.app.app_context():
        engine = db.engine
    with _told(engine) as counts:
        operation()
        counts.clear()
        for _ in range(rounds):
            operation()
    return round(counts["statements"] / rounds, 2), round(counts["commits"] / rounds, 2)


@contextmanager
def _told(engine: Engine) -> Iterator[Counter[str]]:
    """Every statement that SQLite runs on any connection of the engine, those around SQLAlchemy included."""
    counts: Counter[str] = Counter()

    def told(statement: str) -> None:
        word = statement.split(None, 1)[0].upper()
        if word == "COMMIT":
            counts["commits"] += 1
        elif word not in ("BEGIN", "PRAGMA", "ROLLBACK", "SAVEPOINT", "RELEASE"):
            counts["statements"] += 1

    def listen(connection: Any, *_rest: Any) -> None:
        connection.set_trace_callback(told)

    event.listen(engine, "checkout", listen)
    try:
        yield counts
    finally:
        event.remove(engine, "checkout", listen)
        with engine.connect() as connection:
            connection.connection.driver_connection.set_trace_callback(None)  # type: ignore[union-attr]
