"""What the provider exists for: codes and tokens, made of a `Clearance` and consumed once.

Every one-time thing is taken by one `UPDATE ... WHERE used_at IS NULL ... RETURNING`, in the transaction that gives its
value. Statements are Core statements on few columns: this is the hot path.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from consent.gate import Clearance
from idp.accounts import standing
from idp.accounts.models import Account
from idp.accounts.standing import SignedIn, Standing
from idp.db import Prepared
from idp.oidc.authorization_request import AuthorizationRequest
from idp.oidc.claims import ACR
from idp.oidc.models import Grant, Token
from idp.oidc.secret_values import ACCESS_TOKEN, REFRESH_TOKEN, digest, mint
from idp.session import SignIn
from idp.settings import Settings


@dataclass(frozen=True, slots=True)
class Granted:
    """A grant as the token endpoint sees it. Authlib asks it a few questions under its own names."""

    id: str
    client_id: str
    account_id: str
    sid: str
    scope: str
    claims: str | None
    nonce: str | None
    acr: str
    amr: str
    auth_time: int
    offline: bool
    ends_at: int
    revoked_at: int | None
    redirect_uri: str
    code_challenge: str | None
    code_expires_at: int

    def get_redirect_uri(self) -> str:
        """The redirect URI that the token request must repeat (RFC 6749 §4.1.3)."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """The scope that was granted."""
        return self.scope


_grants, _tokens = Grant.__table__, Token.__table__
_grant, _token = Grant.__table__.c, Token.__table__.c

GRANTED = (
    _grant.id,
    _grant.client_id,
    _grant.account_id,
    _grant.sid,
    _grant.scope,
    _grant.claims,
    _grant.nonce,
    _grant.acr,
    _grant.amr,
    _grant.auth_time,
    _grant.offline,
    _grant.ends_at,
    _grant.revoked_at,
    _grant.redirect_uri,
    _grant.code_challenge,
    _grant.code_expires_at,
)


@dataclass(frozen=True, slots=True)
class Refreshable:
    """A refresh token that was presented, with its grant and its account as they are now."""

    token_id: str
    scope: str
    expires_at: int
    used_at: int | None
    granted: Granted
    account: Standing

    def check_client(self, client: Any) -> bool:
        """Whether it was issued to this client (RFC 6749 §10.4)."""
        return bool(self.granted.client_id == client.client_id)

    def get_scope(self) -> str:
        """The scope of the token; a refresh may ask for less, never for more."""
        return self.granted.scope


@dataclass(frozen=True, slots=True)
class Presented:
    """An access token that was presented, with what userinfo and introspection need."""

    token_id: str
    scope: str
    issued_at: int
    expires_at: int
    live: bool
    client_id: str
    grant_id: str
    claims: str | None
    account: Standing


_sign_in, _account = SignIn.__table__.c, Account.__table__.c
# A grant is made from the sign-in and the account as they stand, held until the commit: whoever ends them at the same
# moment either finds the grant, and revokes it, or leaves nothing to make it from.
_STANDS = (
    select(*[bindparam(column.name, type_=column.type) for column in _grants.columns])
    .select_from(SignIn.__table__.join(Account.__table__, _account.id == _sign_in.account_id))
    .where(
        _sign_in.sid == bindparam("sid", type_=_grant.sid.type),
        _account.id == bindparam("account_id", type_=_grant.account_id.type),
        _account.locked_at.is_(None),
        _account.suspended_at.is_(None),
        _account.closed_at.is_(None),
        _account.must_choose_password.is_(False),
    )
    .with_for_update(read=True, of=[SignIn.__table__, Account.__table__])
)
_INSERT_GRANT = Prepared(
    insert(_grants)  # type: ignore[arg-type]  # a mapped class's table is a Table
    .from_select([column.name for column in _grants.columns], _STANDS)
    .returning(_grant.id)
)
_INSERT_TOKEN = Prepared(insert(_tokens))  # type: ignore[arg-type]
_GRANT_OF_CODE = Prepared(select(*GRANTED).where(_grant.code_digest == bindparam("code")))
_USE_CODE = Prepared(
    update(_grants)  # type: ignore[arg-type]
    .where(_grant.code_digest == bindparam("code"), _grant.code_used_at.is_(None))
    .values(code_used_at=bindparam("now"))
    .returning(*GRANTED)
)
_USE_REFRESH = Prepared(
    update(_tokens)  # type: ignore[arg-type]
    .where(_token.id == bindparam("token"), _token.refresh_used_at.is_(None))
    .values(refresh_used_at=bindparam("now"))
    .returning(_token.id)
)
_WITH_ACCOUNT = _tokens.join(_grants, _grant.id == _token.grant_id).join(
    standing.accounts(), standing.columns()[0] == _grant.account_id
)
_REFRESHABLE = Prepared(
    select(*standing.columns(), *GRANTED, _token.id, _token.scope, _token.refresh_expires_at, _token.refresh_used_at)
    .select_from(_WITH_ACCOUNT)
    .where(_token.refresh_digest == bindparam("refresh"))
)
_PRESENTED = Prepared(
    select(
        *standing.columns(),
        _token.id,
        _token.scope,
        _token.issued_at,
        _token.access_expires_at,
        _token.access_revoked_at,
        _grant.revoked_at,
        _grant.client_id,
        _grant.id,
        _grant.claims,
    )
    .select_from(_WITH_ACCOUNT)
    .where(_token.access_digest == bindparam("access"))
)


class Issuance:
    """Gives codes and tokens. `settings` has the lifetimes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def code(
        self,
        session: Session,
        clearance: Clearance,
        asked: AuthorizationRequest,
        who: SignedIn,
        now: int,
        request_id: str | None,
    ) -> str | None:
        """Make a grant and give its code, valid for `code_lifetime` seconds (RFC 6749 §4.1.2).

        None when the sign-in or the account ended in the meantime.

        Raises `TypeError` without a clearance of this very account: nothing else vouches for it.
        """
        if not isinstance(clearance, Clearance) or clearance.account_id != who.account.id:
            raise TypeError("a grant needs the gate's Clearance of this account")
        code = mint()
        offline = "offline_access" in asked.scope.split()
        made = _INSERT_GRANT.first(
            session,
            {
                "id": uuid.uuid4().hex,
                "client_id": asked.client.client_id,
                "account_id": clearance.account_id,
                "sid": who.sid,
                "scope": asked.scope,
                "claims": asked.claims.text,
                "nonce": asked.nonce,
                "acr": ACR,
                "amr": who.amr,
                "auth_time": who.signed_in_at,
                "documents": json.dumps(clearance.documents),
                "offline": offline,
                "code_digest": digest(code),
                "code_expires_at": now + self._settings.code_lifetime,
                "code_used_at": None,
                "redirect_uri": asked.back.redirect_uri,
                "code_challenge": asked.code_challenge,
                "created_at": now,
                "ends_at": self._end_of_family(who, now, offline=offline),
                "revoked_at": None,
                "revoked_because": None,
                "request_id": request_id,
            },
        )
        return code if made else None

    def use_code(self, session: Session, code: str, now: int) -> Granted | None:
        """Consume a code, found by its digest alone, whoever sent it; None when it is unknown or was used."""
        row = _USE_CODE.first(session, {"code": digest(code), "now": now})
        return _granted(row) if row else None

    def grant_of_code(self, session: Session, code: str) -> Granted | None:
        """The grant of a code that can no longer be used: to revoke what came of it."""
        row = _GRANT_OF_CODE.first(session, {"code": digest(code)})
        return _granted(row) if row else None

    def refreshable(self, session: Session, refresh_token: str) -> Refreshable | None:
        """What is known of a refresh token, used or not, in one statement."""
        row = _REFRESHABLE.first(session, {"refresh": digest(refresh_token)})
        if row is None:
            return None
        account, rest = standing.of_row(row), row[standing.WIDTH :]
        token_id, scope, expires_at, used_at = rest[len(GRANTED) :]
        return Refreshable(token_id, scope, expires_at, used_at, _granted(rest[: len(GRANTED)]), account)

    def use_refresh(self, session: Session, token_id: str, now: int) -> bool:
        """Consume a refresh token; False when another request was faster."""
        return _USE_REFRESH.first(session, {"token": token_id, "now": now}) is not None

    def tokens(
        self, session: Session, clearance: Clearance, granted: Granted, scope: str, now: int, *, refresh: bool
    ) -> dict[str, Any]:
        """Make an access token and, when `refresh`, a refresh token (RFC 6749 §5.1), for a grant just consumed.

        Raises `TypeError` without a clearance of this very account: the gate is asked again at each issuance.
        """
        if not isinstance(clearance, Clearance) or clearance.account_id != granted.account_id:
            raise TypeError("a token needs the gate's Clearance of this account")
        access_token = mint(ACCESS_TOKEN)
        refresh_token = mint(REFRESH_TOKEN) if refresh else None
        _INSERT_TOKEN.rows(
            session,
            {
                "id": uuid.uuid4().hex,
                "grant_id": granted.id,
                "scope": scope,
                "issued_at": now,
                "access_digest": digest(access_token),
                "access_expires_at": now + self._settings.access_token_lifetime,
                "access_revoked_at": None,
                "refresh_digest": digest(refresh_token) if refresh_token else None,
                "refresh_expires_at": min(now + self._settings.refresh_token_idle, granted.ends_at),
                "refresh_used_at": None,
            },
        )
        answer = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": self._settings.access_token_lifetime,
            "scope": scope,
        }
        return {**answer, "refresh_token": refresh_token} if refresh_token else answer

    def presented(self, session: Session, access_token: str, now: int) -> Presented | None:
        """What is known of an access token, in one statement. `live` tells whether it is worth anything now."""
        row = _PRESENTED.first(session, {"access": digest(access_token)})
        if row is None:
            return None
        account = standing.of_row(row)
        token_id, scope, issued_at, expires_at, revoked, family_revoked, *family = row[standing.WIDTH :]
        live = expires_at > now and revoked is None and family_revoked is None and account.is_open
        client_id, grant_id, claims = family
        return Presented(token_id, scope, issued_at, expires_at, live, client_id, grant_id, claims, account)

    def _end_of_family(self, who: SignedIn, now: int, *, offline: bool) -> int:
        """When the last refresh is over: never past the session, unless the service was given `offline_access`."""
        if offline:
            return now + self._settings.refresh_token_lifetime
        return min(who.opened_at + self._settings.session_lifetime, now + self._settings.refresh_token_lifetime)


def _granted(row: Sequence[Any]) -> Granted:
    return Granted(*row)
