"""The letters, measured on the sheet and read as text."""

import io
import unicodedata
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

import pdfplumber
import pypdf
import pytest

from idp.delivery.channel import Envelope, Never
from idp.delivery.letter import LetterChannel, Typesetter
from idp.delivery.mailings import CodeMailing, IdentifierMailing, PasswordMailing, Recipient
from idp.delivery.postal import address_block
from idp.delivery.spelling import spelled
from tests.idp.delivery.conftest import BY_POST, IDENTIFIER, NUMBER, PASSWORD, identifier_mailing, password_mailing

AT = 1_795_532_400  # 24 November 2026, 16:00 in Paris
MM = 72 / 25.4
STREET = ("12 rue des Lilas", "75011 Paris")
FULL = Recipient(
    "Société Civile Immobilière des Trois Hirondelles",
    None,
    (
        "Mesdames Odile et Ysé de La Fontaine-B",
        "Apt 12 Escalier B Résidence du Parc",
        "142 avenue de la République prolongée",
        "97133 Saint-Barthélemy",
    ),
)
MORAL = identifier_mailing(FULL, partner_type="moral", organisation_name="SCI des Trois Hirondelles")
WIDEST = password_mailing(FULL, provisional_password="WWWW-QQQQ-MMMM-WWWW")
EVERY = [identifier_mailing(BY_POST), password_mailing(BY_POST), MORAL, WIDEST]
HARD_NAMES = [
    "Y",
    "Ÿ",
    "N’Guyen--Dubois",
    "N'Guyen",
    "Ould Mohamed Lemine",
    "Œuvrard",
    "de La Fontaine",
    "d’Ormesson",
    "Le Goff",
    "François Æschbacher-Łukasz",
    "M. Müller Đặng Ștefan",
    "= #panic() *gras* _souligné_ $x$ `code`",
    "\\#emph[x] @ref <label> // fin /* */",
    '{"json": "[1]"} ~ -- --- ...',
]


def ids(value: Any) -> str:
    return value.envoi if isinstance(value, IdentifierMailing | PasswordMailing) else ""


def sheet(typesetter: Typesetter, mailing: IdentifierMailing | PasswordMailing) -> Any:
    """The only page of the letter."""
    [page] = pdfplumber.open(io.BytesIO(typesetter.pdf(mailing, AT))).pages
    return page


def values(text: str) -> dict[str, str]:
    labels = ("Identifiant", "Mot de passe provisoire", "Numéro utilisateur", "Code")
    return {label: value for label, value in pairwise(text.splitlines()) if label in labels}


@pytest.mark.parametrize("mailing", EVERY, ids=ids)
def test_a_letter_is_one_a4_page_with_margins(
    typesetter: Typesetter, mailing: IdentifierMailing | PasswordMailing
) -> None:
    page = sheet(typesetter, mailing)
    assert (round(page.width / MM), round(page.height / MM)) == (210, 297)
    assert min(char["x0"] for char in page.chars) >= 18 * MM
    assert max(char["x1"] for char in page.chars) <= 195 * MM
    assert max(char["bottom"] for char in page.chars) <= 287 * MM


@pytest.mark.parametrize("mailing", EVERY, ids=ids)
def test_the_address_and_nothing_else_is_in_the_window(
    typesetter: Typesetter, mailing: IdentifierMailing | PasswordMailing
) -> None:
    """85 x 33 mm, 110 mm from the left, 55 mm from the top; 5 mm around it stay empty."""
    page = sheet(typesetter, mailing)
    window = page.crop((110 * MM, 55 * MM, 195 * MM, 88 * MM), strict=True).extract_text().splitlines()
    around = page.crop((105 * MM, 50 * MM, 200 * MM, 93 * MM), strict=True)
    assert tuple(window) == address_block(mailing.recipient.name, mailing.recipient.address)
    assert len(window) <= 6
    assert max(map(len, window)) <= 38
    assert around.extract_text().splitlines() == window
    sizes = {round(char["size"], 1) for char in around.chars}
    assert sizes == {10.0}
    left = [char["x0"] for char in around.chars]
    assert min(left) >= 112 * MM
    assert max(char["x1"] for char in around.chars) <= 193.5 * MM


