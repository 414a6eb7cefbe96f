"""Security events: who did what, when, to which account, for which service. Append-only.

Owns the table and its schema, which a sealer will chain later (`chain` stays empty until then). Owns no decision:
rooms announce an event by its dotted English name; never a secret, never a mail address.
"""

import json
import os
import pwd
from typing import Any

from flask import g, has_request_context, request
from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String, Text, insert
from sqlalchemy.orm import Mapped, mapped_column

from idp import clock
from idp.db import Model, current_session

SUBJECTS = ("account_id", "client_id", "organisation_id", "session_id")


class AuditEvent(Model):
    """One security event. `sequence` orders them; `details` is JSON of scalars."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_account_id_at", "account_id", "at"),
        Index("ix_audit_events_event_at", "event", "at"),
    )

    sequence: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    at: Mapped[int] = mapped_column(BigInteger)
    event: Mapped[str] = mapped_column(String(64))
    actor: Mapped[str] = mapped_column(String(128))
    channel: Mapped[str] = mapped_column(String(8))
    request_id: Mapped[str | None] = mapped_column(String(32))
    address: Mapped[str | None] = mapped_column(String(45))
    account_id: Mapped[str | None] = mapped_column(String(32))
    client_id: Mapped[str | None] = mapped_column(String(64))
    organisation_id: Mapped[str | None] = mapped_column(String(32))
    session_id: Mapped[str | None] = mapped_column(String(32))
    details: Mapped[str] = mapped_column(Text)
    chain: Mapped[bytes | None] = mapped_column(LargeBinary(32))


def record(event: str, **details: Any) -> None:
    """Write one event in the current transaction: it stands or falls with what it tells of.

    `event` is a dotted English name (`signin.succeeded`); `account_id`, `client_id`, `organisation_id` and
    `session_id` go to their columns, every other detail (a JSON scalar) to `details`.
    """
    subjects = {name: details.pop(name, None) for name in SUBJECTS}
    row = {
        "at": clock.now(),
        "event": event,
        "details": json.dumps(details, ensure_ascii=False, sort_keys=True),
    }
    current_session().execute(insert(AuditEvent).values(**row, **_who(event, subjects["account_id"]), **subjects))


def operator() -> str:
    """The administrator at the command line: IDP_OPERATOR, else the system's user."""
    return os.environ.get("IDP_OPERATOR") or pwd.getpwuid(os.geteuid()).pw_name


def _who(event: str, account_id: str | None) -> dict[str, Any]:
    if has_request_context():
        return {
            # Who fails to sign in is not the account that was aimed at.
            "actor": f"account:{account_id}" if account_id and event != "signin.refused" else "anonymous",
            "channel": "web",
            "request_id": g.get("request_id"),
            "address": (request.remote_addr or "")[:45],
        }
    if g.get("own_work"):
        return {"actor": "server", "channel": "server", "request_id": None, "address": None}
    return {"actor": f"operator:{operator()}"[:128], "channel": "cli", "request_id": None, "address": None}
