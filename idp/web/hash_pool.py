"""The bounded pool in which people's passwords are hashed.

A hash takes a quarter of a second of a core. At most `slots` run at once over all workers of this machine, so that a
storm of sign-ins leaves the rest answering in milliseconds. First in, first out within a worker; the heads of the
workers' queues share the machine's slots. A slot is a locked file: the system frees it when a process is killed.
"""

import fcntl
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")

POLL = 0.003
"""Seconds between two looks at the slots: small beside a hash (about 0.25 s)."""


class TooBusy(Exception):
    """No slot came free in time. Answer 503 with Retry-After; it counts as no attempt."""

    def __init__(self) -> None:
        super().__init__("Le service est très sollicité : réessayez dans quelques secondes.")


class HashPool:
    """`run(work)` runs `work` in a slot; raises `TooBusy` after `wait` seconds or when `queue` already wait."""

    def __init__(self, folder: Path, *, wait: float, slots: int | None = None, queue: int = 40) -> None:
        self.slots = slots or max(1, (os.cpu_count() or 2) - 1)
        self.wait = wait
        self.queue = queue
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._files = [folder / f"hash-slot-{number}" for number in range(self.slots)]
        self._waiting: deque[object] = deque()
        self._turn = threading.Condition()

    def run(self, work: Callable[[], Result]) -> Result:
        """Run `work()` once a slot is free and give its result."""
        with self._slot():
            return work()

    @contextmanager
    def _slot(self) -> Iterator[None]:
        deadline = time.monotonic() + self.wait
        slot = self._take(deadline)
        try:
            yield
        finally:
            os.close(slot)

    def _take(self, deadline: float) -> int:
        ticket = object()
        with self._turn:
            if len(self._waiting) >= self.queue:
                raise TooBusy
            self._waiting.append(ticket)
        try:
            with self._turn:
                while self._waiting[0] is not ticket:
                    if not self._turn.wait(max(0.0, deadline - time.monotonic())):
                        raise TooBusy
            return self._poll(deadline)
        finally:
            with self._turn:
                self._waiting.remove(ticket)
                self._turn.notify_all()

    def _poll(self, deadline: float) -> int:
        while True:
            for path in self._files:
                file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return file
                except BlockingIOError:
                    os.close(file)
            if time.monotonic() >= deadline:
                raise TooBusy
            time.sleep(POLL)
