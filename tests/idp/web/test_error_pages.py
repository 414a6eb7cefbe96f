"""Errors: a page for a person, JSON for a program, a reference in both, and nothing lost when the database fails."""

import json
import logging
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from idp.audit import AuditEvent, record
from idp.db import db
from idp.web.log import JsonLines
from tests.idp.provider import ISSUER, Browser, Landlord, Pkce, Provider, Service, redeem, refresh
from tests.idp.signin.trying import page
from tests.idp.web.failing import full, unreachable

INSIDE = ("Traceback", "sqlalchemy", "sqlite", "psycopg", "SELECT", ".py", "werkzeug", "Flask")


def tells_nothing_of_the_inside(body: str) -> bool:
    return not any(word in body for word in INSIDE)


@pytest.mark.security("LE-04", "SE-12")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nulle-part", 404),
        ("GET", "/register", 404),
        ("GET", "/textes/inconnu/1", 404),
        ("DELETE", "/connexion", 405),
        ("POST", "/mes-services", 405),
        ("GET", "/session/prolonger", 405),
    ],
)
def test_an_error_is_a_page_with_its_reference(browser: Browser, method: str, path: str, status: int) -> None:
    response = browser.client.open(path, method=method, base_url=ISSUER)
    body = response.get_data(as_text=True)
    if method == "POST":
        assert response.status_code in (403, 405)
        return
    assert (response.status_code, page(response)) == (status, "erreur")
    assert re.search(r"[0-9a-f]{32}", body)
    assert tells_nothing_of_the_inside(body)
    if status == 405:
        assert response.headers["Allow"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/oauth2/nulle-part", 404), ("GET", "/.well-known/autre", 404), ("PUT", "/oauth2/token", 405)],
)
def test_a_program_gets_json_with_the_reference(browser: Browser, method: str, path: str, status: int) -> None:
    response = browser.client.open(path, method=method, base_url=ISSUER)
    assert (response.status_code, response.mimetype) == (status, "application/json")
    assert set(response.get_json()) == {"error", "error_description", "request_id"}
    assert re.fullmatch(r"[0-9a-f]{32}", response.get_json()["request_id"])
    assert response.get_json()["error_description"].isascii()


@pytest.mark.parametrize(("path", "mimetype"), [("/connexion", "text/html"), ("/oauth2/token", "application/json")])
def test_a_body_that_is_too_long_is_refused(browser: Browser, path: str, mimetype: str) -> None:
    response = browser.client.post(path, base_url=ISSUER, data={"identifiant": "x" * 300_000})
    assert (response.status_code, response.mimetype) == (413, mimetype)
    many = {f"champ{number}": "x" for number in range(2000)}
    assert browser.client.post("/oauth2/token", base_url=ISSUER, data=many).status_code in (400, 401, 413)


@pytest.mark.parametrize(
    ("endpoint", "path", "mimetype"),
    [("signin.connexion", "/connexion", "text/html"), ("oidc.jwks", "/oauth2/jwks", "application/json")],
)
def test_our_own_fault_is_told_with_a_reference_that_the_log_has(
    provider: Provider, browser: Browser, caplog: pytest.LogCaptureFixture, endpoint: str, path: str, mimetype: str
) -> None:
    def boom() -> Any:
        raise RuntimeError("le-secret-du-dedans")

    provider.app.view_functions[endpoint] = boom
    lines: list[str] = []
    caplog.handler.setFormatter(JsonLines())
    caplog.handler.emit = lambda record: lines.append(JsonLines().format(record))  # type: ignore[method-assign]
    response = browser.get(path)
    body = response.get_data(as_text=True)
    assert (response.status_code, response.mimetype) == (500, mimetype)
    assert "le-secret-du-dedans" not in body
    assert tells_nothing_of_the_inside(body)
    reference = re.search(r"[0-9a-f]{32}", body)
    assert reference is not None
    errors = [json.loads(line) for line in lines if json.loads(line)["level"] == "error"]
    assert [error["request_id"] for error in errors] == [reference[0]]
    assert "RuntimeError" in errors[0]["trace"]
    assert path not in errors[0].get("route", "")


