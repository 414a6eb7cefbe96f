"""The import of landlords by the real command, and the credentials that they receive."""

import csv
import io
from pathlib import Path

from tests.journeys.landlord import Landlord
from tests.journeys.mailbox import IDENTIFIANT, MOT_DE_PASSE, NUMERO, Mailbox, letter_for, text_part, values
from tests.journeys.provider import Provider

IDENTITY = ("reference", "type", "nom", "prenom", "raison_sociale", "siret", "departement", "email")
ADDRESS = ("adresse_1", "adresse_2", "adresse_3", "adresse_4", "code_postal", "ville")


def import_landlords(provider: Provider, *landlords: Landlord) -> None:
    """Import them by the real command, and read the credentials that each receives."""
    text = io.StringIO()
    writer = csv.DictWriter(text, IDENTITY + ADDRESS, delimiter=";")
    writer.writeheader()
    writer.writerows(landlord.row for landlord in landlords)
    file = provider.folder / f"{landlords[0].reference}.csv"
    file.write_text(text.getvalue(), encoding="utf-8")
    provider.idp("accounts", "import", str(file))
    for landlord in landlords:
        landlord.mailbox = Mailbox(provider.mails, landlord.email)
        read_letters(provider.letters, landlord) if landlord.by_post else read_mails(landlord)


def read_mails(landlord: Landlord) -> None:
    """Take the two mails: neither holds the other's secret, both bear the user number."""
    first = text_part(landlord.mailbox.wait_for("identifiant"))
    second = text_part(landlord.mailbox.wait_for("mot-de-passe"))
    keep(landlord, values(first), values(second))


def read_letters(letters: Path, landlord: Landlord) -> None:
    """Take the two letters out of their two folders."""
    name = landlord.raison_sociale or landlord.nom
    first, second = letter_for(letters / "identifiers", name), letter_for(letters / "passwords", name)
    keep(landlord, values(first), values(second))


def keep(landlord: Landlord, first: dict[str, str], second: dict[str, str]) -> None:
    """Pair the two sends by the user number, as the leaflet says."""
    assert MOT_DE_PASSE not in first
    assert IDENTIFIANT not in second
    assert first[NUMERO] == second[NUMERO]
    landlord.identifiant, landlord.provisoire = first[IDENTIFIANT], second[MOT_DE_PASSE]
    landlord.numero_utilisateur = first[NUMERO]
