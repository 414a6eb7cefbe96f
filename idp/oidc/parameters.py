"""Parameters as the specifications want them: each at most once, of a bounded length, from one place."""

from collections.abc import Mapping

from werkzeug.datastructures import MultiDict

LONGEST = 2048
"""Longest value of a parameter, characters (AZ-08). `request`, `claims` and assertions may be longer."""
LONG_ONES = {"claims": 8192, "client_assertion": 8192, "id_token_hint": 8192, "scope": 1024}
MOST = 40
"""Most parameters of a request."""


class BadParameters(Exception):
    """The parameters cannot be read without guessing. `str()` is an ASCII description (RFC 6749 §4.1.2.1)."""


def single(values: MultiDict[str, str]) -> Mapping[str, str]:
    """The parameters with one value each (RFC 6749 §3.1); empty ones count as not sent.

    Raises `BadParameters` for a repeated, too long or unprintable one.
    """
    if len(values) > MOST:
        raise BadParameters("too many parameters")
    found: dict[str, str] = {}
    for name, given in values.lists():
        if len(given) > 1:
            raise BadParameters(f"{plain(name)} was sent more than once")
        value = given[0]
        if len(value) > LONG_ONES.get(name, LONGEST):
            raise BadParameters(f"{plain(name)} is too long")
        if "\0" in value or (not value.isascii() and _has_surrogates(value)):
            raise BadParameters(f"{plain(name)} contains characters that cannot be kept")
        if value:
            found[name] = value
    return found


def plain(text: str) -> str:
    """`text` cut and reduced to what an error_description may contain (RFC 6749 §5.2)."""
    return "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "?" for c in text[:60])


def _has_surrogates(value: str) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in value)
