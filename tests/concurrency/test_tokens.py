"""Fifty requests at once with one code, or one refresh token, over several processes."""

import json
from collections import Counter
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import func, select

from idp.db import db
from idp.oidc.models import Grant, Token
from idp.oidc.secret_values import digest
from tests.concurrency.at_once import Answer, Post
from tests.concurrency.conftest import AtOnce
from tests.concurrency.visitor import Visitor
from tests.idp.provider import Pkce, Provider, Service

MANY = 50
TOKEN = "/oauth2/token"
ONE_WINNER = Counter({(200, None): 1, (400, "invalid_grant"): MANY - 1})


@pytest.fixture
def redemption(inside: Provider, service: Service, visitor: Callable[[], Visitor]) -> Post:
    """The service's request for the tokens of a fresh code."""
    browser, pkce = visitor(), Pkce()
    browser.signs_in(inside.landlord())
    form = {
        "grant_type": "authorization_code",
        "code": browser.code(service, pkce),
        "redirect_uri": service.redirect_uri,
        "code_verifier": pkce.verifier,
    }
    return Post(TOKEN, form, service.basic)


def outcomes(answers: list[Answer]) -> Counter[tuple[int, str | None]]:
    """How often each status came with each error."""
    return Counter((answer.status, json.loads(answer.body).get("error")) for answer in answers)


def winner(answers: list[Answer]) -> dict[str, str]:
    """The tokens that one of them was given."""
    tokens: dict[str, str] = next(json.loads(answer.body) for answer in answers if answer.status == 200)
    return tokens


def userinfo(http: httpx.Client, tokens: dict[str, str]) -> int:
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    return http.get("/oauth2/userinfo", headers=bearer).status_code


def refreshed(http: httpx.Client, service: Service, tokens: dict[str, str]) -> httpx.Response:
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    return http.post(TOKEN, data=form, headers=service.basic)


def tokens_of(inside: Provider, code: str) -> int:
    """How many answers with tokens came of a code."""
    of_code = select(func.count(Token.id)).join(Grant).where(Grant.code_digest == digest(code))
    with inside.transaction():
        return db.session.scalar(of_code) or 0


@pytest.mark.security("TK-01")
@pytest.mark.authlib(1)
def test_of_fifty_redemptions_of_one_code_one_gets_tokens_that_the_others_end(
    inside: Provider, redemption: Post, service: Service, together: AtOnce, http: httpx.Client
) -> None:
    answers = together([redemption] * MANY)
    assert outcomes(answers) == ONE_WINNER
    tokens = winner(answers)
    assert tokens_of(inside, redemption.form["code"]) == 1
    assert userinfo(http, tokens) == 401
    asked = http.post("/oauth2/introspect", data={"token": tokens["access_token"]}, headers=service.basic)
    assert asked.json() == {"active": False}
    last = refreshed(http, service, tokens)
    assert (last.status_code, last.json()["error"]) == (400, "invalid_grant")


@pytest.mark.security("RT-01", "RT-03")
@pytest.mark.authlib(1)
def test_of_fifty_refreshes_of_one_token_one_gets_a_new_pair_that_lives(
    inside: Provider, redemption: Post, service: Service, together: AtOnce, http: httpx.Client
) -> None:
    first = http.post(TOKEN, data=dict(redemption.form), headers=service.basic).json()
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    answers = together([Post(TOKEN, form, service.basic)] * MANY)
    assert outcomes(answers) == ONE_WINNER
    tokens = winner(answers)
    assert tokens_of(inside, redemption.form["code"]) == 2
    assert userinfo(http, tokens) == 200
    assert refreshed(http, service, tokens).status_code == 200
