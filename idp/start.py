"""From settings to a provider that may serve: secrets, schema, sentinels, keys. Refuses rather than repairs.

The first start with an empty SQLite database and an empty data directory makes the secrets and the schema. Anything
else needs `idp secrets init` and `idp db upgrade`; a wrong or missing secret never leads to new keys (F-23).
"""

import os
import secrets
import tempfile
import tomllib
from pathlib import Path

from flask import Flask, current_app
from sqlalchemy.exc import DBAPIError

from idp import migrations
from idp.db import current_session, db
from idp.services import Services
from idp.settings import SECRET_LISTS, Settings, SettingsRefused
from keys import sentinel
from keys.refusals import KeyRefused
from keys.sealing import Unsealable

UNFINISHED = ".secrets-"
"""Begins the name of a secrets file that is being written."""


def with_secrets(settings: Settings) -> Settings:
    """The settings, completed with the secrets file of the data directory; made now at the very first start.

    Raises `SettingsRefused` when a secret is missing and may not be made.
    """
    missing = [name for name in SECRET_LISTS if not getattr(settings, name)]
    if not missing:
        return settings
    path = secrets_file(settings)
    if not path.exists():
        if _first_start(settings):
            make_secrets(settings)
        elif not path.exists():  # else another process that starts at the same moment has just made them
            names = ", ".join(f"IDP_{name.upper()}" for name in missing)
            raise SettingsRefused(f"il manque {names} : donnez ces secrets, ou lancez « idp secrets init »")
    try:
        kept = tomllib.loads(path.read_text(encoding="ascii"))
        return Settings(**{**settings.model_dump(), **{name: tuple(kept[name]) for name in missing}})
    except (OSError, ValueError, KeyError) as error:
        raise SettingsRefused(f"le fichier de secrets {path} ne peut pas être lu ({type(error).__name__})") from None


def secrets_file(settings: Settings) -> Path:
    """Where the embedded default keeps its secrets."""
    return settings.data_dir / "secrets.toml"


def make_secrets(settings: Settings) -> bool:
    """Write new secrets, once: False when the file is there already. Several processes at once end with one file."""
    path = secrets_file(settings)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lines = [f'{name} = ["{secrets.token_urlsafe(32)}"]\n' for name in SECRET_LISTS]
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=UNFINISHED)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)  # atomic, and fails when another process was faster
    except FileExistsError:
        return False
    finally:
        os.unlink(temporary)
    return True


def make_ready(app: Flask) -> None:
    """Check that this installation may serve, and make the first keys. Raises `SettingsRefused`.

    Takes an app context of its own; run before the first request and before commands that work with data.
    """
    with app.app_context():
        if services().settings.production and app.debug:
            raise SettingsRefused("le mode de mise au point est interdit en production : retirez FLASK_DEBUG")
        try:
            _check_schema()
            _check_secrets()
            _check_no_demonstration()
            db.session.commit()
        except DBAPIError as error:
            raise SettingsRefused(
                f"la base de données ne répond pas ({type(error).__name__}) : vérifiez IDP_DATABASE_URL"
            ) from None


def services() -> Services:
    """The collaborators of the current application."""
    built: Services = current_app.extensions["idp"]
    return built


def _first_start(settings: Settings) -> bool:
    """An embedded database and nothing kept yet: nothing can be lost by making secrets."""
    embedded = settings.database == f"sqlite:///{settings.data_dir}/idp.sqlite3"
    if not embedded or not settings.data_dir.exists():
        return embedded
    # What another first start is just writing, or left when it was killed, is nothing kept.
    return all(entry.name.startswith(UNFINISHED) for entry in settings.data_dir.iterdir())


def _check_schema() -> None:
    state = migrations.status(db.engine)
    embedded = db.engine.dialect.name == "sqlite"
    if state.empty and embedded:
        migrations.upgrade(db.engine)
    elif not state.current:
        raise SettingsRefused("le schéma de la base n’est pas à jour : lancez « idp db upgrade »")


def _check_no_demonstration() -> None:
    """What a demonstration left is not for real people: its landlords and their secrets are known (LG-18)."""
    built = services()
    if not built.settings.production:
        return
    for client in built.clients.list():
        if client.application_type != "native" and any(uri.startswith("http:") for uri in client.redirect_uris):
            raise SettingsRefused(
                f"cette base vient d’une démonstration (service « {client.client_id} », adresse http) :"
                " prenez une base et un dossier IDP_DATA_DIR neufs"
            )


def _check_secrets() -> None:
    """The secrets are those that this database was filled with; a lost one never leads to new keys (F-23)."""
    built = services()
    try:
        # In this order and in one transaction: an emptied table of keys is no first start.
        first = sentinel.check(current_session(), "kek", built.key_encryption_keys, may_create=True)
        sentinel.check(current_session(), "pepper", built.password_peppers, may_create=first)
        built.ring.make_missing(first_start=first)
    except (KeyRefused, Unsealable) as wrong:
        raise SettingsRefused(str(wrong)) from None
    if built.passwords.lost_pepper():
        raise SettingsRefused("un ancien poivre manque : remettez-le à la fin de IDP_PASSWORD_PEPPERS")
