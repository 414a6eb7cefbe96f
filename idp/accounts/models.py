"""Tables of `accounts`: the accounts, their password hashes, the codes that prove a mail address."""

import uuid
from typing import Final

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from idp.accounts.organisations import Organisation
from idp.db import Model

PHYSIQUE: Final = "physique"
MORAL: Final = "moral"
"""A natural person; somebody of an organisation."""
ADMINISTRATEUR: Final = "administrateur"
UTILISATEUR: Final = "utilisateur"
MAIL: Final = "mail"
LETTER: Final = "letter"
PERSONAL: Final = "personal"
PROVISIONAL: Final = "provisional"
FIRST_LOGIN: Final = "first-login"
RECOVERY: Final = "recovery"


def new_id() -> str:
    """An id that was never given before: an erased account never lends its own to another (OR-12)."""
    return uuid.uuid4().hex


class Account(Model):
    """One account: a person for one département, or a person of an organisation. Times in epoch seconds."""

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    reference: Mapped[str] = mapped_column(String(64), unique=True)
    """The sender's own key: makes the import idempotent."""
    import_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """SHA-256 of the row that made the account: tells the same row sent again from another."""
    user_number: Mapped[str] = mapped_column(String(14), unique=True)
    """Not secret: it pairs the two sends."""
    identifier: Mapped[str] = mapped_column(String(32), unique=True)
    """What is typed to sign in, in canonical form (`identifiers.canonical`)."""
    partner_type: Mapped[str] = mapped_column(String(8))
    departement: Mapped[str] = mapped_column(String(3))
    organisation_id: Mapped[str | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    role: Mapped[str | None] = mapped_column(String(14))
    """`administrateur` or `utilisateur` once the first login is completed; a natural person has none."""
    origin: Mapped[str] = mapped_column(String(6))
    """By which channel the credentials first left: `mail` or `letter`."""

    family_name: Mapped[str | None] = mapped_column(String(256))
    given_name: Mapped[str | None] = mapped_column(String(256))
    function: Mapped[str | None] = mapped_column(String(100))
    telephone: Mapped[str | None] = mapped_column(String(16))
    """E.164."""
    address_1: Mapped[str | None] = mapped_column(String(100))
    address_2: Mapped[str | None] = mapped_column(String(100))
    address_3: Mapped[str | None] = mapped_column(String(100))
    address_4: Mapped[str | None] = mapped_column(String(100))
    postal_code: Mapped[str | None] = mapped_column(String(5))
    city: Mapped[str | None] = mapped_column(String(100))

    imported_email: Mapped[str | None] = mapped_column(String(254))
    """As the sender gave it: may repeat, proves nothing."""
    email: Mapped[str | None] = mapped_column(String(254))
    """Proved with a code."""
    email_key: Mapped[str | None] = mapped_column(String(254), unique=True)
    """Canonical form of `email`: one verified address belongs to one account (OR-07)."""
    email_verified_at: Mapped[int | None] = mapped_column(BigInteger)

    created_at: Mapped[int] = mapped_column(BigInteger)
    information_given_at: Mapped[int | None] = mapped_column(BigInteger)
    personal_password_at: Mapped[int | None] = mapped_column(BigInteger)
    must_choose_password: Mapped[bool] = mapped_column(Boolean, default=True)
    first_login_completed_at: Mapped[int | None] = mapped_column(BigInteger)
    locked_at: Mapped[int | None] = mapped_column(BigInteger)
    suspended_at: Mapped[int | None] = mapped_column(BigInteger)
    closed_at: Mapped[int | None] = mapped_column(BigInteger)

    organisation: Mapped[Organisation | None] = relationship(lazy="joined", viewonly=True)

    @property
    def organisation_name(self) -> str | None:
        """Name of the organisation; None for a natural person."""
        return self.organisation.name if self.organisation else None

    @property
    def siret(self) -> str | None:
        """SIRET of the organisation, 14 digits; None for a natural person."""
        return self.organisation.siret if self.organisation else None

    @property
    def suggested_email(self) -> str | None:
        """The imported address: fills the field in advance, never trusted (GA-10)."""
        return self.imported_email

    @property
    def email_verified(self) -> bool:
        """Whether `email` was proved with a code."""
        return self.email_verified_at is not None

    @property
    def information_given(self) -> bool:
        """Whether the first step's form was completed once."""
        return self.information_given_at is not None

    @property
    def has_personal_password(self) -> bool:
        """Whether the person once chose a password."""
        return self.personal_password_at is not None

    @property
    def is_open(self) -> bool:
        """Neither locked, nor suspended, nor closed."""
        return self.locked_at is None and self.suspended_at is None and self.closed_at is None

    @property
    def in_first_login(self) -> bool:
        """True until the first login was completed once."""
        return self.first_login_completed_at is None


class Password(Model):
    """A password hash: at most one of each kind for an account. Never a password."""

    __tablename__ = "account_passwords"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(11), primary_key=True)
    """`personal` or `provisional`."""
    purpose: Mapped[str | None] = mapped_column(String(11))
    """Of a provisional one: `first-login` or `recovery`."""
    channel: Mapped[str | None] = mapped_column(String(6))
    """Of a provisional one: `mail` or `letter`."""
    scheme: Mapped[str] = mapped_column(String(32))
    pepper_id: Mapped[str] = mapped_column(String(16), index=True)
    hash: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int | None] = mapped_column(BigInteger)


class EmailProof(Model):
    """One code asked for. The latest of an account is the only one that can work; the others count for the limits."""

    __tablename__ = "email_proofs"
    __table_args__ = (
        Index("ix_email_proofs_account_id_sequence", "account_id", "sequence"),
        Index("ix_email_proofs_email_key_created_at", "email_key", "created_at"),
    )

    sequence: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    """HMAC of the code; random, hence out of reach, when no code was sent."""
    created_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    used_at: Mapped[int | None] = mapped_column(BigInteger)
    sent: Mapped[bool] = mapped_column(Boolean)
    """Whether a mail left: what the limits count."""
