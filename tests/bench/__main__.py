"""`python -m tests.bench [--json] [--seconds N] [--reps N] [--workloads ...]`: what `./dev bench` runs."""

import argparse
import contextlib
import functools
import io
import logging
import secrets
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.bench import breakdown, cells, counting, installation, report, servers
from tests.bench.cells import OURS, PEER, Cell, Target
from tests.bench.inside import Inside
from tests.idp.provider import ISSUER

LOW_COST, REAL_COST = 4, 12
"""Cost of a password hash: low where nobody measures sign-ins, the default where they are measured."""


def main() -> None:
    asked = _arguments()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        found = _protocol(folder, asked) | _passwords(folder, asked)
        with _silent():
            inside = Insides(folder)
            rows = [report.row(cell, repeats, inside.count(cell)) for cell, repeats in found.items()]
            served = next((r["cpu_ms"] for r in rows if (r["workload"], r["alg"], r["concurrency"]) == FLOW), None)
            shares = None if asked.json or served is None else inside.shares(3 * asked.seconds)
        if asked.json:
            print(report.as_json(rows))
            return
        print(report.as_table(rows))
        print("\nStatements and commits: as SQLite itself tells them, in a short run of the same work in this process.")
        if shares is not None:
            print("\nWhere it goes:\n" + report.breakdown(shares, served))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description="Measure a real provider beside oidc-provider.")
    parser.add_argument("--json", action="store_true", help="one JSON object a line on standard output, nothing else")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    parser.add_argument("--reps", type=int, default=3, help="repeats, interleaved with the peer's")
    parser.add_argument("--workloads", nargs="+", choices=cells.WORKLOADS, default=list(cells.WORKLOADS))
    return parser.parse_args()


def _protocol(folder: Path, asked: argparse.Namespace) -> dict[Cell, report.Repeats]:
    wanted = cells.of([workload for workload in asked.workloads if workload != "password"])
    found: dict[Cell, dict[str, list[Any]]] = {cell: defaultdict(list) for cell in wanted}
    if not wanted:
        return {}
    with ExitStack() as stack:
        ours = stack.enter_context(_ours(folder / "protocol", LOW_COST))
        peers = {alg: stack.enter_context(_peer(folder, alg)) for alg in installation.ALGORITHMS}
        for repeat in range(asked.reps):
            for cell in wanted:
                alg = "RS256" if cell.alg == "-" else cell.alg
                for who, target in ((OURS, ours[alg]), (PEER, peers[alg])):
                    found[cell][who].append(cells.measure(cell, target, folder, seconds=asked.seconds))
            _say(f"repeat {repeat + 1} of {asked.reps} done")
    return dict(found)


def _passwords(folder: Path, asked: argparse.Namespace) -> dict[Cell, report.Repeats]:
    wanted = cells.of([workload for workload in asked.workloads if workload == "password"])
    if not wanted:
        return {}
    with _ours(folder / "passwords", REAL_COST) as ours:
        return {
            cell: {
                OURS: [
                    cells.measure(cell, ours["RS256"], folder, seconds=max(asked.seconds, 4.0))
                    for _ in range(asked.reps)
                ]
            }
            for cell in wanted
        }


@contextmanager
def _ours(folder: Path, cost: int) -> Iterator[dict[str, Target]]:
    """A fresh installation, served; what the driver must know of it, by algorithm."""
    issuer = f"http://127.0.0.1:{servers.free_port()}"
    made = installation.make(folder, issuer, bcrypt_cost=cost)
    people = [{"identifiant": person.identifier, "mot_de_passe": person.password} for person in made.people]
    with servers.ours(made.environ, issuer, folder / "server.log") as pid:
        yield {
            alg: Target(issuer, pid, service.client_id, service.secret or "", people)
            for alg, service in made.services.items()
        }


@contextmanager
def _peer(folder: Path, alg: str) -> Iterator[Target]:
    issuer, secret = f"http://127.0.0.1:{servers.free_port()}", secrets.token_urlsafe(32)
    with servers.peer(alg, issuer, secret, folder / f"peer-{alg}.log") as pid:
        yield Target(issuer, pid, "bench", secret, [{}])


class Insides:
    """Installations in this process, made when first asked for: one for each algorithm and cost."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._counted: dict[tuple[str, str], tuple[float, float]] = {}

    def count(self, cell: Cell) -> tuple[float, float]:
        """Statements and commits of one operation; concurrency does not change them."""
        key = (cell.workload, cell.alg)
        if key not in self._counted:
            cost = REAL_COST if cell.workload == "password" else LOW_COST
            self._counted[key] = counting.per_operation(self._one(cell.alg, cost), cell.workload)
        return self._counted[key]

    def shares(self, seconds: float) -> dict[str, float]:
        """Where the CPU of an RS256 code flow goes."""
        return breakdown.of_code_flow(self._one("RS256", LOW_COST), seconds)

    @functools.cache  # noqa: B019 - lives as long as the run
    def _one(self, alg: str, cost: int) -> Inside:
        made = installation.make(Path(tempfile.mkdtemp(dir=self._folder)) / "data", ISSUER, bcrypt_cost=cost)
        return Inside(made, "RS256" if alg == "-" else alg)


FLOW = ("code-flow", "RS256", 8)


@contextmanager
def _silent() -> Iterator[None]:
    """The access log is written, as in production, but not to the terminal."""
    handlers = list(logging.getLogger().handlers)
    with contextlib.redirect_stderr(io.StringIO()):
        yield
    logging.getLogger().handlers[:] = handlers


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
