"""Commands of the installation: settings, schema, secrets, hash cost, purge."""

import json
import time
from typing import Any

import bcrypt
import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from idp import migrations
from idp.db import db
from idp.settings import PREFIX, SECRET_NAMES, Settings, SettingsRefused, load, sourced
from idp.start import make_secrets, secrets_file

db_cli = AppGroup("db", help="Le schéma de la base de données.")
secrets_cli = AppGroup("secrets", help="Les secrets de l’installation.")


@click.command("settings")
@click.option("--check", is_flag=True, help="Vérifie seulement ; ne montre rien si tout va bien.")
@click.option("--json", "as_json", is_flag=True, help="Pour les machines.")
def settings_cli(check: bool, as_json: bool) -> None:
    """Montre chaque réglage, sa valeur et d’où elle vient ; les secrets sont masqués.

    \b
    Exemple :
      IDP_ISSUER=https://compte.example idp settings
    """
    try:
        given, settings = sourced(), load()
    except SettingsRefused as refused:
        raise click.ClickException(str(refused)) from None
    if check:
        return
    rows = [_row(settings, name, given) for name in Settings.model_fields]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row['name']} = {row['value']}\n    {row['description']} [{row['origin']}]")


def _row(settings: Settings, name: str, given: dict[str, tuple[Any, str]]) -> dict[str, Any]:
    value = getattr(settings, name)
    if name in SECRET_NAMES and value:
        value = "********"
    origin = given[name][1] if name in given else "défaut"
    description = Settings.model_fields[name].description
    return {"name": PREFIX + name.upper(), "value": str(value), "origin": origin, "description": description}


@db_cli.command("upgrade")
@click.option("--json", "as_json", is_flag=True, help="Pour les machines.")
def upgrade(as_json: bool) -> None:
    """Amène le schéma à la dernière version ; sans effet s’il y est déjà.

    \b
    Exemple :
      idp db upgrade
    """
    try:
        done = migrations.upgrade(db.engine)
    except DBAPIError as error:
        raise click.ClickException(f"la base de données ne répond pas ({type(error).__name__})") from None
    click.echo(json.dumps({"version": done.version}) if as_json else f"schéma en version {done.version}")


@db_cli.command("status")
@click.option("--json", "as_json", is_flag=True, help="Pour les machines.")
def status(as_json: bool) -> None:
    """Dit où en est le schéma.

    \b
    Exemple :
      idp db status
    """
    try:
        found = migrations.status(db.engine)
    except DBAPIError as error:
        raise click.ClickException(f"la base de données ne répond pas ({type(error).__name__})") from None
    if as_json:
        click.echo(json.dumps({"version": found.version, "head": found.head, "current": found.current}))
    else:
        click.echo("à jour" if found.current else "à mettre à jour : lancez « idp db upgrade »")


@click.command("init")
@click.option("--json", "as_json", is_flag=True, help="Pour les machines.")
def init_secrets(as_json: bool) -> None:
    """Écrit de nouveaux secrets dans IDP_DATA_DIR, une seule fois ; n’en remplace jamais.

    \b
    Exemple :
      idp secrets init
    """
    try:
        settings = load()
    except SettingsRefused as refused:
        raise click.ClickException(str(refused)) from None
    path = secrets_file(settings)
    if not make_secrets(settings):
        raise click.ClickException(f"{path} existe déjà : rien n’a été changé ; sauvegardez-le hors de la base")
    sentence = f"secrets écrits dans {path} : sauvegardez ce fichier à part de la base"
    click.echo(json.dumps({"file": str(path)}) if as_json else sentence)


secrets_cli.add_command(init_secrets)


@click.command("calibrate")
@click.option("--json", "as_json", is_flag=True, help="Pour les machines.")
def calibrate(as_json: bool) -> None:
    """Mesure ici le coût d’un mot de passe, et combien de connexions par seconde il permet sur un cœur.

    \b
    Exemple :
      idp calibrate
    """
    rows = []
    for cost in (10, 11, 12, 13):
        salt = bcrypt.gensalt(cost)
        started = time.process_time()
        bcrypt.hashpw(b"calibrate", salt)
        seconds = time.process_time() - started
        rows.append({"cost": cost, "ms": round(seconds * 1000), "per_second_and_core": round(1 / seconds, 1)})
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(
            f"coût {row['cost']} : {row['ms']} ms, {row['per_second_and_core']} connexions par seconde et par cœur"
        )
    click.echo("Choisissez le plus haut coût sous 300 ms : IDP_BCRYPT_COST.")


@click.command("purge")
@click.option("--json", "as_json", is_flag=True, help="Pour les machines.")
def purge(as_json: bool) -> None:
    """Efface par petits lots ce qui a expiré : codes, jetons, demandes, sessions, compteurs.

    \b
    Exemple :
      idp purge
    """
    from idp.purge import purge_all

    counts = purge_all(current_app.extensions["idp"].settings)
    if as_json:
        click.echo(json.dumps(counts))
    else:
        for table, count in counts.items():
            click.echo(f"{table} : {count}")
