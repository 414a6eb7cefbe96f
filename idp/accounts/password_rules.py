"""What a password must be (CNIL 2022-100, journeys L01 to L04): long enough, not common, not about its holder.

Pure functions: no hash, no database. Work is bounded whatever is typed.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Protocol

LONGEST = 1024
"""Bytes of UTF-8. Far above what a person types; a limit to the work only."""
SHORTEST, SHORTEST_WITHOUT_SPECIAL, SHORTEST_PASSPHRASE = 12, 14, 20
SHORTEST_IN_ORGANISATION = 16
_FEWEST_DIFFERENT = 6
_SHORTEST_PERSONAL = 4
_LEET = str.maketrans("@4310$57!|€", "aaeiossti" + "le")
_EDGES = re.compile(r"^[\d\W_]+|[\d\W_]+$")
_REPEATED = re.compile(r"(.{1,12}?)\1+.{0,3}\Z", re.DOTALL)

Problem = tuple[str, dict[str, object]]


class Holder(Protocol):
    """What a rule needs to know of an account."""

    @property
    def id(self) -> str: ...
    @property
    def partner_type(self) -> str: ...
    @property
    def user_number(self) -> str: ...
    @property
    def identifier(self) -> str: ...
    @property
    def family_name(self) -> str | None: ...
    @property
    def given_name(self) -> str | None: ...
    @property
    def email(self) -> str | None: ...
    @property
    def suggested_email(self) -> str | None: ...
    @property
    def organisation_name(self) -> str | None: ...
    @property
    def siret(self) -> str | None: ...


def minimum(account: Holder) -> int:
    """The shortest password allowed: 12 characters, 16 for every account of an organisation."""
    return SHORTEST_IN_ORGANISATION if account.partner_type == "moral" else SHORTEST


def problems(account: Holder, password: str, t: Callable[..., str]) -> list[Problem]:
    """Why `password` is refused for `account`: catalogue keys and values, the first being the one to mend first."""
    if not password:
        return [("e2.erreur.vide", {})]
    # Counted before any work on the text, which may be as long as a request.
    if len(password) > LONGEST:
        return [("e2.erreur.long", {"n": LONGEST})]
    if has_controls(password):
        return [("e2.erreur.caractere", {})]
    text = unicodedata.normalize("NFC", password)
    if len(text.encode()) > LONGEST:
        return [("e2.erreur.long", {"n": LONGEST})]
    if len(text) < (shortest := minimum(account)):
        key = "e2.erreur.court" if shortest == SHORTEST else "e2.erreur.court_organisme"
        return [(key, {"n": len(text)})]
    return [*_too_simple(text, t), *_too_easy(account, text)]


def has_controls(text: str) -> bool:
    """NUL, other control characters or lone surrogates: no keyboard makes them, and they hide what is typed."""
    return any(unicodedata.category(sign) in ("Cc", "Cs") for sign in text)


def _too_simple(text: str, t: Callable[..., str]) -> Iterator[Problem]:
    """The three forms are tested, not a number of bits: the CNIL's own example computes to 79.55 (L02)."""
    if len(text) < SHORTEST_PASSPHRASE and (missing := list(_missing(text))):
        yield "e2.erreur.simple", {"manque": ", ".join(t(f"e2.manque.{each}") for each in missing)}


def _missing(text: str) -> Iterator[str]:
    if not any(sign.isupper() for sign in text):
        yield "majuscule"
    if not any(sign.islower() for sign in text):
        yield "minuscule"
    if not any(sign.isdigit() for sign in text):
        yield "chiffre"
    if len(text) < SHORTEST_WITHOUT_SPECIAL and all(sign.isalnum() for sign in text):
        yield "special"


def _too_easy(account: Holder, text: str) -> Iterator[Problem]:
    if is_common(text):
        yield "e2.erreur.courant", {}
    elif _is_about(account, text):
        yield "e2.erreur.personnel", {}


def is_common(text: str) -> bool:
    """On the deny list, with whatever digits and signs around it; or too regular to resist a guess."""
    folded = _folded(text)
    if len(set(folded)) < _FEWEST_DIFFERENT or _REPEATED.match(folded) or _is_a_run(folded):
        return True
    spelt, bare = folded.translate(_LEET), _EDGES.sub("", folded)
    forms = (folded, bare, spelt, bare.translate(_LEET), _EDGES.sub("", spelt))
    return any(_is_made_of_common(_letters(form)) for form in forms)


def _is_a_run(text: str) -> bool:
    """`abcdefghijklm`, `0123456789…`, up or down: three steps in four are the same ±1."""
    steps = [ord(after) - ord(before) for before, after in pairwise(text)]
    return any(steps.count(step) * 4 >= len(steps) * 3 for step in (1, -1)) if steps else True


def _is_made_of_common(letters: str) -> bool:
    """Nothing but one or two words of the list. Three unrelated words begin a passphrase: they are fine."""
    words = _common()
    return letters in words or any(
        letters[:cut] in words and letters[cut:] in words for cut in range(3, min(len(letters) - 2, 40))
    )


def _is_about(account: Holder, text: str) -> bool:
    """Accents, case and separators count for nothing; a part of fewer than four signs could be chance."""
    folded = _letters(_folded(text))
    return any(part in folded for part in _personal(account))


def _personal(account: Holder) -> Iterator[str]:
    local_parts = ((mail or "").partition("@")[0] for mail in (account.email, account.suggested_email))
    names = (account.family_name, account.given_name, account.organisation_name)
    numbers = (account.identifier, account.user_number, (account.siret or "")[:9])
    for value in (*local_parts, *names, *numbers):
        part = _letters(_folded(value or ""))
        if len(part) >= _SHORTEST_PERSONAL:
            yield part


def _folded(text: str) -> str:
    """Without case and without accents."""
    apart = unicodedata.normalize("NFKD", text[:LONGEST]).casefold()
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def _letters(text: str) -> str:
    return "".join(sign for sign in text if sign.isalnum())


@cache
def _common() -> frozenset[str]:
    """The deny list, one word a line, folded: `common_passwords.txt` says how it was made."""
    lines = resources.files(__package__).joinpath("common_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(_letters(_folded(line)) for line in lines if line and not line.startswith("#"))


def french(key: str, **values: object) -> str:
    """What `t` is where there is no catalogue: the words of `e2.manque.…` in French."""
    return _MISSING.get(key, key).format(**values)


_MISSING = {
    "e2.manque.majuscule": "une majuscule",
    "e2.manque.minuscule": "une minuscule",
    "e2.manque.chiffre": "un chiffre",
    "e2.manque.special": "un caractère spécial",
}
