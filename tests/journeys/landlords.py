"""Landlords as the Caf's file describes them, their import, and the credentials that they then hold."""

import csv
import io
import itertools
import os
from dataclasses import dataclass, field
from pathlib import Path

from tests.journeys.mailbox import IDENTIFIANT, MOT_DE_PASSE, NUMERO, Mailbox, letter_for, text_part, values
from tests.journeys.provider import Provider

IDENTITY = ("reference", "type", "nom", "prenom", "raison_sociale", "siret", "departement", "email")
ADDRESS = ("adresse_1", "adresse_2", "adresse_3", "adresse_4", "code_postal", "ville")
_numbers = itertools.count(1)


@dataclass
class Landlord:
    """One person before a first sign-in, then what she holds and chooses."""

    nom: str
    prenom: str
    email: str
    departement: str = "75"
    raison_sociale: str = ""
    siret: str = ""
    by_post: bool = False
    mot_de_passe: str = "Trois-hirondelles-au-printemps-75"
    reference: str = ""
    identifiant: str = ""
    provisoire: str = ""
    numero_utilisateur: str = ""
    mailbox: Mailbox = field(init=False)

    @property
    def row(self) -> dict[str, str]:
        """Her line of the file."""
        moral = bool(self.raison_sociale)
        return {
            "reference": self.reference,
            "type": "moral" if moral else "physique",
            "nom": "" if moral else self.nom,
            "prenom": "" if moral else self.prenom,
            "raison_sociale": self.raison_sociale,
            "siret": self.siret,
            "departement": self.departement,
            "email": "" if self.by_post else self.email,
            "adresse_1": self.raison_sociale or f"{self.prenom} {self.nom}",
            "adresse_4": "12 rue des Lilas",
            "code_postal": "75011",
            "ville": "Paris",
        }


def letters_of(number: int) -> str:
    """A number as letters, to make names that nobody else bears."""
    text = ""
    while number:
        number, digit = divmod(number, 26)
        text = chr(ord("a") + digit) + text
    return text or "a"


def new_landlord(**given: str | bool) -> Landlord:
    """Somebody that no other test knows."""
    mark = letters_of(os.getpid() * 1000 + next(_numbers))
    landlord = Landlord(nom=f"Martineau{mark}", prenom="Élodie", email=f"{mark}@bailleur.example")
    landlord.reference = f"REF-{mark}"
    for name, value in given.items():
        setattr(landlord, name, value)
    return landlord


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
