"""`python -O` takes asserts away: none of ours refuses anything (LG-17)."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NOTE = "# noqa: S101 - "
"""What ruff and a reader ask for beside each assert: why it is there."""


@pytest.mark.security("LG-17")
def test_what_must_be_refused_is_refused_without_asserts(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-O", "-W", "error", "-m", "tests.idp.signin.without_asserts", str(tmp_path / "data")],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == "no token without clearance"


@pytest.mark.security("LG-17")
def test_every_assert_that_is_shipped_only_narrows_a_type() -> None:
    unexplained = []
    for room in ("idp", "consent", "clients", "keys"):
        for path in (ROOT / room).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Assert) and not _narrows_a_type(node, text.splitlines()[node.lineno - 1]):
                    unexplained.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert unexplained == []


def _narrows_a_type(node: ast.Assert, line: str) -> bool:
    """`assert isinstance(...)` or `assert x is not None`, explained: nothing that could refuse somebody."""
    test = ast.unparse(node.test)
    return NOTE in line and (test.startswith("isinstance(") or test.endswith(" is not None"))
