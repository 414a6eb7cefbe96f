"""What one row must be to describe an account. Pure: no database. Every reason is said at once, in French."""

import re
import unicodedata
from collections.abc import Iterator, Mapping

from stdnum.fr import siret

from idp.accounts import identifiers, mail_addresses, user_numbers
from idp.accounts.enrolment import NewAccount
from idp.accounts.models import MORAL, PHYSIQUE
from idp.accounts.sending import recipient_of
from idp.delivery.refusals import RecipientRefused

NEEDED_COLUMNS = ("reference", "type", "departement")
COLUMNS = (
    "reference",
    "type",
    "nom",
    "prenom",
    "raison_sociale",
    "siret",
    "departement",
    "email",
    "adresse_1",
    "adresse_2",
    "adresse_3",
    "adresse_4",
    "code_postal",
    "ville",
    "identifiant",
    "numero_utilisateur",
)
DEPARTEMENTS = frozenset(
    [f"{number:02}" for number in range(1, 96) if number != 20] + ["2A", "2B", "971", "972", "973", "974", "976"]
)
"""The 101 of journeys 2.8. Saint-Barthélemy and Saint-Martin belong to the Caf of 971."""
LONGEST = {"reference": 64, "nom": 100, "prenom": 100, "raison_sociale": 256, "email": 254}
_LONGEST_OTHER = 100
_FORMULA = "=+-@\t\r"
_NOT_SHOWN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_JOINERS = "\u200c\u200d"
"""Of use within some names; invisible elsewhere, but harmless there."""

Reason = tuple[str, str]
"""A code for machines and a French clause for people."""


class RowRefused(Exception):
    """This row describes no account. `code` for machines; `str()` gives every reason in French."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


def read(fields: Mapping[str, str]) -> NewAccount:
    """The account that a row describes. Raises `RowRefused` with all its reasons."""
    given = {name: " ".join(unicodedata.normalize("NFC", fields.get(name, "")).split(" ")).strip() for name in COLUMNS}
    reasons = list(_unfit_texts(given))
    if not reasons:
        reasons = [*_unfit_person(given), *_unfit_address(given), *_unfit_keys(given)]
    if reasons:
        raise RowRefused(reasons[0][0], " ; ".join(message for _code, message in reasons))
    account = _account(given)
    try:
        recipient_of(account)
    except RecipientRefused as refused:
        raise RowRefused("adresse", str(refused)) from None
    return account


def _unfit_texts(given: Mapping[str, str]) -> Iterator[Reason]:
    for name, text in given.items():
        if not text:
            continue
        if not text.isprintable() and any(map(_hidden, text)):
            yield "caractere", f"« {name} » contient un caractère invisible ou interdit"
        elif text[0] in _FORMULA:
            yield "formule", f"« {name} » commence par « {text[0]} », comme une formule de tableur"
        elif len(text) > (longest := LONGEST.get(name, _LONGEST_OTHER)):
            yield "trop_long", f"« {name} » compte {len(text)} caractères, et il en faut {longest} au plus"


def _hidden(sign: str) -> bool:
    return unicodedata.category(sign) in _NOT_SHOWN and sign not in _JOINERS


def _unfit_person(given: Mapping[str, str]) -> Iterator[Reason]:
    if given["departement"].upper() not in DEPARTEMENTS:
        yield "departement", "le département doit être un code comme 01, 2A ou 971 (zéro initial compris)"
    if given["email"]:
        try:
            mail_addresses.read(given["email"])
        except mail_addresses.NotAnAddress as refused:
            yield "email", str(refused)
    if given["type"] == PHYSIQUE:
        if not given["nom"]:
            yield "nom", "le nom d’une personne physique est obligatoire"
        if given["siret"] or given["raison_sociale"]:
            yield "type", "une personne physique n’a ni SIRET ni raison sociale : vérifiez la colonne « type »"
    elif given["type"] == MORAL:
        if not given["raison_sociale"]:
            yield "raison_sociale", "la raison sociale d’une personne morale est obligatoire"
        if not siret.is_valid(given["siret"]):
            yield "siret", "le SIRET d’une personne morale doit comporter 14 chiffres et être exact"
    else:
        yield "type", "le type doit être « physique » ou « moral »"


def _unfit_address(given: Mapping[str, str]) -> Iterator[Reason]:
    """Only of people who are written to by post: the block itself is judged by `recipient_of`."""
    if given["email"]:
        return
    if not re.fullmatch(r"[0-9]{5}", given["code_postal"]):
        yield "code_postal", "sans adresse mail, il faut une adresse postale : le code postal compte 5 chiffres"
    if not given["ville"] or not any(given[f"adresse_{number}"] for number in range(1, 5)):
        yield "adresse", "sans adresse mail, il faut une adresse postale avec une ligne d’adresse et la ville"


def _unfit_keys(given: Mapping[str, str]) -> Iterator[Reason]:
    if not given["reference"]:
        yield "reference", "la référence est obligatoire"
    if given["identifiant"] and (reason := identifiers.refusal(given["identifiant"])):
        yield "identifiant", reason
    number = given["numero_utilisateur"]
    if number and not user_numbers.importable(user_numbers.canonical(number)):
        yield (
            "numero_utilisateur",
            "le numéro utilisateur doit comporter 14 lettres et chiffres (commençant par U : avec une clé exacte)",
        )


def _account(given: Mapping[str, str]) -> NewAccount:
    text = {name: value or None for name, value in given.items()}
    return NewAccount(
        reference=given["reference"],
        partner_type=given["type"],
        departement=given["departement"].upper(),
        family_name=text["nom"],
        given_name=text["prenom"],
        organisation_name=text["raison_sociale"],
        siret=siret.compact(given["siret"]) if given["siret"] else None,
        imported_email=mail_addresses.read(given["email"]).address if given["email"] else None,
        address_1=text["adresse_1"],
        address_2=text["adresse_2"],
        address_3=text["adresse_3"],
        address_4=text["adresse_4"],
        postal_code=text["code_postal"],
        city=text["ville"],
        identifier=identifiers.canonical(given["identifiant"]) or None,
        user_number=user_numbers.canonical(given["numero_utilisateur"]) or None,
    )
