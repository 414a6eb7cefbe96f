"""Postal addresses as the post wants them: NF Z10-011, at most 6 lines of 38 characters.

Owns the address block of a letter. Knows neither accounts nor paper.
"""

import re
import textwrap
import unicodedata

from idp.delivery.refusals import AddressRefused

MAX_LINES = 6
MAX_CHARACTERS = 38
_CAPITALS = 3
"""How many lines, from the last one up, are in capitals and without punctuation."""


def address_block(name: str, address: tuple[str, ...]) -> tuple[str, ...]:
    """The lines to print. `address` is below `name`; blank lines and the name said again are left out.

    The name is kept as it is written, over two lines if it must. Raises `AddressRefused` rather than cut anything.
    """
    lines = [" ".join(line.split()) for line in address if line.strip() and not _same(line, name)]
    if not lines:
        raise AddressRefused("L’adresse postale manque : il faut au moins le code postal et la ville.")
    named = textwrap.wrap(name, MAX_CHARACTERS, break_long_words=False, break_on_hyphens=False)
    first_in_capitals = max(0, len(lines) - _CAPITALS)
    block = (*named, *lines[:first_in_capitals], *(_in_capitals(line) for line in lines[first_in_capitals:]))
    if len(block) > MAX_LINES:
        raise AddressRefused(f"L’adresse postale, nom compris, dépasse {MAX_LINES} lignes : abrégez-la.")
    if not named or any(len(line) > MAX_CHARACTERS for line in block):
        raise AddressRefused(f"Une ligne de l’adresse dépasse {MAX_CHARACTERS} signes, ou le nom manque : corrigez-la.")
    return block


def _in_capitals(line: str) -> str:
    """Letters, digits and spaces only: what sorting machines read best."""
    return " ".join(re.sub(r"[^\w]|_", " ", line).upper().split())


def _same(line: str, name: str) -> bool:
    return _bare(line) == _bare(name)


def _bare(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in decomposed.casefold() if sign.isalnum())
