"""A fresh SQLite installation with people who can sign in and two services, one for each signature algorithm."""

from dataclasses import dataclass
from pathlib import Path

from idp.settings import Settings
from tests.idp.provider import Landlord, Provider, Service

ALGORITHMS = ("RS256", "ES256")
CALLBACK = "https://client.example/cb"
SCOPE = "openid email"
PEOPLE = 8
"""Landlords: one for each virtual user, so that nobody waits for somebody else's row."""


@dataclass(frozen=True)
class Installation:
    """Its settings, what was made in it, and the application that made it, still usable in this process."""

    settings: Settings
    provider: Provider
    people: list[Landlord]
    services: dict[str, Service]

    @property
    def environ(self) -> dict[str, str]:
        """What `idp run` needs to serve this installation."""
        return {
            "IDP_ENVIRONMENT": self.settings.environment,
            "IDP_ISSUER": self.settings.issuer,
            "IDP_DATA_DIR": str(self.settings.data_dir),
            "IDP_BCRYPT_COST": str(self.settings.bcrypt_cost),
            "IDP_ADDRESS_LIMIT": self.settings.address_limit,
        }


def make(folder: Path, issuer: str, *, bcrypt_cost: int) -> Installation:
    """Migrate, make keys, publish the shipped texts, then people whose first login is behind them, and services.

    `environment=test` because the issuer is plain http on loopback; the limit by address is lifted because every
    virtual user has the same one.
    """
    settings = Settings(
        environment="test",
        issuer=issuer,
        data_dir=folder,
        bcrypt_cost=bcrypt_cost,
        address_limit="1000000 per minute",
    )
    provider = Provider(settings)
    people = [provider.landlord() for _ in range(PEOPLE)]
    services = {
        alg: provider.service(
            f"bench-{alg.lower()}",
            redirect_uris=[CALLBACK],
            scope=SCOPE,
            grant_types=["authorization_code", "refresh_token"],
            id_token_signed_response_alg=alg,
        )
        for alg in ALGORITHMS
    }
    return Installation(settings, provider, people, services)
