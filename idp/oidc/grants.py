"""The grants of the token endpoint. Authlib gives the order of the checks; the stores and the refusals are ours.

Each asks the gate again: a code or a refresh token is worth nothing once the account is locked, a new text is due, or
the password changed.
"""

import base64
import hashlib
import hmac
import re
from typing import Any, ClassVar

from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc6749.errors import InvalidGrantError

from clients.registry import Client
from consent.gate import Clearance, Gate, NotCleared
from idp import clock
from idp.accounts.standing import Standing, standing
from idp.audit import record
from idp.db import current_session
from idp.oidc.client_authentication import METHODS
from idp.oidc.id_token import IdTokens
from idp.oidc.issuance import Granted, Issuance, Refreshable
from idp.oidc.revocation import revoke_family
from idp.oidc.server import Server
from idp.oidc.subjects import subject

VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}\Z")


def register(server: Server, issuance: Issuance, id_tokens: IdTokens, gate: Gate, refresh_grace: int) -> None:
    """Put both grants into the server's table."""
    for grant in (AuthorizationCode, RefreshToken):
        ready = {"issuance": issuance, "id_tokens": id_tokens, "gate": gate, "refresh_grace": refresh_grace}
        server.register_grant(type(grant.__name__, (grant,), ready))


class _Issuing:
    """What both grants share: the gate's answer, and the tokens that follow from it."""

    issuance: Issuance
    id_tokens: IdTokens
    gate: Gate
    refresh_grace: int
    request: Any
    GRANT_TYPE: str | None
    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = list(METHODS)
    TOKEN_RESPONSE_HEADER: ClassVar = [("Content-Type", "application/json")]

    def cleared(self, account: Standing, granted: Granted) -> Clearance:
        """The gate vouches for the account now, or the grant is worth nothing (`invalid_grant`)."""
        try:
            return self.gate.clearance(account)
        except NotCleared as refused:
            record("grant.refused", account_id=granted.account_id, client_id=granted.client_id, reason=refused.reason)
            raise InvalidGrantError("the account must sign in again") from None

    def issue(self, clearance: Clearance, account: Standing, granted: Granted, scope: str) -> tuple[int, Any, Any]:
        """Status, body and headers of a successful answer (OpenID Connect Core §3.1.3.3)."""
        client: Client = self.request.client
        session, now = current_session(), clock.now()
        refresh = client.check_grant_type("refresh_token")
        answer = self.issuance.tokens(session, clearance, granted, scope, now, refresh=refresh)
        if "openid" in scope.split():
            known_as = subject(session, client, account.id)
            answer["id_token"] = self.id_tokens.sign(
                client,
                granted,
                account,
                known_as,
                answer["access_token"],
                now,
                nonce=self.GRANT_TYPE == AuthorizationCode.GRANT_TYPE,
            )
        return 200, answer, self.TOKEN_RESPONSE_HEADER


