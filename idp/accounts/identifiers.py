"""Identifiers: what a person types to sign in. Opaque, and never a name, a département, a mail address or a SIRET.

Stored in canonical form, in one namespace. The same canonical form is used by the limits on attempts (LG-06).
"""

import re
import unicodedata

from stdnum.fr import siret

from idp.accounts import readable_codes, user_numbers

_SIGNS = "23456789BCDFGHJKMNPQRSTVWXZ"
"""No vowel: chance spells no word."""
_LENGTH = 12
_MINTED = re.compile(f"[{_SIGNS}]{{{_LENGTH}}}\\Z")
_VALID = re.compile(r"[A-Z0-9][A-Z0-9._]{2,30}[A-Z0-9]\Z")
_LONGEST_TYPED = 256
_LONGEST = 64
_DROPPED = ("C", "Z")
"""Unicode categories without ink: spaces, controls (NUL), zero-width signs."""


def mint() -> str:
    """A new identifier in canonical form: 57 random bits."""
    return readable_codes.mint(_LENGTH, _SIGNS)


def display(identifier: str) -> str:
    """As mails and letters show it: a minted one in three groups of four; an imported one as it is."""
    if _MINTED.match(identifier):
        return readable_codes.grouped(identifier, 4, 4, 4)
    return identifier


def canonical(typed: str) -> str:
    """The one form that stands for all its variants: case, spaces, hyphens, full-width, NFD, invisible signs.

    Never fails, and never longer than 64 characters (no identifier is that long). An accent or a look-alike letter of
    another script stays what it is, and so matches nothing (LG-14).
    """
    text = unicodedata.normalize("NFKC", typed[:_LONGEST_TYPED]).casefold().upper()
    kept = (sign for sign in text if unicodedata.category(sign)[0] not in _DROPPED and not _is_dash(sign))
    return unicodedata.normalize("NFC", "".join(kept))[:_LONGEST]


def refusal(identifier: str) -> str | None:
    """Why an imported identifier cannot be one, in French; None when it can.

    Login keys are one namespace: never a mail address (LG-15), nor something the sign-in page takes for another number.
    """
    if "@" in identifier:
        return "l’identifiant ne peut pas être une adresse mail (signe « @ »)"
    if len(identifier) > _LONGEST or not _VALID.match(canonical(identifier)):
        return "l’identifiant doit comporter de 4 à 32 lettres sans accent, chiffres, points ou tirets"
    if user_numbers.is_own(identifier) or siret.is_valid(canonical(identifier)):
        return "l’identifiant ne peut pas être un numéro utilisateur ni un numéro SIRET"
    return None


def _is_dash(sign: str) -> bool:
    return unicodedata.category(sign) == "Pd" or sign == "\u2212"
