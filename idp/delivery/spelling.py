"""A code read aloud, for those who mistake one sign for another: « K comme Kléber, 7 (sept) »."""

import re

NAMES = {
    name[0]: name
    for name in (
        *("Anatole", "Berthe", "Célestin", "Désiré", "Eugène", "François", "Gaston", "Henri", "Irma", "Joseph"),
        *("Kléber", "Louis", "Marcel", "Nicolas", "Oscar", "Pierre", "Quintal", "Raoul", "Suzanne", "Thérèse"),
        *("Ursule", "Victor", "William", "Xavier", "Yvonne", "Zoé"),
    )
}
"""The telephone alphabet that French people know."""
DIGITS = ("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf")
NBSP = "\N{NO-BREAK SPACE}"


def spelled(code: str) -> list[tuple[str, str]]:
    """Each group of `code` (between hyphens or spaces) with its signs read one by one, in French."""
    return [(group, ", ".join(map(_sign, group))) for group in re.split(r"[-\s]+", code) if group]


def _sign(sign: str) -> str:
    if sign in "0123456789":
        return f"{sign}{NBSP}({DIGITS[int(sign)]})"
    name = NAMES.get(sign.upper())
    if name is None:
        return f"«{NBSP}{sign}{NBSP}»"
    small = f" minuscule{NBSP}" if sign.islower() else NBSP
    return f"{sign}{small}comme{NBSP}{name}"
