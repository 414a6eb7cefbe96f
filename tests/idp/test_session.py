"""The browser session: its cookie, its limits in time, forms that cannot be forged, headers of every answer."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from freezegun import freeze_time
from sqlalchemy import select, update
from werkzeug.routing import Rule

from idp.db import db
from idp.session import BrowserSession, SignIn
from tests.idp.newcomers import DONE, PASSWORD_STEP, RULES, TERMS, before_the_password
from tests.idp.provider import ISSUER, Browser, Landlord, Pkce, Provider, Service, answered, redeem, refresh

ROOT = Path(__file__).parents[2]
COOKIE = "mcp-session"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def cookie(browser: Browser, name: str = COOKIE) -> str:
    found = browser.client.get_cookie(name, domain="localhost")
    return found.value if found else ""


def with_cookie(provider: Provider, value: str) -> Browser:
    """Another browser, with a cookie that somebody planted or kept."""
    browser = provider.browser()
    browser.client.set_cookie(COOKIE, value, domain="localhost")
    return browser


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/mes-services").headers.get("Location") != "/connexion"


@pytest.mark.security("SE-01")
def test_a_cookie_planted_before_the_sign_in_is_dead_after_it(provider: Provider, landlord: Landlord) -> None:
    attacker = provider.browser()
    attacker.get("/connexion")
    planted = cookie(attacker)
    victim = with_cookie(provider, planted)
    assert victim.sign_in(landlord).status_code == 303
    assert cookie(victim) not in ("", planted)
    assert is_signed_in(victim)
    assert not is_signed_in(with_cookie(provider, planted))
    assert not is_signed_in(attacker)


@pytest.mark.security("SE-01")
def test_the_cookie_changes_at_the_password_and_at_the_end_of_the_gate_and_each_old_one_is_dead(
    provider: Provider,
) -> None:
    landlord, browser = before_the_password(provider), provider.browser()
    browser.sign_in(landlord)
    seen = [cookie(browser)]
    new = "Un-Tout-Autre-Mot-De-Passe-2026"
    answer = browser.post(PASSWORD_STEP, {"nouveau_mot_de_passe": new, "confirmation": new})
    assert (answer.status_code, answer.headers["Location"]) == (303, RULES)
    seen.append(cookie(browser))
    browser.post(RULES, {"accepter": "oui"})
    assert cookie(browser) == seen[-1]
    assert browser.post(TERMS, {"accepter": "oui"}).headers["Location"] == DONE
    seen.append(cookie(browser))
    assert len(set(seen)) == 3
    assert [is_signed_in(with_cookie(provider, value)) for value in seen] == [False, False, True]


@pytest.mark.security("SE-01", "GA-06")
def test_a_password_change_ends_the_other_browsers(provider: Provider) -> None:
    """C26: whoever else holds the provisional password is out, and it opens nothing any more."""
    landlord, here, elsewhere = before_the_password(provider), provider.browser(), provider.browser()
    here.sign_in(landlord)
    elsewhere.sign_in(landlord)
    new = "Un-Tout-Autre-Mot-De-Passe-2026"
    here.post(PASSWORD_STEP, {"nouveau_mot_de_passe": new, "confirmation": new})
    assert (is_signed_in(here), is_signed_in(elsewhere)) == (True, False)
    assert provider.browser().sign_in(landlord).status_code == 422
    assert provider.browser().sign_in(landlord, password=new).status_code == 303


@pytest.mark.security("SE-02")
def test_the_database_knows_no_cookie_and_a_session_without_its_row_is_nobodys(
    provider: Provider, signed_in: Browser
) -> None:
    value = cookie(signed_in)
    with provider.transaction():
        (row,) = db.session.scalars(select(BrowserSession)).all()
        assert value.encode() not in row.digest
        assert len(value) == 43
        db.session.execute(SignIn.__table__.delete())  # type: ignore[attr-defined]
    assert not is_signed_in(signed_in)


@pytest.mark.security("SE-04")
def test_who_knows_the_secret_keys_still_cannot_make_a_session(provider: Provider, landlord: Landlord) -> None:
    app = Flask("forger")
    app.secret_key = provider.services.settings.secret_keys[0]
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    forged = str(serializer.dumps({"account_id": landlord.id, "user_id": landlord.id, "_fresh": True}))
    for value in (forged, forged[:43], landlord.id, "a" * 43, "", "é" * 43, "x" * 4000):
        assert not is_signed_in(with_cookie(provider, value))


@pytest.mark.security("SE-04")
def test_after_a_rotation_of_the_secret_keys_open_forms_and_sessions_live_until_the_old_key_is_taken_away(
    make_provider: Callable[..., Provider], installation_secrets: dict[str, Any], landlord: Landlord
) -> None:
    (old,) = installation_secrets["secret_keys"]
    new = "n" * 43
    before, rotated, after = (make_provider(secret_keys=keys) for keys in ((old,), (new, old), (new,)))
    pair = {"identifiant": landlord.identifier, "mot_de_passe": landlord.password}
    person = before.browser()
    form = person.hidden_fields("/connexion")

    def send(provider: Provider, hidden: dict[str, str]) -> tuple[int, Browser]:
        browser = with_cookie(provider, cookie(person))
        return browser.client.post("/connexion", base_url=ISSUER, data={**hidden, **pair}).status_code, browser

    assert send(after, form)[0] == 403
    status, signed_in = send(rotated, form)
    assert status == 303
    assert is_signed_in(with_cookie(after, cookie(signed_in)))
    # What the rotated provider writes is signed with the new key.
    assert send(after, with_cookie(rotated, cookie(person)).hidden_fields("/connexion"))[0] == 303
    assert send(before, with_cookie(rotated, cookie(person)).hidden_fields("/connexion"))[0] == 403


@pytest.mark.security("SE-04")
def test_over_https_the_cookies_are_secure_and_bound_to_the_host(make_provider: Callable[..., Provider]) -> None:
    provider = make_provider(issuer="https://compte.example")
    landlord, browser = provider.landlord(), provider.app.test_client()
    page = browser.get("/connexion", base_url="https://compte.example")
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.get_data(as_text=True))
    assert token is not None
    data = {"csrf_token": token[1], "identifiant": landlord.identifier, "mot_de_passe": landlord.password}
    answer = browser.post("/connexion", base_url="https://compte.example", data=data)
    set_cookies = page.headers.getlist("Set-Cookie") + answer.headers.getlist("Set-Cookie")
    assert {line.partition("=")[0] for line in set_cookies} == {"__Host-mcp-session", "__Host-mcp-appareil"}
    for line in set_cookies:
        attributes = {part.strip() for part in line.split(";")[1:]}
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= attributes
        assert not any(part.startswith("Domain") for part in attributes)
    assert page.headers["Strict-Transport-Security"].startswith("max-age=63072000")


def rules(provider: Provider, method: str) -> Iterator[Rule]:
    for rule in provider.app.url_map.iter_rules():
        if method in (rule.methods or ()):
            yield rule


@pytest.mark.security("SE-05")
@pytest.mark.parametrize("kind", ["stranger", "signed_in"])
def test_no_answer_is_kept_by_a_cache_but_static_files_keys_and_discovery(
    provider: Provider, landlord: Landlord, kind: str
) -> None:
    browser = provider.browser()
    if kind == "signed_in":
        browser.sign_in(landlord)
    public = set()
    for rule in rules(provider, "GET"):
        if "deconnect" in rule.rule or "end-session" in rule.rule:
            continue
        path = rule.rule.replace("<path:filename>", "style.css").replace("<name>/<version>", "regles-d-usage/1")
        response = browser.get(path)
        if "public" in response.headers["Cache-Control"] or rule.endpoint == "static":
            public.add(path)
            assert "Set-Cookie" not in response.headers
            continue
        assert response.headers["Cache-Control"] == "no-store", path
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        if response.mimetype == "text/html" and response.status_code not in (301, 303, 308):
            assert response.headers["Vary"] == "Cookie"
            assert response.headers["X-Frame-Options"] == "DENY"
            policy = response.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; ")
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
    assert public == {
        "/static/style.css",
        "/oauth2/jwks",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
    }


@pytest.mark.security("SE-06")
def test_every_form_of_every_page_needs_its_token_and_a_page_of_ours(provider: Provider, signed_in: Browser) -> None:
    """Only the protocol's endpoints, where clients prove themselves, take a POST without one."""
    asked = 0
    for rule in rules(provider, "POST"):
        if rule.endpoint.startswith("oidc."):
            continue
        asked += 1
        for headers in ({}, {"Origin": "https://mechant.example"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = signed_in.client.post(rule.rule, base_url=ISSUER, data={"confirmer": "oui"}, headers=headers)
            assert answer.status_code == 403, rule.rule
    assert asked >= 9
    assert is_signed_in(signed_in)


@pytest.mark.security("SE-06")
def test_a_right_token_is_refused_from_another_site_and_accepted_from_ours(
    provider: Provider, signed_in: Browser
) -> None:
    refused = [{"Origin": "https://mechant.example"}, {"Origin": "http://localhost:8001"}]
    refused += [{"Sec-Fetch-Site": site} for site in ("cross-site", "same-site")]
    for headers in refused:
        assert signed_in.post("/deconnexion", {"confirmer": "oui"}, headers=headers).status_code == 403
        assert is_signed_in(signed_in)
    own = {"Origin": ISSUER, "Sec-Fetch-Site": "same-origin"}
    assert signed_in.post("/deconnexion", {"confirmer": "oui"}, headers=own).status_code == 303


@pytest.mark.security("SE-06")
def test_the_token_of_another_session_is_refused(provider: Provider, signed_in: Browser) -> None:
    other = provider.browser()
    other.sign_in(provider.landlord())
    token = other.hidden_fields("/deconnexion")
    answer = signed_in.client.post("/deconnexion", base_url=ISSUER, data={**token, "confirmer": "oui"})
    assert answer.status_code == 403


@pytest.mark.security("SE-08", "CL-10")
def test_names_with_html_are_shown_as_text_wherever_they_stand(provider: Provider, pkce: Pkce) -> None:
    service = provider.service("hostile", client_name=HOSTILE, initiate_login_uri="https://bailleur.example/connexion")
    organisation = provider.organisation(name=HOSTILE)
    landlord = provider.landlord(
        organisation_id=organisation, partner_type="moral", role="administrateur", given_name=HOSTILE
    )
    browser = provider.browser()
    to = browser.authorize(service, pkce).headers["Location"]
    pages = [browser.get(to)]
    browser.sign_in(landlord, to)
    pages += [browser.get(path) for path in ("/mes-services", DONE, "/deconnexion", "/premiere-connexion/refus")]
    shown = 0
    for response in pages:
        body = response.get_data(as_text=True)
        shown += "&lt;script&gt;alert(1)" in body
        assert "<script>alert" not in body
        assert "<img src=x" not in body
    assert shown >= 3


@pytest.mark.security("SE-08")
def test_pages_run_our_own_script_by_its_nonce_and_nothing_inline(provider: Provider, browser: Browser) -> None:
    nonces = set()
    for _ in range(2):
        response = browser.get("/connexion")
        body, policy = response.get_data(as_text=True), response.headers["Content-Security-Policy"]
        scripts = re.findall(r"<script[^>]*>", body)
        nonce = re.search(r"script-src 'nonce-([^']+)'", policy)
        assert nonce is not None
        assert all(f'nonce="{nonce[1]}"' in script and " src=" in script for script in scripts)
        assert not re.search(r"<[^>]+\s(?:on\w+|style)=", body)
        assert "<style" not in body
        assert "javascript:" not in body
        nonces.add(nonce[1])
    assert len(nonces) == 2


@pytest.mark.security("SE-09")
def test_nothing_that_can_run_what_it_reads_is_imported() -> None:
    dangerous = {"pickle", "cPickle", "dill", "marshal", "shelve", "yaml", "joblib", "jsonpickle", "cachelib"}
    found = []
    for room in ("idp", "consent", "clients", "keys"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
                if dangerous & {name.split(".")[0] for name in names} or called in ("eval", "exec", "compile"):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")  # type: ignore[attr-defined]
    assert found == []


@pytest.mark.security("SE-10")
def test_a_session_that_is_not_used_for_half_an_hour_is_over(provider: Provider, landlord: Landlord) -> None:
    for seconds, alive in ((1799, True), (1800, False)):
        with freeze_time("2027-01-15 08:00:00") as time:
            browser = provider.browser()
            browser.sign_in(landlord)
            time.tick(seconds)
            assert is_signed_in(browser) is alive


@pytest.mark.security("SE-10")
def test_each_page_moves_the_idle_limit_on_but_never_past_twelve_hours(provider: Provider, landlord: Landlord) -> None:
    with freeze_time("2027-01-15 08:00:00") as time:
        browser = provider.browser()
        browser.sign_in(landlord)
        for _ in range(28):
            time.tick(1500)
            assert is_signed_in(browser)
        time.tick(12 * 3600 - 28 * 1500 - 1)
        assert is_signed_in(browser)
        time.tick(1)
        assert not is_signed_in(browser)


@pytest.mark.security("SE-10")
def test_a_person_who_takes_long_over_the_first_login_is_not_idle(provider: Provider) -> None:
    with freeze_time("2027-01-15 08:00:00") as time:
        landlord, browser = before_the_password(provider), provider.browser()
        browser.sign_in(landlord)
        for _ in range(4):
            time.tick(1200)
            assert browser.get(PASSWORD_STEP).status_code == 200
        new = "Un-Tout-Autre-Mot-De-Passe-2026"
        time.tick(1200)
        answer = browser.post(PASSWORD_STEP, {"nouveau_mot_de_passe": new, "confirmation": new})
        assert answer.headers["Location"] == RULES


@pytest.mark.security("SE-10")
def test_the_limits_are_those_of_the_settings(make_provider: Callable[..., Provider]) -> None:
    provider = make_provider(session_idle=120, session_lifetime=300)
    landlord, browser = provider.landlord(), provider.browser()
    with freeze_time("2027-01-15 08:00:00") as time:
        browser.sign_in(landlord)
        for _ in range(2):
            time.tick(119)
            assert is_signed_in(browser)
        time.tick(62)
        assert not is_signed_in(browser)
        assert page_is_the_form_again(browser)


def page_is_the_form_again(browser: Browser) -> bool:
    return 'name="identifiant"' in browser.get("/connexion").get_data(as_text=True)


def test_a_visit_writes_at_most_once_a_minute(provider: Provider, signed_in: Browser) -> None:
    signed_in.get("/mes-services")
    with provider.counting() as counts:
        signed_in.get("/mes-services")
    assert counts["UPDATE"] == counts["INSERT"] == 0


@pytest.mark.security("SE-10")
def test_an_ended_session_gives_no_more_tokens(provider: Provider, service: Service, landlord: Landlord) -> None:
    with freeze_time("2027-01-15 08:00:00") as time:
        browser, pkce = provider.browser(), Pkce()
        browser.sign_in(landlord)
        body = redeem(browser, service, browser.code(service, pkce), pkce).get_json()
        time.tick(12 * 3600)
        assert answered(browser.authorize(service, pkce, prompt="none"))["error"] == "login_required"
        assert refresh(browser, service, body["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_a_stranger_who_visits_leaves_no_row(provider: Provider) -> None:
    for _ in range(3):
        provider.browser().get("/connexion")
    with provider.app.app_context():
        assert db.session.scalars(select(BrowserSession)).all() == []


def test_an_account_that_is_stopped_is_signed_out_everywhere_at_its_next_request(
    provider: Provider, signed_in: Browser, landlord: Landlord
) -> None:
    with provider.transaction():
        from idp.accounts.models import Account

        db.session.execute(update(Account).where(Account.id == landlord.id).values(suspended_at=1))
    assert not is_signed_in(signed_in)


@pytest.mark.security("SE-12")
@pytest.mark.parametrize("path", ["/console", "/?__debugger__=yes&cmd=resource&f=debugger.js", "/debug", "/_debug"])
def test_there_is_no_debugger(provider: Provider, browser: Browser, path: str) -> None:
    assert provider.app.debug is False
    response = browser.get(path)
    assert response.status_code in (303, 404)
    assert "Traceback" not in response.get_data(as_text=True)


@pytest.mark.security("SE-10", "SE-01")
@pytest.mark.parametrize("away", [1_801, 12 * 3_600 + 1])
def test_a_sign_in_from_a_form_that_stood_open_brings_nobody_else_back(provider: Provider, away: int) -> None:
    first, second = provider.landlord(), provider.landlord()
    with freeze_time("2027-01-15 10:00:00") as time:
        browser = provider.browser()
        browser.sign_in(first)
        service, pkce = provider.service(), Pkce()
        open_form = browser.hidden_fields("/connexion")
        time.tick(away)
        typed = {**open_form, "identifiant": second.identifier, "mot_de_passe": second.password}
        assert browser.client.post("/connexion", base_url=ISSUER, data=typed).status_code == 303
        assert "code" in answered(browser.authorize(service, pkce, prompt="none"))
        with provider.transaction() as services:
            services.accounts.lock(services.accounts.find(second.identifier))
        assert answered(browser.authorize(service, pkce, prompt="none"))["error"] == "login_required"
