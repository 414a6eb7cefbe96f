"""The end of a first login, and the administrator's role: the first person to get there takes it, by one UPDATE.

Owns `accounts.role` and who administers an organisation. Owns no page; the sends go through the outbox.
"""

from collections.abc import Callable
from typing import Literal, Protocol

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.accounts.models import ADMINISTRATEUR, UTILISATEUR, Account
from idp.accounts.organisations import Organisation
from idp.accounts.sending import Outbox
from idp.delivery.mailings import NoticeMailing

Role = Literal["administrateur", "utilisateur"]


class Member(Protocol):
    """What is read of the account that reaches the end."""

    @property
    def id(self) -> str: ...
    @property
    def organisation_id(self) -> str | None: ...
    @property
    def email(self) -> str | None: ...


def complete_first_login(
    session: Session, account: Member, now: int, outbox: Outbox, record: Callable[..., None]
) -> Role | None:
    """Mark the first login as completed and give the role that follows: None for a natural person.

    In the caller's transaction, so that role and completion are one commit (OR-02). Done again, changes nothing. The
    new administrator is told by mail. `now`: epoch seconds.
    """
    first = session.execute(
        update(Account)
        .where(Account.id == account.id, Account.first_login_completed_at.is_(None))
        .values(first_login_completed_at=now)
        .returning(Account.id)
    ).first()
    if account.organisation_id is None:
        return None
    if first is None:
        return _role(session, account.id)
    role = claim(session, account.id, account.organisation_id, now)
    if role == ADMINISTRATEUR:
        record("organisation.administrator_claimed", account_id=account.id, organisation_id=account.organisation_id)
        _tell(session, account, outbox)
    return role


def claim(session: Session, account_id: str, organisation_id: str, now: int) -> Role:
    """Take the administrator's role if nobody has it, and write the account's role, `administrateur` or `utilisateur`.

    Of any number that claim at once exactly one wins: the condition and the change are one statement.
    """
    won = session.execute(
        update(Organisation)
        .where(Organisation.id == organisation_id, Organisation.administrator_account_id.is_(None))
        .values(administrator_account_id=account_id, administrator_since=now)
        .returning(Organisation.id)
    ).first()
    role: Role = ADMINISTRATEUR if won or administrator_of(session, organisation_id) == account_id else UTILISATEUR
    session.execute(update(Account).where(Account.id == account_id).values(role=role))
    return role


def administrator_of(session: Session, organisation_id: str) -> str | None:
    """The account id of an organisation's administrator; None while it has none."""
    return session.scalar(select(Organisation.administrator_account_id).where(Organisation.id == organisation_id))


def _role(session: Session, account_id: str) -> Role | None:
    role = session.scalar(select(Account.role).where(Account.id == account_id))
    return ADMINISTRATEUR if role == ADMINISTRATEUR else UTILISATEUR if role else None


def _tell(session: Session, account: Member, outbox: Outbox) -> None:
    organisation = session.execute(
        select(Organisation.name, Organisation.siret).where(Organisation.id == account.organisation_id)
    ).one()
    if account.email:
        values = {"organisme": organisation.name, "siret": organisation.siret}
        outbox.queue(NoticeMailing(account_id=account.id, key="admin", email=account.email, values=values))
