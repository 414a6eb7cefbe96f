"""The options by which a command line says what a relying party registers, and how they become metadata.

Owns the names of options and the reading of files. What is accepted is `metadata.py`'s.
"""

import json
import re
from collections.abc import Callable
from typing import IO, Any, TypeVar

import click

from clients.metadata import ASSERTION, PUBLIC, SECRET_METHODS

LARGEST_FILE = 256 * 1024
_UNITS = {"s": 1, "m": 60, "h": 3600, "j": 86400, "d": 86400}
_Command = TypeVar("_Command", bound=Callable[..., Any])


class Duration(click.ParamType[int]):
    """A length of time: `0`, `90s`, `30m`, `24h`, `7j` (or `7d`). Gives seconds."""

    name = "durée"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Seconds, or a usage error."""
        match = re.fullmatch(r"([0-9]{1,9})([smhjd]?)", str(value))
        if match is None or not (match[2] or int(match[1]) == 0):
            self.fail("écrivez par exemple 30m, 24h ou 7j (0 : tout de suite).", param, ctx)
        return int(match[1]) * _UNITS.get(match[2], 0)


json_option = click.option("--json", "as_json", is_flag=True, help="Une réponse JSON, pour les programmes.")

_METADATA_OPTIONS = (
    click.option("--name", help="Nom du service, tel que les personnes le connaissent."),
    click.option("--redirect-uri", "redirect_uris", multiple=True, help="Adresse de retour, entière (répétable)."),
    click.option(
        "--post-logout-redirect-uri",
        "post_logout_redirect_uris",
        multiple=True,
        help="Adresse où revenir après la déconnexion (répétable).",
    ),
    click.option(
        "--auth-method",
        type=click.Choice([*SECRET_METHODS, ASSERTION, PUBLIC]),
        help="Comment le service s'authentifie (client_secret_basic sauf avis contraire).",
    ),
    click.option("--public", is_flag=True, help="Service qui ne peut pas garder de secret : --auth-method none."),
    click.option("--native", is_flag=True, help="Application installée (RFC 8252) ; publique sauf avis contraire."),
    click.option("--scope", help="Portées, séparées par des espaces."),
    click.option("--jwks", type=click.File("rb"), help="Fichier JSON des clés publiques du service."),
    click.option("--id-token-alg", type=click.Choice(["RS256", "ES256"]), help="Signature des id_token."),
    click.option("--initiate-login-uri", help="Adresse qui démarre la connexion depuis « Mes services »."),
    click.option(
        "--require-pkce/--no-require-pkce", default=None, help="PKCE exigé (oui par défaut ; non : vieux services)."
    ),
    click.option("--pairwise", is_flag=True, help="Un identifiant de personne propre à ce service."),
    click.option("--from", "source", type=click.File("rb"), help="Fichier JSON, avec les noms de la RFC 7591."),
)


def metadata_options(command: _Command) -> _Command:
    """Give a command the options that describe a relying party; it takes them as `**given`."""
    for option in reversed(_METADATA_OPTIONS):
        command = option(command)
    return command


def metadata_of(given: dict[str, Any]) -> Any:
    """RFC 7591 metadata of the options in `given`: the file's, under those written one by one."""
    source, jwks = given["source"], given["jwks"]
    read = _read_json(source) if source else {}
    if not isinstance(read, dict):
        return read  # the registry says what is wrong with it
    written = {
        "client_name": given["name"],
        "application_type": "native" if given["native"] else None,
        "redirect_uris": list(given["redirect_uris"]) or None,
        "post_logout_redirect_uris": list(given["post_logout_redirect_uris"]) or None,
        "token_endpoint_auth_method": _auth_method(given),
        "scope": given["scope"],
        "jwks": _read_json(jwks) if jwks else None,
        "id_token_signed_response_alg": given["id_token_alg"],
        "initiate_login_uri": given["initiate_login_uri"],
        "require_pkce": given["require_pkce"],
        "subject_type": "pairwise" if given["pairwise"] else None,
    }
    return read | {name: value for name, value in written.items() if value is not None}


def _auth_method(given: dict[str, Any]) -> str | None:
    method: str | None = given["auth_method"]
    if given["public"] and method not in (None, PUBLIC):
        raise click.UsageError(f"--public et --auth-method {method} se contredisent : gardez l'un des deux.")
    return PUBLIC if given["public"] or (given["native"] and method is None) else method


def _read_json(file: IO[bytes]) -> Any:
    content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise click.ClickException(f"{file.name} dépasse {LARGEST_FILE // 1024} ko : donnez un fichier plus court.")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"{file.name} n'est pas du JSON : corrigez-le ({error}).") from error
