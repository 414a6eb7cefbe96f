"""Reading what people type."""

import pytest

from consent import answers
from consent.mail_typos import suggestion


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Y", "Y"),
        ("Ÿ", "Ÿ"),
        ("N’Guyen--Dubois", "N’Guyen--Dubois"),
        ("d'Ormesson", "d'Ormesson"),
        ("Ould Mohamed Lemine", "Ould Mohamed Lemine"),
        ("Œuvrard", "Œuvrard"),
        ("de La Fontaine", "de La Fontaine"),
        ("J. M.", "J. M."),
        (" \u00a0Le Goff ", "Le Goff"),
        ("Zoe\u0301", "Zoé"),
        ("王", "王"),
        ("a" * 100, "a" * 100),
        ("e\u0301" * 100, "é" * 100),
    ],
)
def test_a_name_is_kept_as_its_holder_writes_it(typed: str, kept: str) -> None:
    assert answers.name(typed, "nom") == kept


@pytest.mark.security("ML-01", "IN-03")
@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Zoé\r\nBcc: x", "U+000D"),
        ("Zoé\n", "U+000A"),
        ("a\0b", "U+0000"),
        ("a\u202eb", "U+202E"),
        ("<b>", "<"),
        ("=?utf-8?q?x?=", "="),
        ("Jean2", "2"),
    ],
)
def test_a_character_that_no_name_has_is_refused_and_named(typed: str, shown: str) -> None:
    with pytest.raises(answers.Mistyped) as mistyped:
        answers.name(typed, "nom")
    assert (mistyped.value.key, mistyped.value.values) == ("e1.erreur.nom_caractere", {"caractere": shown})


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("", "e1.erreur.prenom_vide"),
        ("  ", "e1.erreur.prenom_vide"),
        ("-'", "e1.erreur.prenom_vide"),
        ("a" * 101, "e1.erreur.prenom_long"),
        ("a" * 1_000_000, "e1.erreur.prenom_long"),
    ],
)
def test_an_empty_or_endless_name_is_refused(typed: str, key: str) -> None:
    with pytest.raises(answers.Mistyped) as mistyped:
        answers.name(typed, "prenom")
    assert mistyped.value.key == key


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("nom@exemple.fr", "nom@exemple.fr"),
        (" nom+UABC@Exemple.FR ", "nom+UABC@exemple.fr"),
        ("nom@exémple.fr", "nom@xn--exmple-cva.fr"),
    ],
)
def test_an_address_is_kept_with_its_domain_in_ascii(typed: str, kept: str) -> None:
    assert answers.mail_address(typed) == kept


@pytest.mark.security("ML-02")
def test_a_look_alike_domain_shows_itself() -> None:
    assert answers.mail_address("nom@p\u0430ypal.com").startswith("nom@xn--")


@pytest.mark.security("ML-01", "ML-02", "IN-06")
@pytest.mark.parametrize(
    "typed",
    [
        "nom",
        "a@x.fr,b@y.fr",
        "a@x.fr;b@y.fr",
        "a@x.fr b@y.fr",
        "a@x.fr>,<b@y.fr",
        "Zoé <a@x.fr>",
        '"a b"@x.fr',
        "a@[127.0.0.1]",
        "a@localhost",
        "a@x.fr\r\nBcc: b@y.fr",
        "a@x.fr\0",
        "é@x.fr",
        "a" * 250 + "@x.fr",
        "a@" + "x." * 500_000 + "fr",
    ],
)
def test_anything_but_one_address_is_refused(typed: str) -> None:
    with pytest.raises(answers.Mistyped) as mistyped:
        answers.mail_address(typed)
    assert mistyped.value.key == "e1.erreur.mail_format"


def test_an_empty_address_is_asked_for() -> None:
    with pytest.raises(answers.Mistyped) as mistyped:
        answers.mail_address("  ")
    assert mistyped.value.key == "e1.erreur.mail_vide"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("06 12 34 56 78", "+33612345678"),
        ("06.12.34.56.78", "+33612345678"),
        ("0612345678", "+33612345678"),
        ("+33 6 12 34 56 78", "+33612345678"),
        ("0033 6 12 34 56 78", "+33612345678"),
        ("06\u00a012\u202f34 56 78", "+33612345678"),
        ("0590 99 12 34", "+590590991234"),
        ("+262 692 12 34 56", "+262692123456"),
        ("+32 470 12 34 56", "+32470123456"),
        ("", None),
        ("  ", None),
    ],
)
def test_a_telephone_is_kept_in_e164(typed: str, kept: str | None) -> None:
    assert answers.telephone(typed) == kept


@pytest.mark.parametrize("typed", ["06 12", "0800 FLEURS", "06 12 34 56 78\n", "+", "0" * 41, "9" * 1_000_000, "\0"])
def test_what_is_no_telephone_is_refused(typed: str) -> None:
    with pytest.raises(answers.Mistyped, match="tel_format"):
        answers.telephone(typed)


@pytest.mark.parametrize(
    ("e164", "shown"),
    [
        ("+33612345678", "06 12 34 56 78"),
        ("+590590991234", "0590 99 12 34"),
        ("+32470123456", "+32 470 12 34 56"),
        (None, ""),
    ],
)
def test_a_telephone_is_shown_by_groups(e164: str | None, shown: str) -> None:
    assert answers.telephone_by_pairs(e164) == shown.replace(" ", "\u00a0")


@pytest.mark.parametrize("typed", ["123456", " 123 456 ", "123\u00a0456", "1 2 3 4 5 6\n"])
def test_a_code_is_read_with_its_spaces_forgotten(typed: str) -> None:
    assert answers.code(typed) == "123456"


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("", "vide"),
        ("   ", "vide"),
        ("12345", "format"),
        ("1234567", "format"),
        ("12345a", "format"),
        ("١٢٣٤٥٦", "format"),
    ],
)
def test_what_is_no_code_is_refused(typed: str, key: str) -> None:
    with pytest.raises(answers.Mistyped, match=f"e1b.erreur.{key}"):
        answers.code(typed)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("a@gmial.com", "a@gmail.com"),
        ("a@gmail.co", "a@gmail.com"),
        ("a@gmaill.com", "a@gmail.com"),
        ("a@orang.fr", "a@orange.fr"),
        ("a@wanadoo.fx", "a@wanadoo.fr"),
        ("a@gmail.comm", "a@gmail.com"),
        ("a@gmail.fr", "a@gmail.com"),
        ("a@laposte.fr", "a@laposte.net"),
        ("a@gmail.com", None),
        ("a@ymail.com", None),
        ("a@exemple.fr", None),
        ("a@gmail-pro.com", None),
    ],
)
def test_a_slip_in_a_common_domain_is_guessed(typed: str, meant: str | None) -> None:
    assert suggestion(typed) == meant
