"""The versions below which a dependency has a hole that we know of: installed, locked and asked for."""

import re
from importlib.metadata import requires, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MINIMUM = {
    "authlib": "1.9.9",  # redirects of the server side (1.7.1), userinfo (1.8)
    "bcrypt": "5.0.0",  # refuses what it would cut at 72 bytes
    "cryptography": "45.0.1",
    "flask": "3.1.3",  # CVE-2026-27205, CVE-2025-47278
    "joserfc": "1.8.0",
    "werkzeug": "3.1.3",
}


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text.partition("+")[0])[:3])


@pytest.mark.parametrize(("name", "least"), MINIMUM.items())
def test_what_is_installed_is_safe(name: str, least: str) -> None:
    assert numbers(version(name)) >= numbers(least)


@pytest.mark.parametrize(("name", "least"), MINIMUM.items())
def test_what_is_locked_is_safe_and_held_by_its_digests(name: str, least: str) -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    found = re.search(rf"^{name}==([\d.]+)(.*(?:\n\s+.*)*)", lock, re.MULTILINE | re.IGNORECASE)
    assert found is not None
    assert numbers(found[1]) >= numbers(least)
    assert "--hash=sha256:" in found[2]


def test_everything_that_is_locked_is_held_by_a_digest() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.findall(r"^([A-Za-z0-9._-]+)==\S+(.*(?:\n\s+.*)*)", lock, re.MULTILINE)
    assert len(entries) > 30
    assert [name for name, rest in entries if "--hash=sha256:" not in rest] == []


@pytest.mark.parametrize("name", ["authlib", "bcrypt", "cryptography", "flask", "joserfc"])
def test_nobody_can_install_us_with_less(name: str) -> None:
    asked = [
        line for line in requires("mon-compte-partenaire") or [] if re.match(rf"{name}\b(?!-)", line, re.IGNORECASE)
    ]
    assert asked
    least = re.search(r">=([\d.]+)", asked[0])
    assert least is not None
    assert numbers(least[1] + ".0.0") >= numbers(MINIMUM[name])[:2]
