"""Databases for tests: new ones, and copies of one that was prepared once in the run."""

import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.postgresql import PostgresServer

_numbers = itertools.count()


class Databases:
    """`new()` gives the URL of an empty database, `copy(template)` one with the contents of another."""

    def __init__(self, kind: str, folder: Path, server: Callable[[], PostgresServer]) -> None:
        self.kind = kind
        self._folder = folder
        self._server = server

    def new(self) -> str:
        if self.kind == "sqlite":
            return f"sqlite:///{self._folder}/test-{next(_numbers)}.db"
        return self._server().create_database(self._name())

    def copy(self, template: str) -> str:
        if self.kind == "sqlite":
            url = self.new()
            shutil.copyfile(template.removeprefix("sqlite:///"), url.removeprefix("sqlite:///"))
            return url
        return self._server().create_database(self._name(), template=template.rsplit("/", 1)[1])

    def _name(self) -> str:
        return f"test_{os.getpid()}_{next(_numbers)}"
