"""Each line of the threat list, and each defect of Authlib that we know of, has a test that carries it."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

THREATS = {
    "AZ": (1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20, 21),
    "TK": (1, 3, 4, 5, 7, 8, 9, 11, 12, 13, 15, 16),
    # RT-13 (device codes) has no subject yet: its tests hold that there is no such endpoint and no such grant.
    "RT": (1, 3, 4, 5, 7, 8, 9, 11, 12, 13),
    # CL-09 (open registration) likewise: every usual address of it is a 404.
    "CL": (1, 2, 3, 5, 6, 7, 9, 10, 11),
    # JW-06 (encryption): nothing encrypted is accepted anywhere.
    "JW": (2, 3, 4, 6, 7, 8, 10, 11, 12),
    "GA": (2, 3, 4, 6, 7, 8, 10, 11, 12),
    # LG-09 also asks for rates by autonomous system and for a refusal of leaked passwords: the rate by address and the
    # list of common passwords that we ship stand for them, with no service of a third party.
    "LG": (1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15, 17, 18),
    "SE": (1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14),
    # LO-04 (back-channel logout) has no subject yet.
    "LO": (2, 3, 6),
    # Of the recoveries, which do not exist yet, the one that is about every page.
    "PW": (1,),
}
"""What can be attacked: the authorization endpoint (AZ), codes and tokens (TK), refresh, revocation, introspection and
userinfo (RT), services and their registry (CL), signatures and keys (JW), the first login (GA), sign-in and guessing
(LG), sessions and forms (SE), sign-out (LO), passwords (PW). Numbers that are missing are not in the list."""
DEFECTS = range(1, 14)
"""Authlib's, numbered as in the markers: one-time codes, 500s, keys, defaults, sign-out, registration and so on."""


def carried(marker: str) -> dict[str, set[str]]:
    """What the tests carry by this marker, and which files do; only on functions and classes that pytest collects."""
    found: dict[str, set[str]] = {}
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for argument in _arguments(node, marker):
                found.setdefault(argument, set()).add(path.name)
    return found


def _arguments(node: ast.AST, marker: str) -> list[str]:
    marks: list[ast.expr] = []
    if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name.lower().startswith("test"):
        marks = node.decorator_list
    elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
        marks = node.value.elts if isinstance(node.value, ast.List) else [node.value]
    calls = [mark for mark in marks if isinstance(mark, ast.Call) and ast.unparse(mark.func) == f"pytest.mark.{marker}"]
    return [str(argument.value) for call in calls for argument in call.args if isinstance(argument, ast.Constant)]


IDS = [f"{group}-{number:02}" for group, numbers in THREATS.items() for number in numbers]


def test_each_line_of_the_threat_list_has_a_test() -> None:
    tests = carried("security")
    assert [threat for threat in IDS if threat not in tests] == []


def test_each_defect_of_authlib_has_a_test() -> None:
    tests = carried("authlib")
    assert [number for number in DEFECTS if str(number) not in tests] == []


def test_no_marker_names_a_line_that_does_not_exist() -> None:
    """A slip of the pen would carry nothing."""
    known = {group: set(numbers) for group, numbers in THREATS.items() if group not in ("PW", "LO")}
    wrong = [threat for threat in carried("security") if threat.partition("-")[0] in known and threat not in IDS]
    assert wrong == []
    assert [number for number in carried("authlib") if int(number) not in DEFECTS] == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('@pytest.mark.security("AZ-01", "AZ-02")\ndef test_x(): ...', ["AZ-01", "AZ-02"]),
        ('@pytest.mark.security("AZ-01")\ndef helper(): ...', []),
        ('pytestmark = pytest.mark.security("F-23")', ["F-23"]),
        ('# @pytest.mark.security("AZ-01")\ndef test_x(): ...', []),
    ],
)
def test_a_marker_counts_where_pytest_sees_it(source: str, expected: list[str]) -> None:
    assert [found for node in ast.walk(ast.parse(source)) for found in _arguments(node, "security")] == expected
