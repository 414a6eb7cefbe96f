"""Lines of a CSV or JSON Lines file as named texts. Reads one line at a time: memory does not grow with the file.

A row is one physical line (no value of ours holds a line break), so a stray quotation mark spoils its own row only.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from idp.accounts.importing.rows import COLUMNS, NEEDED_COLUMNS, RowRefused

LONGEST_LINE = 65_536
"""Bytes."""
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """Line `number` of the file (from 1), its `size` in bytes, and what it holds or why it cannot be read."""

    number: int
    size: int
    fields: Mapping[str, str] | None
    refusal: RowRefused | None = None


class FileRefused(Exception):
    """The file as a whole cannot be read. `str()` is a French sentence that says what to do."""


def lines(file: BinaryIO) -> Iterator[Line]:
    """Each line that holds something, the header of a CSV file left out. Raises `FileRefused`."""
    raw = _physical(file)
    first = next(raw, None)
    if first is None:
        raise FileRefused("Le fichier est vide.")
    number, line = first
    if line.lstrip().startswith(b"{"):
        yield from _json_lines(number, line, raw)
    else:
        yield from _csv_lines(line, raw)


def _physical(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Numbered lines without blank ones. A line over the limit is given cut, one byte too long."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(_BOM)
        if len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            _skip_to_end(file)
        if line.strip():
            yield number, line


def _skip_to_end(file: BinaryIO) -> None:
    while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
        pass


def _text(line: bytes) -> str:
    if len(line) > LONGEST_LINE:
        raise RowRefused("trop_long", f"la ligne dépasse {LONGEST_LINE} octets")
    try:
        return line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise RowRefused("encodage", "la ligne n’est pas en UTF-8 : enregistrez le fichier en « CSV UTF-8 »") from None


def _csv_lines(header: bytes, raw: Iterator[tuple[int, bytes]]) -> Iterator[Line]:
    delimiter, columns = _header(header)
    for number, line in raw:
        try:
            yield Line(number, len(line), _csv_fields(_text(line), delimiter, columns))
        except RowRefused as refused:
            yield Line(number, len(line), None, refused)


def _header(line: bytes) -> tuple[str, list[str]]:
    try:
        text = _text(line)
    except RowRefused as refused:
        raise FileRefused(f"Première ligne illisible : {refused}.") from None
    delimiter = max(";,", key=text.count)
    columns = [name.strip().strip('"').lower() for name in text.split(delimiter)]
    if unknown := [name for name in columns if name not in COLUMNS]:
        raise FileRefused(f"Colonne inconnue : « {unknown[0][:40]} ». Colonnes possibles : {', '.join(COLUMNS)}.")
    if missing := [name for name in NEEDED_COLUMNS if name not in columns]:
        raise FileRefused(f"Il manque la colonne « {missing[0]} ».")
    if len(set(columns)) < len(columns):
        raise FileRefused("Une colonne figure deux fois dans la première ligne.")
    return delimiter, columns


def _csv_fields(text: str, delimiter: str, columns: list[str]) -> Mapping[str, str]:
    try:
        cells = next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error:
        raise RowRefused("guillemets", "un guillemet est mal placé ou n’est pas fermé") from None
    if len(cells) != len(columns):
        raise RowRefused("colonnes", f"la ligne compte {len(cells)} colonnes au lieu de {len(columns)}")
    return dict(zip(columns, cells, strict=True))


def _json_lines(number: int, line: bytes, raw: Iterator[tuple[int, bytes]]) -> Iterator[Line]:
    while True:
        try:
            yield Line(number, len(line), _json_fields(_text(line)))
        except RowRefused as refused:
            yield Line(number, len(line), None, refused)
        following = next(raw, None)
        if following is None:
            return
        number, line = following


def _json_fields(text: str) -> Mapping[str, str]:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise RowRefused("json", "la ligne n’est pas un objet JSON") from None
    if not isinstance(found, dict):
        raise RowRefused("json", "la ligne n’est pas un objet JSON")
    if unknown := [name for name in found if name not in COLUMNS]:
        raise RowRefused("colonnes", f"nom inconnu : « {unknown[0][:40]} »")
    if wrong := [name for name, value in found.items() if not (value is None or isinstance(value, str))]:
        raise RowRefused("json", f"« {wrong[0]} » doit être un texte entre guillemets")
    return {name: value or "" for name, value in found.items()}
