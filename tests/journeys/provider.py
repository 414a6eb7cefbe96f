"""A real provider, run by its own command with several workers, and the commands that operate it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.journeys.landlord import Landlord
from tests.journeys.processes import ROOT, Server, free_port

IDP = str(Path(sys.executable).parent / "idp")


class Provider:
    """`idp run` on its own data folder and database; people reach it on `localhost`."""

    def __init__(self, folder: Path, database_url: str | None, workers: int = 2) -> None:
        self.folder = folder
        self.waiting: list[Landlord] = []  # imported, and not met yet
        self.port = free_port()
        self.issuer = f"http://localhost:{self.port}"
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "IDP_ENVIRONMENT": "test",
            "IDP_ISSUER": self.issuer,
            "IDP_DATA_DIR": str(folder / "data"),
            "IDP_BCRYPT_COST": "4",
            "IDP_MAIL_GAP": "0",
            "IDP_LETTER_GAP": "0",
            # The whole suite signs in from one address.
            "IDP_ADDRESS_LIMIT": "10000 per minute",
        }
        if database_url:
            self.environ["IDP_DATABASE_URL"] = database_url
        command = [IDP, "run", "--host", "127.0.0.1", "--port", str(self.port), "--workers", str(workers)]
        self.server = Server(command, self.environ, folder / "provider.log", f"{self.issuer}/sante/pret")

    def prepare(self, *, own_secrets: bool, publish: bool = True) -> None:
        """What an operator does once: secrets (unless the first start makes them), tables, texts."""
        (self.folder / "data").mkdir(exist_ok=True)
        if own_secrets:
            self.idp("secrets", "init")
        self.idp("db", "upgrade")
        if publish:
            self.idp("documents", "publish", "--shipped")

    def start(self) -> None:
        self.server.start()

    def stop(self) -> None:
        self.server.stop()

    def moves_time(self, seconds: int) -> None:
        """Put every process of this provider `seconds` ahead of the real time."""
        (self.folder / "data" / "clock-offset").write_text(str(seconds))

    def idp(self, *arguments: str, stdin: str = "", code: int = 0) -> str:
        """Run one `idp` command; it must end with `code`. Gives its standard output."""
        done = subprocess.run(
            [IDP, *arguments],
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, (
            f"idp {' '.join(arguments)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """The JSON document that a command prints with `--json`."""
        return json.loads(self.idp(*arguments, "--json"))

    def register(self, client_id: str, **metadata: Any) -> dict[str, Any]:
        """Register a relying party by its RFC 7591 metadata; gives them back, with its secret."""
        file = self.folder / f"{client_id}.json"
        file.write_text(json.dumps(metadata))
        answer = self.json("clients", "register", "--client-id", client_id, "--from", str(file))
        assert isinstance(answer, dict)
        return answer

    @property
    def mails(self) -> Path:
        return self.folder / "data" / "mails"

    @property
    def letters(self) -> Path:
        return self.folder / "data" / "letters"
