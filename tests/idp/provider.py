"""The whole provider in this process, on a real database: what the tests of pages and protocol drive by HTTP."""

import base64
import hashlib
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event
from werkzeug.test import TestResponse

from consent.cli import publish_shipped
from idp import clock, migrations, start
from idp.accounts.models import Account
from idp.accounts.organisations import Organisation
from idp.app import create_app
from idp.db import db
from idp.services import Services
from idp.settings import Settings

ISSUER = "http://localhost:8000"
CALLBACK = "https://bailleur.example/retour"
PASSWORD = "Un-Long-Mot-De-Passe-2026"
SCOPE = "openid profile email phone partenaire"


@dataclass
class Landlord:
    """An account whose person can sign in."""

    id: str
    identifier: str
    user_number: str
    email: str
    password: str = PASSWORD


@dataclass
class Service:
    """A registered relying party, with its secret."""

    client_id: str
    secret: str | None
    redirect_uri: str = CALLBACK

    @property
    def basic(self) -> dict[str, str]:
        """The header of client_secret_basic."""
        pair = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}


@dataclass
class Pkce:
    """A verifier and its challenge (RFC 7636)."""

    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Provider:
    """`Provider(settings)` migrates, makes keys and publishes the shipped texts, as an administrator does."""

    def __init__(self, settings: Settings, *, publish: bool = True) -> None:
        self.app: Flask = create_app(settings)
        if publish:
            with self.app.app_context():
                migrations.upgrade(db.engine)
        start.make_ready(self.app)
        self._numbers = iter(range(1, 10_000))
        if publish:
            with self.transaction() as services:
                publish_shipped(services.documents)

    @property
    def services(self) -> Services:
        return self.app.extensions["idp"]  # type: ignore[no-any-return]

    @contextmanager
    def transaction(self) -> Iterator[Services]:
        """Work as a command does: in an app context, committed at the end."""
        with self.app.app_context():
            yield self.services
            db.session.commit()

    def service(self, client_id: str | None = None, **metadata: Any) -> Service:
        """Register a relying party."""
        asked = {"client_name": "Espace bailleur", "redirect_uris": [CALLBACK], "scope": SCOPE, **metadata}
        with self.transaction() as services:
            registered = services.clients.register(asked, client_id)
        return Service(registered.client.client_id, registered.client_secret, asked["redirect_uris"][0])

    def landlord(self, *, completed: bool = True, **columns: Any) -> Landlord:
        """An account with a personal password; `completed`: the first login is behind it, texts accepted."""
        number, now = next(self._numbers), clock.now()
        email = f"landlord{number}@example.org"
        values: dict[str, Any] = {
            "reference": f"ref-{number}",
            "user_number": f"UAAAAAAAAA{number:04}",
            "identifier": f"BAILLEUR{number:04}",
            "partner_type": "physique",
            "departement": "26",
            "origin": "mail",
            "given_name": "Jeanne",
            "family_name": "d’Ormesson",
            "email": email,
            "email_key": email,
            "email_verified_at": now,
            "information_given_at": now,
            "telephone": "+33612345678",
            "must_choose_password": True,
            "created_at": now,
            "first_login_completed_at": now if completed else None,
            **columns,
        }
        with self.transaction() as services:
            account = Account(**values)
            db.session.add(account)
            db.session.flush()
            hashed = services.passwords.hash_personal(account.id, PASSWORD)
            stored = services.passwords.store_personal(account.id, hashed)
            assert stored
            if completed:
                self._accept_texts(services, account.id)
            return Landlord(account.id, values["identifier"], values["user_number"], email)

    def organisation(self, siret: str = "35600000000048", name: str = "Agence des Alpes") -> str:
        """An organisation without an administrator; gives its id."""
        with self.transaction():
            organisation = Organisation(siret=siret, name=name)
            db.session.add(organisation)
            db.session.flush()
            return organisation.id

    def _accept_texts(self, services: Services, account_id: str) -> None:
        texts = services.documents.texts_for(account_id)
        for name in services.documents.in_force():
            services.documents.accept(account_id, texts.current(name), request_id=None, ip=None)

    def browser(self) -> "Browser":
        """A new browser, without any cookie."""
        return Browser(self.app.test_client())

    @contextmanager
    def counting(self) -> Iterator[Counter[str]]:
        """Count SQL statements and commits of what happens inside (BEGIN, COMMIT and PRAGMA are no statements)."""
        with self.app.app_context():
            engine = db.engine
        with counted(engine) as counts:
            yield counts


