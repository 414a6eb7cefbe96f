"""The subject of a token: opaque, stable, never given twice (OpenID Connect Core §8)."""

import secrets

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clients.registry import Client
from idp.oidc.models import PairwiseSubject


def subject(session: Session, client: Client, account_id: str) -> str:
    """How `client` knows the account: its id, which tells nothing, or one of the client's sector alone (§8.1)."""
    if client.subject_type != "pairwise":
        return account_id
    known = select(PairwiseSubject.subject).where(
        PairwiseSubject.account_id == account_id, PairwiseSubject.sector == client.sector
    )
    found = session.scalar(known)
    if found is not None:
        return found
    # Hexadecimal: a form that no client id may have (TK-15).
    new = secrets.token_hex(32)
    try:
        with session.begin_nested():
            session.execute(insert(PairwiseSubject).values(subject=new, account_id=account_id, sector=client.sector))
    except IntegrityError:
        # Another request of the same service gave it in the meantime.
        return session.scalars(known).one()
    return new
