"""What can be sent. The identifier and the password are two types: no envelope can ever hold both.

Owns the contents of an envelope and who it is for, and refuses a recipient that could be two, or nobody. Owns no
text (the catalogue), no page and no transport. Every type goes to bytes and back: the outbox seals them.
"""

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from email_validator import EmailNotValidError, validate_email

from idp.delivery.postal import address_block
from idp.delivery.refusals import RecipientRefused

MAIL: Literal["mail"] = "mail"
LETTER: Literal["letter"] = "letter"
Channel = Literal["mail", "letter"]

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NOT_A_NOTICE = frozenset({"identifiant", "mdp", "oubli", "code", "invitation"})


def one_address(email: str) -> str:
    """The one ASCII address in `email` (an internationalised domain as `xn--`). Raises `RecipientRefused`.

    Never a display name, a list, a comment, a quoted or an encoded word: one RFC 5321 mailbox (ML-01, ML-02, LG-14).
    """
    try:
        found = validate_email(email, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise RecipientRefused("Cette adresse mail ne peut pas recevoir de mail : vérifiez-la.") from None
    if found.ascii_email is None or "=?" in found.ascii_email:
        raise RecipientRefused("Cette adresse mail ne peut pas recevoir de mail : vérifiez-la.")
    return found.ascii_email


@dataclass(frozen=True)
class Recipient:
    """Who it is for: by mail when `email` is known, else by post.

    `address`: the postal lines below the name (NF Z10-011: 6 lines of 38 characters in all).
    Raises `RecipientRefused`, or `AddressRefused` when only the post remains and the lines do not fit.
    """

    name: str
    email: str | None = None
    address: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if any(_UNPRINTABLE.search(text) for text in (self.name, *self.address)):
            raise RecipientRefused("Le nom ou l’adresse contient un signe qui ne s’imprime pas : retirez-le.")
        if self.email:
            object.__setattr__(self, "email", one_address(self.email))
        else:
            address_block(self.name, self.address)

    @property
    def channel(self) -> Channel:
        """`mail` or `letter`."""
        return MAIL if self.email else LETTER


@dataclass(frozen=True)
class IdentifierMailing:
    """The identifier and the user number that pairs it with its password. Never a password."""

    envoi: ClassVar[str] = "identifiant"

    account_id: str
    user_number: str
    identifier: str
    departement: str
    organisation_name: str | None
    partner_type: str
    recipient: Recipient

    @property
    def expires_at(self) -> int | None:
        """An identifier does not expire."""
        return None


@dataclass(frozen=True)
class PasswordMailing:
    """The provisional password, until `expires_at` (epoch seconds), and the user number. Never an identifier.

    `recovery`: asked for after a forgotten password, hence told in other words.
    """

    envoi: ClassVar[str] = "mot-de-passe"

    account_id: str
    user_number: str
    provisional_password: str = field(repr=False)
    expires_at: int
    partner_type: str
    recipient: Recipient
    recovery: bool = False


@dataclass(frozen=True)
class CodeMailing:
    """The code that proves `email`, valid `lifetime` seconds. Raises `RecipientRefused`."""

    envoi: ClassVar[str] = "code"

    account_id: str
    email: str
    code: str = field(repr=False)
    lifetime: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "email", one_address(self.email))

    @property
    def recipient(self) -> Recipient:
        """The address that is being proved."""
        return Recipient("", self.email)


@dataclass(frozen=True)
class NoticeMailing:
    """A mail without any secret: text `mail.<key>.objet` and `mail.<key>.corps`, filled with `values`.

    `account_id` is None when no account is behind the address. Raises `ValueError` for the texts that carry a secret,
    `RecipientRefused` for a wrong address.
    """

    envoi: ClassVar[str] = "avis"

    account_id: str | None
    key: str
    email: str
    values: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.key in _NOT_A_NOTICE:
            raise ValueError(f"mail.{self.key} carries a secret: it has a mailing of its own")
        object.__setattr__(self, "email", one_address(self.email))

    @property
    def recipient(self) -> Recipient:
        """The address to tell."""
        return Recipient("", self.email)

    @property
    def expires_at(self) -> int | None:
        """A notice does not expire."""
        return None


Mailing = IdentifierMailing | PasswordMailing | CodeMailing | NoticeMailing

TYPES: Mapping[str, type[Mailing]] = {
    kind.envoi: kind for kind in (IdentifierMailing, PasswordMailing, CodeMailing, NoticeMailing)
}


def to_bytes(mailing: Mailing) -> bytes:
    """What the outbox seals. The type is not inside: it is the row's, and bound to the seal."""
    return json.dumps(dataclasses.asdict(mailing), ensure_ascii=False).encode()


def from_bytes(envoi: str, content: bytes) -> Mailing:
    """The inverse of `to_bytes`, for a mailing of the type `envoi`. Raises `KeyError` for an unknown one."""
    fields = json.loads(content)
    if isinstance(fields.get("recipient"), dict):
        given = fields["recipient"]
        fields["recipient"] = Recipient(given["name"], given["email"], tuple(given["address"]))
    return TYPES[envoi](**fields)


def recipient_key(recipient: Recipient) -> bytes:
    """SHA-256 of who receives it, whatever the account: what limits for each recipient count by."""
    where = (recipient.email or "", *(() if recipient.email else (recipient.name, *recipient.address)))
    return hashlib.sha256("\n".join(where).casefold().encode()).digest()
