"""User numbers: minted with a check character, read as people type them."""

import itertools

import pytest

from idp.accounts import user_numbers
from idp.accounts.readable_codes import ALPHABET

OURS = "UPFAV5SYMXM93" + user_numbers.check_character("UPFAV5SYMXM93")
SIRET = "73282932000074"


@pytest.mark.security("LG-10")
def test_a_minted_number_has_14_characters_begins_with_u_and_is_not_to_be_guessed() -> None:
    minted = {user_numbers.mint() for _ in range(2_000)}
    assert len(minted) == 2_000
    for number in minted:
        assert len(number) == 14
        assert number[0] == "U"
        assert not set(number) & set("01OIL")
        assert user_numbers.problem(number) is None
    shared = max(len(set(column)) for column in zip(*minted, strict=True))
    assert shared == len(ALPHABET)


def test_every_single_error_is_caught() -> None:
    for place, sign in itertools.product(range(1, 14), ALPHABET):
        changed = OURS[:place] + sign + OURS[place + 1 :]
        assert (user_numbers.problem(changed) is None) == (changed == OURS)


def test_every_swap_of_two_signs_is_caught() -> None:
    for first, second in itertools.combinations(range(1, 14), 2):
        signs = list(OURS)
        signs[first], signs[second] = signs[second], signs[first]
        changed = "".join(signs)
        assert (user_numbers.problem(changed) is None) == (changed == OURS)


@pytest.mark.parametrize(
    "typed", [OURS.lower(), user_numbers.display(OURS), f" {OURS} ", OURS.replace("U", "u.", 1), "\u00a0".join(OURS)]
)
def test_case_spaces_hyphens_and_dots_are_forgiven(typed: str) -> None:
    assert user_numbers.canonical(typed) == OURS
    assert user_numbers.problem(typed) is None
    assert user_numbers.is_own(typed)


def test_a_number_is_shown_in_groups() -> None:
    assert [len(group) for group in user_numbers.display(OURS).split("-")] == [4, 4, 3, 3]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", ("pb.numero.erreur.vide", {})),
        (" - ", ("pb.numero.erreur.vide", {})),
        ("U234", ("pb.numero.erreur.longueur", {"n": 4})),
        (OURS + "2", ("pb.numero.erreur.longueur", {"n": 15})),
        ("U" + "0" * 13, ("pb.numero.erreur.cle", {})),
        ("UÉ" + OURS[2:], ("pb.numero.erreur.cle", {})),
        (SIRET, ("pb.numero.erreur.siret", {})),
        ("732 829 320 00074", ("pb.numero.erreur.siret", {})),
        ("AB12CD34EF56GH", None),
        ("73282932000075", None),
    ],
)
def test_each_mistake_has_its_own_sentence(typed: str, expected: object) -> None:
    assert user_numbers.problem(typed) == expected


def test_an_imported_number_that_looks_like_a_siret_is_no_mistake() -> None:
    assert user_numbers.problem(SIRET, known=lambda number: number == SIRET) is None


def test_an_imported_number_is_kept_unless_it_is_a_false_one_of_ours() -> None:
    assert user_numbers.importable("AB12CD34EF56GH")
    assert user_numbers.importable(OURS)
    assert not user_numbers.importable("U2345678923456")
    assert not user_numbers.importable("AB12")
    assert not user_numbers.importable("AB12CD34EF56G@")


def test_what_a_number_looks_like_is_told_without_knowing_any_account() -> None:
    assert user_numbers.looks_like_ours("u" + OURS[1:])
    assert user_numbers.looks_like_ours("U2345678923456")
    assert not user_numbers.looks_like_ours("BAILLEUR0001")
    assert user_numbers.looks_like_a_siret(SIRET)
    assert not user_numbers.looks_like_a_siret(OURS)
