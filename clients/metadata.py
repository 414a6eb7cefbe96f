"""What may be registered, refusal by refusal (RFC 7591, OpenID Connect Dynamic Client Registration 1.0).

`check` reads top to bottom: a JSON object, known names only, each field of `FIELDS` in order, then the rules that
hold between fields. What comes out is complete (every default written down) and is what gets stored.
Unknown names are refused, where RFC 7591 section 2 would ignore them: on a command line, a name misspelt and
silently ignored is a setting lost.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from clients import jwks, values
from clients.refusals import MetadataRefused
from clients.uris import Rules, host

__all__ = ["MetadataRefused", "RegistrationPolicy", "check", "check_client_id"]

SECRET_METHODS = ("client_secret_basic", "client_secret_post")
ASSERTION = "private_key_jwt"
PUBLIC = "none"
DEFAULT_SCOPE = "openid profile email phone partenaire"
ID_TOKEN_ALGS = ("RS256", "ES256")

# Never: a name of the standards that we answer with a reason.
_FETCHED = "nous n'allons encore chercher aucune adresse à l'extérieur"
_NOTIFIED = "nous n'envoyons encore aucun avis de déconnexion"
_BY_HAND = "c'est nous qui l'attribuons : retirez-le (l'option --client-id le choisit à l'enregistrement)"
NOT_OFFERED = {
    "client_id": _BY_HAND,
    "client_secret": "un secret est toujours tiré au hasard par nous, jamais choisi : retirez-le",
    "jwks_uri": f"{_FETCHED} : donnez les clés elles-mêmes dans « jwks »",
    "request_uris": f"{_FETCHED} : retirez-le",
    "sector_identifier_uri": f"{_FETCHED} : mettez toutes les redirect_uris sur le même hôte",
    "backchannel_logout_uri": f"{_NOTIFIED} : retirez-le",
    "backchannel_logout_session_required": f"{_NOTIFIED} : retirez-le",
    "frontchannel_logout_uri": f"{_NOTIFIED} : retirez-le",
    "frontchannel_logout_session_required": f"{_NOTIFIED} : retirez-le",
    "software_statement": "nous ne reconnaissons aucun organisme qui les signe : retirez-le",
}

_CLIENT_ID = re.compile(r"[A-Za-z0-9._-]{3,64}")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f-]{32,64}")
_REQUIRED = object()
_ABSENT = object()


@dataclass(frozen=True)
class RegistrationPolicy:
    """What this installation accepts. `production`: no address on loopback, but for native applications."""

    production: bool


@dataclass(frozen=True)
class Field:
    """One metadata name: how its value is checked, and what stands for it when it is left out."""

    name: str
    check: Callable[[str, Any, Rules], Any]
    default: object = _ABSENT


def check_client_id(client_id: str) -> str:
    """Accept a chosen `client_id`, or raise `MetadataRefused`.

    The form of a person's `sub` is kept out, so that no client is ever taken for a person (TK-15).
    """
    if not _CLIENT_ID.fullmatch(client_id):
        raise MetadataRefused("client_id", "de 3 à 64 lettres sans accent, chiffres, points, tirets ou soulignés.")
    if _HEXADECIMAL.fullmatch(client_id):
        raise MetadataRefused(
            "client_id", "il ressemble à l'identifiant interne d'une personne : choisissez un nom parlant."
        )
    return client_id


def is_client_id(text: str) -> bool:
    """Whether a client could have this id: what else arrives in a request is not worth a query."""
    return _CLIENT_ID.fullmatch(text) is not None


def check(metadata: object, policy: RegistrationPolicy) -> dict[str, Any]:
    """The registration to store for `metadata`, or `MetadataRefused` for the first thing wrong with it.

    `null` stands for a field left out.
    """
    if not isinstance(metadata, Mapping):
        raise MetadataRefused("metadata", "donnez un objet JSON, avec les noms de la RFC 7591.")
    given = {name: value for name, value in metadata.items() if value is not None}
    _check_names(given)
    rules = Rules(policy.production, native=given.get("application_type") == "native")
    kept: dict[str, Any] = {}
    for field in FIELDS:
        value = given.get(field.name, field.default)
        if value is _REQUIRED:
            raise MetadataRefused(field.name, "ce champ est obligatoire.")
        if value is not _ABSENT:
            kept[field.name] = field.check(field.name, value, rules)
    for rule in BETWEEN_FIELDS:
        rule(kept)
    return kept


def _check_names(given: Mapping[str, Any]) -> None:
    known = {field.name for field in FIELDS}
    for name in given:
        if name in NOT_OFFERED:
            raise MetadataRefused(name, f"{NOT_OFFERED[name]}.")
        if name not in known:
            raise MetadataRefused(
                values.shown(str(name)), "ce nom n'est pas connu : vérifiez son orthographe (RFC 7591), ou retirez-le."
            )


FIELDS = (
    Field("client_name", values.client_name, _REQUIRED),
    Field("application_type", values.one_of("web", "native"), "web"),
    Field("redirect_uris", values.redirect_uris, _REQUIRED),
    Field("post_logout_redirect_uris", values.redirect_uris),
    Field("token_endpoint_auth_method", values.one_of(*SECRET_METHODS, ASSERTION, PUBLIC), "client_secret_basic"),
    Field("token_endpoint_auth_signing_alg", values.one_of(*jwks.ALGORITHMS)),
    Field("jwks", lambda _name, value, _rules: jwks.check_jwks(value)),
    Field("grant_types", values.grant_types, ["authorization_code", "refresh_token"]),
    Field("response_types", values.response_types, ["code"]),
    Field("scope", values.scope, DEFAULT_SCOPE),
    Field("require_pkce", values.boolean, True),
    Field("id_token_signed_response_alg", values.one_of(*ID_TOKEN_ALGS), "RS256"),
    Field("subject_type", values.one_of("public", "pairwise"), "public"),
    Field("initiate_login_uri", values.page),
    Field("client_uri", values.page),
    Field("logo_uri", values.page),
    Field("policy_uri", values.page),
    Field("tos_uri", values.page),
    Field("contacts", values.matching(values.EMAIL, "donnez des adresses électroniques.")),
    Field("default_max_age", values.seconds),
    Field("require_auth_time", values.boolean),
    Field("default_acr_values", values.matching(values.ACR, "chaque valeur a de 1 à 255 caractères ASCII visibles.")),
)


# Between fields.


def _public_clients_use_pkce(kept: Mapping[str, Any]) -> None:
    if kept["token_endpoint_auth_method"] == PUBLIC and not kept["require_pkce"]:
        raise MetadataRefused("require_pkce", "un client public utilise toujours PKCE.")


def _assertions_have_keys(kept: Mapping[str, Any]) -> None:
    alg = kept.get("token_endpoint_auth_signing_alg")
    if kept["token_endpoint_auth_method"] != ASSERTION:
        if alg is not None:
            raise MetadataRefused("token_endpoint_auth_signing_alg", "il ne va qu'avec « private_key_jwt ».")
        return
    if "jwks" not in kept:
        raise MetadataRefused("jwks", "« private_key_jwt » demande vos clés publiques (--jwks).")
    if alg is not None and not any(jwks.fits(key, alg) for key in kept["jwks"]["keys"]):
        raise MetadataRefused("token_endpoint_auth_signing_alg", f"aucune clé de « jwks » ne vérifie {alg}.")


def _offline_access_refreshes(kept: Mapping[str, Any]) -> None:
    if "offline_access" in kept["scope"].split() and "refresh_token" not in kept["grant_types"]:
        raise MetadataRefused("scope", "« offline_access » demande « refresh_token » parmi les grant_types.")


def _pairwise_has_one_sector(kept: Mapping[str, Any]) -> None:
    """The sector is the one host of the redirect addresses (OpenID Connect Core section 8.1, CL-11)."""
    if kept["subject_type"] != "pairwise":
        return
    if kept["application_type"] == "native":
        raise MetadataRefused("subject_type", "« pairwise » demande un hôte à soi, qu'une application native n'a pas.")
    if len({host(uri) for uri in kept["redirect_uris"]}) != 1:
        raise MetadataRefused("subject_type", "« pairwise » demande que toutes les redirect_uris aient le même hôte.")


BETWEEN_FIELDS: tuple[Callable[[Mapping[str, Any]], None], ...] = (
    _public_clients_use_pkce,
    _assertions_have_keys,
    _offline_access_refreshes,
    _pairwise_has_one_sector,
)
