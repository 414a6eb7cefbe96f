"""Every command of `idp`, as the tests of the command line walk them and run them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from idp.cli import idp

ROOT = Path(__file__).parents[3]


def every_command(group: click.Group = idp, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of each command, groups left out."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))
        else:
            yield (*path, name)


class Installation:
    """A folder of its own, and `idp` run there as an operator runs it: in a process."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "IDP_ENVIRONMENT": "test",
            "IDP_ISSUER": "http://localhost:8000",
            "IDP_DATA_DIR": str(folder / "data"),
            "IDP_DATABASE_URL": database_url,
            "IDP_BCRYPT_COST": "4",
            "IDP_MAIL_GAP": "0",
        }

    def run(self, *words: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "idp.cli", *words],
            cwd=ROOT,
            env={**self.environ, **environ},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