@pytest.mark.security("PW-13")
@pytest.mark.parametrize("mailing", EVERY, ids=ids)
def test_nothing_secret_is_above_the_first_fold_and_the_secret_is_where_the_thumb_is(
    typesetter: Typesetter, mailing: IdentifierMailing | PasswordMailing
) -> None:
    page = sheet(typesetter, mailing)
    secret = mailing.identifier if isinstance(mailing, IdentifierMailing) else mailing.provisional_password
    upper = page.crop((0, 0, page.width, 100 * MM)).extract_text()
    for text in (secret, *secret.split("-"), NUMBER, "passe", "dentifiant"):
        assert text not in upper
    middle = page.crop((0, 150 * MM, page.width, 200 * MM))
    large = [char for char in middle.chars if char["size"] >= 24]
    assert "".join(char["text"] for char in large) == secret
    assert all("DejaVuSansMono" in char["fontname"] for char in large)


@pytest.mark.security("PW-13")
def test_each_value_stands_alone_after_its_label_and_the_other_half_is_absent(typesetter: Typesetter) -> None:
    first = sheet(typesetter, identifier_mailing(BY_POST)).extract_text()
    second = sheet(typesetter, password_mailing(BY_POST)).extract_text()
    assert values(first) == {"Identifiant": IDENTIFIER, "Numéro utilisateur": NUMBER}
    assert values(second) == {"Mot de passe provisoire": PASSWORD, "Numéro utilisateur": NUMBER}
    assert IDENTIFIER not in second
    assert PASSWORD not in first


@pytest.mark.security("ML-05")
def test_the_file_itself_says_no_secret_in_its_title_or_metadata(typesetter: Typesetter) -> None:
    reader = pypdf.PdfReader(io.BytesIO(typesetter.pdf(password_mailing(BY_POST), AT)))
    told = f"{reader.metadata} {reader.xmp_metadata and reader.xmp_metadata.stream.get_data()!r}"
    assert PASSWORD not in told
    assert BY_POST.name not in told


@pytest.mark.parametrize("mailing", EVERY, ids=ids)
def test_a_letter_is_accessible_and_prints_anywhere(
    typesetter: Typesetter, mailing: IdentifierMailing | PasswordMailing
) -> None:
    """PDF/UA-1: tagged, in French, with a title that viewers show; every font inside."""
    reader = pypdf.PdfReader(io.BytesIO(typesetter.pdf(mailing, AT)))
    root = reader.trailer["/Root"].get_object()
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"].lower().startswith("fr")
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert "/StructTreeRoot" in root
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    assert reader.metadata is not None
    assert "Mon Compte Partenaire" in (reader.metadata.title or "")
    fonts = [font.get_object() for font in reader.pages[0]["/Resources"]["/Font"].values()]
    for font in fonts:
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3"} & set(descriptor)


@pytest.mark.parametrize("mailing", EVERY, ids=ids)
def test_no_text_is_smaller_than_a_tired_eye_reads(
    typesetter: Typesetter, mailing: IdentifierMailing | PasswordMailing
) -> None:
    page = sheet(typesetter, mailing)
    below = page.crop((0, 93 * MM, page.width, page.height))
    assert min(round(char["size"], 1) for char in below.chars) >= 11


@pytest.mark.parametrize("name", HARD_NAMES)
def test_a_hard_name_is_printed_as_it_is_written(typesetter: Typesetter, name: str) -> None:
    page = sheet(typesetter, identifier_mailing(Recipient(name, None, STREET)))
    window = page.crop((110 * MM, 55 * MM, 195 * MM, 88 * MM)).extract_text().splitlines()
    read = unicodedata.normalize("NFC", " ".join(window[:-2]))
    assert read == unicodedata.normalize("NFC", name)


def test_an_organisation_is_told_who_becomes_administrator_and_a_person_how_to_sort_her_letters(
    typesetter: Typesetter,
) -> None:
    moral, physical = sheet(typesetter, MORAL).extract_text(), sheet(typesetter, EVERY[0]).extract_text()
    assert "administrateur" in moral
    assert "administrateur" not in physical
    assert "Vous recevez plusieurs courriers" in physical


