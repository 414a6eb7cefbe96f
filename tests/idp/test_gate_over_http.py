"""The first login as a browser meets it, with the whole provider behind: order, replays, and what it never gives."""

import email
import email.policy
import re

import pytest
from sqlalchemy import func, select

from consent.models import Base as ConsentBase
from idp.accounts.models import Account, Password
from idp.db import db
from idp.oidc.models import Grant
from tests.idp.newcomers import (
    DONE,
    INFORMATION,
    PASSWORD_STEP,
    RULES,
    TERMS,
    before_everything,
    before_the_password,
    before_the_terms,
)
from tests.idp.provider import ISSUER, PASSWORD, Browser, Landlord, Pkce, Provider, Service, answered, redeem, refresh

NEW = "Un-Tout-Autre-Mot-De-Passe-2026"
STEPS = (INFORMATION, PASSWORD_STEP, RULES, TERMS)
INFORMATION_GIVEN = {"prenom": "Zoé", "nom": "Lefèvre", "email": "zoe@exemple.fr", "telephone": "06 12 34 56 78"}


def acceptances(provider: Provider) -> int:
    (table,) = [table for table in ConsentBase.metadata.sorted_tables if "acceptance" in table.name]
    with provider.app.app_context():
        return db.session.scalar(select(func.count()).select_from(table)) or 0


def completed(provider: Provider, landlord: Landlord) -> bool:
    with provider.app.app_context():
        account = db.session.get_one(Account, landlord.id)
        return account.first_login_completed_at is not None


def send(browser: Browser, path: str, page: str, **fields: str) -> tuple[int, str]:
    """Post `fields` to `path` with the token and hidden fields of `page`; the status and where it leads."""
    hidden = browser.hidden_fields(page)
    answer = browser.client.post(path, base_url=ISSUER, data={**hidden, **fields})
    return answer.status_code, answer.headers.get("Location", "").partition("?")[0]


def mailed_code(provider: Provider) -> str:
    """The code of the last mail: sent as the server does."""
    with provider.app.app_context():
        provider.services.outbox_worker().send_due()
    (mail,) = provider.services.settings.mails.glob("*.eml")
    message = email.message_from_bytes(mail.read_bytes(), policy=email.policy.default)
    body = message.get_body(("plain",))
    found = re.search(r"^\s*(\d{3})\s?(\d{3})\s*$", body.get_content() if body else "", re.MULTILINE)
    assert found is not None
    return found[1] + found[2]


@pytest.mark.security("GA-02")
@pytest.mark.parametrize("path", [PASSWORD_STEP, RULES, TERMS])
def test_a_later_step_sent_first_leads_to_the_one_that_is_due_and_does_nothing(provider: Provider, path: str) -> None:
    landlord, browser = before_everything(provider), provider.browser()
    browser.sign_in(landlord)
    before = acceptances(provider)
    fields = {"accepter": "oui", "empreinte": "0" * 64, "nouveau_mot_de_passe": NEW, "confirmation": NEW}
    assert send(browser, path, INFORMATION, **fields) == (303, INFORMATION)
    assert browser.get(path).headers["Location"].partition("?")[0] == INFORMATION
    assert acceptances(provider) == before
    assert not completed(provider, landlord)
    assert provider.browser().sign_in(landlord).status_code == 303


@pytest.mark.security("GA-02", "GA-11")
def test_a_step_that_is_sent_again_once_it_is_done_changes_nothing(provider: Provider) -> None:
    """C27: the back button, then the form again."""
    landlord, browser = before_the_password(provider), provider.browser()
    browser.sign_in(landlord)
    assert send(browser, PASSWORD_STEP, PASSWORD_STEP, nouveau_mot_de_passe=NEW, confirmation=NEW) == (303, RULES)
    other = "Encore-Un-Autre-Mot-De-Passe-2026"
    assert send(browser, PASSWORD_STEP, RULES, nouveau_mot_de_passe=other, confirmation=other) == (303, RULES)
    assert provider.browser().sign_in(landlord, password=other).status_code == 422
    assert provider.browser().sign_in(landlord, password=NEW).status_code == 303


