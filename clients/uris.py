"""The addresses that a client may register: one strict parser, no repair, no normalisation.

Owns which redirect, sign-out and information addresses are accepted, and why not (CL-05, AZ-02, RFC 8252). A request
is never parsed: it is compared byte for byte with what passed here.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

LONGEST = 2000
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
# The letters beyond a-z that the .fr registry accepts: no look-alike from another alphabet among them.
FRENCH_LETTERS = frozenset("ßàáâãäåæçèéêëìíîïñòóôõöùúûüýÿœ")
# Our own answer carries these: found in the registered address too, a service could read the wrong one.
RESPONSE_PARAMETERS = frozenset(("code", "state", "iss", "error", "id_token", "access_token", "response"))

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
# Scheme, host, port, path, query: every part separately, nothing decoded.
_ABSOLUTE = re.compile(r"(https?)://(\[[^\]/?]*\]|[^:/?]*)(?::([^/?]*))?((?:/[^?]*)?)(?:\?(.*))?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
_PRIVATE_USE = re.compile(r"[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+:/[^/].*|[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+://[^/].*")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DOT_SEGMENT = re.compile(r"/(?:\.|%2e){1,2}(?:/|\Z)", re.IGNORECASE)
_NEVER = re.compile(r'[<>"^`{|}]')


class UriRefused(Exception):
    """`str()` is the end of a French sentence: what is wrong with this address and what to write."""


@dataclass(frozen=True)
class Rules:
    """`production`: no http loopback for web clients. `native`: RFC 8252 loopback and private-use schemes."""

    production: bool
    native: bool = False


def check_redirect(uri: str, rules: Rules) -> None:
    """Accept `uri` as a redirect address (or a sign-out one), or raise `UriRefused`."""
    _check_characters(uri)
    scheme = _scheme(uri)
    if scheme not in ("http", "https"):
        _check_private_use(uri, scheme, rules)
        return
    _check_web(uri, loopback=rules.native or not rules.production)


def check_page(uri: str, rules: Rules) -> None:
    """Accept `uri` as the address of a page or image shown to people, or raise `UriRefused` (CL-10)."""
    _check_characters(uri)
    if _scheme(uri) not in ("http", "https"):
        raise UriRefused(f"le schéma « {_scheme(uri)}: » n'est pas accepté : donnez une adresse https://.")
    _check_web(uri, loopback=not rules.production)


def host(uri: str) -> str | None:
    """Host of an accepted http(s) address, without its port; `None` for a private-use scheme."""
    match = _ABSOLUTE.fullmatch(uri)
    return match[2] if match else None


def _check_characters(uri: str) -> None:
    """What no registered address may hold, whatever its scheme. Length first: the rest is linear in it."""
    if not 1 <= len(uri) <= LONGEST:
        raise UriRefused(f"une adresse a de 1 à {LONGEST} caractères.")
    if any(ord(c) <= 0x20 or ord(c) == 0x7F for c in uri):
        raise UriRefused("l'adresse contient un espace ou un caractère de contrôle : retirez-le.")
    if not uri.isascii():
        raise UriRefused(
            "l'adresse contient un caractère non ASCII (accent, autre alphabet) : écrivez l'hôte en « xn-- » et le "
            "reste en %XX."
        )
    if "\\" in uri:
        raise UriRefused("une barre oblique inverse est lue différemment selon les navigateurs : retirez-la.")
    if "#" in uri:
        raise UriRefused("une adresse enregistrée n'a pas de fragment : retirez « # » et ce qui suit.")
    if "*" in uri:
        raise UriRefused("il n'y a pas de joker : enregistrez chaque adresse entière, sans « * ».")
    if _NEVER.search(uri) or _BAD_PERCENT.search(uri):
        raise UriRefused("l'adresse contient un caractère interdit : écrivez-le sous la forme %XX.")


def _scheme(uri: str) -> str:
    match = _SCHEME.match(uri)
    if match is None:
        raise UriRefused("donnez une adresse complète, qui commence par https://.")
    if match[1] != match[1].lower():
        raise UriRefused("écrivez le schéma en minuscules.")
    return match[1]


def _check_private_use(uri: str, scheme: str, rules: Rules) -> None:
    """`com.example.app:/path`: a domain name reversed, so that two applications do not share it (RFC 8252 7.1)."""
    if not rules.native:
        raise UriRefused(f"le schéma « {scheme}: » n'est pas accepté : donnez une adresse https://.")
    if "." not in scheme:
        raise UriRefused(
            f"le schéma « {scheme}: » n'est pas accepté : prenez un nom de domaine à vous, à l'envers "
            "(fr.exemple.application:/retour)."
        )
    if not _PRIVATE_USE.fullmatch(uri) or "@" in uri:
        raise UriRefused("écrivez-la sous la forme fr.exemple.application:/retour.")


def _check_web(uri: str, *, loopback: bool) -> None:
    match = _ABSOLUTE.fullmatch(uri)
    if match is None:
        raise UriRefused("après le schéma il faut « // » puis le nom de l'hôte.")
    scheme, name, port, path, query = match.groups()
    if "@" in name or "@" in (port or ""):
        raise UriRefused("l'adresse ne peut contenir ni nom d'utilisateur ni « @ » devant l'hôte.")
    _check_host(name, loopback=loopback)
    if port is not None and not _is_port(port):
        raise UriRefused("le port est un nombre de 1 à 65535, sans zéro devant.")
    if scheme == "http" and name not in LOOPBACK_HOSTS:
        raise UriRefused("http n'est pas chiffré : donnez une adresse https://.")
    if _DOT_SEGMENT.search(path):
        raise UriRefused("le chemin contient « . » ou « .. » : écrivez-le en entier.")
    mixed = RESPONSE_PARAMETERS & {name for name, _ in parse_qsl(query or "", keep_blank_values=True)}
    if mixed:
        raise UriRefused(f"le paramètre « {min(mixed)} » est réservé à notre réponse : donnez-lui un autre nom.")


def _is_port(port: str) -> bool:
    return re.fullmatch(r"[1-9][0-9]{0,4}", port) is not None and int(port) <= 65535


def _check_host(name: str, *, loopback: bool) -> None:
    if name in LOOPBACK_HOSTS:
        if not loopback:
            raise UriRefused(
                f"« {name} » désigne la machine de la personne : réservé aux applications natives (--native)."
            )
        return
    labels = name.split(".")
    if name.startswith("[") or _NUMBER.fullmatch(labels[-1]):
        raise UriRefused("une adresse IP n'est pas acceptée : donnez un nom d'hôte.")
    if name != name.lower():
        raise UriRefused("écrivez l'hôte en minuscules.")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise UriRefused(f"« {name[:80]} » n'est pas un nom d'hôte.")
    if labels[-1] == "localhost":
        raise UriRefused("un nom sous « localhost » n'est pas accepté : écrivez « localhost » seul.")
    for label in labels:
        _check_international(label)


def _check_international(label: str) -> None:
    """Refuse a name that may look like another one: another alphabet, or a disguise of plain ASCII."""
    if label[2:4] != "--":
        return
    try:
        shown = label[4:].encode().decode("punycode")
        canonical = "xn--" + shown.encode("punycode").decode()
    except ValueError:
        shown, canonical = "", ""
    letters = set(shown) - set("abcdefghijklmnopqrstuvwxyz0123456789-")
    if canonical != label or not letters or not letters <= FRENCH_LETTERS:
        raise UriRefused(
            f"« {label} » peut se confondre avec un autre nom : hors ASCII, seules les lettres françaises passent."
        )
