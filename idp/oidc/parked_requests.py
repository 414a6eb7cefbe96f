"""A request set aside while its person signs in or goes through the gate.

It survives a slow reader, a second tab and a restart. It belongs to one browser, is answered once, and its address is
256 random bits. Nothing is parked before the service and the redirect URI were found right.
"""

import json
from dataclasses import dataclass

from sqlalchemy import ColumnElement, insert, or_, select, update
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from clients.registry import Client, ClientRegistry
from idp import session as browser_session
from idp.db import current_session
from idp.oidc.models import ParkedRequest
from idp.oidc.secret_values import digest, mint
from idp.web.desk import Waiting, demande


@dataclass(frozen=True, slots=True)
class Parked:
    """A parked request that is this browser's and still waits for its answer."""

    digest: bytes
    parameters: MultiDict[str, str]
    sid: str | None


class ParkedRequests:
    """Keeps requests in SQL for `lifetime` seconds."""

    def __init__(self, lifetime: int) -> None:
        self.lifetime = lifetime

    def park(self, client_id: str, parameters: dict[str, str], now: int, browser: bytes | None) -> str:
        """Set a checked request aside for `browser` (None: for the browser that opens it first). Gives its name."""
        name = mint()
        current_session().execute(
            insert(ParkedRequest).values(
                digest=digest(name),
                client_id=client_id,
                parameters=json.dumps(parameters),
                browser=browser,
                parked_at=now,
                expires_at=now + self.lifetime,
            )
        )
        return name

    def open(self, name: str, now: int, browser: bytes) -> Parked | None:
        """The request of that name, if it waits, is not too old and is this browser's."""
        session = current_session()
        row = session.execute(
            select(ParkedRequest.digest, ParkedRequest.parameters, ParkedRequest.sid, ParkedRequest.browser).where(
                *_waiting(name, now), or_(ParkedRequest.browser == browser, ParkedRequest.browser.is_(None))
            )
        ).first()
        if row is None:
            return None
        if row.browser is None and not _bind(session, row.digest, browser):
            return None
        return Parked(row.digest, MultiDict(json.loads(row.parameters)), row.sid)

    def service(self, name: str, clients: ClientRegistry) -> Client | None:
        """The service that a request came from, even when it is over: the way back for whoever comes too late."""
        client_id = current_session().scalar(
            select(ParkedRequest.client_id).where(ParkedRequest.digest == digest(name))
        )
        client = clients.get(client_id) if client_id else None
        return client if client is not None and client.enabled else None

    def waiting(self, name: str, now: int, clients: ClientRegistry) -> Waiting | None:
        """What the pages may know of the request of that name while it waits."""
        query = select(
            ParkedRequest.client_id, ParkedRequest.parameters, ParkedRequest.sid, ParkedRequest.browser
        ).where(*_waiting(name, now))
        row = current_session().execute(query).first()
        client = clients.get(row.client_id) if row else None
        if row is None or client is None:
            return None
        asked = json.loads(row.parameters)
        # Whom it is for is told to its own browser alone.
        hint = asked.get("login_hint") if row.browser in (None, browser_session.current().digest) else None
        return Waiting(client, asked["redirect_uri"], asked.get("ui_locales"), hint, row.sid)

    def use(self, parked: Parked, now: int) -> bool:
        """Take the request for its one answer. False when another tab was faster."""
        return (
            current_session()
            .execute(
                update(ParkedRequest)
                .where(ParkedRequest.digest == parked.digest, ParkedRequest.used_at.is_(None))
                .values(used_at=now)
                .returning(ParkedRequest.digest)
            )
            .first()
            is not None
        )


def _waiting(name: str, now: int) -> tuple[ColumnElement[bool], ...]:
    return (
        ParkedRequest.digest == digest(name),
        ParkedRequest.used_at.is_(None),
        ParkedRequest.expires_at > now,
    )


def _bind(session: Session, parked: bytes, browser: bytes) -> bool:
    """A request that came by a cross-site POST has no browser yet: the first that opens it."""
    return (
        session.execute(
            update(ParkedRequest)
            .where(ParkedRequest.digest == parked, ParkedRequest.browser.is_(None))
            .values(browser=browser)
            .returning(ParkedRequest.digest)
        ).first()
        is not None
    )


@browser_session.renewed.connect
def _follow(_sender: object, old: bytes, new: bytes) -> None:
    """The browser got a new cookie: its requests follow it."""
    current_session().execute(update(ParkedRequest).where(ParkedRequest.browser == old).values(browser=new))


@browser_session.signed_in.connect
def _remember_who(_sender: object, sid: str, **_account: str) -> None:
    """This very sign-in was made for the request of the visit: `prompt=login` and `max_age` are satisfied by it."""
    name = demande()
    if name:
        own = or_(ParkedRequest.browser == browser_session.current().digest, ParkedRequest.browser.is_(None))
        current_session().execute(
            update(ParkedRequest).where(ParkedRequest.digest == digest(name), own).values(sid=sid)
        )
