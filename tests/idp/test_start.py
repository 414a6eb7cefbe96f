"""The first start, and every start after it: secrets and keys are made once, and a lost one is never replaced."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, text, update

from clients.models import Base as ClientsBase
from idp import migrations
from idp.accounts.models import Account, Password
from idp.app import create_app
from idp.db import db
from idp.settings import SECRET_LISTS, Settings, SettingsRefused
from idp.start import make_ready, make_secrets, secrets_file, with_secrets
from keys.models import SentinelRecord, SigningKeyRecord
from tests.idp.conftest import MakeSettings
from tests.idp.provider import ISSUER, Provider

ROOT = Path(__file__).parents[2]


def embedded(folder: Path, **changes: Any) -> Settings:
    """The embedded default: an SQLite database and secrets in `folder`."""
    values: dict[str, Any] = {"environment": "test", "issuer": ISSUER, "data_dir": folder, "bcrypt_cost": 4}
    return Settings(**{**values, **changes})


@contextmanager
def application(settings: Settings) -> Iterator[Flask]:
    """The application, within its context; its connections end with it."""
    app = create_app(settings)
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()


def refusal(settings: Settings) -> str:
    """Why this installation does not start, on one line."""
    with pytest.raises(SettingsRefused) as refused, application(settings) as app:
        make_ready(app)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def kids(settings: Settings) -> list[str]:
    with application(settings) as app:
        make_ready(app)
        return sorted(db.session.scalars(select(SigningKeyRecord.kid)))


def at_once(number: int, folder: Path, command: str, environ: dict[str, str]) -> list[Any]:
    """Run `tests.idp.starting` in so many processes that begin together; each must succeed. What they print."""
    go = folder / "go"
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.idp.starting", str(go), command],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(number)
    ]
    for process in processes:
        assert process.stderr is not None
        assert process.stderr.readline() == "waiting\n"
    go.write_text("")
    outputs = []
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err[-1500:]
        outputs.append(json.loads(out))
    go.unlink()
    return outputs


def test_the_first_start_makes_secrets_schema_and_keys_and_the_second_finds_them(tmp_path: Path) -> None:
    settings = embedded(tmp_path / "data")
    completed = with_secrets(settings)
    assert all(len(getattr(completed, name)[0]) >= 43 for name in SECRET_LISTS)
    assert secrets_file(settings).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    made = kids(settings)
    assert made
    assert with_secrets(settings) == completed
    assert kids(settings) == made
    assert not make_secrets(settings)


@pytest.mark.security("F-27", "F-28")
def test_four_first_starts_at_once_end_with_one_installation(tmp_path: Path) -> None:
    environ = {"IDP_ENVIRONMENT": "test", "IDP_ISSUER": ISSUER, "IDP_DATA_DIR": str(tmp_path / "data")}
    first, *others = at_once(4, tmp_path, "start", environ)
    assert others == [first] * 3
    assert len(first[0]) == 2
    assert [path.name for path in (tmp_path / "data").iterdir() if "secrets" in path.name] == ["secrets.toml"]


@pytest.mark.security("F-27")
def test_secrets_that_another_process_makes_between_two_looks_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = embedded(tmp_path / "data")

    def another_was_faster(_settings: Settings) -> bool:
        assert make_secrets(settings)
        return False

    monkeypatch.setattr("idp.start._first_start", another_was_faster)
    assert kids(settings)


@pytest.mark.security("F-27", "F-28")
def test_processes_that_migrate_and_start_at_once_end_with_one_schema_and_one_key_set(
    settings: MakeSettings, tmp_path: Path
) -> None:
    given = settings()
    environ = {
        "IDP_ENVIRONMENT": "test",
        "IDP_ISSUER": ISSUER,
        "IDP_DATA_DIR": str(given.data_dir),
        "IDP_DATABASE_URL": given.database,
        **{f"IDP_{name.upper()}": getattr(given, name)[0] for name in SECRET_LISTS},
    }
    assert len(set(at_once(3, tmp_path, "upgrade", environ))) == 1
    first, *others = at_once(3, tmp_path, "start", environ)
    assert others == [first] * 2
    with application(given):
        assert db.session.scalar(text("SELECT count(*) FROM alembic_version")) == 1


def test_a_first_start_that_was_killed_while_it_wrote_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / ".secrets-half").write_text("secret_ke")
    assert kids(embedded(tmp_path / "data"))


@pytest.mark.security("F-23", "SE-04")
def test_an_installation_that_lost_its_secrets_refuses_and_makes_no_new_ones(tmp_path: Path) -> None:
    settings = embedded(tmp_path / "data")
    kids(settings)
    secrets_file(settings).unlink()
    sentence = refusal(settings)
    for name in SECRET_LISTS:
        assert f"IDP_{name.upper()}" in sentence
    assert "idp secrets init" in sentence
    assert not secrets_file(settings).exists()


@pytest.mark.security("F-23")
def test_a_data_folder_that_holds_anything_is_no_first_start(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mails").mkdir()
    assert "idp secrets init" in refusal(embedded(tmp_path / "data"))


@pytest.mark.security("F-23")
@pytest.mark.parametrize("content", ["", "secret_keys = [", 'secret_keys = ["x"]', "\xff\xfe"])
def test_a_damaged_secrets_file_refuses_and_stays_as_it_is(tmp_path: Path, content: str) -> None:
    settings = embedded(tmp_path / "data")
    kids(settings)
    secrets_file(settings).write_bytes(content.encode("latin-1"))
    assert str(secrets_file(settings)) in refusal(settings)
    assert secrets_file(settings).read_bytes() == content.encode("latin-1")


@pytest.mark.security("F-23")
@pytest.mark.parametrize(
    ("name", "meant"),
    [("key_encryption_keys", "IDP_KEY_ENCRYPTION_KEYS"), ("password_peppers", "IDP_PASSWORD_PEPPERS")],
)
def test_a_wrong_secret_refuses_and_makes_no_new_key(prepared: MakeSettings, name: str, meant: str) -> None:
    before = kids(prepared())
    sentence = refusal(prepared(**{name: ("w" * 43,)}))
    assert meant in sentence
    assert kids(prepared()) == before


@pytest.mark.security("F-23")
def test_an_emptied_table_of_keys_is_no_first_start(prepared: MakeSettings) -> None:
    with application(prepared()):
        db.session.execute(delete(SigningKeyRecord))
        db.session.commit()
    refusal(prepared())
    with application(prepared()):
        assert db.session.scalar(select(func.count()).select_from(SigningKeyRecord)) == 0
        assert db.session.scalar(select(func.count()).select_from(SentinelRecord)) == 2


@pytest.mark.security("F-23", "SE-04")
def test_secrets_are_rotated_by_a_new_one_in_front_of_the_old(
    prepared: MakeSettings, make_provider: Callable[..., Provider]
) -> None:
    old = make_provider().landlord()
    changes = {name: ("n" * 43, getattr(prepared(), name)[0]) for name in SECRET_LISTS}
    rotated = make_provider(**changes)
    assert rotated.browser().sign_in(old).status_code == 303
    with rotated.app.app_context():
        db.session.execute(update(Password).where(Password.account_id == old.id).values(pepper_id="lost"))
        db.session.commit()
    assert "IDP_PASSWORD_PEPPERS" in refusal(prepared(**changes))


def test_a_schema_that_is_not_current_refuses_and_says_how_to_upgrade(prepared: MakeSettings) -> None:
    with application(prepared()):
        db.session.execute(text("DELETE FROM alembic_version"))
        db.session.commit()
    assert "idp db upgrade" in refusal(prepared())


def test_an_empty_database_is_migrated_by_the_first_start_only_when_it_is_a_file(
    settings: MakeSettings, database_kind: str
) -> None:
    if database_kind == "sqlite":
        assert kids(settings())
    else:
        assert "idp db upgrade" in refusal(settings())
        with application(settings()):
            migrations.upgrade(db.engine)
        assert kids(settings())


def test_a_database_that_does_not_answer_refuses_in_one_line(tmp_path: Path, settings: MakeSettings) -> None:
    for url in (f"sqlite:///{tmp_path}/nowhere/x.db", "postgresql+psycopg://nobody@127.0.0.1:1/none"):
        sentence = refusal(settings(database_url=url))
        assert "IDP_DATABASE_URL" in sentence


def production(settings: MakeSettings, **changes: Any) -> Settings:
    return settings(environment="production", issuer="https://compte.example", bcrypt_cost=10, **changes)


@pytest.mark.security("SE-12")
def test_production_refuses_to_start_in_debug_mode(prepared: MakeSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    assert "FLASK_DEBUG" in refusal(production(prepared))
    monkeypatch.delenv("FLASK_DEBUG")
    assert kids(production(prepared))


@pytest.mark.security("LG-18")
def test_a_new_installation_has_no_account_no_service_and_no_known_secret(tmp_path: Path) -> None:
    settings = with_secrets(
        embedded(tmp_path / "data", environment="production", issuer="https://compte.example", bcrypt_cost=10)
    )
    with application(settings) as app:
        make_ready(app)
        assert db.session.scalar(select(func.count()).select_from(Account)) == 0
        for table in ClientsBase.metadata.sorted_tables:
            assert db.session.scalar(select(func.count()).select_from(table)) == 0, table.name
    other = with_secrets(embedded(tmp_path / "other"))
    mine = {secret for name in SECRET_LISTS for secret in getattr(settings, name)}
    assert len(mine) == 3
    assert mine.isdisjoint(secret for name in SECRET_LISTS for secret in getattr(other, name))


@pytest.mark.security("LG-18")
def test_production_refuses_the_database_of_a_demonstration(
    prepared: MakeSettings, make_provider: Callable[..., Provider]
) -> None:
    make_provider(environment="demo", bcrypt_cost=10).service(
        "espace-bailleur", redirect_uris=["http://localhost:8001/retour"]
    )
    assert "démonstration" in refusal(production(prepared))
    assert kids(prepared(environment="demo", bcrypt_cost=10))


@pytest.mark.security("SE-12")
def test_the_clock_of_tests_moves_no_other_environment(tmp_path: Path) -> None:
    from idp import clock

    for environment, moved in (("test", True), ("demo", False)):
        folder = tmp_path / environment
        settings = with_secrets(embedded(folder, environment=environment, bcrypt_cost=10))
        clock.use_offset_file(None)
        before = clock.now()
        create_app(settings)
        (folder / "clock-offset").write_text("86400")
        assert (clock.now() - before >= 86400) is moved
    clock.use_offset_file(None)
