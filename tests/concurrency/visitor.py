"""A person's browser over real HTTP, for forms and redirects of our own."""

import re
from collections.abc import Sequence

import httpx

from tests.concurrency.at_once import Post
from tests.idp.provider import Landlord, Pkce, Service, authorization

_HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*>')


class Visitor:
    """One browser. `http` may be shared: the cookies are kept here."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self.cookies: dict[str, str] = {}

    def sees(self, path: str) -> httpx.Response:
        """The page that a path leads to, through redirects."""
        answer = self.get(path)
        while answer.is_redirect:
            answer = self.get(answer.headers["Location"])
        return answer

    def get(self, path: str, **parameters: str) -> httpx.Response:
        answer = self._http.get(path, params=parameters or None, headers=self.headers)
        self.receives(answer.headers.get_list("Set-Cookie"))
        return answer

    def form(self, path: str, **typed: str) -> Post:
        """The form of a page, filled in and ready to be sent by this browser."""
        page = self.get(path)
        assert page.status_code == 200, (path, page.status_code, page.headers.get("Location"))
        hidden = {}
        for tag in _HIDDEN.findall(page.text):
            name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
            if name and value:
                hidden[name[1]] = value[1]
        return Post(path, {**hidden, **typed}, self.headers)

    def signs_in(self, landlord: Landlord) -> None:
        form = self.form("/connexion", identifiant=landlord.identifier, mot_de_passe=landlord.password)
        answer = self._http.post(form.path, data=dict(form.form), headers=self.headers)
        assert answer.status_code == 303, answer.text[:500]
        self.receives(answer.headers.get_list("Set-Cookie"))

    def code(self, service: Service, pkce: Pkce) -> str:
        """The code that this browser brings back to the service."""
        answer = self.get("/oauth2/authorize", **authorization(service, pkce))
        assert answer.status_code == 303, answer.text[:500]
        return httpx.URL(answer.headers["Location"]).params["code"]

    def receives(self, cookies: Sequence[str]) -> None:
        """Keep the cookies of an answer."""
        self.cookies |= dict(cookie.partition(";")[0].split("=", 1) for cookie in cookies)
        self._http.cookies.clear()

    @property
    def headers(self) -> dict[str, str]:
        """What this browser sends along."""
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
