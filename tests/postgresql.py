"""A real PostgreSQL server for one test run, started in a temporary folder on a free loopback port."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from types import TracebackType

import psycopg


def _program(name: str) -> str:
    """The path of a server program: Debian keeps them outside PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    path = str(found[0]) if found else shutil.which(name)
    if path is None:
        raise RuntimeError(f"PostgreSQL's {name} is missing: apt-get install postgresql")
    return path


def _unprivileged() -> dict[str, object]:
    """PostgreSQL refuses to run as root: then it runs as the user `postgres`."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam("postgres")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


class PostgresServer:
    """`with PostgresServer(folder) as server: url = server.create_database("name")`."""

    def __init__(self, folder: Path) -> None:
        # pytest's folders are 0700: the postgres user needs one that it can reach.
        self.folder = Path("/tmp") / f"mcp-pg-{os.getpid()}-{folder.name}"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "PostgresServer":
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700)
        as_user = _unprivileged()
        if as_user:
            os.chown(self.folder, as_user["user"], as_user["group"])  # type: ignore[arg-type]
        data = self.folder / "data"
        subprocess.run(
            [
                _program("initdb"),
                "-D",
                str(data),
                "-A",
                "trust",
                "-U",
                "mcp",
                "--no-sync",
                "-E",
                "UTF8",
                "--locale",
                "C.UTF-8",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
            **as_user,  # type: ignore[call-overload]
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen(
            [
                _program("postgres"),
                "-D",
                str(data),
                "-p",
                str(self.port),
                "-h",
                "127.0.0.1",
                "-k",
                str(self.folder),
                "-c",
                "max_connections=200",
                "-c",
                "shared_buffers=64MB",
                # The machine does not lose power during a run; processes are killed, and that holds without it.
                "-c",
                "fsync=off",
            ],
            stdout=log,
            stderr=log,
            cwd="/",
            **as_user,  # type: ignore[call-overload]
        )
        ready = [_program("pg_isready"), "-h", "127.0.0.1", "-p", str(self.port), "-t", "1", "-q"]
        for _ in range(100):
            if subprocess.run(ready, check=False).returncode == 0:
                return self
            try:
                self.process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            break
        raise RuntimeError((self.folder / "log").read_text())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            # A fast shutdown: SIGTERM would wait for every connection that a test left open.
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def create_database(self, name: str, template: str = "template1") -> str:
        """Make a database, empty or a copy of `template`, and give its SQLAlchemy URL."""
        with psycopg.connect(host="127.0.0.1", port=self.port, user="mcp", dbname="postgres", autocommit=True) as link:
            link.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return f"postgresql+psycopg://mcp@127.0.0.1:{self.port}/{name}"
