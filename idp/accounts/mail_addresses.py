"""One rule for mail addresses (OR-08): what is one, how it is kept, and when two are the same.

One address and no more: no display name, no list, no quoting, no control character (ML-01, ML-02). The domain is kept
in ASCII lower case, so that a look-alike shows itself (LG-14). The local part is kept as typed for sending; case alone
does not make another address. A plus tag does: `nom+75@` and `nom+73@` are two addresses.
"""

from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

_SPACES = " \u00a0\u202f"
LONGEST = 254


@dataclass(frozen=True, slots=True)
class MailAddress:
    """`address` is where mail goes; `key` is equal for two spellings of one address."""

    address: str
    key: str


class NotAnAddress(Exception):
    """`str()` says in French what is expected."""

    def __init__(self) -> None:
        super().__init__("l’adresse mail doit être unique et complète, par exemple nom@exemple.fr")


def read(text: str) -> MailAddress:
    """The address in `text`, spaces around it forgiven. Raises `NotAnAddress`."""
    typed = text.strip(_SPACES)
    if len(typed) > LONGEST:
        raise NotAnAddress
    try:
        valid = validate_email(typed, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise NotAnAddress from None
    local, domain = valid.local_part, valid.ascii_domain.lower()
    return MailAddress(f"{local}@{domain}", f"{local.casefold()}@{domain}")
