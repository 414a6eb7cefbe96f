"""`python -m tests.secrets_in_logs`: searches every log of the last test run for every secret that the run used."""

import re
import sys
from collections.abc import Iterator

from tests.logged import LOGS, RUN, SECRETS

TOO_FEW = 100
"""A run that used fewer secrets than this did not note them: the search would prove nothing."""


def found() -> Iterator[str]:
    """File and line number of each line that holds a secret; never the secret itself."""
    secrets = known()
    for log in sorted(LOGS.glob("*.log")):
        with log.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                if not secrets.isdisjoint(_words(line)):
                    yield f"{log.name}:{number}"


def known() -> set[str]:
    """Every secret of the run."""
    return {line for file in SECRETS.glob("*.txt") for line in file.read_text(encoding="utf-8").splitlines()}


def _words(line: str) -> set[str]:
    """Everything in a line that could be a whole secret: runs of the characters that ours are made of."""
    return set(re.findall(r"[A-Za-z0-9_!.~-]{6,}", line)) | set(re.findall(r"[A-Za-z0-9_-]{6,}", line))


def main() -> int:
    """0: clean; 1: a secret in a log, or nothing was searched."""
    if not RUN.exists():
        print("no test run to search: ./dev test comes first", file=sys.stderr)
        return 1
    number = len(known())
    if number < TOO_FEW:
        print(f"only {number} secrets were noted: the search would prove nothing", file=sys.stderr)
        return 1
    leaks = list(found())
    for leak in leaks:
        print(f"a secret in a log: {leak}", file=sys.stderr)
    print(f"{number} secrets searched in {len(list(LOGS.glob('*.log')))} logs, {len(leaks)} found", file=sys.stderr)
    return 1 if leaks else 0


if __name__ == "__main__":
    sys.exit(main())
