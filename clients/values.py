"""How one metadata value is checked: its type, its length, what it may hold. One function a kind of value.

Each takes the field's name, the value and the rules of the day, and gives the value to store or raises
`MetadataRefused`. Which fields there are, and what holds between them, is `metadata.py`'s.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from clients.refusals import MetadataRefused
from clients.uris import Rules, UriRefused, check_page, check_redirect

GRANT_TYPES = ("authorization_code", "refresh_token")
SCOPES = ("openid", "profile", "email", "phone", "address", "offline_access", "partenaire", "acceptations")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")
ACR = re.compile(r"[!-~]{1,255}")
MAX_URIS = 20
MAX_ITEMS = 10
LONGEST_NAME = 100


def _text(name: str, value: object, longest: int = 2000) -> str:
    if not isinstance(value, str):
        raise MetadataRefused(name, "ce champ doit être un texte.")
    if len(value) > longest:
        raise MetadataRefused(name, f"au plus {longest} caractères.")
    return value


def _texts(name: str, value: object, most: int) -> list[str]:
    """A JSON array of distinct texts, the empty one left to the field's own rule."""
    if not isinstance(value, list | tuple):
        raise MetadataRefused(name, "ce champ doit être une liste de textes.")
    if len(value) > most:
        raise MetadataRefused(name, f"au plus {most} valeurs.")
    return list(dict.fromkeys(_text(name, item) for item in value))


def one_of(*accepted: str) -> Callable[[str, Any, Rules], str]:
    """One of these texts, and nothing else."""

    def check(name: str, value: object, _rules: Rules) -> str:
        if _text(name, value) not in accepted:
            raise MetadataRefused(name, f"valeur inconnue : choisissez parmi {', '.join(accepted)}.")
        return str(value)

    return check


def client_name(name: str, value: object, _rules: Rules) -> str:
    """Shown to people: no invisible or direction-changing character; HTML is only text, escaped where shown."""
    text = unicodedata.normalize("NFC", _text(name, value, LONGEST_NAME)).strip()
    if not text:
        raise MetadataRefused(name, "donnez le nom du service, tel que les personnes le connaissent.")
    # Categories C*: controls, invisible and bidirectional marks, surrogates, unassigned; Zl, Zp: line breaks.
    if any(unicodedata.category(c)[0] == "C" or unicodedata.category(c) in ("Zl", "Zp") for c in text):
        raise MetadataRefused(name, "il contient un caractère invisible ou qui change le sens d'écriture.")
    return text


def redirect_uris(name: str, value: object, rules: Rules) -> list[str]:
    """Addresses where a browser is sent, with the answer or after a sign-out; the first kind is required."""
    error = "invalid_redirect_uri" if name == "redirect_uris" else "invalid_client_metadata"
    try:
        uris = _texts(name, value, MAX_URIS)
    except MetadataRefused as refused:
        raise MetadataRefused(name, refused.message_fr, error) from None
    if not uris and name == "redirect_uris":
        raise MetadataRefused(name, "donnez au moins une adresse de retour.", error)
    for uri in uris:
        try:
            check_redirect(uri, rules)
        except UriRefused as refused:
            raise MetadataRefused(name, f"{shown(uri)} : {refused}", error) from None
    return uris


def page(name: str, value: object, rules: Rules) -> str:
    """The address of a page or image that people are shown."""
    uri = _text(name, value)
    try:
        check_page(uri, rules)
    except UriRefused as refused:
        raise MetadataRefused(name, f"{shown(uri)} : {refused}") from None
    return uri


def shown(text: str) -> str:
    """What was given, in a sentence: short, and without what could disturb a terminal."""
    return "« " + "".join(c if c.isprintable() else "�" for c in text[:100]) + " »"


def grant_types(name: str, value: object, _rules: Rules) -> list[str]:
    """The authorization code, with or without refresh."""
    grants = _texts(name, value, MAX_ITEMS)
    for grant in grants:
        one_of(*GRANT_TYPES)(name, grant, _rules)
    if "authorization_code" not in grants:
        raise MetadataRefused(name, "« authorization_code » est nécessaire : c'est le seul chemin offert.")
    return grants


def response_types(name: str, value: object, _rules: Rules) -> list[str]:
    """The code only (AZ-06)."""
    if _texts(name, value, MAX_ITEMS) != ["code"]:
        raise MetadataRefused(name, "seul « code » est offert : aucun jeton ne passe par l'adresse du navigateur.")
    return ["code"]


def scope(name: str, value: object, _rules: Rules) -> str:
    """Known scopes separated by one space, each once, `openid` among them."""
    scopes = list(dict.fromkeys(_text(name, value, 500).split(" ")))
    for word in scopes:
        one_of(*SCOPES)(name, word, _rules)
    if "openid" not in scopes:
        raise MetadataRefused(name, "« openid » est nécessaire.")
    return " ".join(scopes)


def boolean(name: str, value: object, _rules: Rules) -> bool:
    """A JSON boolean; neither 0 nor "true"."""
    if not isinstance(value, bool):
        raise MetadataRefused(name, "ce champ vaut true ou false.")
    return value


def seconds(name: str, value: object, _rules: Rules) -> int:
    """A whole number of seconds, from 0."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 2**31 - 1:
        raise MetadataRefused(name, "ce champ est un nombre entier de secondes.")
    return value


def matching(form: re.Pattern[str], message: str) -> Callable[[str, Any, Rules], list[str]]:
    """A short list of texts of this form; `message` says which when one is not."""

    def check(name: str, value: object, _rules: Rules) -> list[str]:
        texts = _texts(name, value, MAX_ITEMS)
        if not all(form.fullmatch(text) and text.isprintable() for text in texts):
            raise MetadataRefused(name, message)
        return texts

    return check
