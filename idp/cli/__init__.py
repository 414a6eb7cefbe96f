"""The command line: `idp`. One command, one commit; a refusal is one line on standard error and exit 1.

Each room brings its own group of commands; here are those of the installation, and what all of them share.
"""

import copy
import functools
import os
from collections.abc import Callable
from typing import Any

import click
from flask import Flask, has_app_context
from flask.cli import ScriptInfo
from sqlalchemy.exc import DBAPIError

from clients.cli import clients_cli
from consent.cli import documents_cli
from idp.accounts.cli import accounts_cli
from idp.cli.demo import demo
from idp.cli.doctor import doctor
from idp.cli.installation import calibrate, db_cli, purge, secrets_cli, settings_cli
from idp.cli.run import run
from idp.db import db
from idp.delivery.cli import outbox_cli
from idp.settings import SettingsRefused
from keys.cli import keys_cli

WITH_DATA = (clients_cli, accounts_cli, documents_cli, keys_cli, outbox_cli, purge)
"""Commands that need an installation that is ready: schema, secrets, keys."""
WITHOUT = (db_cli, secrets_cli, settings_cli, calibrate, doctor, run, demo)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def idp() -> None:
    """Mon Compte Partenaire : le fournisseur d’identité des partenaires de la Caf.

    Réglages : variables IDP_… ou fichier IDP_CONFIG (voir « idp settings »).
    """


def main() -> None:
    """The console script."""
    os.umask(0o077)  # what is written here is for this user alone
    idp(obj=ScriptInfo(create_app=_application), prog_name="idp")


def _application() -> Flask:
    from idp.app import create_app

    try:
        return create_app()
    except SettingsRefused as refused:
        raise click.ClickException(str(refused)) from None


def _one_commit(callback: Callable[..., Any], *, ready: bool) -> Callable[..., Any]:
    """Run a command on an installation that is ready, then commit; nothing stays of one that failed."""

    @functools.wraps(callback)
    def run_it(*args: Any, **kwargs: Any) -> Any:
        from idp.start import make_ready

        try:
            if ready:
                context = click.get_current_context()
                app = context.ensure_object(ScriptInfo).load_app()
                make_ready(app)
                context.with_resource(app.app_context())
            result = callback(*args, **kwargs)
            if has_app_context():
                db.session.commit()
        except SettingsRefused as refused:
            raise click.ClickException(str(refused)) from None
        except DBAPIError as error:
            raise click.ClickException(
                f"la base de données a refusé ({type(error.orig).__name__}) : vérifiez qu’elle répond, puis recommencez"
            ) from None
        return result

    return run_it


def _committing(command: click.Command, *, ready: bool) -> click.Command:
    """A copy of a command that commits once it is done; the room's own stays as it is."""
    twin = copy.copy(command)
    if isinstance(twin, click.Group):
        twin.commands = {name: _committing(child, ready=ready) for name, child in twin.commands.items()}
    elif twin.callback is not None:
        twin.callback = _one_commit(twin.callback, ready=ready)
    return twin


COMMANDS = (*(_committing(command, ready=True) for command in WITH_DATA), *WITHOUT)
for _command in COMMANDS:
    idp.add_command(_command)