@pytest.mark.security("GA-02", "GA-11")
def test_the_form_of_one_browser_is_worth_nothing_in_another(provider: Provider) -> None:
    mine, theirs = before_the_password(provider), before_the_password(provider)
    here, there = provider.browser(), provider.browser()
    here.sign_in(mine)
    there.sign_in(theirs)
    hidden = there.hidden_fields(PASSWORD_STEP)
    data = {**hidden, "nouveau_mot_de_passe": NEW, "confirmation": NEW}
    assert here.client.post(PASSWORD_STEP, base_url=ISSUER, data=data).status_code == 403
    assert provider.browser().sign_in(mine, password=NEW).status_code == 422


@pytest.mark.security("GA-03", "GA-12")
def test_a_new_version_of_the_terms_stops_codes_that_were_given_before_it(
    provider: Provider, signed_in: Browser, service: Service, pkce: Pkce
) -> None:
    code = signed_in.code(service, pkce)
    tokens = redeem(signed_in, service, signed_in.code(service, pkce), pkce).get_json()
    with provider.transaction() as services:
        services.documents.publish("conditions-d-utilisation", "2", "# Nouvelles conditions", changes="Tout.")
    assert redeem(signed_in, service, code, pkce).get_json()["error"] == "invalid_grant"
    assert refresh(signed_in, service, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert answered(signed_in.authorize(service, pkce, prompt="none"))["error"] == "interaction_required"
    assert signed_in.get("/mes-services").headers["Location"].partition("?")[0] == TERMS


@pytest.mark.security("GA-04", "GA-12")
@pytest.mark.parametrize("prompt", ["", "none", "consent"])
def test_somebody_with_one_step_to_go_gets_no_code_anywhere(provider: Provider, service: Service, prompt: str) -> None:
    landlord, browser = before_the_terms(provider), provider.browser()
    browser.sign_in(landlord)
    answer = browser.authorize(service, Pkce(), prompt=prompt)
    assert "code=" not in answer.headers["Location"]
    assert answer.headers["Location"].startswith((TERMS, "https://bailleur.example/retour?error=interaction_required"))
    with provider.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Grant)) == 0


@pytest.mark.security("GA-06")
def test_the_provisional_password_is_gone_with_the_commit_of_the_personal_one(provider: Provider) -> None:
    landlord, browser = before_the_password(provider), provider.browser()
    browser.sign_in(landlord)
    same = {"nouveau_mot_de_passe": landlord.password, "confirmation": landlord.password}
    assert send(browser, PASSWORD_STEP, PASSWORD_STEP, **same)[0] == 422
    send(browser, PASSWORD_STEP, PASSWORD_STEP, nouveau_mot_de_passe=NEW, confirmation=NEW)
    with provider.app.app_context():
        kinds = db.session.scalars(select(Password.kind).where(Password.account_id == landlord.id)).all()
    assert kinds == ["personal"]
    assert provider.browser().sign_in(landlord).status_code == 422


@pytest.mark.security("GA-07")
def test_the_second_of_two_gates_opened_with_one_provisional_password_is_told_politely(provider: Provider) -> None:
    """The first to choose wins; the other is signed out, and the password that it chose is nobody's."""
    landlord, first, second = before_the_password(provider), provider.browser(), provider.browser()
    first.sign_in(landlord)
    second.sign_in(landlord)
    hidden = second.hidden_fields(PASSWORD_STEP)
    send(first, PASSWORD_STEP, PASSWORD_STEP, nouveau_mot_de_passe=NEW, confirmation=NEW)
    late = "Le-Mot-De-Passe-Du-Second-2026"
    data = {**hidden, "nouveau_mot_de_passe": late, "confirmation": late}
    answer = second.client.post(PASSWORD_STEP, base_url=ISSUER, data=data)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/connexion")
    assert provider.browser().sign_in(landlord, password=late).status_code == 422
    assert provider.browser().sign_in(landlord, password=NEW).status_code == 303


