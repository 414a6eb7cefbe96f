"""The report: one line for each row, harmless in a spreadsheet, and where a killed run left off."""

import csv
import io
from pathlib import Path

import pytest

from idp.accounts.importing.report import CREATED, REFUSED, Report, Result, last_reported


def test_a_report_has_a_header_and_a_line_for_each_row() -> None:
    out = io.StringIO()
    report = Report(out)
    report.add(Result(2, "CAF-1", CREATED))
    report.add(Result(3, "CAF;2", REFUSED, "nom", "le nom est obligatoire"))
    assert out.getvalue() == (
        'line;reference;verdict;code;message\n2;CAF-1;cree;;\n3;"CAF;2";refuse;nom;le nom est obligatoire\n'
    )
    assert report.counts == {"cree": 1, "valable": 0, "deja_importe": 0, "refuse": 1}


@pytest.mark.security("OR-10")
@pytest.mark.parametrize("reference", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "a\nb", 'a";"b'])
def test_a_cell_is_never_a_formula_nor_two_lines(reference: str) -> None:
    out = io.StringIO()
    Report(out, with_header=False).add(Result(2, reference, REFUSED))
    (row,) = csv.reader(io.StringIO(out.getvalue()), delimiter=";")
    assert row[1][0] not in "=+-@\t\r"
    assert out.getvalue().count("\n") == 1


def test_a_killed_run_is_taken_up_after_its_last_complete_line(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text("line;reference;verdict;code;message\n2;a;cree;;\n3;b;cree;;\n4;c;cr")
    assert last_reported(path) == 3
    assert path.read_text().endswith("3;b;cree;;\n")
    path.write_text("")
    assert last_reported(path) == 0
