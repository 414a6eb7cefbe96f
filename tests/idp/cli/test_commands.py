"""`idp`, command by command: help, exit codes, one line for a refusal, one document for a machine."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from flask.cli import ScriptInfo
from sqlalchemy import event, select

from idp.audit import AuditEvent, record
from idp.cli import _one_commit, idp
from idp.db import db
from idp.settings import SettingsRefused
from tests.idp.cli.commands import Installation, every_command
from tests.idp.provider import Provider
from tests.idp.web.failing import unreachable

COMMANDS = sorted(every_command())
SERVERS = {("run",), ("demo",)}
"""They serve until they are stopped: there is no document to print."""


def invoke(provider: Provider, *words: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(idp, list(words), obj=ScriptInfo(create_app=lambda: provider.app), input=stdin)


def one_line(result: Result) -> str:
    """The one line of a refusal on standard error, after whatever a command tells of its progress."""
    lines = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1, result.stderr
    assert result.stderr.splitlines()[-1] == lines[0]
    return lines[0]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_each_command_has_help_with_an_example_of_itself(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(idp, [*words, "--help"])
    assert result.exit_code == 0
    assert "Exemple" in result.stdout
    assert f"idp {' '.join(words)}" in result.stdout.partition("Exemple")[2]
    assert ("--json" in result.stdout) is (words not in SERVERS)


@pytest.mark.parametrize("words", [(), *sorted({words[:-1] for words in COMMANDS if len(words) > 1})], ids=" ".join)
def test_each_group_has_help(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(idp, [*words, "--help"])
    assert result.exit_code == 0
    assert "Commands:" in result.stdout
    assert all(line.strip() != "" for line in result.stdout.splitlines()[:1])


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_wrong_usage_exits_2_and_prints_nothing_on_standard_output(provider: Provider, words: tuple[str, ...]) -> None:
    result = invoke(provider, *words, "--cette-option-n-existe-pas")
    assert (result.exit_code, result.stdout) == (2, "")
    assert invoke(provider, "inconnue").exit_code == 2


@pytest.mark.parametrize(
    "words",
    [
        ("accounts", "list"),
        ("clients", "list"),
        ("clients", "show", "espace-bailleur"),
        ("clients", "disable", "espace-bailleur"),
        ("clients", "rotate-secret", "espace-bailleur"),
        ("documents", "list"),
        ("keys", "list"),
        ("keys", "rotate"),
        ("outbox", "status"),
        ("outbox", "send"),
        ("purge",),
        ("db", "status"),
        ("db", "upgrade"),
        ("doctor",),
    ],
    ids=" ".join,
)
def test_json_is_one_document_alone_on_standard_output(provider: Provider, words: tuple[str, ...]) -> None:
    provider.service("espace-bailleur")
    result = invoke(provider, *words, "--json")
    assert result.exit_code == 0, result.output
    json.loads(result.stdout)
    human = invoke(provider, *words)
    assert human.exit_code == 0
    lines = [line for line in human.stdout.splitlines() if line.strip()]
    assert len(lines) == len(set(lines))


@pytest.mark.parametrize(
    "words",
    [
        ("clients", "show", "personne"),
        ("clients", "enable", "personne"),
        ("accounts", "show", "personne"),
        ("accounts", "lock", "personne"),
        ("keys", "retire", "personne"),
        ("documents", "show", "regles-d-usage", "99"),
    ],
    ids=" ".join,
)
def test_a_refusal_exits_1_with_one_line_that_names_what_was_asked(provider: Provider, words: tuple[str, ...]) -> None:
    for more in ((), ("--json",)):
        result = invoke(provider, *words, *more)
        assert result.exit_code == 1
        assert result.stdout == ""
        assert words[-1] in one_line(result)


@pytest.fixture
def half_done(provider: Provider) -> Callable[..., Any]:
    """A command that writes, then ends as it is told."""

    def command(error: Exception | None) -> None:
        record("half.done")
        if error is not None:
            raise error

    return _one_commit(command, ready=False)


def written(provider: Provider) -> bool:
    with provider.app.app_context():
        return db.session.scalar(select(AuditEvent.event).where(AuditEvent.event == "half.done")) is not None


@pytest.mark.parametrize("error", [click.ClickException("non"), SettingsRefused("non"), RuntimeError("non"), None])
def test_a_command_commits_once_it_has_returned_and_leaves_nothing_of_a_refusal(
    provider: Provider, half_done: Callable[..., Any], error: Exception | None
) -> None:
    with provider.app.app_context():
        if error is None:
            half_done(None)
        else:
            with pytest.raises(click.ClickException if not isinstance(error, RuntimeError) else RuntimeError):
                half_done(error)
    assert written(provider) is (error is None)


def test_a_command_commits_once(provider: Provider) -> None:
    provider.service("espace-bailleur")
    commits: list[object] = []
    with provider.app.app_context():
        engine = db.engine
    assert invoke(provider, "keys", "list").exit_code == 0
    event.listen(engine, "commit", commits.append)
    assert invoke(provider, "clients", "disable", "espace-bailleur").exit_code == 0
    # One of the start's checks, one of the command.
    assert len(commits) <= 2


def test_a_database_that_does_not_answer_is_a_refusal_in_one_line(provider: Provider) -> None:
    with unreachable(provider):
        for words in (("clients", "list"), ("purge",), ("db", "status"), ("db", "upgrade")):
            result = invoke(provider, *words)
            assert result.exit_code == 1
            assert "base de données" in one_line(result)


def test_the_doctor_is_red_until_the_texts_are_published_and_green_afterwards(
    make_provider: Callable[..., Provider],
) -> None:
    provider = make_provider()
    assert invoke(provider, "doctor").exit_code == 0
    with provider.transaction():
        from consent.models import Base

        for table in reversed(Base.metadata.sorted_tables):
            db.session.execute(table.delete())
    sick = invoke(provider, "doctor")
    assert sick.exit_code == 1
    assert "idp documents publish" in sick.stdout
    assert "à réparer" in one_line(sick)
    findings = json.loads(invoke(provider, "doctor", "--json").stdout)
    assert [finding["name"] for finding in findings if not finding["well"]] == ["textes à accepter"]
    with unreachable(provider):
        assert invoke(provider, "doctor").exit_code == 1


@pytest.fixture
def installation(tmp_path: Path, database_url: str) -> Installation:
    return Installation(tmp_path, database_url)


def test_an_installation_is_made_by_its_commands_in_order(installation: Installation) -> None:
    """Real processes: secrets once, schema, then commands that work with data; nothing is printed twice."""
    refused = installation.run("clients", "list")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "idp secrets init" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    made = installation.run("secrets", "init", "--json")
    assert made.returncode == 0
    assert Path(json.loads(made.stdout)["file"]).stat().st_mode & 0o777 == 0o600
    again = installation.run("secrets", "init")
    assert (again.returncode, again.stdout) == (1, "")
    assert "existe déjà" in again.stderr
    assert installation.run("db", "upgrade").returncode == 0
    assert json.loads(installation.run("db", "status", "--json").stdout)["current"] is True
    published = installation.run("documents", "publish", "--shipped")
    assert published.returncode == 0
    registered = installation.run(
        "clients", "register", "--name", "Essai", "--redirect-uri", "https://essai.example/retour"
    )
    secret = json.loads(registered.stdout)["client_secret"]
    assert registered.stdout.count(secret) == 1
    assert secret not in registered.stderr
    listed = installation.run("clients", "list")
    assert secret not in listed.stdout
    assert listed.stdout.count("Essai") == 1
    assert installation.run("doctor").returncode == 0


@pytest.mark.security("LE-01")
def test_settings_are_shown_with_their_origin_and_secrets_masked(installation: Installation) -> None:
    secret = "s" * 40
    shown = installation.run("settings", IDP_SECRET_KEYS=secret, IDP_SMTP_URL="smtp://caf:motdepasse@mail.example")
    assert shown.returncode == 0
    assert secret not in shown.stdout
    assert "motdepasse" not in shown.stdout
    assert "IDP_SECRET_KEYS = ********" in shown.stdout
    rows = {row["name"]: row for row in json.loads(installation.run("settings", "--json").stdout)}
    assert rows["IDP_BCRYPT_COST"]["origin"] == "environnement"
    assert rows["IDP_CODE_LIFETIME"]["origin"] == "défaut"
    checked = installation.run("settings", "--check")
    assert (checked.returncode, checked.stdout) == (0, "")


@pytest.mark.parametrize(
    "words", [("settings", "--check"), ("run",), ("clients", "list"), ("secrets", "init"), ("db", "upgrade")]
)
def test_a_wrong_setting_is_refused_by_every_command_before_anything_is_done(
    installation: Installation, words: tuple[str, ...]
) -> None:
    done = installation.run(*words, IDP_ISUER="x")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == ["Error: réglage inconnu : IDP_ISUER ; la liste est donnée par « idp settings »"]
    assert not (installation.folder / "data").exists()


def test_the_cost_of_a_password_is_measured(provider: Provider) -> None:
    rows = json.loads(invoke(provider, "calibrate", "--json").stdout)
    assert [row["cost"] for row in rows] == [10, 11, 12, 13]
    assert rows[0]["ms"] < rows[-1]["ms"]
    assert all(row["per_second_and_core"] > 0 for row in rows)
