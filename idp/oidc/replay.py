"""Assertions are good once: the digest of each is kept until it would have expired anyway."""

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.oidc.models import UsedAssertion
from idp.oidc.secret_values import digest


def first_use(session: Session, name: str, expires_at: int) -> bool:
    """Take `name` (issuer and jti). False when it was taken before; decided by the unique key, whoever asks at once."""
    try:
        with session.begin_nested():
            session.execute(insert(UsedAssertion).values(digest=digest(name), expires_at=expires_at))
    except IntegrityError:
        return False
    return True