def test_a_page_that_fails_half_way_writes_nothing(provider: Provider, browser: Browser) -> None:
    def boom() -> Any:
        record("half.done")
        raise RuntimeError

    provider.app.view_functions["signin.connexion"] = boom
    assert browser.get("/connexion").status_code == 500
    with provider.app.app_context():
        assert db.session.scalars(select(AuditEvent).where(AuditEvent.event == "half.done")).all() == []


@pytest.mark.security("F-05", "F-08")
def test_without_its_database_a_person_gets_a_page_that_says_to_try_again_and_nothing_is_lost(
    provider: Provider, landlord: Landlord, signed_in: Browser
) -> None:
    stranger = provider.browser()
    hidden = stranger.hidden_fields("/connexion")
    pair = {**hidden, "identifiant": landlord.identifier, "mot_de_passe": landlord.password}
    with unreachable(provider):
        for response in (
            signed_in.get("/mes-services"),
            stranger.client.post("/connexion", base_url=ISSUER, data=pair),
        ):
            assert (response.status_code, page(response)) == (503, "erreur")
            assert int(response.headers["Retry-After"]) > 0
            assert "n’ont pas été perdues" in response.get_data(as_text=True)
            assert tells_nothing_of_the_inside(response.get_data(as_text=True))
        assert stranger.get("/sante/vivant").status_code == 200
        assert stranger.get("/sante/pret").status_code == 503
    assert signed_in.get("/mes-services").status_code == 200
    assert stranger.client.post("/connexion", base_url=ISSUER, data=pair).status_code == 303
    assert stranger.get("/sante/pret").status_code == 200


@pytest.mark.security("F-05", "F-08", "TK-08")
@pytest.mark.parametrize("fault", [unreachable, full])
def test_without_its_database_a_service_gets_json_and_its_code_and_token_are_still_good(
    provider: Provider,
    service: Service,
    signed_in: Browser,
    pkce: Pkce,
    fault: Callable[[Provider], AbstractContextManager[None]],
) -> None:
    code = signed_in.code(service, pkce)
    with fault(provider):
        response = redeem(signed_in, service, code, pkce)
        assert (response.status_code, response.mimetype) == (503, "application/json")
        assert response.get_json()["error"] == "temporarily_unavailable"
        assert int(response.headers["Retry-After"]) > 0
    body = redeem(signed_in, service, code, pkce).get_json()
    with fault(provider):
        assert refresh(signed_in, service, body["refresh_token"]).status_code == 503
    assert refresh(signed_in, service, body["refresh_token"]).status_code == 200


@pytest.mark.security("F-01", "TK-08")
def test_a_code_whose_commit_fails_is_never_given(
    provider: Provider, service: Service, signed_in: Browser, pkce: Pkce
) -> None:
    with full(provider):
        response = signed_in.authorize(service, pkce)
        assert (response.status_code, page(response)) == (503, "erreur")
        assert "Location" not in response.headers
        assert "Retry-After" in response.headers
    assert signed_in.code(service, pkce)


@pytest.mark.security("F-01")
def test_a_sign_in_whose_commit_fails_signs_nobody_in(provider: Provider, landlord: Landlord) -> None:
    browser = provider.browser()
    with full(provider):
        response = browser.sign_in(landlord)
        assert response.status_code == 503
        assert "Location" not in response.headers
    assert browser.get("/mes-services").headers["Location"] == "/connexion"
    assert browser.sign_in(landlord).status_code == 303


@pytest.mark.security("LE-02")
def test_the_log_of_a_database_error_holds_nothing_of_what_was_to_be_written(
    provider: Provider, browser: Browser
) -> None:
    failed = IntegrityError("INSERT INTO t VALUES (?)", ("jeanne@exemple.fr",), Exception("Key (email)=(jeanne@…)"))

    def boom(*_: Any) -> Any:
        raise failed

    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(JsonLines().format(record))  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    try:
        provider.app.view_functions["signin.connexion"] = boom
        assert browser.get("/connexion").status_code == 503
        provider.app.after_request_funcs.setdefault(None, []).append(boom)
        assert browser.get("/mot-de-passe-oublie").status_code in (500, 503)
    finally:
        logging.getLogger().removeHandler(handler)
    assert any("IntegrityError" in line for line in lines)
    assert not any("jeanne" in line for line in lines)
