"""Dead rows go, in small batches, so that no request waits. Nothing that a proof or a living token needs.

A code's row outlives the code by the life of its family: a replay must still find it.
"""

from sqlalchemy import ColumnElement, delete, inspect, or_, select

from idp import clock
from idp.accounts.models import EmailProof
from idp.db import Model, db
from idp.oidc.models import Grant, ParkedRequest, Token, UsedAssertion
from idp.session import BrowserSession
from idp.settings import Settings
from idp.web.throttle import FORGET_AFTER, LONGEST_SUSPENSION, Attempts

BATCH = 500
JOURNAL = 365 * 86400
"""Seconds that the record of an issuance is kept, as other journals are."""
MARGIN = 86400
"""Seconds that a row is kept after its end, for questions and for clocks that disagree."""


def purge_all(settings: Settings, batch: int = BATCH) -> dict[str, int]:
    """Delete what ended more than a day ago; commits each batch. Gives the number of rows for each table."""
    now = clock.now()
    past = now - MARGIN
    known_device = 400 * 86400
    dead: dict[type[Model], ColumnElement[bool]] = {
        Token: (Token.access_expires_at < past)
        & or_(Token.refresh_expires_at.is_(None), Token.refresh_expires_at < past),
        Grant: Grant.ends_at < now - JOURNAL,
        EmailProof: EmailProof.expires_at < now - 30 * MARGIN,
        ParkedRequest: ParkedRequest.expires_at < past,
        UsedAssertion: UsedAssertion.expires_at < past,
        BrowserSession: or_(
            BrowserSession.opened_at < past - settings.session_lifetime,
            BrowserSession.last_seen_at < past - settings.session_idle,
        ),
        Attempts: or_(
            (Attempts.last_at < past - FORGET_AFTER - LONGEST_SUSPENSION) & (Attempts.key == Attempts.whose),
            Attempts.last_at < past - known_device,
        ),
    }
    return {model.__tablename__: _in_batches(model, which, batch) for model, which in dead.items()}


def _in_batches(model: type[Model], which: ColumnElement[bool], batch: int) -> int:
    (key,) = inspect(model).primary_key
    total = 0
    while True:
        rows = list(db.session.scalars(select(key).where(which).limit(batch)))
        if not rows:
            return total
        db.session.execute(delete(model).where(key.in_(rows)))
        db.session.commit()
        total += len(rows)
