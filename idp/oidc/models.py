"""Tables of the protocol: grants with their code, the tokens they gave, requests that wait. Digests only, no secret."""

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Model


class Grant(Model):
    """One authorization: who let which service know what, cleared by the gate at that moment.

    It carries its code, is the family of every token that follows, and is the audit record of the issuance.
    """

    __tablename__ = "grants"
    __table_args__ = (Index("ix_grants_account_id_revoked_at", "account_id", "revoked_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(64), index=True)
    account_id: Mapped[str] = mapped_column(String(32))
    sid: Mapped[str] = mapped_column(String(32), index=True)
    scope: Mapped[str] = mapped_column(String(1024))
    claims: Mapped[str | None] = mapped_column(Text)
    nonce: Mapped[str | None] = mapped_column(Text)
    acr: Mapped[str] = mapped_column(String(64))
    amr: Mapped[str] = mapped_column(String(64))
    auth_time: Mapped[int] = mapped_column(BigInteger)
    documents: Mapped[str] = mapped_column(Text)
    offline: Mapped[bool] = mapped_column(Boolean)

    code_digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    code_expires_at: Mapped[int] = mapped_column(BigInteger)
    code_used_at: Mapped[int | None] = mapped_column(BigInteger)
    redirect_uri: Mapped[str] = mapped_column(Text)
    code_challenge: Mapped[str | None] = mapped_column(String(43))

    created_at: Mapped[int] = mapped_column(BigInteger)
    ends_at: Mapped[int] = mapped_column(BigInteger)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)
    revoked_because: Mapped[str | None] = mapped_column(String(32))
    request_id: Mapped[str | None] = mapped_column(String(32))


class Token(Model):
    """One answer of the token endpoint: an access token and, where the service may refresh, a refresh token."""

    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    grant_id: Mapped[str] = mapped_column(String(32), ForeignKey("grants.id", ondelete="CASCADE"), index=True)
    scope: Mapped[str] = mapped_column(String(1024))
    issued_at: Mapped[int] = mapped_column(BigInteger)
    access_digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    access_expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
    access_revoked_at: Mapped[int | None] = mapped_column(BigInteger)
    refresh_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    refresh_expires_at: Mapped[int | None] = mapped_column(BigInteger)
    refresh_used_at: Mapped[int | None] = mapped_column(BigInteger)


class ParkedRequest(Model):
    """An authorization request set aside while its person signs in or goes through the gate."""

    __tablename__ = "parked_requests"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(64))
    parameters: Mapped[str] = mapped_column(Text)
    browser: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    sid: Mapped[str | None] = mapped_column(String(32))
    parked_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
    used_at: Mapped[int | None] = mapped_column(BigInteger)


class PairwiseSubject(Model):
    """The subject that one sector of services knows an account by (OpenID Connect Core §8.1). Never given again."""

    __tablename__ = "pairwise_subjects"
    __table_args__ = (UniqueConstraint("account_id", "sector"),)

    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(32))
    sector: Mapped[str] = mapped_column(String(255))


class UsedAssertion(Model):
    """A client assertion that was accepted once, kept until it would have expired anyway (RFC 7523 §3)."""

    __tablename__ = "used_assertions"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
