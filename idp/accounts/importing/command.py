"""`idp accounts import`: the options, the progress bar, the report. What is done is `importer`'s.

Commits row by row, unlike other commands: a run that is killed keeps what it had done.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TextIO

import click
from flask import current_app

from idp.accounts.importing.importer import Importer
from idp.accounts.importing.reading import FileRefused, Line, lines
from idp.accounts.importing.report import ALREADY, CREATED, REFUSED, VALID, Report, last_reported
from idp.db import current_session

_FLUSH_EVERY = 100


@click.command("import")
@click.argument("fichier", metavar="FICHIER", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Vérifie chaque ligne sans rien écrire ni envoyer.")
@click.option(
    "--report",
    "report_path",
    metavar="RAPPORT",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Écrit le rapport dans ce fichier (sinon sur la sortie standard).",
)
@click.option("--resume", is_flag=True, help="Reprend après la dernière ligne du rapport d’un import interrompu.")
@click.option("--json", "as_json", is_flag=True, help="Un document JSON sur la sortie standard.")
def import_(fichier: Path, dry_run: bool, report_path: Path | None, resume: bool, as_json: bool) -> None:
    """Crée un compte par ligne de FICHIER (CSV UTF-8 ou JSON par lignes) et prépare ses deux envois.

    Chaque ligne est enregistrée seule, en entier ou pas du tout. Relancer le même fichier ne crée rien deux fois.
    Le rapport donne « line;reference;verdict;code;message ». Code de sortie 1 si une ligne est refusée.

    \b
    Colonnes : reference, type (physique ou moral), nom, prenom, raison_sociale, siret, departement,
    email, adresse_1 à adresse_4, code_postal, ville, identifiant, numero_utilisateur.

    \b
    Exemple :
      idp accounts import bailleurs.csv --dry-run
      idp accounts import bailleurs.csv --report rapport.csv
    """
    if resume and report_path is None:
        raise click.UsageError("--resume a besoin de --report : le rapport de l’import interrompu.")
    if report_path and report_path.exists() and not resume:
        raise click.ClickException(
            f"Le rapport « {report_path} » existe déjà : choisissez un autre nom, ou --resume pour reprendre."
        )
    after = last_reported(report_path) if resume and report_path and report_path.exists() else 0
    counts = _import(fichier, dry_run, report_path, after, as_json)
    summary = {**counts, "dry_run": dry_run, "report": str(report_path) if report_path else None}
    click.echo(json.dumps(summary) if as_json else _in_words(counts), err=not as_json)
    if counts[REFUSED]:
        raise click.ClickException(
            f"{counts[REFUSED]} ligne(s) refusée(s) : corrigez-les d’après le rapport, puis relancez l’import."
        )


def _import(path: Path, dry_run: bool, report_path: Path | None, after: int, as_json: bool) -> dict[str, int]:
    importer = Importer(current_session, current_app.extensions["idp"].enrolment)
    with path.open("rb") as file, _report_file(report_path, as_json) as out:
        report = Report(out, with_header=after == 0)
        bar = click.progressbar(
            length=path.stat().st_size, label="Import", file=sys.stderr, hidden=not sys.stderr.isatty()
        )
        with bar:
            source = _advancing(lines(file), bar)
            results = importer.check(source) if dry_run else importer.run(source, after=after)
            try:
                for done, result in enumerate(results, 1):
                    report.add(result)
                    if done % _FLUSH_EVERY == 0:
                        report.flush()
            except FileRefused as refused:
                raise click.ClickException(str(refused)) from None
    return report.counts


def _report_file(path: Path | None, as_json: bool) -> AbstractContextManager[TextIO]:
    """The report's own file, else standard output, unless a JSON document has it to itself."""
    if path is None and not as_json:
        return nullcontext(sys.stdout)
    return open(path or os.devnull, "a", encoding="utf-8", newline="")


def _advancing(source: Iterator[Line], bar: Any) -> Iterator[Line]:
    for line in source:
        bar.update(line.size)
        yield line


def _in_words(counts: dict[str, int]) -> str:
    words = {CREATED: "créé(s)", VALID: "valable(s)", ALREADY: "déjà importé(s)", REFUSED: "refusé(s)"}
    return ", ".join(f"{number} {words[verdict]}" for verdict, number in counts.items() if number) or "Aucune ligne."
