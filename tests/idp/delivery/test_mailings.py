"""Who can be written to, and what cannot be put together."""

import dataclasses
from typing import Any

import pytest

from idp.delivery.mailings import (
    CodeMailing,
    IdentifierMailing,
    NoticeMailing,
    PasswordMailing,
    Recipient,
    recipient_key,
)
from idp.delivery.postal import address_block
from idp.delivery.refusals import AddressRefused, RecipientRefused
from tests.idp.delivery.conftest import IDENTIFIER, PASSWORD, identifier_mailing, password_mailing

STREET = ("12 rue des Lilas", "75011 Paris")
TWO_RECIPIENTS_OR_NONE = [
    "a@x.fr,b@y.fr",
    "a@x.fr;b@y.fr",
    "a@x.fr b@y.fr",
    "a@x.fr>,<b@y.fr",
    "Nom <a@x.fr>",
    "<a@x.fr>",
    "a@x.fr\r\nBcc: b@y.fr",
    "a@x.fr\n",
    "a\x00@x.fr",
    '"a\r\nBcc: b@y.fr"@x.fr',
    '"a b"@x.fr',
    "a(b@y.fr)@x.fr",
    "=?utf-8?q?a=0d=0aBcc:b?=@x.fr",
    "é@x.fr",
    "a@[127.0.0.1]",
    "a@@x.fr",
    "sans-arobase",
    " a@x.fr",
]


def test_a_type_holds_one_half_only() -> None:
    names = {kind: {field.name for field in dataclasses.fields(kind)} for kind in (IdentifierMailing, PasswordMailing)}
    assert names[IdentifierMailing] & names[PasswordMailing] == {
        "account_id",
        "user_number",
        "partner_type",
        "recipient",
    }
    assert "provisional_password" not in names[IdentifierMailing]
    assert "identifier" not in names[PasswordMailing]


@pytest.mark.parametrize("key", ["identifiant", "mdp", "oubli", "code", "invitation"])
def test_a_notice_cannot_take_the_text_of_a_secret(key: str) -> None:
    with pytest.raises(ValueError, match="carries a secret"):
        NoticeMailing(None, key, "a@bailleur.example", {})


def test_a_password_and_a_code_never_show_in_a_representation() -> None:
    assert PASSWORD not in repr(password_mailing())
    assert "482913" not in repr(CodeMailing("a", "a@bailleur.example", "482913", 1800))
    assert IDENTIFIER in repr(identifier_mailing())


@pytest.mark.security("ML-01", "ML-02")
@pytest.mark.parametrize("email", TWO_RECIPIENTS_OR_NONE)
def test_what_is_not_exactly_one_address_is_refused(email: str) -> None:
    def coded(email: str) -> Any:
        return CodeMailing("a", email, "482913", 1800)

    def told(email: str) -> Any:
        return NoticeMailing(None, "code_deja", email, {})

    for make in (coded, told, lambda email: Recipient("Odile", email)):
        with pytest.raises(RecipientRefused) as refused:
            make(email)
        assert email.strip() not in str(refused.value)


@pytest.mark.security("ML-02")
def test_a_look_alike_domain_is_written_as_it_travels() -> None:
    assert Recipient("Odile", "odile@аррӏе.com").email == "odile@xn--80ak6aa92e.com"
    assert Recipient("Odile", "odile+75@bailleur.example").email == "odile+75@bailleur.example"


@pytest.mark.security("ML-01")
@pytest.mark.parametrize("name", ["Odile\r\nBcc: b@y.fr", "Odile\x00", "Odile\u2028", "Odile \u202eelido"])
def test_a_name_with_an_unprintable_sign_is_refused(name: str) -> None:
    with pytest.raises(RecipientRefused):
        Recipient(name, "odile@bailleur.example")
    with pytest.raises(RecipientRefused):
        Recipient("Odile", None, (name, *STREET))


def test_the_last_three_lines_are_in_capitals_without_punctuation_and_the_name_is_kept() -> None:
    assert address_block("Ysé d’Ormesson", ("Chez M. N’Guyen", "Bât. 3", "12, rue de l’Église", "20000 Ajaccio")) == (
        "Ysé d’Ormesson",
        "Chez M. N’Guyen",
        "BÂT 3",
        "12 RUE DE L ÉGLISE",
        "20000 AJACCIO",
    )


def test_a_name_that_the_address_says_again_is_not_printed_twice() -> None:
    assert address_block("SCI Élodie", ("Odile Le Goff", "SCI ELODIE", "", *STREET)) == (
        "SCI Élodie",
        "ODILE LE GOFF",
        "12 RUE DES LILAS",
        "75011 PARIS",
    )


def test_a_long_name_takes_two_lines_and_is_never_cut() -> None:
    name = "Société Civile Immobilière des Trois Hirondelles"
    assert address_block(name, STREET)[:2] == ("Société Civile Immobilière des Trois", "Hirondelles")


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("Odile Lefèvre", ()),
        ("Odile Lefèvre", ("", " ")),
        ("", STREET),
        ("Odile Lefèvre", ("a", "b", "c", "d", "e", "f")),
        ("Odile Lefèvre", ("12 boulevard " + "x" * 30, "75011 Paris")),
        ("N" * 39, STREET),
    ],
)
def test_an_address_that_does_not_fit_is_refused_rather_than_cut(name: str, address: tuple[str, ...]) -> None:
    with pytest.raises(AddressRefused):
        Recipient(name, None, address)


def test_an_address_counts_as_one_recipient_whatever_the_account_and_the_case() -> None:
    one, same = Recipient("A", "odile@bailleur.example"), Recipient("B", "Odile@bailleur.example")
    assert recipient_key(one) == recipient_key(same)
    assert recipient_key(one) != recipient_key(Recipient("A", None, STREET))
    assert recipient_key(Recipient("A", None, STREET)) != recipient_key(Recipient("B", None, STREET))
