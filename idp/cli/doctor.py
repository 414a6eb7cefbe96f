"""`idp doctor`: is this installation healthy, and what to mend."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import click
from flask.cli import ScriptInfo
from sqlalchemy.exc import DBAPIError

from consent.documents import NAMES
from idp.settings import SettingsRefused


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `mend` says what to do when it is not well."""

    name: str
    well: bool
    mend: str = ""


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Pour les machines.")
def doctor(as_json: bool) -> None:
    """Dit si l’installation est en bonne santé, et quoi réparer (sortie 1 s’il y a quelque chose à réparer).

    \b
    Exemple :
      idp doctor
    """
    findings = list(_examine())
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            click.echo(
                f"{'bien  ' if finding.well else 'ROUGE '} {finding.name}{' : ' if finding.mend else ''}{finding.mend}"
            )
    sick = [finding for finding in findings if not finding.well]
    if sick:
        raise click.ClickException(f"{len(sick)} point(s) à réparer, voir la liste")


def _examine() -> Iterator[Finding]:
    from idp.start import make_ready, services

    try:
        app = click.get_current_context().ensure_object(ScriptInfo).load_app()
        yield Finding("réglages", well=True)
        make_ready(app)
        yield Finding("base, schéma, secrets, clés", well=True)
        with app.app_context():
            built = services()
            missing = [name for name in NAMES if name not in built.documents.in_force()]
            yield Finding(
                "textes à accepter",
                well=not missing,
                mend="publiez-les : idp documents publish --shipped" if missing else "",
            )
            waiting = built.outbox.status()
            failed = waiting.get("failed", 0)
            yield Finding(
                "mails et courriers", well=not failed, mend=f"{failed} en échec : idp outbox status" if failed else ""
            )
            yield Finding("services", well=True, mend="" if built.clients.list() else "aucun : idp clients register")
    except (SettingsRefused, click.ClickException) as refused:
        yield Finding("démarrage", well=False, mend=str(refused))
    except DBAPIError as error:
        yield Finding("base de données", well=False, mend=type(error).__name__)
