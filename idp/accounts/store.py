"""Looking accounts up, and the states that an administrator gives them.

Owns the lookups and locked / suspended. `standing.py` is the read that decisions use; this one is for whoever changes
an account or shows it to an administrator.
"""

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from idp import session as browser_session
from idp.accounts import identifiers, user_numbers
from idp.accounts.models import Account
from idp.accounts.stopping import account_stopped as account_stopped


class Unknown(Exception):
    """No account answers to this name. `str()` is a French sentence."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"Aucun compte ne correspond à « {name} » : donnez l’identifiant, le numéro utilisateur ou la référence."
        )


class Closed(Exception):
    """The account is closed: its state no longer changes."""

    def __init__(self) -> None:
        super().__init__("Ce compte est fermé : son état ne peut plus changer.")


class AccountStore:
    """Accounts by each of their names, and their states. Never commits."""

    def __init__(
        self,
        session: Callable[[], Session],
        clock: Callable[[], int],
        record: Callable[..., None],
        end_sessions: Callable[[str], None] = browser_session.end_all,
    ) -> None:
        """`end_sessions(account_id)` signs the account out of every browser, in the same transaction."""
        self._session = session
        self._clock = clock
        self._record = record
        self._end_sessions = end_sessions

    def get(self, account_id: str) -> Account:
        """By id. Raises `Unknown`."""
        account = self._one(Account.id == account_id)
        if account is None:
            raise Unknown(account_id)
        return account

    def by_identifier(self, identifier: str) -> Account | None:
        """By what is typed to sign in, in any of its variants."""
        return self._one(Account.identifier == identifiers.canonical(identifier))

    def by_user_number(self, number: str) -> Account | None:
        """By the number printed on the sends, in any of its variants."""
        return self._one(Account.user_number == user_numbers.canonical(number))

    def by_reference(self, reference: str) -> Account | None:
        """By the sender's own key."""
        return self._one(Account.reference == reference)

    def find(self, name: str) -> Account:
        """By identifier, user number or reference, in this order. Raises `Unknown`."""
        account = self.by_identifier(name) or self.by_user_number(name) or self.by_reference(name)
        if account is None:
            raise Unknown(name)
        return account

    def list(self, *, departement: str | None = None, state: str | None = None) -> Iterator[Account]:
        """Accounts in order of reference, streamed. `state`: one of `STATES`."""
        query = select(Account).order_by(Account.reference)
        if departement is not None:
            query = query.where(Account.departement == departement)
        if state is not None:
            query = query.where(*STATES[state])
        yield from self._session().scalars(query.execution_options(yield_per=200))

    def give_information(self, account_id: str, given_name: str, family_name: str, telephone: str | None) -> None:
        """Keep what the person says of themselves: names (NFC, 1 to 100 characters), telephone (E.164 or None)."""
        self._session().execute(
            update(Account)
            .where(Account.id == account_id)
            .values(
                given_name=given_name,
                family_name=family_name,
                telephone=telephone,
                information_given_at=self._clock(),
            )
        )
        self._record("account.information_given", account_id=account_id)

    def lock(self, account: Account) -> bool:
        """Lock: nobody signs in and every token stops, until `unlock`. False when it was locked already."""
        return self._stop(account, Account.locked_at, "locked")

    def unlock(self, account: Account) -> bool:
        """Undo `lock`. False when it was not locked."""
        return self._lift(account, Account.locked_at, "account.unlocked")

    def suspend(self, account: Account) -> bool:
        """Suspend, as a precaution: same effect as `lock`, told apart. False when it was suspended already."""
        return self._stop(account, Account.suspended_at, "suspended")

    def resume(self, account: Account) -> bool:
        """Undo `suspend`. False when it was not suspended."""
        return self._lift(account, Account.suspended_at, "account.resumed")

    def _stop(self, account: Account, column: InstrumentedAttribute[int | None], because: str) -> bool:
        if not self._change(account, column, column.is_(None), self._clock()):
            return False
        self._record(f"account.{because}", account_id=account.id)
        self._end_sessions(account.id)
        account_stopped.send(self, account_id=account.id, because=because)
        return True

    def _lift(self, account: Account, column: InstrumentedAttribute[int | None], event: str) -> bool:
        if not self._change(account, column, column.is_not(None), None):
            return False
        self._record(event, account_id=account.id)
        return True

    def _change(
        self,
        account: Account,
        column: InstrumentedAttribute[int | None],
        condition: ColumnElement[bool],
        value: int | None,
    ) -> bool:
        """One UPDATE that only one of two operators wins."""
        if account.closed_at is not None:
            raise Closed
        session = self._session()
        changed = session.execute(
            update(Account).where(Account.id == account.id, condition).values({column: value}).returning(Account.id)
        ).first()
        session.refresh(account)
        return changed is not None

    def _one(self, condition: ColumnElement[bool]) -> Account | None:
        query: Select[Any] = select(Account).where(condition)
        found: Account | None = self._session().scalars(query).one_or_none()
        return found


STATES: dict[str, tuple[ColumnElement[bool], ...]] = {
    "jamais-connecte": (Account.personal_password_at.is_(None), Account.closed_at.is_(None)),
    "en-cours": (Account.personal_password_at.is_not(None), Account.first_login_completed_at.is_(None)),
    "actif": (
        Account.first_login_completed_at.is_not(None),
        Account.locked_at.is_(None),
        Account.suspended_at.is_(None),
        Account.closed_at.is_(None),
    ),
    "verrouille": (Account.locked_at.is_not(None),),
    "suspendu": (Account.suspended_at.is_not(None),),
    "ferme": (Account.closed_at.is_not(None),),
}
"""What `list` can select, by the words of the command line."""


def state_of(account: Account) -> str:
    """The one word for the state of an account, the most restrictive first: a key of `STATES`."""
    if account.closed_at is not None:
        return "ferme"
    if account.suspended_at is not None:
        return "suspendu"
    if account.locked_at is not None:
        return "verrouille"
    if account.personal_password_at is None:
        return "jamais-connecte"
    return "en-cours" if account.in_first_login else "actif"
