"""The points that a piece of work passes at its database driver, below SQLAlchemy: nothing goes another way."""

import os
import signal
import sqlite3
from collections.abc import Callable
from typing import Any, Literal

import psycopg
from sqlalchemy import Engine, event

BEFORE_COMMIT, AFTER_COMMIT = "before COMMIT", "after COMMIT"


class Points:
    """Tells each point of the work on `engine`; the process dies at the one with number `at`."""

    def __init__(self, engine: Engine, at: int | None, tell: Callable[[str], None]) -> None:
        self._at, self._tell, self._reached, self._armed = at, tell, 0, False
        event.listen(engine, "do_connect", self._watch_connection)
        self._watch_commit(engine)
        # What a driver asks when it connects is no part of the work.
        with engine.connect():
            pass
        self._armed = True

    def statement(self, execute: Callable[..., Any], sql: object, *values: Any, **options: Any) -> Any:
        """Run one statement, with a point on each side."""
        name = " ".join(str(sql).split())[:90]
        self._point(f"before {name}")
        result = execute(sql, *values, **options)
        self._point(f"after {name}")
        return result

    def _point(self, name: str) -> None:
        if not self._armed:
            return
        self._tell(name)
        if self._reached == self._at:
            os.kill(os.getpid(), signal.SIGKILL)
        self._reached += 1

    def _watch_connection(self, dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
        if dialect.name == "sqlite":
            parameters["factory"] = _sqlite_connection(self)
        else:
            parameters["cursor_factory"] = _psycopg_cursor(self)

    def _watch_commit(self, engine: Engine) -> None:
        commit = engine.dialect.do_commit

        def do_commit(connection: Any) -> None:
            self._point(BEFORE_COMMIT)
            commit(connection)
            self._point(AFTER_COMMIT)

        vars(engine.dialect)["do_commit"] = do_commit


def _sqlite_connection(points: Points) -> type[sqlite3.Connection]:
    class Cursor(sqlite3.Cursor):
        def execute(self, *arguments: Any) -> Any:
            return points.statement(super().execute, *arguments)

        def executemany(self, *arguments: Any) -> Any:
            return points.statement(super().executemany, *arguments)

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

    return Connection


def _psycopg_cursor(points: Points) -> type[psycopg.Cursor[Any]]:
    class Cursor(psycopg.Cursor[Any]):
        def execute(self, *arguments: Any, **options: Any) -> Any:
            return points.statement(super().execute, *arguments, **options)

        def executemany(self, *arguments: Any, **options: Any) -> Any:
            return points.statement(super().executemany, *arguments, **options)

    return Cursor


Phase = Literal["before", "after"]


def statements(points: list[str], phase: Phase) -> list[str]:
    """The statements among the points, BEGIN and COMMIT left out."""
    texts = [point.removeprefix(phase + " ") for point in points if point.startswith(phase + " ")]
    return [text for text in texts if not text.startswith(("COMMIT", "BEGIN"))]
