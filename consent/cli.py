"""`idp documents`: publish, list and show the texts that people accept."""

import json
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup

from consent.documents import NAMES, Documents
from consent.models import Document
from consent.refusals import PublicationRefused

documents_cli = AppGroup("documents", help="Les textes que l’on accepte : règles d’usage, conditions d’utilisation.")
_json = click.option("--json", "as_json", is_flag=True, help="Répond par un document JSON.")


def shipped(name: str) -> str:
    """The Markdown of the text that we ship for `name`."""
    return (resources.files("consent") / "texts" / f"{name}.fr.md").read_text(encoding="utf-8")


def publish_shipped(documents: Documents) -> list[Document]:
    """Publish both texts that we ship, as version 1. Again changes nothing."""
    return [documents.publish(name, "1", shipped(name)) for name in NAMES]


@documents_cli.command("publish")
@click.argument("name", type=click.Choice(NAMES), required=False)
@click.option("--version", help="Numéro de la version ; par défaut, le nombre entier suivant.")
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Le texte, en Markdown (UTF-8), qui commence par « # Titre ».",
)
@click.option("--changes", help="Ce qui change, en une ou deux phrases : montré à ceux qui avaient déjà accepté.")
@click.option(
    "--effective-at",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
    help="Date d’entrée en vigueur, en temps universel ; tout de suite par défaut.",
)
@click.option("--shipped", "use_shipped", is_flag=True, help="Publie les deux textes fournis, en version 1.")
@_json
def publish(
    name: str | None,
    version: str | None,
    file: Path | None,
    changes: str | None,
    effective_at: datetime | None,
    use_shipped: bool,
    as_json: bool,
) -> None:
    """Publie une version d’un texte. Une version publiée ne change jamais.

    \b
    Exemples :
      idp documents publish --shipped
      idp documents publish regles-d-usage --file regles.md --changes "L’article 7 est précisé."
    """
    documents = _documents()
    if use_shipped == bool(name):
        raise click.UsageError("Indiquez le nom d’un texte et --file, ou bien --shipped seul.")
    try:
        if name is None:
            published = publish_shipped(documents)
        elif file is None:
            raise click.UsageError("Indiquez le texte à publier avec --file.")
        else:
            seconds = None if effective_at is None else int(effective_at.replace(tzinfo=UTC).timestamp())
            version = version or documents.next_version(name)
            published = [documents.publish(name, version, _read(file), changes, seconds)]
    except PublicationRefused as refused:
        raise click.ClickException(str(refused)) from None
    _print(published, as_json)


@documents_cli.command("list")
@_json
def list_documents(as_json: bool) -> None:
    """Montre toutes les versions publiées ; « * » marque celle qui est en vigueur.

    \b
    Exemple :
      idp documents list
    """
    _print(_documents().versions(), as_json)


@documents_cli.command("show")
@click.argument("name", type=click.Choice(NAMES))
@click.argument("version", required=False)
@_json
def show(name: str, version: str | None, as_json: bool) -> None:
    """Montre une version d’un texte, celle en vigueur par défaut.

    \b
    Exemple :
      idp documents show regles-d-usage 1
    """
    documents = _documents()
    document = documents.get(name, version) if version else documents.in_force().get(name)
    if document is None:
        raise click.ClickException(
            f"Aucune version {version or 'en vigueur'} du texte « {name} » : voyez « idp documents list »."
        )
    if as_json:
        facts = _facts(document, documents)
        click.echo(json.dumps({**facts, "markdown": document.markdown, "html": document.html}, ensure_ascii=False))
    else:
        click.echo(document.markdown)


def _documents() -> Documents:
    documents: Documents = current_app.extensions["documents"]
    return documents


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise click.ClickException(f"{file} n’est pas en UTF-8 : enregistrez-le en UTF-8.") from None


def _facts(document: Document, documents: Documents) -> dict[str, Any]:
    names = ("name", "version", "title", "sha256", "changes", "published_at", "effective_at")
    current = documents.in_force().get(document.name)
    in_force = current is not None and current.sequence == document.sequence
    return {**{name: getattr(document, name) for name in names}, "in_force": in_force}


def _print(published: list[Document], as_json: bool) -> None:
    facts = [_facts(document, _documents()) for document in published]
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    for fact in facts:
        day = datetime.fromtimestamp(fact["effective_at"], UTC).strftime("%Y-%m-%d")
        mark = "*" if fact["in_force"] else " "
        click.echo(f"{mark} {fact['name']:<26} {fact['version']:<8} {day}  {fact['sha256'][:16]}  {fact['title']}")
