"""From Markdown to the HTML that people see: no raw HTML, no picture, no dangerous link.

Headings go down one level, because the page that carries the text has the only `h1`.
"""

from dataclasses import dataclass
from hashlib import sha256

from markdown_it import MarkdownIt
from markdown_it.token import Token

from consent.refusals import PublicationRefused

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


@dataclass(frozen=True)
class Rendered:
    """A text ready to be shown: its title, its HTML, and the SHA-256 (hexadecimal) of that HTML in UTF-8."""

    title: str
    html: str
    sha256: str


def render(markdown: str) -> Rendered:
    """Render `markdown`, whose first line must be its title (`# Titre`), else `PublicationRefused`."""
    tokens = _MARKDOWN.parse(markdown)
    title = _title(tokens)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
    html: str = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return Rendered(title, html, sha256(html.encode()).hexdigest())


def _title(tokens: list[Token]) -> str:
    if len(tokens) < 2 or tokens[0].type != "heading_open" or tokens[0].tag != "h1":
        raise PublicationRefused("Le texte n’a pas de titre : commencez-le par une ligne « # Titre ».")
    return tokens[1].content.strip()[:200]
