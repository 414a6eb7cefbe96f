"""Refreshing: each refresh token is good once, the gate is asked each time, a replay ends the family."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from freezegun import freeze_time

from tests.idp.oidc.test_token import events, id_token
from tests.idp.provider import ISSUER, Browser, Landlord, Pkce, Provider, Service, redeem, refresh


@pytest.fixture
def tokens(signed_in: Browser, service: Service, pkce: Pkce) -> dict[str, str]:
    """What a service has after a sign-in."""
    return redeem(signed_in, service, signed_in.code(service, pkce), pkce).get_json()  # type: ignore[no-any-return]


def test_a_refresh_gives_new_tokens_about_the_same_sign_in(
    signed_in: Browser, service: Service, tokens: dict[str, str]
) -> None:
    body = refresh(signed_in, service, tokens["refresh_token"]).get_json()
    assert body["refresh_token"] != tokens["refresh_token"]
    assert body["access_token"] != tokens["access_token"]
    before, after = id_token(signed_in, tokens["id_token"]), id_token(signed_in, body["id_token"])
    for claim in ("iss", "sub", "aud", "auth_time", "sid"):
        assert before[claim] == after[claim]
    assert "nonce" not in after


@pytest.mark.security("RT-01")
@pytest.mark.authlib(1)
def test_of_fifty_threads_with_one_refresh_token_one_wins_and_lives(
    provider: Provider, signed_in: Browser, service: Service, tokens: dict[str, str]
) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: refresh(provider.browser(), service, tokens["refresh_token"]), range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 49
    assert {a.get_json()["error"] for a in answers if a.status_code == 400} == {"invalid_grant"}
    winner = next(answer.get_json() for answer in answers if answer.status_code == 200)
    assert refresh(signed_in, service, winner["refresh_token"]).status_code == 200


@pytest.mark.security("RT-03")
def test_a_lost_answer_asked_for_again_within_ten_seconds_harms_nobody(provider: Provider, service: Service) -> None:
    with freeze_time("2027-01-15 10:00:00") as time:
        browser, pkce = provider.browser(), Pkce()
        browser.sign_in(provider.landlord())
        first = redeem(browser, service, browser.code(service, pkce), pkce).get_json()
        second = refresh(browser, service, first["refresh_token"]).get_json()
        time.tick(9)
        assert refresh(browser, service, first["refresh_token"]).get_json()["error"] == "invalid_grant"
        assert refresh(browser, service, second["refresh_token"]).status_code == 200


@pytest.mark.security("RT-01", "RT-03")
def test_a_refresh_token_used_again_later_ends_its_family(provider: Provider, service: Service) -> None:
    with freeze_time("2027-01-15 10:00:00") as time:
        browser, pkce = provider.browser(), Pkce()
        browser.sign_in(provider.landlord())
        first = redeem(browser, service, browser.code(service, pkce), pkce).get_json()
        second = refresh(browser, service, first["refresh_token"]).get_json()
        time.tick(10)
        assert refresh(browser, service, first["refresh_token"]).get_json()["error"] == "invalid_grant"
        assert refresh(browser, service, second["refresh_token"]).get_json()["error"] == "invalid_grant"
        bearer = {"Authorization": f"Bearer {second['access_token']}"}
        assert browser.get("/oauth2/userinfo", headers=bearer).status_code == 401
        assert "refresh.replayed" in events(provider)


def test_without_a_grace_even_an_immediate_replay_ends_the_family(make_provider: Callable[..., Provider]) -> None:
    provider = make_provider(refresh_grace=0)
    service, browser, pkce = provider.service(), provider.browser(), Pkce()
    browser.sign_in(provider.landlord())
    first = redeem(browser, service, browser.code(service, pkce), pkce).get_json()
    second = refresh(browser, service, first["refresh_token"]).get_json()
    refresh(browser, service, first["refresh_token"])
    assert refresh(browser, service, second["refresh_token"]).get_json()["error"] == "invalid_grant"


@pytest.mark.security("RT-04")
def test_a_refresh_token_of_another_service_is_refused_and_its_family_ends(
    provider: Provider, signed_in: Browser, service: Service, tokens: dict[str, str]
) -> None:
    thief = provider.service("autre-service")
    assert refresh(signed_in, thief, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert refresh(signed_in, service, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"


@pytest.mark.security("RT-05")
def test_a_refresh_may_ask_for_less_but_never_for_more(
    signed_in: Browser, service: Service, tokens: dict[str, str]
) -> None:
    more = refresh(signed_in, service, tokens["refresh_token"], scope="openid email address")
    assert more.get_json()["error"] == "invalid_scope"
    less = refresh(signed_in, service, tokens["refresh_token"], scope="openid email").get_json()
    assert less["scope"] == "openid email"
    bearer = {"Authorization": f"Bearer {less['access_token']}"}
    claims = signed_in.get("/oauth2/userinfo", headers=bearer).get_json()
    assert claims.keys() == {"sub", "email", "email_verified"}


@pytest.mark.security("RT-05")
def test_a_scope_withdrawn_from_the_service_is_gone_at_the_next_refresh(
    provider: Provider, signed_in: Browser, pkce: Pkce
) -> None:
    service = provider.service(scope="openid email offline_access")
    asked = {"scope": "openid email offline_access"}
    body = redeem(signed_in, service, signed_in.code(service, pkce, **asked), pkce).get_json()
    with provider.transaction() as services:
        services.clients.update(service.client_id, {"scope": "openid email"})
    assert refresh(signed_in, service, body["refresh_token"]).get_json()["error"] == "invalid_grant"


@pytest.mark.security("RT-07")
def test_a_revoked_refresh_token_stays_revoked_after_a_restart(make_provider: Callable[..., Provider]) -> None:
    provider, pkce = make_provider(), Pkce()
    service, browser = provider.service(), provider.browser()
    browser.sign_in(provider.landlord())
    body = redeem(browser, service, browser.code(service, pkce), pkce).get_json()
    browser.client.post("/oauth2/revoke", base_url=ISSUER, headers=service.basic, data={"token": body["refresh_token"]})
    again = make_provider()
    assert refresh(again.browser(), service, body["refresh_token"]).get_json()["error"] == "invalid_grant"


@pytest.mark.security("RT-08")
def test_a_family_ends_with_the_session_of_twelve_hours_however_often_it_is_used(
    provider: Provider, service: Service
) -> None:
    with freeze_time("2027-01-15 08:00:00") as time:
        browser, pkce = provider.browser(), Pkce()
        browser.sign_in(provider.landlord())
        body = redeem(browser, service, browser.code(service, pkce), pkce).get_json()
        for _ in range(11):
            time.tick(3600)
            body = refresh(browser, service, body["refresh_token"]).get_json()
        time.tick(3600)
        assert refresh(browser, service, body["refresh_token"]).get_json()["error"] == "invalid_grant"


@pytest.mark.security("RT-08")
def test_with_offline_access_a_family_outlives_the_session_but_not_thirty_days(provider: Provider) -> None:
    service = provider.service(scope="openid offline_access")
    with freeze_time("2027-02-01 08:00:00") as time:
        browser, pkce = provider.browser(), Pkce()
        browser.sign_in(provider.landlord())
        code = browser.code(service, pkce, scope="openid offline_access")
        body = redeem(browser, service, code, pkce).get_json()
        for _ in range(59):
            time.tick(12 * 3600 - 1)
            answer = refresh(browser, service, body["refresh_token"])
            assert answer.status_code == 200
            body = answer.get_json()
        time.tick(12 * 3600)
        assert refresh(browser, service, body["refresh_token"]).get_json()["error"] == "invalid_grant"


@pytest.mark.security("GA-04")
def test_a_new_version_of_the_terms_stops_the_next_refresh(
    provider: Provider, signed_in: Browser, service: Service, pkce: Pkce, tokens: dict[str, str]
) -> None:
    with provider.transaction() as services:
        services.documents.publish("conditions-d-utilisation", "2", "# Nouvelles conditions", changes="Tout.")
    assert refresh(signed_in, service, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"
    from tests.idp.provider import answered

    assert answered(signed_in.authorize(service, pkce, prompt="none"))["error"] == "interaction_required"


@pytest.mark.security("GA-04")
def test_a_locked_account_has_no_token_that_works(
    provider: Provider, signed_in: Browser, landlord: Landlord, service: Service, tokens: dict[str, str]
) -> None:
    with provider.transaction() as services:
        services.accounts.lock(services.accounts.find(landlord.identifier))
    assert refresh(signed_in, service, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert signed_in.get("/oauth2/userinfo", headers=bearer).status_code == 401
    with provider.transaction() as services:
        services.accounts.unlock(services.accounts.find(landlord.identifier))
    assert refresh(signed_in, service, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_a_sign_out_ends_what_was_given_under_it(signed_in: Browser, service: Service, tokens: dict[str, str]) -> None:
    signed_in.post("/deconnexion", {"confirmer": "oui"})
    assert refresh(signed_in, service, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"


@pytest.mark.parametrize("token", ["", "bidon", "mcp_rt_é", "x" * 3000])
@pytest.mark.authlib(2)
def test_a_token_that_was_never_given_is_refused(browser: Browser, service: Service, token: str) -> None:
    response = refresh(browser, service, token)
    assert response.status_code == 400
    assert response.get_json()["error"] in ("invalid_grant", "invalid_request")
