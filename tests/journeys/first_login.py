"""The five numbered lines of the leaflet, as moves of a person: each function is one of them."""

from tests.journeys.browser import Person
from tests.journeys.landlord import Landlord
from tests.journeys.service import EspaceBailleur

CONNEXION = "connexion"
INFORMATIONS = "premiere-connexion.informations"
CODE = "premiere-connexion.code"
MOT_DE_PASSE = "premiere-connexion.mot-de-passe"
REGLES = "premiere-connexion.regles-d-usage"
CONDITIONS = "premiere-connexion.conditions-d-utilisation"
TERMINEE = "premiere-connexion.terminee"


def arrives(person: Person, service: EspaceBailleur) -> None:
    """From the icon « Mon Compte Partenaire » to the sign-in page."""
    person.goes_to(service.url + "/")
    person.follows("#mon-compte-partenaire")
    person.sees(CONNEXION)


def signs_in(person: Person, landlord: Landlord, password: str | None = None) -> None:
    """1. Her credentials, and « Connexion »: the provisional password unless told."""
    person.sends("mot_de_passe", identifiant=landlord.identifiant, mot_de_passe=password or landlord.provisoire)


def gives_information(person: Person, landlord: Landlord) -> None:
    """2. The requested information, then the code received by mail."""
    person.sees(INFORMATIONS)
    person.sends("nom", nom=landlord.nom, prenom=landlord.prenom, email=landlord.email)
    person.sees(CODE)
    person.sends("code", code=landlord.mailbox.code())


def chooses_password(person: Person, landlord: Landlord) -> None:
    """3. A personal password, typed twice."""
    person.sees(MOT_DE_PASSE)
    person.sends("confirmation", nouveau_mot_de_passe=landlord.mot_de_passe, confirmation=landlord.mot_de_passe)


def accepts(person: Person, data_page: str) -> None:
    """4 and 5. Accept the text that is shown."""
    person.sees(data_page)
    person.ticks("accepter")
    person.sends("accepter")


STEPS = (
    gives_information,
    chooses_password,
    lambda person, _landlord: accepts(person, REGLES),
    lambda person, _landlord: accepts(person, CONDITIONS),
)


def finishes(person: Person) -> None:
    """« Votre compte est prêt », then the service."""
    person.sees(TERMINEE)
    person.follows("main a.bouton")
    person.sees_service("bailleur")


def completes(person: Person, landlord: Landlord, service: EspaceBailleur) -> None:
    """The whole first sign-in, from the service to its signed-in page."""
    arrives(person, service)
    signs_in(person, landlord)
    for step in STEPS:
        step(person, landlord)
    finishes(person)
