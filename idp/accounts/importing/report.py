"""The report of an import: `line;reference;verdict;code;message`, one line for each row, written as it goes.

A line is written once its row is committed. A run that was killed is taken up after the last complete line.
"""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

HEADER = ("line", "reference", "verdict", "code", "message")
CREATED, VALID, ALREADY, REFUSED = "cree", "valable", "deja_importe", "refuse"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one row."""

    line: int
    reference: str
    verdict: str
    code: str = ""
    message: str = ""


class Report:
    """Writes results to `file` and counts them by verdict."""

    def __init__(self, file: TextIO, *, with_header: bool = True) -> None:
        self.counts = {CREATED: 0, VALID: 0, ALREADY: 0, REFUSED: 0}
        self._file = file
        if with_header:
            self._write(HEADER)

    def add(self, result: Result) -> None:
        """One more row."""
        self.counts[result.verdict] += 1
        self._write((str(result.line), result.reference, result.verdict, result.code, result.message))

    def flush(self) -> None:
        """Hand what was written to the system: it outlives this process."""
        self._file.flush()

    def _write(self, cells: tuple[str, ...]) -> None:
        csv.writer(self._file, delimiter=";", lineterminator="\n").writerow(_harmless(cell) for cell in cells)


def _harmless(cell: str) -> str:
    """Without line breaks, and never a formula for the spreadsheet that opens it (ML-06, OR-10)."""
    flat = "".join(sign if sign.isprintable() else " " for sign in cell)
    return f"'{flat}" if cell.startswith(_FORMULA) else flat


def last_reported(path: Path) -> int:
    """The number of the last row that the report at `path` tells of; what was written of a next line is cut off."""
    content = path.read_bytes()
    complete = content[: content.rfind(b"\n") + 1]
    if len(complete) < len(content):
        path.write_bytes(complete)
    rows = list(csv.reader(io.StringIO(complete.decode("utf-8", "replace")), delimiter=";"))
    return max((int(row[0]) for row in rows if row and row[0].isdigit()), default=0)
