"""People who stand before a given step of the first login, made directly: where tests of races and kills begin."""

from typing import Any

from sqlalchemy import delete, update

from consent.documents import RULES_OF_USE
from idp.accounts.models import FIRST_LOGIN, MAIL, Account, Password
from idp.db import db
from tests.idp.provider import Landlord, Provider

INFORMATION = "/premiere-connexion/informations"
PASSWORD_STEP = "/premiere-connexion/mot-de-passe"
RULES = "/premiere-connexion/regles-d-usage"
TERMS = "/premiere-connexion/conditions-d-utilisation"
DONE = "/premiere-connexion/terminee"


def before_the_terms(provider: Provider, **columns: Any) -> Landlord:
    """Everything is done but the last step; `password` is the person's own."""
    landlord = provider.landlord(completed=False, **columns)
    with provider.transaction() as services:
        text = services.documents.texts_for(landlord.id).current(RULES_OF_USE)
        services.documents.accept(landlord.id, text, request_id=None, ip=None)
    return landlord


def before_the_password(provider: Provider, **columns: Any) -> Landlord:
    """The information is given and the address proved; `password` is the provisional one."""
    landlord = provider.landlord(completed=False, **columns)
    with provider.transaction() as services:
        db.session.execute(delete(Password).where(Password.account_id == landlord.id))
        db.session.execute(
            update(Account)
            .where(Account.id == landlord.id)
            .values(must_choose_password=True, personal_password_at=None)
        )
        landlord.password = services.passwords.issue_provisional(landlord.id, FIRST_LOGIN, MAIL, 7 * 86_400)
    return landlord


def before_everything(provider: Provider, **columns: Any) -> Landlord:
    """Nothing is done; `password` is the provisional one."""
    unknown = {"email": None, "email_key": None, "email_verified_at": None, "information_given_at": None}
    return before_the_password(provider, **{**unknown, **columns})
