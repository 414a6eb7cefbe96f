"""A landlord whose address is unknown receives two letters, reads them and signs in."""

from tests.journeys import first_login
from tests.journeys.browser import Person
from tests.journeys.landlord import new_landlord
from tests.journeys.landlords import import_landlords
from tests.journeys.mailbox import Mailbox, letter_for
from tests.journeys.provider import Provider
from tests.journeys.service import EspaceBailleur


def test_two_letters_lead_to_espace_bailleur(person: Person, provider: Provider, service: EspaceBailleur) -> None:
    landlord = new_landlord(by_post=True, departement="2A")
    import_landlords(provider, landlord)
    first_login.completes(person, landlord, service)
    assert person.reads("departement") == "2A"
    assert person.reads("numero_utilisateur") == landlord.numero_utilisateur


def test_each_letter_holds_one_half_and_no_mail_is_sent(provider: Provider) -> None:
    landlord = new_landlord(by_post=True)
    import_landlords(provider, landlord)
    identifier = letter_for(provider.letters / "identifiers", landlord.nom)
    password = letter_for(provider.letters / "passwords", landlord.nom)
    assert landlord.provisoire not in identifier
    assert landlord.identifiant not in password
    assert Mailbox(provider.mails, landlord.email).all() == []
