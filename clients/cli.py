"""`idp clients ...`: relying parties from the command line.

Owns options, prompts and what is printed. Decides nothing: each command is one call of the registry, whose refusals
it speaks (exit 1). Commits nothing: the root group does, once.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import click
from flask import current_app
from flask.cli import AppGroup

from clients.client import Client
from clients.options import Duration, json_option, metadata_of, metadata_options
from clients.refusals import Refused, UnknownClient
from clients.registry import ClientRegistry, Registered

clients_cli = AppGroup("clients", help="Les services qui nous confient leur connexion (relying parties).")


@clients_cli.command("register")
@click.option("--client-id", help="Identifiant choisi ; tiré au hasard sinon.")
@metadata_options
@click.option("--json", is_flag=True, expose_value=False, help="Sans effet : la réponse est toujours en JSON.")
def register(client_id: str | None, **given: Any) -> None:
    """Enregistre un service ; affiche son client_id et, une seule fois, son secret (toujours en JSON).

    \b
    Exemple :
      idp clients register --name "Espace bailleur" \\
        --redirect-uri https://bailleur.example/retour --client-id espace-bailleur
    """
    with _refusals_spoken():
        _print_json(_registered(_registry().register(metadata_of(given), client_id)))


@clients_cli.command("list")
@json_option
def list_clients(as_json: bool) -> None:
    """Montre tous les services.

    \b
    Exemple :
      idp clients list
    """
    clients = _registry().list()
    if as_json:
        _print_json([_described(client) for client in clients])
        return
    if not clients:
        click.echo("Aucun service : enregistrez-en un avec « idp clients register ».")
    for client in clients:
        click.echo(f"{client.client_id:<32} {_state(client):<10} {client.application_type:<7} {client.name}")


@clients_cli.command("show")
@click.argument("client_id")
@json_option
def show(client_id: str, as_json: bool) -> None:
    """Montre ce qu'un service a enregistré, sans aucun secret.

    \b
    Exemple :
      idp clients show espace-bailleur
    """
    client = _registry().get(client_id)
    if client is None:
        raise click.ClickException(str(UnknownClient(client_id)))
    if as_json:
        _print_json(_described(client))
        return
    click.echo(f"client_id : {client.client_id} ({_state(client)})")
    for name, value in client.registration.items():
        click.echo(f"{name} : {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
    for secret in client.secrets:
        click.echo(f"secret : {_until(secret.expires_at)}")


@clients_cli.command("update")
@click.argument("client_id")
@metadata_options
@json_option
def update(client_id: str, as_json: bool, **given: Any) -> None:
    """Change ce qui est donné, laisse le reste ; dans un fichier, null remet un champ à sa valeur par défaut.

    \b
    Exemple :
      idp clients update espace-bailleur --redirect-uri https://bailleur.example/nouveau-retour
    """
    changes = metadata_of(given)
    if changes == {}:
        raise click.UsageError("rien à changer : donnez au moins une option (voir --help).")
    with _refusals_spoken():
        changed = _registry().update(client_id, changes)
    if as_json or changed.client_secret:
        _print_json(_registered(changed))
        return
    click.echo(f"« {client_id} » est à jour.")


@clients_cli.command("rotate-secret")
@click.argument("client_id")
@click.option(
    "--overlap",
    type=Duration(),
    default="24h",
    show_default=True,
    help="Combien de temps l'ancien secret sert encore (0 : il a fuité).",
)
@json_option
def rotate_secret(client_id: str, overlap: int, as_json: bool) -> None:
    """Donne un nouveau secret, affiché une seule fois ; l'ancien sert encore le temps de le remplacer.

    \b
    Exemple :
      idp clients rotate-secret espace-bailleur --overlap 7j
    """
    with _refusals_spoken():
        secret = _registry().rotate_secret(client_id, overlap)
        client = cast(Client, _registry().get(client_id))
    last_end = max((s.expires_at for s in client.secrets if s.expires_at is not None), default=None)
    if as_json:
        _print_json({"client_id": client_id, "client_secret": secret, "previous_expires_at": last_end})
        return
    click.echo(f"Nouveau secret de « {client_id} », affiché une seule fois :")
    click.echo(secret)
    click.echo("L'ancien ne sert plus." if last_end is None else f"L'ancien secret : {_until(last_end)}.")


@clients_cli.command("enable")
@click.argument("client_id")
@json_option
def enable(client_id: str, as_json: bool) -> None:
    """Rétablit un service arrêté.

    \b
    Exemple :
      idp clients enable espace-bailleur
    """
    with _refusals_spoken():
        _say_state(_registry().enable(client_id), as_json)


@clients_cli.command("disable")
@click.argument("client_id")
@json_option
def disable(client_id: str, as_json: bool) -> None:
    """Arrête un service : plus aucun jeton pour lui, sur tous les serveurs en 5 secondes.

    \b
    Exemple :
      idp clients disable espace-bailleur
    """
    with _refusals_spoken():
        _say_state(_registry().disable(client_id), as_json)


@clients_cli.command("delete")
@click.argument("client_id")
@click.option("--yes", is_flag=True, help="Sans demander de confirmation.")
@json_option
def delete(client_id: str, yes: bool, as_json: bool) -> None:
    """Supprime un service pour toujours ; son identifiant ne sera jamais redonné.

    \b
    Exemple :
      idp clients delete espace-bailleur
    """
    if (
        not yes
        and click.prompt("Pour supprimer ce service pour toujours, retapez son identifiant", err=True) != client_id
    ):
        raise click.ClickException(f"rien n'a été supprimé : l'identifiant retapé n'est pas « {client_id} ».")
    with _refusals_spoken():
        _registry().delete(client_id)
    if as_json:
        _print_json({"client_id": client_id, "deleted": True})
        return
    click.echo(f"« {client_id} » est supprimé.")


def _registry() -> ClientRegistry:
    return cast(ClientRegistry, current_app.extensions["clients"])


@contextmanager
def _refusals_spoken() -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        raise click.ClickException(str(refused)) from refused


def _registered(registered: Registered) -> dict[str, Any]:
    """The answer of RFC 7591 section 3.2.1: the secret, when one was made, has no end by itself (0)."""
    client, secret = registered.client, registered.client_secret
    secrets = {} if secret is None else {"client_secret": secret, "client_secret_expires_at": 0}
    return {"client_id": client.client_id, **secrets, **client.registration}


def _described(client: Client) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "enabled": client.enabled,
        **client.registration,
        "secrets": [{"expires_at": secret.expires_at} for secret in client.secrets],
    }


def _state(client: Client) -> str:
    return "actif" if client.enabled else "arrêté"


def _say_state(client: Client, as_json: bool) -> None:
    if as_json:
        _print_json({"client_id": client.client_id, "enabled": client.enabled})
        return
    click.echo(f"« {client.client_id} » est {_state(client)}.")


def _until(expires_at: int | None) -> str:
    if expires_at is None:
        return "sans date de fin"
    return f"jusqu'au {datetime.fromtimestamp(expires_at, UTC):%d/%m/%Y à %H:%M:%S} UTC"


def _print_json(document: object) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))
