"""`idp accounts`: import, list, show, reissue, lock, unlock, suspend. Shows no secret: none is known.

An account is named by its identifier, its user number or its reference. Only `import` commits, row by row.
"""

import json
from datetime import UTC, datetime
from typing import Any, NoReturn, Protocol, cast

import click
from flask import current_app
from flask.cli import AppGroup

from idp.accounts import identifiers, user_numbers
from idp.accounts.enrolment import Enrolment
from idp.accounts.importing.command import import_
from idp.accounts.models import Account
from idp.accounts.sending import channel_of
from idp.accounts.store import STATES, AccountStore, Closed, Unknown, state_of
from idp.db import current_session
from idp.delivery.refusals import RecipientRefused
from idp.web.throttle import Throttle

accounts_cli = AppGroup("accounts", help="Les comptes des partenaires : import, envois, verrous.")
accounts_cli.add_command(import_)

_NAME = click.argument("compte", metavar="COMPTE")
_JSON = click.option("--json", "as_json", is_flag=True, help="Un document JSON sur la sortie standard.")


class _House(Protocol):
    """What these commands use of `idp.services.Services`."""

    @property
    def accounts(self) -> AccountStore: ...
    @property
    def enrolment(self) -> Enrolment: ...
    @property
    def throttle(self) -> Throttle: ...


def _house() -> _House:
    return cast(_House, current_app.extensions["idp"])


def _refuse(reason: object) -> NoReturn:
    raise click.ClickException(str(reason))


def _find(name: str) -> Account:
    try:
        return _house().accounts.find(name)
    except Unknown as unknown:
        _refuse(unknown)


@accounts_cli.command("list")
@click.option("--departement", metavar="CODE", help="Seulement ce département (2A, 01…).")
@click.option("--state", type=click.Choice(sorted(STATES)), help="Seulement cet état.")
@_JSON
def list_(departement: str | None, state: str | None, as_json: bool) -> None:
    """Liste les comptes, par référence.

    \b
    Exemple :
      idp accounts list --departement 73 --state jamais-connecte
    """
    found = _house().accounts.list(departement=departement, state=state)
    if as_json:
        click.echo(json.dumps([_brief(account) for account in found], ensure_ascii=False, indent=2))
        return
    for account in found:
        brief = _brief(account)
        click.echo("  ".join(str(brief[key]) for key in ("reference", "numero_utilisateur", "departement", "etat")))


@accounts_cli.command()
@_NAME
@_JSON
def show(compte: str, as_json: bool) -> None:
    """Montre un compte : qui, quel état, quelles dates. Aucun secret n’est montré, ni connu.

    \b
    Exemple :
      idp accounts show BAILLEUR-0001
    """
    details = _details(_find(compte))
    if as_json:
        click.echo(json.dumps(details, ensure_ascii=False, indent=2))
        return
    width = max(map(len, details))
    for key, value in details.items():
        click.echo(f"{key:<{width}}  {_in_words(key, value)}")


@accounts_cli.command()
@_NAME
@click.option("--password-only", is_flag=True, help="Renvoie le mot de passe provisoire seul, sans l’identifiant.")
@_JSON
def reissue(compte: str, password_only: bool, as_json: bool) -> None:
    """Renvoie ses identifiants à une personne bloquée, avec un nouveau mot de passe provisoire.

    L’ancien mot de passe provisoire ne fonctionne plus ; un mot de passe personnel fonctionne encore.
    L’envoi part vers l’adresse mail prouvée, sinon par la voie du premier envoi.

    \b
    Exemple :
      idp accounts reissue UXXXXXXXXXXXXX
      idp accounts reissue BAILLEUR-0001 --password-only
    """
    account = _find(compte)
    try:
        channel = _house().enrolment.reissue(account, password_only=password_only)
    except (Closed, RecipientRefused) as refused:
        _refuse(refused)
    way = "par mail" if channel == "mail" else "par courrier"
    what = "Un nouveau mot de passe provisoire part" if password_only else "L’identifiant et un mot de passe partent"
    _say(account, f"{what} {way}.", as_json, channel=channel)


@accounts_cli.command()
@_NAME
@_JSON
def lock(compte: str, as_json: bool) -> None:
    """Verrouille un compte : plus de connexion, et tous ses accès s’arrêtent.

    \b
    Exemple :
      idp accounts lock BAILLEUR-0001
    """
    _change(compte, "lock", "Compte verrouillé.", "Ce compte était déjà verrouillé.", as_json)


@accounts_cli.command()
@_NAME
@_JSON
def unlock(compte: str, as_json: bool) -> None:
    """Déverrouille un compte, et oublie les essais ratés qui suspendent la connexion.

    \b
    Exemple :
      idp accounts unlock BAILLEUR-0001
    """
    throttle = _house().throttle
    throttle.forgive(current_session(), throttle.key(_find(compte).identifier))
    _change(compte, "unlock", "Compte déverrouillé.", "Ce compte n’était pas verrouillé.", as_json)


@accounts_cli.command()
@_NAME
@click.option("--lift", is_flag=True, help="Lève la suspension.")
@_JSON
def suspend(compte: str, lift: bool, as_json: bool) -> None:
    """Suspend un compte par précaution, ou lève la suspension avec --lift.

    \b
    Exemple :
      idp accounts suspend BAILLEUR-0001
      idp accounts suspend BAILLEUR-0001 --lift
    """
    if lift:
        _change(compte, "resume", "Suspension levée.", "Ce compte n’était pas suspendu.", as_json)
    else:
        _change(compte, "suspend", "Compte suspendu.", "Ce compte était déjà suspendu.", as_json)


def _change(name: str, operation: str, done: str, nothing: str, as_json: bool) -> None:
    account = _find(name)
    try:
        changed = getattr(_house().accounts, operation)(account)
    except Closed as closed:
        _refuse(closed)
    _say(account, done if changed else nothing, as_json, changed=changed)


def _say(account: Account, sentence: str, as_json: bool, **more: Any) -> None:
    click.echo(json.dumps({**_brief(account), **more}, ensure_ascii=False) if as_json else sentence)


def _in_words(key: str, value: Any) -> str:
    """A value as people read it: numbers in groups, dates in UTC."""
    if value is None:
        return "-"
    if key in _SHOWN:
        return _SHOWN[key](value)
    return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M} UTC" if key.endswith("_le") else str(value)


_SHOWN = {"numero_utilisateur": user_numbers.display, "identifiant": identifiers.display}


def _brief(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "reference": account.reference,
        "numero_utilisateur": account.user_number,
        "type": account.partner_type,
        "departement": account.departement,
        "etat": state_of(account),
    }


def _details(account: Account) -> dict[str, Any]:
    return {
        **_brief(account),
        "identifiant": account.identifier,
        "nom": account.family_name,
        "prenom": account.given_name,
        "organisation": account.organisation_name,
        "siret": account.siret,
        "role": account.role,
        "email": account.email,
        "email_importe": account.imported_email,
        "voie": "mail" if channel_of(account) == "mail" else "courrier",
        "cree_le": account.created_at,
        "email_prouve_le": account.email_verified_at,
        "mot_de_passe_choisi_le": account.personal_password_at,
        "premiere_connexion_terminee_le": account.first_login_completed_at,
        "verrouille_le": account.locked_at,
        "suspendu_le": account.suspended_at,
        "ferme_le": account.closed_at,
    }
