"""A person who is stuck has a way out before the recoveries exist: an administrator's commands."""

from click.testing import CliRunner
from flask.cli import ScriptInfo

from idp.accounts.models import Account
from idp.cli import idp
from idp.db import db
from tests.idp.provider import Browser, Landlord, Pkce, Provider, Service, answered


def test_a_password_sent_again_leads_to_a_new_password_and_then_to_the_service(
    provider: Provider, browser: Browser, landlord: Landlord, service: Service, pkce: Pkce
) -> None:
    with provider.transaction() as services:
        clear = services.passwords.issue_provisional(landlord.id, "recovery", "mail", 86_400)
    page = browser.authorize(service, pkce).headers["Location"]
    desk = browser.sign_in(landlord, page, clear).headers["Location"]
    step = browser.get(desk).headers["Location"]
    assert step.startswith("/premiere-connexion/mot-de-passe")
    new = "Un-Autre-Mot-De-Passe-2027"
    back = browser.post(step, {"nouveau_mot_de_passe": new, "confirmation": new})
    assert "code" in answered(browser.get(back.headers["Location"]))
    other = provider.browser()
    assert other.sign_in(landlord).status_code == 422
    assert other.sign_in(landlord, password=new).status_code == 303


def test_the_password_in_use_goes_on_working_until_the_new_one_is_used(
    provider: Provider, browser: Browser, landlord: Landlord
) -> None:
    with provider.transaction() as services:
        services.passwords.issue_provisional(landlord.id, "recovery", "mail", 86_400)
    assert browser.sign_in(landlord).status_code == 303
    with provider.transaction():
        account = db.session.get(Account, landlord.id)
        assert account is not None
        assert not account.must_choose_password


def test_unlocking_forgets_the_tries_that_suspend_a_sign_in(
    provider: Provider, browser: Browser, landlord: Landlord
) -> None:
    for _ in range(10):
        browser.sign_in(landlord, password="Faux-Mot-De-Passe-1")
    assert browser.sign_in(landlord).status_code == 429
    asked = ["accounts", "unlock", landlord.identifier]
    result = CliRunner().invoke(idp, asked, obj=ScriptInfo(create_app=lambda: provider.app))
    assert result.exit_code == 0, result.output
    assert provider.browser().sign_in(landlord).status_code == 303
