"""The log: one JSON object a line, escaped, cut, and without what a query holds."""

import json
import logging
import sys

import pytest
from flask import Flask

from idp.web import log
from idp.web.log import LONGEST, JsonLines
from tests.idp.provider import Landlord, Pkce, Provider, Service, redeem


def record(message: str, *arguments: object, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("idp.test", logging.WARNING, __file__, 1, message, arguments, None)
    made.fields = fields
    return made


@pytest.mark.security("LE-02")
@pytest.mark.parametrize("hostile", ["a\nb", 'a"}\n{"level":"info', "\x1b[31mrouge", "a\r\nb\x00\x85\u2028", "é€😀"])
def test_a_record_is_one_line_of_json_whatever_is_in_it(hostile: str) -> None:
    line = JsonLines().format(record("seen %s", hostile, agent=hostile))
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == f"seen {hostile}"
    assert json.loads(line)["agent"] == hostile


@pytest.mark.security("LE-02")
def test_long_texts_are_cut() -> None:
    found = json.loads(JsonLines().format(record("x" * 1_000_000, agent="y" * 1_000_000, number=3)))
    assert (len(found["message"]), len(found["agent"]), found["number"]) == (LONGEST, LONGEST, 3)


def test_a_trace_is_in_its_line_and_a_database_error_without_its_values() -> None:
    from sqlalchemy.exc import IntegrityError

    lines = []
    for error in (ValueError("le texte"), IntegrityError("INSERT", ("jeanne@exemple.fr",), Exception("jeanne"))):
        try:
            raise error
        except (ValueError, IntegrityError):
            made = record("failed")
            made.exc_info = sys.exc_info()
            lines.append(json.loads(JsonLines().format(made)))
    assert "ValueError: le texte" in lines[0]["trace"]
    assert "test_log.py" in lines[1]["trace"]
    assert lines[1]["trace"].endswith("IntegrityError")
    assert "jeanne" not in str(lines[1])


@pytest.fixture
def lines(provider: Provider) -> list[dict[str, object]]:
    """The access log of what the provider answers, from now on."""
    written: list[dict[str, object]] = []
    log.init(provider.app, access=True)

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(json.loads(JsonLines().format(record)))

    logging.getLogger("idp.access").handlers[:] = [Keep()]
    return written


@pytest.mark.security("LE-02", "PW-13")
def test_a_request_is_told_by_its_route_and_never_by_what_it_carries(
    lines: list[dict[str, object]], provider: Provider, service: Service, landlord: Landlord, pkce: Pkce
) -> None:
    browser = provider.browser()
    to = browser.authorize(service, pkce, state="le-secret-de-l-etat").headers["Location"]
    browser.sign_in(landlord, to)
    code = browser.code(service, pkce)
    body = redeem(browser, service, code, pkce).get_json()
    browser.get("/nulle-part/" + landlord.identifier, headers={"User-Agent": "ab" * 5000})
    told = json.dumps(lines)
    secrets = [landlord.password, landlord.identifier, code, pkce.verifier, service.secret, "le-secret-de-l-etat"]
    secrets += [body[name] for name in ("access_token", "refresh_token", "id_token")]
    assert not [secret for secret in secrets if secret and secret in told]
    assert "demande=" not in told
    assert "?" not in told
    assert {line["route"] for line in lines} >= {"/oauth2/authorize", "/connexion", "/oauth2/token", None}
    for line in lines:
        assert {"at", "level", "request_id", "method", "status", "ms", "address"} <= set(line)


def test_there_is_no_line_for_each_request_when_the_setting_says_so() -> None:
    app = Flask("quiet")
    log.init(app, access=False)
    assert not app.before_request_funcs
    assert not app.after_request_funcs


def test_authlib_never_writes_its_tokens() -> None:
    log.configure()
    assert logging.getLogger("authlib").getEffectiveLevel() >= logging.INFO
