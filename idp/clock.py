"""The only reader of the clock.

Everything else is given a `Clock` or a `now`, in whole seconds since the epoch (UTC).
"""

import os
import time
from collections.abc import Callable

Clock = Callable[[], int]

# Tests move the time of another process by writing a number of seconds to this file. It is read only
# when the settings say IDP_ENVIRONMENT=test (see `use_offset_file`).
_offset_file: str | None = None


def now() -> int:
    """The current time, in whole seconds since the epoch (UTC)."""
    return int(time.time()) + _offset()


def use_offset_file(path: str | None) -> None:
    """Let tests move this process's time through the file at `path`; `None` forgets it."""
    global _offset_file
    _offset_file = path


def _offset() -> int:
    if _offset_file is None or not os.path.exists(_offset_file):
        return 0
    with open(_offset_file, encoding="ascii") as file:
        return int(file.read() or 0)
