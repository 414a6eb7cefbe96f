"""What every page and every error state must satisfy: axe-core, and the rules that axe does not know.

The page under test is never touched: its HTML, without scripts, is shown again by a twin browser that has
JavaScript and no CSP, so that pages are inspected in the same way with JavaScript on and off.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Route, ViewportSize

AXE = Path(__file__).parents[1] / "interop" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = ViewportSize(width=320, height=640)

RULES = """() => {
  const wrong = [], all = (selector) => [...document.querySelectorAll(selector)];
  if (document.documentElement.lang !== 'fr') wrong.push('html[lang] is not fr');
  if (all('h1').length !== 1) wrong.push(`${all('h1').length} h1`);
  const ids = all('[id]').map((element) => element.id);
  ids.filter((id, index) => ids.indexOf(id) !== index).forEach((id) => wrong.push(`id ${id} twice`));
  for (const name of ['for', 'aria-describedby', 'aria-labelledby', 'aria-controls'])
    for (const element of all(`[${name}]`))
      for (const id of element.getAttribute(name).split(/\\s+/).filter(Boolean))
        if (!document.getElementById(id)) wrong.push(`${name} points to ${id}, which is not there`);
  for (const link of all('main a[href^="#"]'))
    if (!document.getElementById(link.getAttribute('href').slice(1))) wrong.push(`dead link ${link.href}`);
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth)
    wrong.push(`scrolls sideways: ${document.documentElement.scrollWidth} px`);
  for (const form of all('main form[method=post]:has(input:not([type=hidden]))'))
    if (!form.noValidate) wrong.push('a form without novalidate');
  return wrong;
}"""

# journeys.md C19: French typography of what is shown.
ORDINARY_SPACE = re.compile(r"\S* [;:!?»](?:\s|$)|« \S*")
STRAIGHT_APOSTROPHE = re.compile(r"\w+'\w+")
FOREIGN = re.compile(r"\b(login|password|submit|error|invalid|veuillez)\b", re.IGNORECASE)


@cache
def _axe_source() -> str:
    assert AXE.exists(), "axe-core is missing: npm ci in tests/interop"
    return AXE.read_text(encoding="utf-8")


class Inspector:
    """Inspects each distinct state of a page once: `data-page`, error summary and refused fields."""

    def __init__(self, browser: Browser) -> None:
        self._context: BrowserContext = browser.new_context(bypass_csp=True, viewport=PHONE, locale="fr-FR")
        self._twin: Page = self._context.new_page()
        self._seen: set[tuple[object, ...]] = set()

    def close(self) -> None:
        self._context.close()

    def inspect(self, page: Page, *, javascript: bool) -> None:
        """Fail with everything that is wrong on `page` as it is shown now."""
        html = re.sub(r"<script\b.*?</script>", "", page.content(), flags=re.DOTALL | re.IGNORECASE)
        state = (javascript, page.title(), *sorted(re.findall(r"data-(?:page|vue)=\"[^\"]*\"|role=\"\w+\"", html)))
        state = (*state, *sorted(re.findall(r"<input[^>]*aria-invalid[^>]*name=\"(\w+)\"", html)))
        if state in self._seen:
            return
        self._seen.add(state)
        wrong = self._inspect(page.url, html)
        assert not wrong, f"{page.url} « {page.title()} »:\n" + "\n".join(wrong)

    def _inspect(self, url: str, html: str) -> list[str]:
        def answer(route: Route) -> None:
            if route.request.is_navigation_request():
                route.fulfill(body=html, content_type="text/html; charset=utf-8")
            else:
                route.continue_()

        self._twin.route("**/*", answer)
        self._twin.goto(url)
        wrong: list[str] = self._twin.evaluate(RULES)
        wrong += _typography(self._twin.locator("body").inner_text())
        self._twin.add_script_tag(content=_axe_source())
        options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
        result = self._twin.evaluate("options => axe.run(document, options)", options)
        self._twin.unroute("**/*")
        return wrong + [_told(violation) for violation in result["violations"]]


def _typography(text: str) -> list[str]:
    found = [*ORDINARY_SPACE.findall(text), *STRAIGHT_APOSTROPHE.findall(text), *FOREIGN.findall(text)]
    return [f"typography or foreign word: {part!r}" for part in found]


def _told(violation: dict[str, Any]) -> str:
    nodes = "; ".join(node["html"][:200] for node in violation["nodes"][:3])
    return f"axe {violation['id']} ({violation['impact']}): {violation['help']}: {nodes}"
