"""Identifiers: opaque, one namespace, one canonical form."""

import unicodedata

import pytest

from idp.accounts import identifiers


@pytest.mark.security("LG-10")
def test_a_minted_identifier_is_random_readable_ascii_and_canonical() -> None:
    minted = {identifiers.mint() for _ in range(2_000)}
    assert len(minted) == 2_000
    for each in minted:
        assert len(each) == 12
        assert not set(each) & set("01OILAEUY")
        assert identifiers.canonical(each) == each
        assert identifiers.refusal(each) is None


def test_a_minted_identifier_is_shown_in_groups_and_an_imported_one_as_it_is() -> None:
    minted = identifiers.mint()
    shown = identifiers.display(minted)
    assert [len(group) for group in shown.split("-")] == [4, 4, 4]
    assert identifiers.canonical(shown) == minted
    assert identifiers.display("JEAN.DUPONT") == "JEAN.DUPONT"


@pytest.mark.security("LG-06")
@pytest.mark.parametrize(
    "typed",
    [
        "kxpm3rtw9bcd",
        "KXPM-3RTW-9BCD",
        "KXPM\u20113RTW\u20149BCD",
        "KXPM\u22123RTW9BCD",
        " KXPM 3RTW\u00a09BCD\t",
        "KXPM3RTW9BCD\0",
        "KXPM\u200b3RTW9BCD",
        "KXPM\u00ad3RTW9BCD",
        "ＫＸＰＭ３ＲＴＷ９ＢＣＤ",
        "\ufeffKXPM3RTW9BCD",
        "\u202eKXPM3RTW9BCD",
    ],
)
def test_every_variant_leads_to_one_form(typed: str) -> None:
    assert identifiers.canonical(typed) == "KXPM3RTW9BCD"


@pytest.mark.security("LG-06")
def test_both_unicode_forms_of_an_accent_are_one() -> None:
    assert identifiers.canonical("h\u00e9l\u00e8ne") == identifiers.canonical(unicodedata.normalize("NFD", "hélène"))


@pytest.mark.parametrize("typed", ["", "\0", "a" * 1_000_000, "\ufdfa" * 1_000, "\ud800", "ß" * 100, "ŉ" * 500])
def test_canonical_takes_anything_stays_short_and_is_stable(typed: str) -> None:
    once = identifiers.canonical(typed)
    assert len(once) <= 64
    assert identifiers.canonical(once) == once


@pytest.mark.security("LG-14")
@pytest.mark.parametrize("typed", ["КXPM3RTW9BCD", "KXPM3RTW9BCDé", "ΚXPM3RTW9BCD"])
def test_a_look_alike_letter_matches_no_identifier(typed: str) -> None:
    assert identifiers.canonical(typed) != "KXPM3RTW9BCD"
    assert identifiers.refusal(typed) is not None


@pytest.mark.security("LG-15")
@pytest.mark.parametrize(
    "imported",
    [
        "zoe@exemple.fr",
        "zoe＠exemple.fr",
        "abc",
        "a" * 33,
        "a" * 70,
        ".abcd",
        "abc/def",
        "732 829 320 00074",
        "U7643GEHPVE73C",
    ],
)
def test_an_imported_identifier_is_never_a_mail_address_nor_another_number(imported: str) -> None:
    assert identifiers.refusal(imported) is not None


@pytest.mark.parametrize("imported", ["BAILLEUR-0001", "jean.dupont_73", "1234"])
def test_an_ordinary_identifier_is_kept(imported: str) -> None:
    assert identifiers.refusal(imported) is None
