"""No page escapes: every `data-page` that a template declares was reached, and inspected, by a journey.

Collected last (see conftest): it reads what the other journeys of the same process visited.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT / "idp" / "templates", ROOT / "consent" / "templates")
DECLARATION = re.compile(r"{%-?\s*set page\s*=\s*(?P<value>.+?)\s*-?%}")
LITERAL = re.compile(r"[\"']([^\"']+)[\"']")


def declared() -> dict[str, Path]:
    """Every declared value and its template. A computed one is kept as its literal beginning and a star."""
    found: dict[str, Path] = {}
    for template in (file for folder in FOLDERS for file in sorted(folder.rglob("*.html"))):
        for match in DECLARATION.finditer(template.read_text(encoding="utf-8")):
            value = match["value"]
            literals = LITERAL.findall(value)
            # A comparison with a path may choose between two pages: paths are no names of pages.
            names = [literals[0] + "*"] if "~" in value else [name for name in literals if "/" not in name]
            found.update(dict.fromkeys(names, template))
    return found


def reached(name: str, visited: set[str]) -> bool:
    return name in visited or (name.endswith("*") and any(page.startswith(name[:-1]) for page in visited))


def test_every_declared_page_was_visited(visited: set[str]) -> None:
    pages = declared()
    assert pages, "no template declares a page"
    missed = {name: str(file.relative_to(ROOT)) for name, file in pages.items() if not reached(name, visited)}
    assert not missed, f"no journey visited {missed}"


def test_every_visited_page_is_declared(visited: set[str]) -> None:
    stars = tuple(name[:-1] for name in declared() if name.endswith("*"))
    unknown = {page for page in visited if page not in declared() and not (stars and page.startswith(stars))}
    assert not unknown, f"visited but declared by no template: {unknown}"
