"""npm's `openid-client` (Node) completes a sign-in, a refresh and a revocation."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.journeys import first_login
from tests.journeys.browser import Person
from tests.journeys.landlord import Landlord
from tests.journeys.provider import Provider

HERE = Path(__file__).parent
SCOPE = "openid profile email partenaire"


class Blank(BaseHTTPRequestHandler):
    """The page that the browser comes back to: the script is given its address by the test."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Retour</title>")

    def log_message(self, format: str, *args: object) -> None:
        """Keep codes out of the output."""


class NodeClient:
    """The script `openid_client.mjs`, running, and the page of its redirect URI."""

    def __init__(self, provider: Provider) -> None:
        self.listener = ThreadingHTTPServer(("127.0.0.1", 0), Blank)
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()
        self.redirect_uri = f"http://127.0.0.1:{self.listener.server_port}/retour"
        registration = provider.register(
            f"openid-client-{self.listener.server_port}",
            client_name="openid-client",
            redirect_uris=[self.redirect_uri],
            grant_types=["authorization_code", "refresh_token"],
            response_types=["code"],
            token_endpoint_auth_method="client_secret_basic",
            scope=SCOPE,
        )
        node = shutil.which("node")
        assert node, "Node is missing"
        self.process = subprocess.Popen(
            [node, "openid_client.mjs", provider.issuer, registration["client_id"], self.redirect_uri, SCOPE],
            env={"PATH": os.environ["PATH"], "OPENID_CLIENT_SECRET": registration["client_secret"]},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=HERE,
        )

    def reads(self) -> Any:
        """The next document that it prints."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"it ended with {self.process.wait(10)}"
        return json.loads(line)

    def comes_back_to(self, url: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(url + "\n")
        self.process.stdin.flush()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.listener.shutdown()
        self.listener.server_close()


@pytest.fixture
def node_client(provider: Provider) -> Iterator[NodeClient]:
    client = NodeClient(provider)
    yield client
    client.close()


def test_openid_client_signs_in_refreshes_and_revokes(
    node_client: NodeClient, person: Person, landlord: Landlord
) -> None:
    person.goes_to(node_client.reads()["url"])
    first_login.signs_in(person, landlord)
    for step in first_login.STEPS:
        step(person, landlord)
    person.follows("main a.bouton")
    node_client.comes_back_to(person.page.url)

    first = node_client.reads()
    assert first["claims"]["acr"] == "eidas1"
    assert first["claims"]["amr"] == ["pwd"]
    assert first["userinfo"]["numero_utilisateur"] == landlord.numero_utilisateur
    assert first["userinfo"]["email"] == landlord.email
    assert set(first["scope"].split()) == set(SCOPE.split())

    second = node_client.reads()
    assert second["rotated"]
    assert second["another_access_token"]
    assert second["userinfo"] == first["userinfo"]
    if second["claims"]:
        assert second["claims"]["sub"] == first["claims"]["sub"]
        assert second["claims"]["auth_time"] == first["claims"]["auth_time"]

    assert node_client.reads() == {"after_revocation": "invalid_grant"}
