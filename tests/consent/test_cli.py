"""`documents publish | list | show`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from consent.cli import documents_cli
from consent.documents import Documents
from tests.conftest import Clock, Recorded

RULES = "regles-d-usage"
Run = Callable[..., Result]


@pytest.fixture
def run(session: Session, clock: Clock, recorded: Recorded) -> Run:
    app = Flask("commands")
    app.extensions["documents"] = Documents(lambda: session, clock, recorded.record)
    app.cli.add_command(documents_cli)
    runner = app.test_cli_runner()
    return lambda *arguments: runner.invoke(args=["documents", *arguments])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "regles.md"
    path.write_text("# Mes règles\n\nTexte\n", encoding="utf-8-sig")
    return path


def test_the_shipped_texts_are_published_as_version_1_and_again_without_harm(run: Run, recorded: Recorded) -> None:
    for _ in range(2):
        result = run("publish", "--shipped", "--json")
        assert result.exit_code == 0, result.output
        published = json.loads(result.output)
        assert [(fact["name"], fact["version"], fact["in_force"]) for fact in published] == [
            ("regles-d-usage", "1", True),
            ("conditions-d-utilisation", "1", True),
        ]
    assert recorded.names == ["documents.published"] * 2


def test_a_file_is_published_as_the_next_version(run: Run, file: Path) -> None:
    run("publish", "--shipped")
    result = run("publish", RULES, "--file", str(file), "--changes", "Tout.", "--effective-at", "2100-01-01", "--json")
    [fact] = json.loads(result.output)
    assert (fact["version"], fact["title"], fact["changes"]) == ("2", "Mes règles", "Tout.")
    assert (fact["effective_at"], fact["in_force"]) == (4_102_444_800, False)


def test_the_list_marks_what_is_in_force(run: Run, file: Path) -> None:
    run("publish", "--shipped")
    run("publish", RULES, "--version", "2", "--file", str(file))
    lines = [line.split()[:3] for line in run("list").output.splitlines()]
    assert lines == [["*", "conditions-d-utilisation", "1"], ["regles-d-usage", "1", "2027-01-15"], ["*", RULES, "2"]]
    assert [fact["version"] for fact in json.loads(run("list", "--json").output)] == ["1", "1", "2"]


def test_a_version_is_shown_the_one_in_force_by_default(run: Run, file: Path) -> None:
    run("publish", RULES, "--file", str(file))
    assert run("show", RULES).output.startswith("# Mes règles")
    shown = json.loads(run("show", RULES, "1", "--json").output)
    assert shown["html"].startswith("<h2>Mes règles</h2>")
    assert shown["in_force"] is True


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("publish",), 2, "--shipped seul"),
        (("publish", RULES, "--shipped"), 2, "--shipped seul"),
        (("publish", RULES), 2, "--file"),
        (("publish", "autre"), 2, "autre"),
        (("show", RULES, "9"), 1, "idp documents list"),
        (("show", RULES), 1, "Aucune version en vigueur"),
    ],
)
def test_a_wrong_command_says_what_to_do(run: Run, arguments: tuple[str, ...], code: int, said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == code
    assert said in result.output


def test_a_different_text_under_a_published_version_is_refused(run: Run, file: Path) -> None:
    run("publish", "--shipped")
    result = run("publish", RULES, "--version", "1", "--file", str(file))
    assert result.exit_code == 1
    assert "une version ne change jamais" in result.output


def test_a_file_that_is_not_utf8_is_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "latin.md"
    path.write_bytes("# Règles\n".encode("latin-1"))
    result = run("publish", RULES, "--file", str(path))
    assert result.exit_code == 1
    assert "UTF-8" in result.output


@pytest.mark.parametrize("command", ["publish", "list", "show"])
def test_each_command_explains_itself_with_an_example(run: Run, command: str) -> None:
    assert "idp documents" in run(command, "--help").output
