"""The real example service, « Espace bailleur », on another site than the provider (127.0.0.1, not localhost)."""

import sys
from pathlib import Path
from typing import Any

from tests.journeys.processes import Server, free_port
from tests.journeys.provider import Provider

CLIENT_ID = "espace-bailleur"


class EspaceBailleur:
    """Registered at `provider` under `client_id`, then run as its README says."""

    def __init__(self, folder: Path, provider: Provider, client_id: str = CLIENT_ID, **metadata: Any) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.client_id = client_id
        self.metadata = {
            "client_name": "Espace bailleur",
            "redirect_uris": [f"{self.url}/retour"],
            "post_logout_redirect_uris": [f"{self.url}/deconnecte"],
            "initiate_login_uri": f"{self.url}/connexion",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "client_secret_basic",
            "scope": "openid profile email partenaire",
            **metadata,
        }
        self.registration = provider.register(client_id, **self.metadata)
        command = [sys.executable, "-m", "examples.espace_bailleur", "--issuer", provider.issuer]
        command += ["--client-id", client_id, "--port", str(self.port), "--base-url", self.url]
        environ = {"ESPACE_BAILLEUR_CLIENT_SECRET": str(self.registration["client_secret"])}
        self.server = Server(command, environ, folder / f"{client_id}.log", self.url + "/")
