"""What the tests of signing in share: one try, what a stranger can tell of its answer, and accounts in each state."""

import re
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, update
from werkzeug.test import TestResponse

from idp import clock
from idp.accounts.models import Account, Password
from idp.db import db
from tests.idp.provider import Browser, Landlord, Provider

WEEK = 7 * 86400


def type_in(browser: Browser, identifier: str, password: str, **options: Any) -> TestResponse:
    """Type a pair on the sign-in page."""
    return browser.post("/connexion", {"identifiant": identifier, "mot_de_passe": password}, **options)


def fail(browser: Browser, identifier: str, times: int) -> list[int]:
    """Type wrong passwords; gives the statuses."""
    return [type_in(browser, identifier, f"Mauvais-{n}").status_code for n in range(times)]


def page(response: TestResponse) -> str:
    """The name of the page that was answered."""
    found = re.search(r'data-page="([^"]+)"', response.get_data(as_text=True))
    return found[1] if found else ""


def told(response: TestResponse, typed: str) -> tuple[int, str, list[tuple[str, str]]]:
    """All that an answer tells: status, body and headers, without what changes each time and what was typed."""
    body = response.get_data(as_text=True)
    length = len(response.get_data())
    headers = "\n".join(f"{name}: {value}" for name, value in response.headers.items() if name != "Set-Cookie")
    headers = headers.replace(f"Content-Length: {length}", "Content-Length: that of the body")
    for changing in (*re.findall(r'(?:nonce|name="csrf_token"[^>]* value)="([^"]+)"', body), typed):
        body, headers = body.replace(changing, "·"), headers.replace(changing, "·")
    cookies = [cookie.partition("=")[0] for cookie in response.headers.getlist("Set-Cookie")]
    return response.status_code, body, [("headers", headers), ("cookies", " ".join(cookies))]


def with_provisional(provider: Provider, lifetime: int = WEEK, **columns: Any) -> Landlord:
    """A landlord who has only the provisional password of a mail; it is the `password`."""
    landlord = provider.landlord(completed=False, **columns)
    with provider.transaction() as services:
        db.session.execute(delete(Password).where(Password.account_id == landlord.id))
        db.session.execute(
            update(Account)
            .where(Account.id == landlord.id)
            .values(must_choose_password=True, personal_password_at=None)
        )
        clear = services.passwords.issue_provisional(landlord.id, "first-login", "mail", lifetime)
    return replace(landlord, password=clear)


def stopped(provider: Provider, state: str) -> Landlord:
    """A landlord whose account is `locked`, `suspended` or `closed`."""
    landlord = provider.landlord()
    with provider.transaction():
        column = {"locked": Account.locked_at, "suspended": Account.suspended_at, "closed": Account.closed_at}[state]
        db.session.execute(update(Account).where(Account.id == landlord.id).values({column: clock.now()}))
    return landlord
