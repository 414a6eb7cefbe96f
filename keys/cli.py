"""`idp keys`: list, rotate, retire and revoke the signing keys.

Owns the words and the tables. The ring is `current_app.extensions["keys"]`; the commit is the caller's.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup

from keys.algorithms import ALGORITHMS
from keys.refusals import KeyRefused
from keys.ring import KeyRing, ListedKey

keys_cli = AppGroup("keys", help="Clés de signature : lister, renouveler, retirer, révoquer.")

_STATES = {
    "published": "publiée",
    "current": "signe",
    "retired": "retirée",
    "gone": "partie",
    "revoked": "révoquée",
}
_json_option = click.option("--json", "as_json", is_flag=True, help="Un document JSON, pour une machine.")


def _refusals(command: Callable[..., None]) -> Callable[..., None]:
    """Turns what the room refuses into one line on stderr and exit 1."""

    @wraps(command)
    def refusing(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except KeyRefused as refused:
            raise click.ClickException(str(refused)) from refused

    return refusing


@keys_cli.command("list")
@_json_option
@_refusals
def list_keys(as_json: bool) -> None:
    """Liste toutes les clés, leur état et leurs dates.

    \b
    Exemple :
      idp keys list --json
    """
    _show(_ring().list(), as_json)


@keys_cli.command()
@click.option("--alg", type=click.Choice(list(ALGORITHMS)), help="Un seul algorithme ; tous sans cette option.")
@_json_option
@_refusals
def rotate(alg: str | None, as_json: bool) -> None:
    """Prépare la clé suivante : publiée tout de suite, elle signe une fois connue de tous les services.

    Relancer la commande ne fait pas de deuxième clé : celle qui attend est montrée.

    \b
    Exemple :
      idp keys rotate --alg RS256
    """
    waiting = {key.kid for key in _ring().rotate(alg)}
    _show([listed for listed in _ring().list() if listed.key.kid in waiting], as_json)


@keys_cli.command()
@click.argument("kid")
@_json_option
@_refusals
def retire(kid: str, as_json: bool) -> None:
    """Retire une clé en bon ordre : rien de ce qu'elle a signé ne cesse d'être valable.

    La clé qui signe reçoit une remplaçante et part après elle ; une clé qui n'a jamais signé part tout de suite.

    \b
    Exemple :
      idp keys retire d1a5f0c29b7e4c6388aa0be4f1d27c90
    """
    ring = _ring()
    ring.retire(kid)
    alg = next(listed.key.alg for listed in ring.list() if listed.key.kid == kid)
    _show(
        [listed for listed in ring.list() if listed.key.alg == alg and listed.state not in ("gone", "revoked")], as_json
    )


@keys_cli.command()
@click.argument("kid")
@click.option("--yes", is_flag=True, help="Ne pas demander de confirmation.")
@_json_option
@_refusals
def revoke(kid: str, yes: bool, as_json: bool) -> None:
    """Urgence : la clé ne signe plus et n'est plus publiée ; une autre signe aussitôt, sur tous les serveurs en 5 s.

    Ce qu'elle a signé n'est plus vérifiable : les services redemanderont une connexion. Ceux qui gardent l'ancien jeu
    de clés l'acceptent encore jusqu'à la fin de leur cache.

    \b
    Exemple :
      idp keys revoke d1a5f0c29b7e4c6388aa0be4f1d27c90 --yes
    """
    if not yes:
        question = f"Révoquer la clé {kid} ? Les jetons qu'elle a signés ne seront plus vérifiables."
        click.confirm(question, abort=True, err=True)
    signing = _ring().revoke(kid)
    kids = {kid} if signing is None else {kid, signing.kid}
    _show([listed for listed in _ring().list() if listed.key.kid in kids], as_json)


def _ring() -> KeyRing:
    ring: KeyRing = current_app.extensions["keys"]
    return ring


def _show(keys: Sequence[ListedKey], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([_as_json(listed) for listed in keys], indent=2))
        return
    if not keys:
        click.echo("Aucune clé de signature.")
        return
    click.echo(f"{'kid':32}  {'alg':5}  {'état':8}  {'signe à partir de':20}  part le")
    for listed in keys:
        key = listed.key
        left = key.revoked_at if key.revoked_at is not None else listed.leaves_at
        click.echo(
            f"{key.kid:32}  {key.alg:5}  {_STATES[listed.state]:8}  {_moment(key.active_from):20}  {_moment(left)}"
        )


def _as_json(listed: ListedKey) -> dict[str, Any]:
    """Times in seconds since the epoch."""
    key = listed.key
    return {
        "kid": key.kid,
        "alg": key.alg,
        "generation": key.generation,
        "state": listed.state,
        "published_at": key.published_at,
        "active_from": key.active_from,
        "leaves_at": listed.leaves_at,
        "revoked_at": key.revoked_at,
    }


def _moment(seconds: int | None) -> str:
    return "-" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
