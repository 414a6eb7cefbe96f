"""A second account whose every value is recognised wherever it turns up."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select

from idp.db import db
from idp.session import SignIn
from tests.idp.provider import Browser, Landlord, Pkce, Provider, Service, redeem

NAMES = {
    "given name": "Canariette",
    "family name": "Zibelinova",
    "e-mail": "fouine@belette.example",
    "user number": "UQZJX7WV9K2M4T",
    "identifier": "ZIBELINE7QXK",
    "telephone": "+33699887766",
    "organisation": "Zibelinerie canariote",
    "siret": "73282932000074",
    "state": "etat-de-zibeline",
    "nonce": "nonce-de-zibeline",
}


@dataclass(frozen=True)
class Canary:
    """`values`: what must never be seen, by name. The rest lives on, which the end of a census looks at."""

    values: dict[str, str]
    browser: Browser
    service: Service
    pkce: Pkce

    def is_unharmed(self) -> bool:
        """Its session, its access token, its parked request and its code still work; this uses the code up."""
        bearer = {"Authorization": f"Bearer {self.values['access token']}"}
        waits = self.browser.get(f"/connexion?demande={self.values['parked request']}")
        answers = [
            self.browser.get("/mes-services").status_code,
            self.browser.get("/oauth2/userinfo", headers=bearer).status_code,
            redeem(self.browser, self.service, self.values["code"], self.pkce).status_code,
        ]
        return answers == [200, 200, 200] and "Espace bailleur" in waits.get_data(as_text=True)


def make_canary(provider: Provider, service: Service) -> Canary:
    """An account that completed everything, administers its organisation, and is in the middle of using the service."""
    landlord = _account(provider)
    browser, pkce = provider.browser(), Pkce()
    assert browser.sign_in(landlord).status_code == 303
    tokens = redeem(browser, service, browser.code(service, pkce), pkce).get_json()
    wishes = {"state": NAMES["state"], "nonce": NAMES["nonce"], "login_hint": NAMES["identifier"]}
    parked = browser.authorize(service, pkce, prompt="login", **wishes)
    cookie = browser.client.get_cookie("mcp-session")
    assert cookie is not None
    with provider.transaction():
        sid = db.session.scalars(select(SignIn.sid).where(SignIn.account_id == landlord.id)).one()
    secrets = {
        "subject": landlord.id,
        "session id": sid,
        "cookie": cookie.value,
        "access token": tokens["access_token"],
        "refresh token": tokens["refresh_token"],
        "id token": tokens["id_token"],
        "code": browser.code(service, pkce),
        "parked request": parse_qs(urlsplit(parked.headers["Location"]).query)["demande"][0],
    }
    return Canary({**NAMES, **secrets}, browser, service, pkce)


def _account(provider: Provider) -> Landlord:
    return provider.landlord(
        partner_type="moral",
        organisation_id=provider.organisation(NAMES["siret"], NAMES["organisation"]),
        role="administrateur",
        given_name=NAMES["given name"],
        family_name=NAMES["family name"],
        email=NAMES["e-mail"],
        email_key=NAMES["e-mail"],
        user_number=NAMES["user number"],
        identifier=NAMES["identifier"],
        telephone=NAMES["telephone"],
    )
