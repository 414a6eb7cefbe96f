"""An account as one decision sees it: read in one statement, never changed, never cached.

The gate, the tokens and userinfo decide on a `Standing`; pages that change an account load the `Account` itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from idp import session as browser_session
from idp.accounts.models import Account
from idp.accounts.organisations import Organisation

_COLUMNS = (
    Account.id,
    Account.user_number,
    Account.identifier,
    Account.partner_type,
    Account.departement,
    Account.organisation_id,
    Organisation.name.label("organisation_name"),
    Organisation.siret,
    Account.role,
    Account.given_name,
    Account.family_name,
    Account.email,
    Account.imported_email,
    Account.email_verified_at,
    Account.telephone,
    Account.information_given_at,
    Account.personal_password_at,
    Account.must_choose_password,
    Account.first_login_completed_at,
    Account.locked_at,
    Account.suspended_at,
    Account.closed_at,
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


_BY_ID: Any = select(*_COLUMNS).outerjoin(Organisation, Organisation.id == Account.organisation_id)
_SIGNED_IN: Any = (
    select(
        *_COLUMNS,
        browser_session.SignIn.sid,
        browser_session.SignIn.signed_in_at,
        browser_session.SignIn.kind,
        browser_session.SignIn.amr,
        browser_session.BrowserSession.last_seen_at,
        browser_session.BrowserSession.opened_at,
    )
    .join(browser_session.SignIn, browser_session.SignIn.account_id == Account.id)
    .join(browser_session.BrowserSession)
    .outerjoin(Organisation, Organisation.id == Account.organisation_id)
    .order_by(browser_session.SignIn.rank.desc())
)


def columns() -> tuple[Any, ...]:
    """What a statement selects first to make a `Standing` of a row (`of_row`); it joins the organisation."""
    return _COLUMNS


def of_row(row: Sequence[Any] | Row[Any], start: int = 0) -> Standing:
    """The `Standing` that begins at column `start` of a row."""
    return Standing(*row[start : start + WIDTH])


def standing(session: Session, account_id: str) -> Standing | None:
    """The account now, in one statement; None when there is none."""
    row = session.execute(_BY_ID.where(Account.id == account_id)).first()
    return of_row(row) if row else None


def signed_in(session: Session, digest: bytes) -> list[SignedIn]:
    """Who is signed in behind the cookie with this digest, in one statement; the latest sign-in first.

    Says nothing of the time limits: the caller compares `last_seen_at` and `opened_at` with its settings.
    """
    rows = session.execute(_SIGNED_IN.where(browser_session.BrowserSession.digest == digest)).all()
    return [SignedIn(of_row(row), *row[WIDTH:]) for row in rows]
