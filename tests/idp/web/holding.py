"""Run as `python -m tests.idp.web.holding FOLDER JOBS SECONDS`: hashes, as another worker of this machine does."""

import sys
import time
from pathlib import Path

from idp.web.hash_pool import HashPool


def main(folder: str, jobs: str, seconds: str) -> None:
    """Print when each job held its slot: monotonic clocks of one machine can be compared."""
    pool = HashPool(Path(folder), wait=60, slots=1)

    def work() -> tuple[float, float]:
        started = time.monotonic()
        print("holding", file=sys.stderr, flush=True)
        time.sleep(float(seconds))
        return started, time.monotonic()

    for _ in range(int(jobs)):
        print(*pool.run(work), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
