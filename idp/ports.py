"""What the consent room is given: who is here, their password, the proof of their address, the way on.

Small adapters between `consent` and the people's rooms; neither knows the other.
"""

from collections.abc import Sequence

from flask import url_for

import consent.account
from consent.account import PendingProof, Ports, Problem, Verdict
from idp import clock
from idp import session as browser_session
from idp.accounts.email_proof import EmailProofs
from idp.accounts.models import ADMINISTRATEUR, UTILISATEUR
from idp.accounts.passwords import PasswordService
from idp.accounts.standing import Standing
from idp.accounts.store import AccountStore
from idp.audit import record
from idp.db import current_session
from idp.delivery.mailings import NoticeMailing
from idp.delivery.outbox import Outbox
from idp.organisations import administrators
from idp.services import Services
from idp.signin.who import forget, who_is_here
from idp.web.desk import demande, desk_url, waiting
from idp.web.hash_pool import TooBusy
from idp.web.translations import date_longue, heure, t


class Accounts:
    """Who is here, half-gated sign-ins included."""

    def __init__(self, store: AccountStore) -> None:
        self._store = store

    def current(self) -> Standing | None:
        """The account of this browser's sign-in, read again after a change."""
        who = who_is_here()
        return who.account if who else None

    def give_information(
        self, account: consent.account.Account, given_name: str, family_name: str, telephone: str | None
    ) -> None:
        """Keep what the first step asks."""
        self._store.give_information(account.id, given_name, family_name, telephone)
        forget()


def tell(outbox: Outbox, account: Standing, key: str, **values: str) -> None:
    """Queue a mail without any secret to the proved address, where there is one, in the current transaction."""
    if account.email and account.email_verified:
        outbox.queue(NoticeMailing(account_id=account.id, key=key, email=account.email, values=values))


class Passwords:
    """The password step: rules, then the hash outside any transaction, then one transaction for all that follows."""

    def __init__(self, passwords: PasswordService, outbox: Outbox) -> None:
        self._passwords = passwords
        self._outbox = outbox

    def minimum(self, account: consent.account.Account) -> int:
        """12 characters, 16 for an organisation."""
        return self._passwords.minimum(account)

    def problems(self, account: consent.account.Account, password: str) -> Sequence[Problem]:
        """Why a password is refused."""
        return self._passwords.problems(account, password)

    def change(self, account: consent.account.Account, password: str) -> bool:
        """Store the password; everybody else who was signed in to this account is out, and every grant ends."""
        current_session().rollback()  # nothing was written yet; no transaction stays open while a password is hashed
        try:
            hashed = self._passwords.hash_personal(account.id, password)
        except TooBusy as busy:
            raise consent.account.TooBusy from busy
        if not self._passwords.store_personal(account.id, hashed):
            return False
        who, now = who_is_here(), clock.now()
        if who is not None and not who.account.in_first_login:
            moment = {"date": date_longue(now), "heure": heure(now)}
            tell(self._outbox, who.account, "alerte_mdp", numero=who.account.user_number, **moment)
        browser_session.end_others(account.id)
        browser_session.become_personal(account.id)
        browser_session.renew()
        forget()
        return True


class Proofs:
    """The proof of an e-mail address."""

    def __init__(self, proofs: EmailProofs, store: AccountStore) -> None:
        self._proofs = proofs
        self._store = store

    def start(self, account: consent.account.Account, email: str) -> None:
        """Send a code."""
        self._proofs.start(self._store.get(account.id), email)

    def pending(self, account: consent.account.Account) -> PendingProof | None:
        """The code that was sent last."""
        found = self._proofs.pending(account.id)
        return PendingProof(found.email, found.expires_at) if found else None

    def check(self, account: consent.account.Account, code: str) -> Verdict:
        """Try a code."""
        verdict = self._proofs.check(self._store.get(account.id), code)
        forget()
        return verdict

    def resend(self, account: consent.account.Account) -> bool:
        """Send another code to the same address."""
        return self._proofs.resend(self._store.get(account.id))


def service_name() -> str | None:
    """The service whose request waits behind this visit."""
    found = waiting()
    return found.service.name if found else None


class Completion:
    """The last due step is done. The first login's end makes the first person of an organisation its administrator."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def __call__(self, account: consent.account.Account) -> None:
        """Mark it, give the role, and give the browser a new cookie (SE-01), in the transaction of the last step."""
        who = who_is_here()
        if who is None or not who.account.in_first_login:
            return
        administrators.complete_first_login(current_session(), who.account, clock.now(), self._outbox, record)
        tell(self._outbox, who.account, "pret", numero=who.account.user_number)
        browser_session.renew()
        forget()
        record("first_login.completed", account_id=account.id)


def administered(_account: consent.account.Account) -> str | None:
    """The organisation that this person administers."""
    who = who_is_here()
    return who.account.organisation_name if who and who.account.role == ADMINISTRATEUR else None


def led_by_another(_account: consent.account.Account) -> bool:
    """Another person of the organisation completed the first login before, and administers it."""
    who = who_is_here()
    return who is not None and who.account.role == UTILISATEUR


def refused(_document: str) -> str:
    """Where the answer « the person declined » leaves from."""
    return url_for("oidc.declined", demande=demande()) if demande() else url_for("signin.deconnexion")


def build(services: Services) -> Ports:
    """All of it, for `consent.views.blueprint`."""
    store = services.accounts
    return Ports(
        accounts=Accounts(store),
        passwords=Passwords(services.passwords, services.outbox),
        email_proofs=Proofs(services.email_proofs, store),
        clock=clock.now,
        t=t,
        record=record,
        desk_url=desk_url,
        completed=Completion(services.outbox),
        refused=refused,
        sign_out_url=lambda: url_for("signin.deconnexion"),
        service_name=service_name,
        administered=administered,
        led_by_another=led_by_another,
        administrator_help_url=lambda: url_for("help.administrator"),
    )
