"""The pool of hashes: bounded over real processes, in order, and free again after a kill."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from idp.web.hash_pool import HashPool, TooBusy

ROOT = Path(__file__).parents[3]


def worker(folder: Path, jobs: int, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.idp.web.holding", str(folder), str(jobs), str(seconds)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def held(pool: HashPool) -> Iterator[None]:
    """The pool's slot is taken inside."""
    started, free = threading.Event(), threading.Event()

    def hold() -> None:
        started.set()
        free.wait(30)

    thread = threading.Thread(target=pool.run, args=(hold,))
    thread.start()
    assert started.wait(10)
    try:
        yield
    finally:
        free.set()
        thread.join()


def until(found: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 10
    while not found():
        assert time.monotonic() < deadline, what
        time.sleep(0.002)


def queue_is(pool: HashPool, length: int) -> bool:
    return len(pool._waiting) == length


@pytest.mark.security("F-21")
def test_two_processes_never_hash_at_once_in_one_slot_and_both_get_their_turns(tmp_path: Path) -> None:
    workers = [worker(tmp_path, 5, 0.03) for _ in range(2)]
    spans = []
    for number, process in enumerate(workers):
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        spans += [(*map(float, line.split()), number) for line in out.splitlines()]
    assert len(spans) == 10
    spans.sort()
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_a_slot_whose_holder_is_killed_is_free_at_once(tmp_path: Path) -> None:
    holder = worker(tmp_path, 1, 60)
    assert holder.stderr is not None
    assert holder.stderr.readline() == "holding\n"
    pool = HashPool(tmp_path, wait=0.05, slots=1)
    with pytest.raises(TooBusy):
        pool.run(lambda: None)
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate(timeout=10)
    assert HashPool(tmp_path, wait=5, slots=1).run(lambda: "done") == "done"


def test_within_a_process_the_first_come_is_the_first_served(tmp_path: Path) -> None:
    pool, order = HashPool(tmp_path, wait=30, slots=1), list[int]()
    threads = []
    with held(pool):
        for number in range(8):
            threads.append(threading.Thread(target=pool.run, args=(lambda n=number: order.append(n),)))
            threads[-1].start()
            until(partial(queue_is, pool, number + 1), f"thread {number} in the queue")
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def test_after_the_wait_it_is_too_busy_and_not_before(tmp_path: Path) -> None:
    pool = HashPool(tmp_path, wait=0.2, slots=1)
    with held(pool):
        started = time.monotonic()
        with pytest.raises(TooBusy, match="très sollicité"):
            pool.run(lambda: None)
        assert 0.2 <= time.monotonic() - started < 5
    assert pool.run(lambda: "done") == "done"


def test_somebody_who_gives_up_leaves_the_queue_to_the_others(tmp_path: Path) -> None:
    pool, patient = HashPool(tmp_path, wait=0.2, slots=1), HashPool(tmp_path, wait=30, slots=1)
    with held(patient):
        for _ in range(3):
            with pytest.raises(TooBusy):
                pool.run(lambda: None)
        assert len(pool._waiting) == 0
    assert pool.run(lambda: "done") == "done"


def test_a_full_queue_is_too_busy_at_once(tmp_path: Path) -> None:
    pool = HashPool(tmp_path, wait=30, slots=1, queue=2)
    done: list[int] = []
    with held(pool):
        threads = [threading.Thread(target=pool.run, args=(lambda: done.append(1),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        until(partial(queue_is, pool, 2), "two in the queue")
        started = time.monotonic()
        with pytest.raises(TooBusy):
            pool.run(lambda: None)
        assert time.monotonic() - started < 5
    for thread in threads:
        thread.join()
    assert done == [1, 1]


def test_work_that_fails_gives_its_slot_back(tmp_path: Path) -> None:
    pool = HashPool(tmp_path, wait=0, slots=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            pool.run(lambda: 1 // 0)
    assert pool.run(lambda: 7) == 7


def test_one_core_is_left_to_the_rest_and_the_folder_is_ours_alone(tmp_path: Path) -> None:
    pool = HashPool(tmp_path / "slots", wait=0)
    assert pool.slots == max(1, (os.cpu_count() or 2) - 1)
    pool.run(lambda: None)
    assert (tmp_path / "slots").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "slots").iterdir()} == {0o600}
