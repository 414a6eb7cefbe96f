"""Random texts that people read on paper and type: no sign that looks like another, written in groups."""

import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""31 signs, without 0 O 1 I L. A prime number of them, so that a check character misses no swap."""

_SEPARATORS = dict.fromkeys(map(ord, " \t\u00a0\u202f-\u2010\u2011\u2012\u2013\u2014\u2212."), None)


def mint(length: int, alphabet: str = ALPHABET) -> str:
    """`length` random signs (4.95 bits each with the whole alphabet)."""
    # One read of the system's generator: an import mints 40 signs for each of a million rows. A byte that would make
    # the first signs of the alphabet likelier than the others is left out.
    fair = 256 - 256 % len(alphabet)
    signs = [alphabet[byte % len(alphabet)] for byte in secrets.token_bytes(2 * length) if byte < fair]
    return "".join(signs[:length]) if len(signs) >= length else mint(length, alphabet)


def canonical(text: str) -> str:
    """Capitals, without spaces, hyphens and dots: how a typed code is compared."""
    return text.translate(_SEPARATORS).upper()


def grouped(code: str, *sizes: int) -> str:
    """The code in groups of these sizes, a hyphen between them."""
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return "-".join(code[start : start + size] for start, size in zip(starts, sizes, strict=True))
