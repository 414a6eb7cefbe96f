"""Signing out, from anywhere: through `session.py`, which announces it."""

from flask import current_app
from itsdangerous import BadSignature, URLSafeTimedSerializer

from idp import session as browser_session
from idp.audit import record
from idp.services import Services
from idp.signin.who import forget, who_is_here

WAY_BACK_LIFETIME = 3600
"""Seconds for which the confirmation page keeps the way back to the service."""


def sign_out() -> None:
    """End every sign-in of this browser. Harmless when there is none."""
    who = who_is_here()
    if who is not None:
        record("signin.ended", account_id=who.account.id, session_id=who.sid)
    browser_session.end()
    forget()


class _Onward:
    """The checked address that follows a sign-out, carried through the confirmation page under our signature."""

    def write(self, uri: str) -> str:
        """Sign an address that the protocol found registered."""
        return self._serializer().dumps(uri)

    def read(self, text: str) -> str | None:
        """The address, if we signed it within the hour."""
        try:
            uri = self._serializer().loads(text, max_age=WAY_BACK_LIFETIME)
        except BadSignature:
            return None
        return str(uri)

    def _serializer(self) -> URLSafeTimedSerializer:
        services: Services = current_app.extensions["idp"]
        return URLSafeTimedSerializer(list(reversed(services.settings.secret_keys)), salt="after-sign-out")


onward = _Onward()
