"""Real processes of a journey: free loopback ports, start, wait until they answer, stop."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
PATIENCE = 60.0  # seconds: a start with several workers on a busy machine


def free_port() -> int:
    """A loopback port that nobody listened on a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def answers(url: str) -> bool:
    """True if a GET of `url` gives 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - loopback
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait_until(found: Callable[[], T], what: str, patience: float = PATIENCE) -> T:
    """Ask `found` until it gives something true; fail naming `what` after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not (result := found()):
        assert time.monotonic() < deadline, f"waited {patience:.0f} s for {what}"
        time.sleep(0.1)
    return result


class Server:
    """One server process with its log; `ready` is the URL that answers 200 once it serves."""

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], log: Path, ready: str, cwd: Path = ROOT
    ) -> None:
        self.command, self.environ, self.log, self.ready, self.cwd = command, environ, log, ready, cwd
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env={"PATH": os.environ["PATH"], "HOME": str(self.log.parent), **self.environ},
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self.cwd,
                start_new_session=True,
            )
        wait_until(self._is_ready, f"{self.ready} (see {self.log})")

    def stop(self) -> None:
        """Ask it to end, then end its whole group."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(20)
        self.process = None

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"it ended at once:\n{self.tail()}"
        return answers(self.ready)

    def tail(self, lines: int = 40) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
