"""Whether a row describes an account, and every reason why it does not."""

import pytest

from idp.accounts import user_numbers
from idp.accounts.enrolment import NewAccount
from idp.accounts.importing.rows import DEPARTEMENTS, RowRefused, read

PERSON = {"reference": "CAF-1", "type": "physique", "nom": "Lefèvre", "departement": "73", "email": "Zoe@Exemple.fr"}
MANAGER = {
    "reference": "CAF-2",
    "type": "moral",
    "raison_sociale": "SCI du Lac",
    "siret": "732 829 320 00074",
    "departement": "73",
    "email": "sci@exemple.fr",
}
POSTED = {**PERSON, "email": "", "adresse_1": "12 rue du Lac", "code_postal": "73000", "ville": "Chambéry"}


def refusal(fields: dict[str, str]) -> RowRefused:
    with pytest.raises(RowRefused) as caught:
        read(fields)
    return caught.value


def test_a_natural_person_by_mail() -> None:
    assert read(PERSON) == NewAccount("CAF-1", "physique", "73", family_name="Lefèvre", imported_email="Zoe@exemple.fr")


def test_an_organisation_with_its_siret_without_spaces() -> None:
    account = read(MANAGER)
    assert (account.siret, account.organisation_name, account.family_name) == ("73282932000074", "SCI du Lac", None)


def test_a_person_by_letter() -> None:
    account = read(POSTED)
    assert (account.origin, account.address_1, account.city) == ("letter", "12 rue du Lac", "Chambéry")


def test_the_siret_of_la_poste_is_exact_though_it_fails_luhn() -> None:
    assert read({**MANAGER, "siret": "35600000049837"}).siret == "35600000049837"


def test_values_are_kept_in_nfc_without_spaces_around() -> None:
    account = read({**PERSON, "nom": "  d’E\u0301glise  Noël ", "departement": "2a"})
    assert (account.family_name, account.departement) == ("d’Église  Noël", "2A")


def test_imported_keys_are_kept_in_canonical_form() -> None:
    number = user_numbers.mint()
    account = read({**PERSON, "identifiant": "bailleur-0001", "numero_utilisateur": user_numbers.display(number)})
    assert (account.identifier, account.user_number) == ("BAILLEUR0001", number)


def test_there_are_101_departements() -> None:
    assert len(DEPARTEMENTS) == 101
    assert {"01", "2A", "2B", "95", "971", "976"} <= DEPARTEMENTS
    assert not {"1", "20", "96", "975", "977"} & DEPARTEMENTS


@pytest.mark.security("OR-10", "LG-15", "ML-01", "ML-02")
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({**PERSON, "reference": ""}, "reference"),
        ({**PERSON, "reference": "x" * 65}, "trop_long"),
        ({**PERSON, "type": "personne"}, "type"),
        ({**PERSON, "type": ""}, "type"),
        ({**PERSON, "departement": "1"}, "departement"),
        ({**PERSON, "departement": "20"}, "departement"),
        ({**PERSON, "nom": ""}, "nom"),
        ({**PERSON, "nom": "x" * 101}, "trop_long"),
        ({**PERSON, "nom": "a\0b"}, "caractere"),
        ({**PERSON, "nom": "a\tb"}, "caractere"),
        ({**PERSON, "nom": "a\r\nBcc: x"}, "caractere"),
        ({**PERSON, "nom": "a\u202eb"}, "caractere"),
        ({**PERSON, "nom": "=HYPERLINK(1)"}, "formule"),
        ({**PERSON, "prenom": "+33"}, "formule"),
        ({**PERSON, "prenom": "-1"}, "formule"),
        ({**PERSON, "prenom": "@SUM"}, "formule"),
        ({**PERSON, "siret": "73282932000074"}, "type"),
        ({**PERSON, "raison_sociale": "SCI"}, "type"),
        ({**PERSON, "email": "a@x.fr,b@y.fr"}, "email"),
        ({**PERSON, "email": "zoe"}, "email"),
        ({**PERSON, "identifiant": "zoe@exemple.fr"}, "identifiant"),
        ({**PERSON, "numero_utilisateur": "U0000000000000"}, "numero_utilisateur"),
        ({**PERSON, "numero_utilisateur": "AB12"}, "numero_utilisateur"),
        ({**MANAGER, "raison_sociale": ""}, "raison_sociale"),
        ({**MANAGER, "siret": "73282932000075"}, "siret"),
        ({**MANAGER, "siret": ""}, "siret"),
        ({**PERSON, "email": ""}, "code_postal"),
        ({**POSTED, "ville": ""}, "adresse"),
        ({**POSTED, "code_postal": "7300"}, "code_postal"),
        ({**POSTED, "code_postal": "2A000"}, "code_postal"),
        ({**POSTED, "adresse_1": ""}, "adresse"),
        ({**POSTED, "adresse_2": "x" * 39}, "adresse"),
        ({**POSTED, "nom": "Très-Long-Nom-De-Famille-Sans-Aucun-Espace"}, "adresse"),
        ({**POSTED, "ville": "x" * 38}, "adresse"),
    ],
)
def test_each_mistake_has_its_code(fields: dict[str, str], code: str) -> None:
    assert refusal(fields).code == code


def test_every_reason_is_said_at_once() -> None:
    message = str(refusal({**PERSON, "departement": "20", "email": "zoe", "nom": ""}))
    for part in ("département", "adresse mail", "nom"):
        assert part in message


def test_a_row_is_the_same_row_whatever_its_spelling_of_nothing() -> None:
    assert read(PERSON).digest() == read({**PERSON, "ville": " ", "nom": "Lefe\u0300vre"}).digest()
    assert read(PERSON).digest() != read({**PERSON, "nom": "Lefebvre"}).digest()