@pytest.mark.security("GA-08")
def test_a_text_is_accepted_by_its_form_alone_and_for_what_was_on_the_screen(provider: Provider) -> None:
    landlord, browser = before_the_terms(provider), provider.browser()
    browser.sign_in(landlord)
    before = acceptances(provider)
    shown = browser.hidden_fields(TERMS)
    assert len(shown["empreinte"]) == 64
    accepted = {**shown, "accepter": "oui"}
    assert browser.get(TERMS, query_string=accepted).status_code == 200
    no_token = {name: value for name, value in accepted.items() if name != "csrf_token"}
    assert browser.client.post(TERMS, base_url=ISSUER, data=no_token).status_code == 403
    assert browser.client.post(TERMS, base_url=ISSUER, data=shown).status_code == 422
    stale = {**accepted, "empreinte": "0" * 64}
    assert browser.client.post(TERMS, base_url=ISSUER, data=stale).status_code == 422
    assert acceptances(provider) == before
    with provider.transaction() as services:
        services.documents.publish("conditions-d-utilisation", "2", "# Nouvelles conditions", changes="Tout.")
    assert browser.client.post(TERMS, base_url=ISSUER, data=accepted).status_code == 422
    assert acceptances(provider) == before
    assert not completed(provider, landlord)
    assert send(browser, TERMS, TERMS, accepter="oui") == (303, DONE)
    assert acceptances(provider) == before + 1
    (table,) = [table for table in ConsentBase.metadata.sorted_tables if "acceptance" in table.name]
    with provider.app.app_context():
        proofs = db.session.execute(select(table).where(table.c.account_id == landlord.id)).mappings().all()
    last = max(proofs, key=lambda proof: (proof["accepted_at"], proof["version"]))
    assert last["version"] == "2"
    assert "127.0.0.1" in [str(value) for value in last.values()]


@pytest.mark.security("GA-10")
def test_an_address_is_verified_by_its_code_and_told_to_services_only_then(
    provider: Provider, service: Service, pkce: Pkce
) -> None:
    landlord, browser = before_everything(provider), provider.browser()
    to = browser.authorize(service, pkce).headers["Location"]
    browser.sign_in(landlord, to)
    status, onward = send(browser, INFORMATION, INFORMATION, **INFORMATION_GIVEN)
    assert status == 303
    with provider.app.app_context():
        account = db.session.get_one(Account, landlord.id)
        assert (account.email, account.email_verified_at) == (None, None)
    assert send(browser, onward, onward, code="000000")[0] == 422
    assert send(browser, onward, onward, code=mailed_code(provider)) == (303, PASSWORD_STEP)
    with provider.app.app_context():
        account = db.session.get_one(Account, landlord.id)
        assert account.email == "zoe@exemple.fr"
        assert account.email_verified_at is not None


@pytest.mark.security("GA-11")
def test_a_double_click_on_the_last_step_has_one_effect_and_both_lead_on(provider: Provider) -> None:
    landlord, browser = before_the_terms(provider), provider.browser()
    browser.sign_in(landlord)
    before, fields = acceptances(provider), {**browser.hidden_fields(TERMS), "accepter": "oui"}
    first = browser.client.post(TERMS, base_url=ISSUER, data=fields)
    assert (first.status_code, first.headers["Location"]) == (303, DONE)
    again = send(
        browser, TERMS, DONE if "csrf_token" in browser.hidden_fields(DONE) else "/deconnexion", accepter="oui"
    )
    assert again == (303, DONE)
    assert acceptances(provider) == before + 1
    assert completed(provider, landlord)


@pytest.mark.security("GA-11")
def test_a_browser_without_cookies_is_told_clearly(provider: Provider) -> None:
    landlord, browser = provider.landlord(), provider.app.test_client(use_cookies=False)
    page = browser.get("/connexion", base_url=ISSUER).get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token is not None
    data = {"csrf_token": token[1], "identifiant": landlord.identifier, "mot_de_passe": PASSWORD}
    answer = browser.post("/connexion", base_url=ISSUER, data=data)
    assert answer.status_code == 403
    assert "Rechargez-la" in answer.get_data(as_text=True)
    for path in STEPS:
        assert browser.get(path, base_url=ISSUER).headers["Location"].partition("?")[0] == "/connexion"
