"""Guess the address that a person meant when its domain is one slip away from a common French one."""

COMMON = frozenset(
    [
        "gmail.com",
        "orange.fr",
        "wanadoo.fr",
        "free.fr",
        "sfr.fr",
        "laposte.net",
        "hotmail.fr",
        "hotmail.com",
        "outlook.fr",
        "outlook.com",
        "yahoo.fr",
        "yahoo.com",
        "live.fr",
        "icloud.com",
        "neuf.fr",
        "bbox.fr",
        "aliceadsl.fr",
        "numericable.fr",
        "club-internet.fr",
    ]
)
# Real domains that look like a slip: never doubted.
ALSO_REAL = frozenset(
    ["mail.com", "ymail.com", "email.com", "gmx.fr", "gmx.com", "aol.com", "aol.fr", "msn.com", "me.com", "live.com"]
)
WRONG_ENDINGS = {"gmail.fr": "gmail.com", "laposte.fr": "laposte.net", "icloud.fr": "icloud.com"}


def suggestion(address: str) -> str | None:
    """`nom@gmial.com` gives `nom@gmail.com`; None when nothing looks wrong."""
    local, _, domain = address.rpartition("@")
    if domain in COMMON or domain in ALSO_REAL:
        return None
    meant = WRONG_ENDINGS.get(domain) or next((common for common in sorted(COMMON) if _one_slip(domain, common)), None)
    return f"{local}@{meant}" if meant else None


def _one_slip(typed: str, meant: str) -> bool:
    """One letter too many, missing, wrong, or two neighbours swapped."""
    if abs(len(typed) - len(meant)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(typed, meant, strict=False)) if a != b), None)
    if start is None:
        return len(typed) != len(meant)
    rest_typed, rest_meant = typed[start:], meant[start:]
    return (
        rest_typed[1:] == rest_meant
        or rest_typed == rest_meant[1:]
        or rest_typed[1:] == rest_meant[1:]
        or (rest_typed[:2] == rest_meant[1::-1] and rest_typed[2:] == rest_meant[2:])
    )
