"""What a password must be: L01 to L04 of the journeys."""

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from idp.accounts import password_rules
from idp.accounts.password_rules import Holder, is_common


def holder(**values: Any) -> Holder:
    """A landlord of the Savoie."""
    told = {
        "id": "0" * 32,
        "partner_type": "physique",
        "user_number": "UKXPM3RTW9BCD2",
        "identifier": "KXPM3RTW9BCD",
        "family_name": "Lefèvre-Ravoux",
        "given_name": "Zoé",
        "email": None,
        "suggested_email": "z.ravoux+73@exemple.fr",
        "organisation_name": None,
        "siret": None,
        **values,
    }
    return cast(Holder, SimpleNamespace(**told))


MANAGER = holder(partner_type="moral", organisation_name="SCI du Lac", siret="73282932000074")


def keys(password: str, account: Holder | None = None) -> list[str]:
    return [key for key, _ in password_rules.problems(account or holder(), password, password_rules.french)]


@pytest.mark.parametrize(
    "password",
    ["Kt7#mqz!Vb2w", "Kt7mqzVb2wXr9p", "vingt lettres à la suite", "correct cheval batterie agrafe", "Œil7#naïf!Vb2"],
)
def test_each_of_the_three_forms_is_accepted(password: str) -> None:
    assert keys(password) == []


def test_the_cnil_example_of_twelve_characters_is_accepted_though_it_computes_to_less_than_80_bits() -> None:
    assert keys("gR7!vz%2Kq#p") == []


@pytest.mark.parametrize(
    ("password", "key", "values"),
    [
        ("", "e2.erreur.vide", {}),
        ("Kt7#mqz!Vb2", "e2.erreur.court", {"n": 11}),
        ("kt7#mqz!vb2w", "e2.erreur.simple", {"manque": "une majuscule"}),
        ("KT7#MQZ!VB2W", "e2.erreur.simple", {"manque": "une minuscule"}),
        ("Ktx#mqz!Vbcw", "e2.erreur.simple", {"manque": "un chiffre"}),
        ("Kt7mqzVb2wXr9", "e2.erreur.simple", {"manque": "un caractère spécial"}),
        ("ktxmqzvbswrp", "e2.erreur.simple", {"manque": "une majuscule, un chiffre, un caractère spécial"}),
        ("dix-neuf lettres ok", "e2.erreur.simple", {"manque": "une majuscule, un chiffre"}),
        ("Kt7#mqz!\0Vb2w", "e2.erreur.caractere", {}),
        ("Kt7#mqz!\ud800Vb2w", "e2.erreur.caractere", {}),
        ("x" * 1025, "e2.erreur.long", {"n": 1024}),
        ("é" * 513, "e2.erreur.long", {"n": 1024}),
    ],
)
def test_each_refusal_says_what_is_missing(password: str, key: str, values: dict[str, object]) -> None:
    assert password_rules.problems(holder(), password, password_rules.french)[0] == (key, values)


def test_an_organisation_needs_sixteen_characters() -> None:
    assert password_rules.minimum(MANAGER) == 16
    assert password_rules.minimum(holder()) == 12
    problems = password_rules.problems(MANAGER, "Kt7#mqz!Vb2wXr9", password_rules.french)
    assert problems == [("e2.erreur.court_organisme", {"n": 15})]
    assert keys("Kt7#mqz!Vb2wXr9p", MANAGER) == []
    assert keys("Kt7mqzVb2wXr9pLd", MANAGER) == []


def test_128_characters_of_any_script_are_accepted() -> None:
    assert keys("漢字かな交じり文は長くても使えるはずです。" * 3 + "終") == []


@pytest.mark.parametrize(
    "password",
    [
        "MonComptePartenaire1!",
        "Motdepasse2024!",
        "M0td3p@sse2024",
        "Azertyuiop123!",
        "azertyuiopqsdfghjklmwxcvbn",
        "Bonjour12345678!",
        "!!!!Password1234",
        "PasswordPassword1!",
        "MotDePasse-Azerty-1",
        "Espace Bailleur 2026 !",
        "AAAAaaaa1111!!!!",
        "abcabcabcabcabcabcabc",
        "12345678901234567890",
        "abcdefghijklmnopqrstuvwxyz",
        "zyxwvutsrqponmlkjihgfedcba",
        "MarieMartin1985!",
    ],
)
def test_what_everybody_chooses_is_refused(password: str) -> None:
    assert "e2.erreur.courant" in keys(password)


@pytest.mark.parametrize(
    "password", ["soleil chocolat montagne plage", "Kt7#mqz!Vb2w", "un cheval mange ma pomme verte"]
)
def test_a_passphrase_of_common_words_is_not_a_common_password(password: str) -> None:
    assert not is_common(password)


@pytest.mark.parametrize(
    "password",
    [
        "xx Lefevre-Ravoux 1985 !",
        "XXLEFÈVRERAVOUX1985!a",
        "kt7 KXPM-3RTW-9BCD Vb!",
        "kt7 ukxpm3rtw9bcd2 Vb!",
        "kt7!Z.Ravoux+73!Vb2w",
    ],
)
def test_what_the_account_says_of_its_holder_is_refused_whatever_its_case_and_accents(password: str) -> None:
    assert "e2.erreur.personnel" in keys(password)


def test_the_name_and_the_siren_of_the_organisation_are_refused() -> None:
    assert "e2.erreur.personnel" in keys("Kt7#mqz! SCI du Lac Vb2w", MANAGER)
    assert "e2.erreur.personnel" in keys("Kt7#mqz!732829320Vb2w", MANAGER)


def test_a_part_of_fewer_than_four_letters_is_chance() -> None:
    assert keys("Kt7#zoé!Vb2w") == []


def test_the_work_is_bounded_whatever_is_typed() -> None:
    start = time.process_time()
    for text in ("a" * 10_000_000, "ab" * 512, "\ufdfa" * 300, "motdepasse" * 100, ("x" * 11 + "y") * 85):
        keys(text)
    assert time.process_time() - start < 3
