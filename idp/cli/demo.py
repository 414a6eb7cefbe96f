"""`idp demo`: a provider, a service and sample landlords on this machine, and at each point what to do next."""

import email
import email.policy
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import click

ROOT = Path(__file__).resolve().parents[2]
LANDLORDS = ROOT / "examples" / "bailleurs.csv"
CLIENT = "espace-bailleur"


@click.command("demo")
@click.option("--port", default=8000, show_default=True, help="Port du fournisseur d’identité.")
@click.option("--service-port", default=8001, show_default=True, help="Port du service « Espace bailleur ».")
@click.option(
    "--data",
    default=Path(".demo"),
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Dossier de la démonstration.",
)
def demo(port: int, service_port: int, data: Path) -> None:
    """Lance une démonstration complète ; Ctrl-C arrête tout.

    \b
    Exemple :
      idp demo --data /tmp/demo
    """
    if not LANDLORDS.exists():
        raise click.ClickException("la démonstration se lance depuis les sources : ./dev demo")
    demonstration = Demonstration(port, service_port, data.resolve())
    _refuse_taken(port, service_port)
    demonstration.prepare()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: both servers are stopped
    with ExitStack() as started:
        for process in demonstration.start():
            started.callback(_stop, process)
        demonstration.say_what_to_do()
        demonstration.tell_of_each_envelope()


class Demonstration:
    """One folder holds all of it: delete the folder and the next demonstration is a new one."""

    def __init__(self, port: int, service_port: int, folder: Path) -> None:
        self.issuer = f"http://localhost:{port}"
        self.service = f"http://localhost:{service_port}"
        self.port, self.service_port, self.folder = port, service_port, folder
        self.secret_file = folder / "espace-bailleur.secret"
        self.told: set[Path] = set()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
        self.environment = {
            **kept,
            "IDP_ENVIRONMENT": "demo",
            "IDP_ISSUER": self.issuer,
            "IDP_DATA_DIR": str(folder / "fournisseur"),
            "IDP_MAIL_GAP": "0",
            "IDP_LETTER_GAP": "0",
            "IDP_ACCESS_LOG": "false",
            "IDP_OPERATOR": "demo",
        }

    def prepare(self) -> None:
        """Schema, texts, service, landlords: by the real commands, and harmless to do again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._idp("db", "upgrade")
        self._idp("documents", "publish", "--shipped")
        if not self.secret_file.exists():
            self._register()
        self._idp("accounts", "import", str(LANDLORDS))
        self._idp("outbox", "send")

    def _register(self) -> None:
        import json

        options = ["--name", "Espace bailleur", "--client-id", CLIENT]
        addresses = {
            "--redirect-uri": "/retour",
            "--post-logout-redirect-uri": "/deconnecte",
            "--initiate-login-uri": "/connexion",
        }
        for option, path in addresses.items():
            options += [option, self.service + path]
        made = json.loads(self._idp("clients", "register", *options))
        with open(os.open(self.secret_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(made["client_secret"])

    def start(self) -> Iterator[subprocess.Popen[bytes]]:
        """The provider, then the service once the provider answers."""
        log = open(self.folder / "fournisseur.log", "ab")  # noqa: SIM115 - the processes write to it until the end
        yield subprocess.Popen(
            [sys.executable, "-m", "idp.cli", "run", "--port", str(self.port)],
            env=self.environment,
            stderr=log,
            start_new_session=True,
        )
        self._wait_for(f"{self.issuer}/sante/pret")
        yield subprocess.Popen(
            [
                sys.executable,
                "-m",
                "examples.espace_bailleur",
                *("--issuer", self.issuer, "--client-id", CLIENT, "--client-secret-file", str(self.secret_file)),
                *("--port", str(self.service_port), "--sessions-file", str(self.folder / "service.sqlite3")),
            ],
            env={**self.environment, "ESPACE_BAILLEUR_SECRET_KEY": secrets.token_urlsafe(32)},
            cwd=ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        self._wait_for(self.service)

    def _wait_for(self, url: str) -> None:
        for _ in range(600):
            try:
                urlopen(url, timeout=2).close()  # noqa: S310  # nosec B310
                return
            except OSError:
                time.sleep(0.1)
        raise click.ClickException(f"{url} ne répond pas : voir {self.folder / 'fournisseur.log'}")

    def say_what_to_do(self) -> None:
        """The way from the service's page through a first login and back."""
        mails = self.folder / "fournisseur" / "mails"
        letters = self.folder / "fournisseur" / "letters"
        click.echo(f"""
Mon Compte Partenaire — démonstration (Ctrl-C pour arrêter)

  1. Ouvrez {self.service} et cliquez sur l’icône « Mon Compte Partenaire ».
  2. Prenez les deux envois d’un bailleur : ils portent le même numéro utilisateur.
       Mails    : {mails}
       Courriers: {letters}  (identifiers/ et passwords/)
  3. Saisissez l’identifiant et le mot de passe provisoire, puis « Connexion ».
  4. Vérifiez vos informations : un code à 6 chiffres arrive par mail. Ce mail est annoncé ici.
  5. Choisissez votre mot de passe, acceptez les règles d’usage, puis les conditions d’utilisation.
  6. Vous arrivez sur la page « Espace bailleur ». Déconnectez-vous, revenez : plus aucune étape.

Envois déjà partis :""")

    def tell_of_each_envelope(self) -> None:
        """Name each mail and letter as it appears, until Ctrl-C."""
        try:
            while True:
                self._tell_of_new_ones()
                time.sleep(0.5)
        except KeyboardInterrupt:
            click.echo("\nDémonstration arrêtée. Pour repartir de zéro, effacez le dossier " + str(self.folder))

    def _tell_of_new_ones(self) -> None:
        provider = self.folder / "fournisseur"
        for path in sorted([*provider.glob("mails/*.eml"), *provider.glob("letters/*/*.pdf")]):
            if path not in self.told:
                self.told.add(path)
                click.echo(f"  {_announce(path)}\n      {path}")

    def _idp(self, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "idp.cli", *command],
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise click.ClickException(f"« idp {' '.join(command[:2])} » a échoué, voir ci-dessus")
        return done.stdout


def _announce(path: Path) -> str:
    """What has come, for whom; never what is in it."""
    if path.suffix == ".pdf":
        return f"Courrier ({'identifiant' if path.parent.name == 'identifiers' else 'mot de passe provisoire'})"
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    return f"Mail « {message['Subject']} » à {message['To']}"


def _refuse_taken(*ports: int) -> None:
    for port in ports:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                raise click.ClickException(
                    f"le port {port} est déjà pris : arrêtez ce qui l’occupe, ou choisissez --port"
                )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
