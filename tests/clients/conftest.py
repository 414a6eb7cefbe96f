"""A registry of relying parties on a real database, and metadata that it accepts."""

from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey
from sqlalchemy.orm import Session

from clients.registry import ClientRegistry, RegistrationPolicy
from tests.conftest import Clock, Recorded

PRODUCTION = RegistrationPolicy(production=True)


@pytest.fixture
def registry(session: Session, clock: Clock, recorded: Recorded) -> ClientRegistry:
    return ClientRegistry(lambda: session, clock, recorded.record, PRODUCTION)


@pytest.fixture
def metadata() -> dict[str, Any]:
    return {"client_name": "Espace bailleur", "redirect_uris": ["https://bailleur.example/retour"]}


@pytest.fixture(scope="session")
def rsa_key() -> RSAKey:
    return RSAKey.generate_key(2048)


@pytest.fixture
def public_jwk(rsa_key: RSAKey) -> Callable[..., dict[str, Any]]:
    """A public key in JSON: `public_jwk("RSA")`, `public_jwk("P-256")`, `public_jwk("Ed25519")`, with more members."""

    def make(kind: str, **members: Any) -> dict[str, Any]:
        key: Any = rsa_key
        if kind != "RSA":
            family: Any = OKPKey if kind in ("Ed25519", "X25519") else ECKey
            key = family.generate_key(kind)
        return dict(key.as_dict(private=False)) | members

    return make
