"""The purge: what is over goes in small batches, what lives or proves something stays."""

from collections.abc import Callable

import pytest
from freezegun import freeze_time
from sqlalchemy import func, select

from consent.models import Base as ConsentBase
from idp.accounts.models import Account
from idp.audit import AuditEvent
from idp.db import Model, db
from idp.oidc.models import Grant, ParkedRequest, Token
from idp.purge import JOURNAL, MARGIN, purge_all
from idp.session import BrowserSession, SignIn
from idp.web.throttle import Attempts
from tests.idp.provider import Browser, Landlord, Pkce, Provider, Service, redeem, refresh
from tests.idp.signin.trying import fail

DAY = 86400


def count(provider: Provider, model: type[Model]) -> int:
    with provider.app.app_context():
        return db.session.scalar(select(func.count()).select_from(model)) or 0


def purge(provider: Provider, batch: int = 500) -> dict[str, int]:
    with provider.app.app_context():
        return purge_all(provider.services.settings, batch)


def lived(provider: Provider, service: Service, landlord: Landlord) -> tuple[Browser, str]:
    """A sign-in with everything that it leaves behind; the browser and its refresh token."""
    browser, pkce = provider.browser(), Pkce()
    provider.browser().authorize(service, pkce)  # parked, and never answered
    fail(provider.browser(), "INCONNU00001", 1)
    to = browser.authorize(service, pkce).headers["Location"]
    browser.sign_in(landlord, to)
    body = redeem(browser, service, browser.code(service, pkce), pkce).get_json()
    return browser, body["refresh_token"]


def test_nothing_that_lives_is_touched(provider: Provider, service: Service, landlord: Landlord) -> None:
    with freeze_time("2027-01-15 08:00:00") as time:
        browser, token = lived(provider, service, landlord)
        assert set(purge(provider).values()) == {0}
        time.tick(1799)
        assert set(purge(provider).values()) == {0}
        assert browser.get("/mes-services").status_code == 200
        assert refresh(browser, service, token).status_code == 200


def test_what_is_over_stays_a_day_then_goes_and_the_record_of_a_grant_a_year(
    provider: Provider, service: Service, landlord: Landlord
) -> None:
    with freeze_time("2027-01-15 08:00:00") as time:
        lived(provider, service, landlord)
        accounts, events = count(provider, Account), count(provider, AuditEvent)
        time.tick(12 * 3600 + MARGIN - 60)
        soon = purge(provider)
        assert (soon["tokens"], soon["grants"], soon["parked_requests"]) == (0, 0, 0)
        time.tick(3 * DAY)
        gone = purge(provider)
        assert (gone["tokens"], gone["grants"], gone["parked_requests"]) == (1, 0, 2)
        for model in (Token, ParkedRequest, BrowserSession, SignIn):
            assert count(provider, model) == 0
        time.tick(JOURNAL)
        assert purge(provider)["grants"] == 1
        assert count(provider, Grant) == 0
        assert (count(provider, Account), count(provider, AuditEvent)) == (accounts, events)
        assert set(purge(provider).values()) == {0}


def test_an_acceptance_is_never_purged(provider: Provider, service: Service, landlord: Landlord) -> None:
    with freeze_time("2027-01-15 08:00:00") as time:
        lived(provider, service, landlord)
        tables = [table for table in ConsentBase.metadata.sorted_tables if "acceptance" in table.name]
        assert tables
        time.tick(4000 * DAY)
        purge(provider)
        with provider.app.app_context():
            assert all(db.session.scalar(select(func.count()).select_from(table)) for table in tables)


@pytest.mark.security("TK-01")
def test_a_replayed_code_still_ends_its_family_after_a_purge(
    provider: Provider, service: Service, landlord: Landlord, pkce: Pkce
) -> None:
    with freeze_time("2027-01-15 08:00:00") as time:
        browser = provider.browser()
        browser.sign_in(landlord)
        code = browser.code(service, pkce)
        token = redeem(browser, service, code, pkce).get_json()["refresh_token"]
        time.tick(6 * 3600)
        purge(provider)
        assert redeem(browser, service, code, pkce).get_json()["error"] == "invalid_grant"
        assert refresh(browser, service, token).get_json()["error"] == "invalid_grant"


def test_it_goes_in_batches_each_with_a_commit(provider: Provider, service: Service) -> None:
    with freeze_time("2027-01-15 08:00:00") as time:
        for _ in range(5):
            provider.browser().authorize(service, Pkce())
        time.tick(3 * DAY)
        with provider.counting() as counts:
            assert purge(provider, batch=2)["parked_requests"] == 5
        assert counts["DELETE"] == 3
        assert counts["commits"] >= 3


def test_a_purge_that_is_interrupted_keeps_what_it_did(
    provider: Provider, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with freeze_time("2027-01-15 08:00:00") as time:
        for _ in range(4):
            provider.browser().authorize(service, Pkce())
        time.tick(3 * DAY)
        commit: Callable[[], None] = db.session.commit
        done: list[int] = []

        def second_fails() -> None:
            if done:
                raise KeyboardInterrupt
            done.append(1)
            commit()

        with provider.app.app_context():
            monkeypatch.setattr(db.session, "commit", second_fails)
            with pytest.raises(KeyboardInterrupt):
                purge_all(provider.services.settings, 2)
            db.session.rollback()
        monkeypatch.undo()
        assert count(provider, ParkedRequest) == 2
        assert purge(provider)["parked_requests"] == 2


def test_a_suspension_that_runs_and_a_known_device_stay(provider: Provider, landlord: Landlord) -> None:
    with freeze_time("2027-01-15 08:00:00") as time:
        browser = provider.browser()
        browser.sign_in(landlord)
        fail(provider.browser(), "INCONNU00001", 5)
        assert count(provider, Attempts) >= 2
        assert purge(provider)["sign_in_attempts"] == 0
        time.tick(300 * DAY)
        purge(provider)
        assert fail(provider.browser(), landlord.identifier, 6)[-1] == 429
        assert browser.sign_in(landlord).status_code == 303
        time.tick(402 * DAY)
        purge(provider)
        assert count(provider, Attempts) == 0