@contextmanager
def counted(engine: Engine) -> Iterator[Counter[str]]:
    counts: Counter[str] = Counter()

    def statement(_c: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        counts["statements"] += 1
        counts[sql.split(" ", 1)[0]] += 1

    def commit(_c: Any) -> None:
        counts["commits"] += 1

    event.listen(engine, "before_cursor_execute", statement)
    event.listen(engine, "commit", commit)
    try:
        yield counts
    finally:
        event.remove(engine, "before_cursor_execute", statement)
        event.remove(engine, "commit", commit)


class Browser:
    """A person's browser: follows our own redirects, stops at a service's address."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, url: str, **options: Any) -> TestResponse:
        return self.client.get(url, base_url=ISSUER, **options)

    def post(self, url: str, data: dict[str, str] | None = None, **options: Any) -> TestResponse:
        """Submit the form at `url` as its page shows it, with its token against forgery and its hidden fields."""
        hidden = self.hidden_fields(url)
        return self.client.post(url, base_url=ISSUER, data={**hidden, **(data or {})}, **options)

    def hidden_fields(self, url: str) -> dict[str, str]:
        page = self.get(url).get_data(as_text=True)
        inputs = re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", page)
        pairs = ((re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)) for tag in inputs)
        return {name[1]: value[1] for name, value in pairs if name and value}

    def sign_in(self, landlord: Landlord, url: str = "/connexion", password: str | None = None) -> TestResponse:
        """Type the credentials on the sign-in page."""
        return self.post(url, {"identifiant": landlord.identifier, "mot_de_passe": password or landlord.password})

    def authorize(self, service: Service, pkce: Pkce | None = None, **parameters: str) -> TestResponse:
        """Ask for a code as the service does."""
        return self.get("/oauth2/authorize", query_string=authorization(service, pkce, **parameters))

    def code(self, service: Service, pkce: Pkce, **parameters: str) -> str:
        """The code that a signed-in person's browser brings back."""
        answer = answered(self.authorize(service, pkce, **parameters))
        assert "code" in answer, answer
        return answer["code"]


def authorization(service: Service, pkce: Pkce | None = None, **parameters: str) -> dict[str, str]:
    """The parameters of a right authorization request; an empty value takes one away."""
    asked = {
        "response_type": "code",
        "client_id": service.client_id,
        "redirect_uri": service.redirect_uri,
        "scope": SCOPE,
        "state": "etat-de-la-demande",
        "nonce": "nonce-de-la-demande",
        **({"code_challenge": pkce.challenge, "code_challenge_method": "S256"} if pkce else {}),
        **parameters,
    }
    return {name: value for name, value in asked.items() if value}


def answered(response: TestResponse) -> dict[str, str]:
    """What the browser brings back to the service: the parameters of the redirect to it."""
    assert response.status_code == 303, (response.status_code, response.get_data(as_text=True)[:500])
    target = response.headers["Location"]
    assert target.startswith("https://"), target
    return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}


def redeem(browser: Browser, service: Service, code: str, pkce: Pkce | None, **form: str) -> TestResponse:
    """The service's token request."""
    data = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": service.redirect_uri,
        **({"code_verifier": pkce.verifier} if pkce else {}),
        **form,
    }
    headers = service.basic if service.secret else {}
    if not service.secret:
        data.setdefault("client_id", service.client_id)
    return browser.client.post(
        "/oauth2/token", base_url=ISSUER, headers=headers, data={k: v for k, v in data.items() if v}
    )


def refresh(browser: Browser, service: Service, token: str, **form: str) -> TestResponse:
    """The service's refresh."""
    data = {"grant_type": "refresh_token", "refresh_token": token, **form}
    return browser.client.post("/oauth2/token", base_url=ISSUER, headers=service.basic, data=data)
