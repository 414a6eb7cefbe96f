"""Lines of a file, one at a time, whatever the file holds."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from idp.accounts.importing.reading import LONGEST_LINE, FileRefused, Line, lines

HEADER = "reference;type;nom;departement;email\n"
ROW = "CAF-1;physique;Lefèvre;73;zoe@exemple.fr\n"
FIELDS = {
    "reference": "CAF-1",
    "type": "physique",
    "nom": "Lefèvre",
    "departement": "73",
    "email": "zoe@exemple.fr",
}


def read(content: str | bytes) -> list[Line]:
    return list(lines(io.BytesIO(content if isinstance(content, bytes) else content.encode())))


def codes(content: str | bytes) -> list[str | None]:
    return [line.refusal.code if line.refusal else None for line in read(content)]


@pytest.mark.security("OR-10")
@pytest.mark.parametrize(
    "content",
    [
        HEADER + ROW,
        "\ufeff" + HEADER + ROW,
        (HEADER + ROW).replace(";", ","),
        (HEADER + ROW).replace("\n", "\r\n"),
        HEADER + ROW.rstrip("\n"),
        HEADER + ROW.replace("Lefèvre", '"Lefèvre"'),
        HEADER.upper() + "\n" + ROW,
        json.dumps(FIELDS) + "\n",
        "\ufeff" + json.dumps(FIELDS, ensure_ascii=False),
    ],
)
def test_each_form_of_file_gives_the_same_fields(content: str) -> None:
    (line,) = read(content)
    assert line.refusal is None
    assert line.fields == FIELDS


def test_lines_carry_their_place_in_the_file_and_blank_ones_are_no_rows() -> None:
    assert [line.number for line in read(HEADER + "\n" + ROW + "\n\n" + ROW)] == [3, 6]


def test_a_quoted_value_may_hold_the_separator_and_quotation_marks() -> None:
    (line,) = read(HEADER + 'CAF-1;physique;"Le ""Goff""; Yves";29;\n')
    assert line.fields is not None
    assert line.fields["nom"] == 'Le "Goff"; Yves'


@pytest.mark.security("OR-10")
@pytest.mark.parametrize(
    ("row", "code"),
    [
        (ROW.encode("latin-1"), "encodage"),
        (b'CAF-1;physique;"Goff;29;\n', "guillemets"),
        (b'CAF-1;physique;"Go"ff;29;\n', "guillemets"),
        (b"CAF-1;physique\n", "colonnes"),
        (b"a;b;c;d;e;f\n", "colonnes"),
        (b"x" * (LONGEST_LINE + 10) + b"\n", "trop_long"),
        (b"x" * (LONGEST_LINE * 3) + b"\n", "trop_long"),
    ],
)
def test_a_line_that_cannot_be_read_spoils_itself_alone(row: bytes, code: str) -> None:
    content = HEADER.encode() + ROW.encode() + row + ROW.encode()
    assert codes(content) == [None, code, None]
    assert [line.number for line in read(content)] == [2, 3, 4]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ('{"reference": ', "json"),
        ("[1]", "json"),
        ("[" * 60_000, "json"),
        ('{"reference": 12}', "json"),
        ('{"référence": "x"}', "colonnes"),
    ],
)
def test_a_json_line_is_one_object_of_texts(row: str, code: str) -> None:
    good = json.dumps(FIELDS)
    assert codes(f"{good}\n{row}\n{good}\n") == [None, code, None]


def test_null_in_json_is_an_empty_value() -> None:
    (line,) = read(json.dumps({**FIELDS, "email": None}))
    assert line.fields is not None
    assert line.fields["email"] == ""


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "vide"),
        ("\n\n", "vide"),
        ("reference;type;nom;e-mail\n", "« e-mail »"),
        ("reference;type\n", "« departement »"),
        ("reference;type;departement;type\n", "deux fois"),
        (b"reference;type;d\xe9partement\n", "UTF-8"),
        ("x" * (LONGEST_LINE + 5), "octets"),
    ],
)
def test_a_file_that_cannot_be_an_import_is_refused_whole(content: str | bytes, reason: str) -> None:
    with pytest.raises(FileRefused, match=reason):
        read(content)


@pytest.mark.security("OR-10")
def test_memory_does_not_grow_with_the_file() -> None:
    """A file without end: rows come out while it is still being read."""

    class Endless(io.RawIOBase):
        def __init__(self) -> None:
            self.source: Iterator[bytes] = self._content()

        def _content(self) -> Iterator[bytes]:
            yield HEADER.encode()
            while True:
                yield ROW.encode()

        def readline(self, _size: Any = -1) -> bytes:
            return next(self.source)

    endless: Any = lines(Endless())  # type: ignore[arg-type]
    assert [next(endless).number for _ in range(3)] == [2, 3, 4]
