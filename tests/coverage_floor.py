"""`python -m tests.coverage_floor`: the branches of what the project exists for are covered, room by room."""

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from coverage import Coverage

FLOOR = 95.0
ROOMS = ("consent/", "keys/", "clients/", "idp/oidc/")


def measured() -> dict[str, float]:
    """Per cent of lines and branches covered in each room, from the data of the last run."""
    coverage = Coverage()
    coverage.load()
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        coverage.json_report(outfile=file.name, ignore_errors=True)
        files = json.loads(Path(file.name).read_text())["files"]
    done: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for path, report in files.items():
        room = next((room for room in ROOMS if room in path), None)
        if room:
            summary = report["summary"]
            done[room] += summary["covered_lines"] + summary["covered_branches"]
            whole[room] += summary["num_statements"] + summary["num_branches"]
    return {room: 100 * done[room] / whole[room] if whole[room] else 0.0 for room in ROOMS}


def main() -> int:
    """0 when every room reaches the floor."""
    low = 0
    for room, percent in measured().items():
        print(f"{room:<10} {percent:5.1f} % of lines and branches (floor {FLOOR:.0f})")
        low += percent < FLOOR
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
