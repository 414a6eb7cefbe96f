"""User numbers: 14 characters printed on both sends, which say that an identifier and a password belong together.

Not secret and proving nothing. Ours begin with `U` and end with a check character; an imported one is kept as it is.
"""

import re
from collections.abc import Callable

from stdnum.fr import siret

from idp.accounts import readable_codes

LENGTH = 14
_VALUES = {sign: value for value, sign in enumerate(readable_codes.ALPHABET)}
_IMPORTED = re.compile(r"[0-9A-Z]{14}\Z")

Problem = tuple[str, dict[str, object]]


def mint() -> str:
    """A new number: `U`, 12 random signs (59 bits: not to be enumerated, LG-10), the check character."""
    body = "U" + readable_codes.mint(LENGTH - 2)
    return body + check_character(body)


def check_character(body: str) -> str:
    """The sign that makes the weighted sum of all 14 a multiple of 31.

    Weights 14 to 1 and a prime modulus: every single error and every swap of two signs changes the sum.
    """
    return readable_codes.ALPHABET[-_sum(body, LENGTH) % len(_VALUES)]


def canonical(text: str) -> str:
    """Capitals, without spaces, hyphens and dots."""
    return readable_codes.canonical(text)


def display(number: str) -> str:
    """In groups, as people read it aloud: `UXXX-XXXX-XXX-XXX`."""
    return readable_codes.grouped(number, 4, 4, 3, 3)


def is_own(text: str) -> bool:
    """Whether this is a number of our own form with the right check character."""
    number = canonical(text)
    return len(number) == LENGTH and number[0] == "U" and _is_sound(number)


def problem(text: str, known: Callable[[str], bool] = frozenset[str]().__contains__) -> Problem | None:
    """Why this is no user number: a catalogue key and its values, or None.

    `known(number)` says whether an account has it: an imported number may look like a SIRET.
    """
    number = canonical(text)
    if not number:
        return "pb.numero.erreur.vide", {}
    if len(number) != LENGTH:
        return "pb.numero.erreur.longueur", {"n": len(number)}
    if number[0] == "U" and not _is_sound(number):
        return "pb.numero.erreur.cle", {}
    if looks_like_a_siret(number) and not known(number):
        return "pb.numero.erreur.siret", {}
    return None


def looks_like_ours(text: str) -> bool:
    """Whether this looks like one of our numbers, typing errors included. Says nothing of any account."""
    number = canonical(text)
    return len(number) == LENGTH and number[0] == "U" and number.isascii() and number.isalnum()


def looks_like_a_siret(text: str) -> bool:
    """Whether this is a SIRET by its look alone: 14 digits with the right check digit."""
    return bool(siret.is_valid(canonical(text)))


def importable(number: str) -> bool:
    """Whether a canonical number from elsewhere can be kept: 14 letters and digits, and no false one of ours."""
    return bool(_IMPORTED.match(number)) and (number[0] != "U" or _is_sound(number))


def _is_sound(number: str) -> bool:
    return all(sign in _VALUES for sign in number) and _sum(number, LENGTH) % len(_VALUES) == 0


def _sum(text: str, weight: int) -> int:
    return sum((weight - place) * _VALUES[sign] for place, sign in enumerate(text))