def test_the_letter_is_dated_and_says_until_when(typesetter: Typesetter) -> None:
    text = sheet(typesetter, password_mailing(BY_POST, expires_at=AT + 30 * 86400)).extract_text()
    text = text.replace("\u00a0", " ")
    assert "Le 24 novembre 2026" in text
    assert "À utiliser avant le 24 décembre 2026." in text


def test_the_password_is_spelled_group_by_group(typesetter: Typesetter) -> None:
    text = sheet(typesetter, password_mailing(BY_POST)).extract_text().replace("\u00a0", " ")
    assert "KM7P K comme Kléber, M comme Marcel, 7 (sept), P comme Pierre" in text


def test_every_sign_can_be_spelled() -> None:
    [(group, read)] = spelled("aZ0é")
    assert group == "aZ0é"
    assert read.replace("\u00a0", " ") == "a minuscule comme Anatole, Z comme Zoé, 0 (zéro), « é »"


@pytest.mark.security("ML-05", "PW-13")
def test_letters_go_to_two_folders_under_random_names_for_the_printer_only(
    letter_channel: LetterChannel, tmp_path: Path
) -> None:
    letter_channel.deliver(Envelope("1" * 32, "<1@x>", identifier_mailing(BY_POST), AT))
    letter_channel.deliver(Envelope("2" * 32, "<2@x>", password_mailing(BY_POST), AT))
    found = sorted(file.relative_to(tmp_path / "letters").as_posix() for file in tmp_path.rglob("*.pdf"))
    assert found == [f"identifiers/{'1' * 32}.pdf", f"passwords/{'2' * 32}.pdf"]
    for file in tmp_path.rglob("*.pdf"):
        assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert list(tmp_path.rglob(".*")) == []


@pytest.mark.security("F-16")
def test_a_letter_is_exactly_one_file_whatever_happened_before(letter_channel: LetterChannel, tmp_path: Path) -> None:
    envelope = Envelope("1" * 32, "<1@x>", identifier_mailing(BY_POST), AT)
    folder = tmp_path / "letters" / "identifiers"
    folder.mkdir(parents=True, mode=0o700)
    (folder / f".{envelope.id}.pdf.0badcafe").write_bytes(b"%PDF-1.7 half")
    letter_channel.deliver(envelope)
    [file] = folder.iterdir()
    before = file.read_bytes(), file.stat().st_mtime_ns
    letter_channel.deliver(Envelope("1" * 32, "<1@x>", identifier_mailing(BY_POST), AT + 9))
    assert [file] == list(folder.iterdir())
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before


def test_a_full_disk_leaves_nothing_and_a_later_attempt_succeeds(
    letter_channel: LetterChannel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    envelope = Envelope("1" * 32, "<1@x>", identifier_mailing(BY_POST), AT)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            letter_channel.deliver(envelope)
    assert list((tmp_path / "letters" / "identifiers").iterdir()) == []
    letter_channel.deliver(envelope)
    assert len(list((tmp_path / "letters" / "identifiers").iterdir())) == 1


def test_a_sign_that_no_font_has_is_refused_without_repeating_it(letter_channel: LetterChannel, tmp_path: Path) -> None:
    unprintable = identifier_mailing(Recipient("王伟", None, STREET))
    with pytest.raises(Never) as refused:
        letter_channel.deliver(Envelope("1" * 32, "<1@x>", unprintable, AT))
    assert str(refused.value) == "TypstError"
    assert list(tmp_path.rglob("*.pdf")) == []


def test_a_code_never_goes_by_post(letter_channel: LetterChannel) -> None:
    code = CodeMailing("a" * 32, "odile@bailleur.example", "482913", 1800)
    with pytest.raises(Never):
        letter_channel.deliver(Envelope("1" * 32, "<1@x>", code, AT))


def test_a_hundred_letters_are_set_in_seconds(typesetter: Typesetter) -> None:
    """9 ms each on a 2-core machine; the bound only catches a change of nature."""
    started = perf_counter()
    for number in range(100):
        typesetter.pdf(password_mailing(BY_POST, user_number=f"U{number:013}"), AT)
    assert perf_counter() - started < 20