class AuthorizationCode(_Issuing, grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """RFC 6749 §4.1.3, RFC 7636 §4.6. The first look at a code consumes it; a wrong look burns it."""

    def query_authorization_code(self, code: str, client: Client) -> Granted:
        """Consume the code. A used one revokes all that came of it, without grace (RFC 6749 §4.1.2)."""
        session, now = current_session(), clock.now()
        granted = self.issuance.use_code(session, code, now)
        if granted is None:
            self._replayed(code, client, now)
            raise InvalidGrantError("the code is unknown or was used")
        if granted.client_id != client.client_id:
            raise self._burned(granted, client, "client")
        if granted.code_expires_at <= now or granted.revoked_at is not None:
            raise InvalidGrantError("the code has expired or was revoked")
        if self.request.form.get("redirect_uri") != granted.redirect_uri:
            raise self._burned(granted, client, "redirect_uri")
        self._verify(granted, client)
        return granted

    def create_token_response(self) -> tuple[int, Any, Any]:
        """Ask the gate, then answer."""
        granted: Granted = self.request.authorization_code
        account = standing(current_session(), granted.account_id)
        if account is None:
            raise InvalidGrantError("the account is gone")
        clearance = self.cleared(account, granted)
        return self.issue(clearance, account, granted, granted.scope)

    def _verify(self, granted: Granted, client: Client) -> None:
        """RFC 7636 §4.6. A verifier without a challenge is refused too (RFC 9700 §2.1.1)."""
        verifier, challenge = self.request.form.get("code_verifier"), granted.code_challenge
        if challenge is None and verifier is None:
            return
        if challenge is None or verifier is None or not VERIFIER.match(verifier):
            raise self._burned(granted, client, "code_verifier")
        computed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
        if not hmac.compare_digest(computed, challenge.encode()):
            raise self._burned(granted, client, "code_verifier")

    def _burned(self, granted: Granted, client: Client, why: str) -> InvalidGrantError:
        record(
            "code.refused",
            account_id=granted.account_id,
            client_id=client.client_id,
            issued_to=granted.client_id,
            reason=why,
        )
        return InvalidGrantError(f"the {why} does not belong to this code")

    def _replayed(self, code: str, client: Client, now: int) -> None:
        granted = self.issuance.grant_of_code(current_session(), code)
        if granted is not None:
            revoke_family(current_session(), granted.id, "code-replayed", now)
            record("code.replayed", account_id=granted.account_id, client_id=client.client_id, grant=granted.id)


class RefreshToken(_Issuing, grants.RefreshTokenGrant):  # type: ignore[misc]
    """RFC 6749 §6 with rotation: each refresh token is good once, a replay ends its family (RFC 9700 §4.14.2)."""

    def authenticate_refresh_token(self, refresh_token: str) -> Refreshable:
        """Look at the token without consuming it: a client's slip in `scope` must not cost it the session."""
        now = clock.now()
        client: Client = self.request.client
        found = self.issuance.refreshable(current_session(), refresh_token)
        if found is None:
            raise InvalidGrantError("the refresh token is unknown")
        if not found.check_client(client):
            self._end(found, client, "refresh-stolen", now)
            raise InvalidGrantError("the refresh token belongs to another client")
        if found.used_at is not None:
            self._replayed(found, found.used_at, client, now)
        if found.granted.revoked_at is not None or found.expires_at <= now:
            raise InvalidGrantError("the refresh token has expired or was revoked")
        return found

    def create_token_response(self) -> tuple[int, Any, Any]:
        """Ask the gate, consume the token, answer."""
        found: Refreshable = self.request.refresh_token
        now = clock.now()
        scope = self._scope(found)
        clearance = self.cleared(found.account, found.granted)
        if not self.issuance.use_refresh(current_session(), found.token_id, now):
            # Another request was faster by less than this one's run: well within the grace, if there is one.
            self._lost_the_race(found, now)
        return self.issue(clearance, found.account, found.granted, scope)

    def _scope(self, found: Refreshable) -> str:
        """No more than was granted (Authlib looked), and no more than is registered today (RT-05)."""
        client: Client = self.request.client
        allowed = client.get_allowed_scope(found.granted.scope)
        if found.granted.offline and "offline_access" not in allowed.split():
            raise InvalidGrantError("offline_access was withdrawn from this client")
        return client.get_allowed_scope(self.request.payload.scope or found.granted.scope)

    def _lost_the_race(self, found: Refreshable, now: int) -> None:
        if not self.refresh_grace:
            self._end(found, self.request.client, "refresh-replayed", now)
        raise InvalidGrantError("the refresh token was used")

    def _replayed(self, found: Refreshable, used_at: int, client: Client, now: int) -> None:
        """A lost answer may be asked for again within the grace: no token, and no harm (RT-03)."""
        if now - used_at >= self.refresh_grace:
            self._end(found, client, "refresh-replayed", now)
        raise InvalidGrantError("the refresh token was used")

    def _end(self, found: Refreshable, client: Client, because: str, now: int) -> None:
        revoke_family(current_session(), found.granted.id, because, now)
        record(
            "refresh.replayed",
            account_id=found.account.id,
            client_id=client.client_id,
            grant=found.granted.id,
            because=because,
        )
