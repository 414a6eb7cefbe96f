"""Where the CPU of a code flow goes, inside the application: samples of its stack, by the room that runs.

A timer of CPU time interrupts the flows; each sample belongs to the innermost frame that is not the standard
library's. What the server around the application takes is what the served flow costs more than these.
"""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from tests.bench.inside import Inside

SQLITE = {"do_execute": "SQLite: statements", "do_commit": "SQLite: commits", "fetchone": "SQLite: statements"}
ROOMS = (
    ("/keys/algorithms.py", "signature"),
    ("/site-packages/cryptography/", "signature"),
    ("/site-packages/sqlalchemy/", "SQLAlchemy"),
    ("/site-packages/flask_sqlalchemy/", "SQLAlchemy"),
    ("/site-packages/authlib/", "Authlib"),
    ("/site-packages/joserfc/", "Authlib"),
    ("/site-packages/flask/", "Flask and Werkzeug"),
    ("/site-packages/werkzeug/", "Flask and Werkzeug"),
    ("/site-packages/blinker/", "Flask and Werkzeug"),
    ("/site-packages/", "other libraries"),
    ("/idp/web/log.py", "access log"),
    ("/idp/db.py", "SQLite: statements"),
    ("/idp/", "idp"),
    ("/consent/", "consent"),
    ("/clients/", "clients"),
    ("/keys/", "keys"),
    ("/tests/bench/", "this benchmark"),
)


def of_code_flow(inside: Inside, seconds: float) -> dict[str, float]:
    """Milliseconds of CPU of one code flow by room, and its three requests by name (they sum up to the same)."""
    flows = _repeat(inside, seconds / 2)
    requests = {kind: spent * 1000 / flows for kind, spent in inside.cpu.items()}
    whole = sum(requests.values())
    with _sampled() as samples:
        _repeat(inside, seconds)
    del samples["this benchmark"]
    total = sum(samples.values()) or 1
    rooms = {room: whole * count / total for room, count in samples.most_common()}
    return {f"request {kind}": spent for kind, spent in requests.items()} | rooms


def _repeat(inside: Inside, seconds: float) -> int:
    for _ in range(20):
        inside.code_flow()
    inside.cpu.clear()
    flows, end = 0, time.process_time() + seconds
    while time.process_time() < end:
        inside.code_flow()
        flows += 1
    return flows


@contextmanager
def _sampled() -> Iterator[Counter[str]]:
    samples: Counter[str] = Counter()

    def sample(_signal: int, frame: FrameType | None) -> None:
        samples[_room(frame)] += 1

    before = signal.signal(signal.SIGPROF, sample)
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    try:
        yield samples
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _room(frame: FrameType | None) -> str:
    while frame is not None:
        path = frame.f_code.co_filename
        if "/sqlalchemy/engine/" in path and frame.f_code.co_name in SQLITE:
            return SQLITE[frame.f_code.co_name]
        for part, room in ROOMS:
            if part in path:
                return room
        frame = frame.f_back
    return "this benchmark"
