"""The catalogue: both languages whole, compiled, and well set in type."""

import re
import string
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import idp
from tests.idp.pages import typography

FOLDER = Path(idp.__file__).parent / "translations"
ROOT = FOLDER.parents[1]
LANGUAGES = ("fr", "en")
# A key written in a call of `t`; those that are put together at run time are not seen here.
CALL = re.compile(r"""\bt\(\s*"([a-z0-9_]+(?:\.[a-z0-9_]+)+)\"""")


def po(language: str) -> Catalog:
    with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def texts(language: str) -> dict[str, str]:
    return {str(message.id): str(message.string) for message in po(language) if message.id}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


FRENCH, ENGLISH = texts("fr"), texts("en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_current(language: str) -> None:
    with (FOLDER / language / "LC_MESSAGES" / "messages.mo").open("rb") as file:
        compiled = {str(message.id): str(message.string) for message in read_mo(file) if message.id}
    assert compiled == texts(language), "run: pybabel compile -d idp/translations"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_fuzzy_or_its_own_key(language: str) -> None:
    messages = [message for message in po(language) if message.id]
    assert not [message.id for message in messages if not message.string or message.fuzzy]
    assert not [message.id for message in messages if message.string == message.id]


def test_both_languages_have_the_same_keys() -> None:
    assert FRENCH.keys() == ENGLISH.keys()


def test_both_languages_have_the_same_placeholders() -> None:
    differing = {key for key in FRENCH if placeholders(FRENCH[key]) != placeholders(ENGLISH[key])}
    assert not differing


def test_placeholders_are_plain_names() -> None:
    names = set().union(*(placeholders(text) for text in (*FRENCH.values(), *ENGLISH.values())))
    assert all(name.isidentifier() for name in names), "no index, no attribute: a value's inside is nobody's business"


@pytest.mark.parametrize("key", FRENCH)
def test_french_is_well_set_in_type(key: str) -> None:
    assert not typography.faults(FRENCH[key])


@pytest.mark.parametrize("key", ENGLISH)
def test_english_has_no_french_spacing(key: str) -> None:
    assert not re.search(r"[\s\u00a0\u202f][;:!?]|[«»]|(?<=\w)'(?=\w)", ENGLISH[key])


def test_every_key_called_for_has_a_text() -> None:
    files = [
        file
        for room in ("idp", "consent")
        for pattern in ("*.py", "*.html")
        for file in (ROOT / room).rglob(pattern)
        if "migrations" not in file.parts
    ]
    called = {(key, file.name) for file in files for key in CALL.findall(file.read_text(encoding="utf-8"))}
    assert len(called) > 50
    assert not {(key, name) for key, name in called if key not in FRENCH}
