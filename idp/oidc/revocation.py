"""Ending what was granted: one family, all of an account's, all of a sign-in's.

Listens to what the people's rooms announce, in their transaction: they do not know that tokens exist.
"""

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from idp import clock
from idp import session as browser_session
from idp.accounts.stopping import account_stopped
from idp.audit import record
from idp.db import current_session
from idp.oidc.models import Grant, Token


def revoke_family(session: Session, grant_id: str, because: str, now: int) -> None:
    """Revoke a grant: its code and every token that came of it are worth nothing from now on."""
    _revoke(session, Grant.id == grant_id, because, now)


def revoke_access_token(session: Session, token_id: str, now: int) -> None:
    """Revoke one access token; the service may still refresh."""
    session.execute(update(Token).where(Token.id == token_id).values(access_revoked_at=now))


@account_stopped.connect
def _account_stopped(_sender: object, account_id: str, because: str = "account") -> None:
    """An account was locked, suspended or closed, or its password changed: every grant of it ends."""
    ended = _revoke(current_session(), Grant.account_id == account_id, because, clock.now())
    if ended:
        record("grants.revoked", account_id=account_id, number=ended, because=because)


@browser_session.ended.connect
def _signed_out(_sender: object, sids: list[str]) -> None:
    """A sign-in ended: so does what was granted under it, but for services that were given `offline_access`."""
    _revoke(current_session(), Grant.sid.in_(sids) & Grant.offline.is_(False), "signed-out", clock.now())


def _revoke(session: Session, which: ColumnElement[bool], because: str, now: int) -> int:
    result = session.execute(
        update(Grant).where(which, Grant.revoked_at.is_(None)).values(revoked_at=now, revoked_because=because)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]  # an UPDATE has one
