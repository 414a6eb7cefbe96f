"""An account as one decision sees it: read in one statement, never changed, never cached.

The gate, the tokens and userinfo decide on a `Standing`; pages that change an account load the `Account` itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import FromClause, Row, bindparam, select
from sqlalchemy.orm import Session

from idp import session as browser_session
from idp.accounts.models import Account
from idp.accounts.organisations import Organisation
from idp.db import Prepared

_account, _organisation = Account.__table__.c, Organisation.__table__.c
_sign_in, _browser = browser_session.SignIn.__table__.c, browser_session.BrowserSession.__table__.c

_COLUMNS = (
    _account.id,
    _account.user_number,
    _account.identifier,
    _account.partner_type,
    _account.departement,
    _account.organisation_id,
    _organisation.name.label("organisation_name"),
    _organisation.siret,
    _account.role,
    _account.given_name,
    _account.family_name,
    _account.email,
    _account.imported_email,
    _account.email_verified_at,
    _account.telephone,
    _account.information_given_at,
    _account.personal_password_at,
    _account.must_choose_password,
    _account.first_login_completed_at,
    _account.locked_at,
    _account.suspended_at,
    _account.closed_at,
)
WIDTH = len(_COLUMNS)


@dataclass(frozen=True, slots=True)
class Standing:
    """The columns above, in their order, and what follows from them."""

    id: str
    user_number: str
    identifier: str
    partner_type: Literal["physique", "moral"]
    departement: str
    organisation_id: str | None
    organisation_name: str | None
    siret: str | None
    role: str | None
    given_name: str | None
    family_name: str | None
    email: str | None
    imported_email: str | None
    email_verified_at: int | None
    telephone: str | None
    information_given_at: int | None
    personal_password_at: int | None
    must_choose_password: bool
    first_login_completed_at: int | None
    locked_at: int | None
    suspended_at: int | None
    closed_at: int | None

    @property
    def suggested_email(self) -> str | None:
        """The address that the import gave: shown to be confirmed, never trusted."""
        return self.imported_email

    @property
    def email_verified(self) -> bool:
        """The address was proved with a code."""
        return self.email_verified_at is not None

    @property
    def information_given(self) -> bool:
        """The first step's form was completed once."""
        return self.information_given_at is not None

    @property
    def has_personal_password(self) -> bool:
        """The person chose a password of their own."""
        return self.personal_password_at is not None

    @property
    def in_first_login(self) -> bool:
        """The first sign-in was never completed."""
        return self.first_login_completed_at is None

    @property
    def is_open(self) -> bool:
        """Neither locked, nor suspended, nor closed."""
        return self.locked_at is None and self.suspended_at is None and self.closed_at is None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """One account signed in within this browser."""

    account: Standing
    sid: str
    signed_in_at: int
    kind: str
    amr: str
    last_seen_at: int
    opened_at: int


_WITH_ORGANISATION = Account.__table__.outerjoin(Organisation.__table__, _organisation.id == _account.organisation_id)
_BY_ID = Prepared(select(*_COLUMNS).select_from(_WITH_ORGANISATION).where(_account.id == bindparam("account")))
_SIGNED_IN = Prepared(
    select(
        *_COLUMNS,
        _sign_in.sid,
        _sign_in.signed_in_at,
        _sign_in.kind,
        _sign_in.amr,
        _browser.last_seen_at,
        _browser.opened_at,
    )
    .select_from(
        _WITH_ORGANISATION.join(browser_session.SignIn.__table__, _sign_in.account_id == _account.id).join(
            browser_session.BrowserSession.__table__, _browser.digest == _sign_in.browser
        )
    )
    .where(_browser.digest == bindparam("browser"))
    .order_by(_sign_in.rank.desc())
)


def columns() -> tuple[Any, ...]:
    """What a statement selects first to make a `Standing` of a row (`of_row`); it selects from `accounts()`."""
    return _COLUMNS


def accounts() -> FromClause:
    """The accounts, each with its organisation where it has one."""
    return _WITH_ORGANISATION


def of_row(row: Sequence[Any] | Row[Any], start: int = 0) -> Standing:
    """The `Standing` that begins at column `start` of a row."""
    return Standing(*row[start : start + WIDTH])


def standing(session: Session, account_id: str) -> Standing | None:
    """The account now, in one statement; None when there is none."""
    row = _BY_ID.first(session, {"account": account_id})
    return of_row(row) if row else None


def signed_in(session: Session, digest: bytes) -> list[SignedIn]:
    """Who is signed in behind the cookie with this digest, in one statement; the latest sign-in first.

    Says nothing of the time limits: the caller compares `last_seen_at` and `opened_at` with its settings.
    """
    rows = _SIGNED_IN.rows(session, {"browser": digest})
    return [SignedIn(of_row(row), *row[WIDTH:]) for row in rows]
