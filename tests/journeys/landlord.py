"""A landlord as the Caf's file describes her, and the credentials that she comes to hold."""

import itertools
import os
from dataclasses import dataclass, field

from tests.journeys.mailbox import Mailbox

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
