"""Gives orders to the process whose children die, and reads what they did before."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from idp.settings import Settings
from tests.faults.points import AFTER_COMMIT
from tests.logged import log_file

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Course:
    """What one child did: the points that it reached, its answer if it lived to give one, whether it was killed."""

    points: Sequence[str]
    answer: dict[str, Any] | None
    killed: bool

    @property
    def committed(self) -> bool:
        """Whether its transaction had been committed by then."""
        return AFTER_COMMIT in self.points


class Executioner:
    """`with Executioner(settings) as executioner`: `run` lets the work be done, `kill` ends it at a point."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __enter__(self) -> "Executioner":
        with log_file("condemned").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.condemned"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
            )
        self._write(self._settings.model_dump_json())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=30)

    def run(self, order: dict[str, Any]) -> Course:
        """Carry the order out in a process that is left alive."""
        course = self._order({**order, "at": None})
        assert not course.killed
        return course

    def kill(self, order: dict[str, Any], at: int) -> Course:
        """Carry the order out in a process that dies of SIGKILL at point number `at`."""
        course = self._order({**order, "at": at})
        assert course.killed, f"nobody died at point {at}: {course}"
        return course

    def _order(self, order: dict[str, Any]) -> Course:
        self._write(json.dumps(order))
        assert self._process.stdout is not None
        return Course(**json.loads(self._process.stdout.readline()))

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
