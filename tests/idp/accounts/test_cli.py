"""`idp accounts`: what an administrator types and reads."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import Engine

from idp.accounts import user_numbers
from idp.accounts.cli import accounts_cli
from idp.accounts.enrolment import Enrolment
from idp.accounts.models import Account
from idp.accounts.store import AccountStore
from idp.db import current_session, db, engine_options
from idp.delivery.mailings import PasswordMailing
from idp.web.throttle import Throttle
from tests.conftest import Clock, Recorded
from tests.idp.accounts.making import Post, make_account, password_service

CSV = (
    "reference;type;nom;departement;email\n"
    "A;physique;Lefèvre;73;a@exemple.fr\n"
    "B;physique;;73;b@exemple.fr\n"
    "C;physique;Martin;2A;c@exemple.fr\n"
)
GOOD = CSV.replace("B;physique;;", "B;physique;Goff;")


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def app(engine: Engine, clock: Clock, recorded: Recorded, post: Post) -> Iterator[Flask]:
    app, database_url = Flask("idp"), engine.url.render_as_string(hide_password=False)
    app.config.update(SQLALCHEMY_DATABASE_URI=database_url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(database_url))
    db.init_app(app)
    with app.app_context():
        passwords = password_service(current_session(), clock, recorded)
        enrolment = Enrolment(current_session, passwords, post, clock, recorded.record, end_provisional=[].append)
        store = AccountStore(current_session, clock, recorded.record, [].append)
        app.extensions["idp"] = SimpleNamespace(
            accounts=store, enrolment=enrolment, throttle=Throttle(b"0" * 32, clock)
        )
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def account(app: Flask) -> Account:
    account = make_account(current_session(), reference="CAF-1", identifier="KXPM3RTW9BCD")
    current_session().commit()
    return account


def idp(*arguments: str | Path) -> Result:
    return CliRunner().invoke(accounts_cli, [str(argument) for argument in arguments])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bailleurs.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


def test_an_import_reports_each_row_on_standard_output_and_exits_1_when_one_is_refused(app: Flask, file: Path) -> None:
    result = idp("import", file)
    lines = result.stdout.splitlines()
    assert lines[0] == "line;reference;verdict;code;message"
    assert [line.split(";")[:4] for line in lines[1:]] == [
        ["2", "A", "cree", ""],
        ["3", "B", "refuse", "nom"],
        ["4", "C", "cree", ""],
    ]
    assert result.exit_code == 1
    assert "2 créé(s), 1 refusé(s)" in result.stderr
    assert "1 ligne(s) refusée(s)" in result.stderr


def test_an_import_without_refusal_exits_0_and_has_committed(app: Flask, file: Path, tmp_path: Path) -> None:
    file.write_text(GOOD, encoding="utf-8")
    result = idp("import", file, "--report", tmp_path / "report.csv", "--json")
    assert result.exit_code == 0
    summary = json.loads(result.stdout)
    assert (summary["cree"], summary["refuse"], summary["dry_run"]) == (3, 0, False)
    current_session().rollback()
    assert len(list(app.extensions["idp"].accounts.list())) == 3
    assert (tmp_path / "report.csv").read_text(encoding="utf-8").count("\n") == 4


def test_a_dry_run_writes_nothing(app: Flask, file: Path, post: Post) -> None:
    result = idp("import", file, "--dry-run", "--json")
    assert json.loads(result.stdout)["valable"] == 2
    assert post.queued == []
    assert list(app.extensions["idp"].accounts.list()) == []


def test_an_interrupted_import_is_resumed_after_its_report(app: Flask, file: Path, tmp_path: Path) -> None:
    file.write_text(GOOD, encoding="utf-8")
    report = tmp_path / "report.csv"
    report.write_text("line;reference;verdict;code;message\n2;A;cree;;\n3;B;cr", encoding="utf-8")
    result = idp("import", file, "--report", report, "--resume", "--json")
    assert json.loads(result.stdout)["cree"] == 2
    assert [line.split(";")[1] for line in report.read_text(encoding="utf-8").splitlines()[1:]] == ["A", "B", "C"]


def test_a_report_is_never_overwritten_and_resume_needs_one(app: Flask, file: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    report.write_text("")
    refused = idp("import", file, "--report", report)
    assert (refused.exit_code, "existe déjà" in refused.stderr) == (1, True)
    assert idp("import", file, "--resume").exit_code == 2


def test_a_file_that_is_no_import_is_refused_in_one_line(app: Flask, file: Path) -> None:
    file.write_text("reference;type;e-mail\n")
    result = idp("import", file)
    assert result.exit_code == 1
    assert "« e-mail »" in result.stderr


def test_a_missing_file_is_wrong_usage(app: Flask) -> None:
    assert idp("import", "nowhere.csv").exit_code == 2


def test_accounts_are_listed(account: Account) -> None:
    assert "CAF-1" in idp("list").stdout
    (listed,) = json.loads(idp("list", "--departement", "73", "--state", "jamais-connecte", "--json").stdout)
    assert (listed["reference"], listed["etat"]) == ("CAF-1", "jamais-connecte")
    assert json.loads(idp("list", "--departement", "01", "--json").stdout) == []


def test_an_account_is_shown_by_each_of_its_names_and_no_secret_is(account: Account, app: Flask) -> None:
    app.extensions["idp"].enrolment.reissue(account)
    for name in ("kxpm-3rtw-9bcd", account.user_number.lower(), "CAF-1"):
        shown = idp("show", name)
        assert shown.exit_code == 0
        assert "KXPM-3RTW-9BCD" in shown.stdout
        assert user_numbers.display(account.user_number) in shown.stdout
        assert "2027-01-15" in shown.stdout
    document = json.loads(idp("show", "CAF-1", "--json").stdout)
    assert document["identifiant"] == "KXPM3RTW9BCD"
    assert document["cree_le"] == account.created_at
    assert not any("hash" in key or "pepper" in key for key in document)


def test_an_unknown_account_is_refused_in_one_line(account: Account) -> None:
    for command in ("show", "reissue", "lock", "unlock", "suspend"):
        result = idp(command, "nobody")
        assert result.exit_code == 1
        assert "« nobody »" in result.stderr


def test_credentials_are_sent_again_without_being_shown(account: Account, post: Post) -> None:
    result = idp("reissue", "CAF-1")
    assert result.exit_code == 0
    assert "par mail" in result.stdout
    password = post.queued[1]
    assert isinstance(password, PasswordMailing)
    assert password.provisional_password not in result.output
    only = idp("reissue", "CAF-1", "--password-only", "--json")
    assert json.loads(only.stdout)["channel"] == "mail"
    assert len(post.queued) == 3


def test_what_cannot_be_sent_is_refused_in_one_line(app: Flask) -> None:
    make_account(current_session(), reference="CLOSED", closed_at=1)
    make_account(current_session(), reference="NOWHERE", origin="letter")
    current_session().commit()
    for name in ("CLOSED", "NOWHERE"):
        result = idp("reissue", name)
        assert result.exit_code == 1
        assert result.stderr.startswith("Error: ")


@pytest.mark.parametrize(
    ("stop", "lift", "state"),
    [(["lock"], ["unlock"], "verrouille"), (["suspend"], ["suspend", "--lift"], "suspendu")],
)
def test_a_state_is_given_and_lifted(account: Account, stop: list[str], lift: list[str], state: str) -> None:
    first, again = (json.loads(idp(*stop, "CAF-1", "--json").stdout) for _ in range(2))
    assert (first["etat"], first["changed"], again["changed"]) == (state, True, False)
    assert "déjà" in idp(*stop, "CAF-1").stdout
    assert idp(*lift, "CAF-1").exit_code == 0
    assert json.loads(idp("show", "CAF-1", "--json").stdout)["etat"] == "jamais-connecte"


def test_a_closed_account_cannot_be_locked(app: Flask) -> None:
    make_account(current_session(), reference="CLOSED", closed_at=1)
    result = idp("lock", "CLOSED")
    assert (result.exit_code, "fermé" in result.stderr) == (1, True)


@pytest.mark.parametrize("command", ["import", "list", "show", "reissue", "lock", "unlock", "suspend"])
def test_every_command_has_help_with_an_example(app: Flask, command: str) -> None:
    text = idp(command, "--help").stdout
    assert "Exemple :" in text
    assert f"idp accounts {command}" in text
    assert "--json" in text
