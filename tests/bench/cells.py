"""What is measured: workloads, on whom, at which concurrency; one cell is one run of the driver."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.servers import DRIVER_CPU, HERE, SERVER_CPU, node

WORKLOADS = ("code-flow", "refresh", "userinfo", "jwks", "password")
OURS, PEER = "ours", "node-memory"


@dataclass(frozen=True)
class Cell:
    """One row of the table. `alg`: `-` where nothing is signed; then the service of RS256 is used."""

    workload: str
    alg: str
    concurrency: int


@dataclass(frozen=True)
class Target:
    """A provider that is up: what the driver must know of it."""

    issuer: str
    pid: int
    client_id: str
    client_secret: str
    people: list[dict[str, str]]


def of(workloads: list[str]) -> list[Cell]:
    """The cells of these workloads, in the order in which they are printed."""
    found = []
    for workload in workloads:
        algorithms = ("RS256", "ES256") if workload in ("code-flow", "refresh", "userinfo") else ("-",)
        concurrencies = (1, 2) if workload == "password" else (1, 8)
        found += [Cell(workload, alg, concurrency) for alg in algorithms for concurrency in concurrencies]
    return found


def measure(cell: Cell, target: Target, folder: Path, *, seconds: float, tries: int = 2) -> dict[str, Any]:
    """Drive `target` for `seconds` from the driver's CPU. Raises `SystemExit` when an answer was wrong."""
    asked = {
        "issuer": target.issuer,
        "pid": target.pid,
        "cpus": [SERVER_CPU, DRIVER_CPU],
        "client_id": target.client_id,
        "client_secret": target.client_secret,
        "redirect_uri": "https://client.example/cb",
        "scope": "openid email",
        "alg": "RS256" if cell.alg == "-" else cell.alg,
        "people": target.people,
        "workload": cell.workload,
        "concurrency": cell.concurrency,
        "seconds": seconds,
        "warmup": min(1.0, seconds / 2),
        "tries": tries,
    }
    file = folder / "cell.json"
    file.write_text(json.dumps(asked))
    done = subprocess.run(
        [node(), str(HERE / "driver.mjs"), str(file)],
        capture_output=True,
        text=True,
        timeout=60 + 4 * tries * (seconds + 5),
        preexec_fn=lambda: os.sched_setaffinity(0, {DRIVER_CPU}),
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{cell}: {done.stderr[-2000:]}")
    measured: dict[str, Any] = json.loads(done.stdout)
    if measured["errors"]:
        raise SystemExit(f"{cell}: {measured['errors']} wrong answers, the first: {measured['first_error']}")
    return measured
