"""A person in front of a real Chromium, with JavaScript or without it.

Every page that she reaches, of the provider or of the service, is inspected (see `inspection`), and its `data-page`
is noted. Fields, buttons and pages are known by the names of the contract: no wording is needed.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Locator, Page, Response

from tests.journeys.inspection import Inspector

# A button that sends a form, and does not refuse, cancel or ask for something else: those bear a name.
SEND = "button:not([type=button]):not([name]), button:not([type=button])[name={field}]"


class Person:
    """What somebody does with one browser window."""

    def __init__(self, context: BrowserContext, inspector: Inspector, visited: set[str], javascript: bool) -> None:
        self.context, self.inspector, self.visited, self.javascript = context, inspector, visited, javascript
        self.page: Page = context.new_page()
        self.page.set_default_timeout(15_000)
        self.last: Response | None = None

    # What she sees

    @property
    def on(self) -> str | None:
        """The `data-page` of the page shown; None on a page that is not the provider's."""
        return self.page.locator("body").get_attribute("data-page")

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    @property
    def alert(self) -> Locator:
        """The error summary of the page."""
        return self.page.locator("main [role=alert]")

    def sees(self, data_page: str) -> None:
        """She is on this page of the provider, and nothing on it is an error."""
        assert self.on == data_page, f"on {self.on} ({self.page.url}), not on {data_page}"
        assert self.alert.count() == 0, self.alert.first.inner_text()

    def is_refused_on(self, data_page: str, status: int = 422) -> None:
        """She is still on this page, which now says what to correct."""
        assert self.on == data_page, f"on {self.on} ({self.page.url}), not on {data_page}"
        assert self.alert.count() == 1, "no error summary"
        assert self.last is not None
        assert self.last.status == status

    def sees_service(self, vue: str) -> None:
        """She is on this page of Espace bailleur."""
        seen = self.page.locator("body").get_attribute("data-vue")
        assert seen == vue, f"on {seen or self.on} ({self.page.url}), not on the service's « {vue} »"

    def reads(self, champ: str) -> str | None:
        """What Espace bailleur shows for a claim, None if it does not show it."""
        shown = self.page.locator(f"[data-champ={champ}]")
        return shown.inner_text() if shown.count() else None

    # What she does

    def goes_to(self, url: str) -> None:
        self._moves(lambda: self.page.goto(url))

    def goes_back(self) -> None:
        self._moves(lambda: self.page.go_back())

    def reloads(self) -> None:
        self._moves(lambda: self.page.reload())

    def follows(self, selector: str) -> None:
        """Click a link."""
        self._moves(lambda: self.page.locator(selector).first.click())

    def fills(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.locator(f"[name={name}]").fill(value)

    def ticks(self, name: str) -> None:
        self.page.locator(f"[name={name}]").check()

    def sends(self, field: str, **fields: str) -> None:
        """Fill `fields`, then send the form that holds the field named `field`."""
        self.fills(**fields)
        form = self.page.locator(f"form:has([name={field}])")
        self._moves(lambda: form.locator(SEND.format(field=field)).first.click())

    def presses(self, name: str) -> None:
        """Press the button of this name."""
        self._moves(lambda: self.page.locator(f"button[name={name}]").first.click())

    def _moves(self, act: Callable[[], Any]) -> None:
        """Do what leads to another page, wait for it, note and inspect it."""
        documents: list[Response] = []

        def note(response: Response) -> None:
            if response.request.is_navigation_request() and response.frame == self.page.main_frame:
                documents.append(response)

        self.page.on("response", note)
        try:
            act()
            self.page.wait_for_load_state()
        finally:
            self.page.remove_listener("response", note)
        self.last = documents[-1] if documents else None
        assert self.last is not None, f"nothing happened on {self.page.url}"
        assert self.last.status < 500 or self.last.status == 503, f"{self.last.status} on {self.page.url}"
        if (data_page := self.on) is not None:
            self.visited.add(data_page)
        if data_page or self.page.locator("body[data-vue]").count():
            self.inspector.inspect(self.page, javascript=self.javascript)
