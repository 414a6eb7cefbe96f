"""The redemption of a code, killed everywhere: the code consumed and the tokens kept, or neither."""

from typing import Any

import pytest
from sqlalchemy import func, select

from idp.db import db
from idp.oidc.models import Grant, Token
from idp.oidc.secret_values import digest
from tests.faults.everywhere import Trial, killed_everywhere
from tests.faults.executioner import Executioner
from tests.idp.provider import Browser, Pkce, Provider, Service


@pytest.mark.timeout(900)
@pytest.mark.security("F-17", "TK-08")
@pytest.mark.authlib(1)
def test_a_code_is_redeemed_whole_or_not_at_all_and_never_gives_two_families(
    provider: Provider, service: Service, executioner: Executioner, announce: Any
) -> None:
    browser = provider.browser()
    browser.sign_in(provider.landlord())
    points = killed_everywhere(provider, executioner, lambda: redemption(provider, executioner, service, browser))
    assert any("INSERT INTO tokens" in point for point in points)
    announce("the token endpoint", points)


def redemption(provider: Provider, executioner: Executioner, service: Service, browser: Browser) -> Trial:
    """A fresh code, and the service's request for its tokens."""
    pkce = Pkce()
    code = browser.code(service, pkce)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": service.redirect_uri,
        "code_verifier": pkce.verifier,
    }
    order = {"work": "post", "path": "/oauth2/token", "form": form, "cookies": {}, "headers": service.basic}

    def whole() -> None:
        with provider.transaction():
            grant = Grant.code_digest == digest(code)
            assert db.session.scalars(select(Grant.code_used_at.is_not(None)).where(grant)).all() == [True]
            of_grant = select(func.count(Token.id)).join(Grant, Grant.id == Token.grant_id).where(grant)
            assert db.session.scalar(of_grant) == 1

    def again(committed: bool) -> None:
        answer = executioner.run(order).answer
        assert answer is not None
        if committed:
            # The service never received its tokens: the second use of the code ends them too.
            assert (answer["status"], "invalid_grant" in answer["body"]) == (400, True)
            assert live_families(provider, code) == 0
        else:
            assert answer["status"] == 200
            assert live_families(provider, code) == 1

    return Trial(order, whole, again)


def live_families(provider: Provider, code: str) -> int:
    """How many grants of this code can still give something."""
    with provider.transaction():
        return len(
            db.session.scalars(
                select(Grant.id).where(Grant.code_digest == digest(code), Grant.revoked_at.is_(None))
            ).all()
        )
