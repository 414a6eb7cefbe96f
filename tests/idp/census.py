"""Walks every method of every rule of the URL map as somebody who may have nothing, and tells what was given away."""

import html
import json
import re
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, unquote, urlsplit

from werkzeug.datastructures import MultiDict
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.idp.canary import Canary
from tests.idp.provider import CALLBACK, ISSUER, Browser, Landlord, Pkce, Provider, Service, authorization

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
ALWAYS_UNAVAILABLE = "signin.indisponible"
"""The one page whose purpose is to say 503."""
TOKEN = re.compile(r"mcp_(?:at|rt)_[\w-]{43}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*")
GIVEN = {"code", "access_token", "id_token", "refresh_token", "token"}
CLAIMS = {"sub", "sid", "name", "given_name", "family_name", "email", "phone_number", "numero_utilisateur", "siret"}
CLAIMS |= {"organisation", "role", "departement", "type_partenaire", "acceptations", "auth_time", "username"}
MARK = "\u0000' \"><script>alert(1)</script>\r\nX-Mark: 1"
PROTOCOL = dict(
    parse_qsl(
        "ui_locales=en&max_age=3600&acr_values=eidas1&claims={}&display=page"
        "&grant_type=authorization_code&code=0123456789012345678901234567890123456789012"
        "&code_verifier=0123456789012345678901234567890123456789012&client_secret=faux&token_type_hint=access_token"
        "&token=mcp_at_0123456789012345678901234567890123456789012&username=INCONNU22&password=faux"
        "&refresh_token=mcp_rt_0123456789012345678901234567890123456789012"
        f"&post_logout_redirect_uri={CALLBACK}&logout_hint=INCONNU22"
    )
)
PEOPLE = dict(
    parse_qsl(
        "identifiant=INCONNU22&mot_de_passe=Un-Mot-De-Passe-Faux&code=123456&prenom=Jeanne&nom=Durand"
        "&email=jeanne.durand@bailleur.example&telephone=0612345678&nouveau_mot_de_passe=court&confirmation=court"
        f"&accepter=y&empreinte={'0' * 64}&texte=regles-d-usage&reprise=1&renvoi=fait&suite={CALLBACK}&next={CALLBACK}"
        "&v=0123456789ab"
    )
)
Parameters = MultiDict[str, str]
Visit = tuple[str, str, Parameters]


class Visitor:
    """Somebody who is, and stays, at one place of the first login: `due` is where « Mes services » sends them."""

    def __init__(self, provider: Provider, service: Service, landlord: Landlord | None, due: str) -> None:
        self._provider, self.service, self._landlord, self._due = provider, service, landlord, due
        self.enter()

    def enter(self) -> None:
        """Arrive with a new browser."""
        self.browser: Browser = self._provider.browser()
        if self._landlord is not None:
            assert self.browser.sign_in(self._landlord).status_code == 303
        self.csrf = self.browser.hidden_fields("/connexion")["csrf_token"]
        assert self.is_where_they_were()

    def is_where_they_were(self) -> bool:
        return bool(self.browser.get("/mes-services").headers.get("Location") == self._due)

    def parks(self) -> str:
        """The name of a fresh request of theirs that waits."""
        target = self.browser.authorize(self.service, Pkce()).headers["Location"]
        return parse_qs(urlsplit(target).query)["demande"][0]


def census(provider: Provider, visitor: Visitor, canary: Canary, only: str | None = None) -> tuple[int, list[str]]:
    """How many requests were made, and what was wrong with their answers: empty when nothing was given away.

    `only`: the one endpoint to look at; all by default.
    """
    rules = [rule for rule in provider.app.url_map.iter_rules() if only in (None, rule.endpoint)]
    allowed: dict[str, set[str]] = {}
    for rule in provider.app.url_map.iter_rules():
        allowed.setdefault(rule.rule, set()).update(rule.methods or ())
    made, problems = 0, []
    # Another's mail comes last: once typed, it is shown to who typed it.
    for visits, rule, method in product((_visits, _with_anothers_mail), rules, METHODS):
        known = method in allowed[rule.rule]
        for kind, path, parameters in visits(rule, visitor, canary, known=known and method != "OPTIONS"):
            response = _request(visitor, method, path, parameters)
            made += 1
            sent = "\n".join((path, *(value for _name, value in parameters.items(multi=True))))
            wrong = _wrong(response, sent, canary, rule, known=known)
            problems += [f"{method} {rule.rule} ({kind}): {problem}" for problem in wrong]
            if method == "POST" and not visitor.is_where_they_were():
                visitor.enter()
    return made, problems


def _request(visitor: Visitor, method: str, path: str, parameters: Parameters) -> TestResponse:
    """One request: the parameters in the query, and in the body of a method that has one."""
    in_body = method in ("POST", "PUT", "PATCH", "DELETE")
    data = MultiDict([*parameters.items(multi=True), ("csrf_token", visitor.csrf)]) if in_body else None
    # The endpoints for programs refuse a query outright: what is in the body must get through to them.
    query = None if in_body and path.startswith("/oauth2/") else parameters
    return visitor.browser.client.open(path, method=method, base_url=ISSUER, query_string=query, data=data)


def _visits(rule: Rule, visitor: Visitor, canary: Canary, *, known: bool) -> Iterator[Visit]:
    """What to send: kind, path, parameters. An unknown method gets fewer."""
    plausible = _plausible(rule, visitor)
    values = canary.values
    yield "bare", _path(rule, "regles-d-usage"), MultiDict()
    yield "plausible", _path(rule, "1"), MultiDict(plausible)
    yield "another's handles", _path(rule, values["subject"]), MultiDict(_handles(plausible, canary))
    if not known:
        return
    yield "own request", _path(rule, "1"), MultiDict({**plausible, "demande": visitor.parks()})
    yield "another's request", _path(rule, "2"), MultiDict({**plausible, "demande": values["parked request"]})
    silent = {**plausible, "prompt": "none", "refuser": "1", "renvoyer": "1"}
    yield "silent", _path(rule, values["parked request"]), MultiDict(silent)
    yield "marks", _path(rule, MARK), MultiDict(dict.fromkeys(plausible, MARK))
    yield "arrays", _path(rule, ".."), _arrays(plausible)
    long = {name: value + "x" * 2_500 for name, value in plausible.items()}
    yield "long", _path(rule, "../" * 3_000), MultiDict(long)
    for name in ("demande", "state", "identifiant"):
        yield f"100 kB of {name}", _path(rule, "x"), MultiDict({**plausible, name: "x" * 100_000})


def _with_anothers_mail(rule: Rule, visitor: Visitor, canary: Canary, *, known: bool) -> Iterator[Visit]:
    if known:
        parameters = {**_plausible(rule, visitor), "email": canary.values["e-mail"]}
        yield "another's mail", _path(rule, canary.values["code"]), MultiDict(parameters)


def _plausible(rule: Rule, visitor: Visitor) -> dict[str, str]:
    """A value that fits for every parameter that some page, or some endpoint, reads."""
    if rule.rule.startswith("/oauth2/"):
        return {**authorization(visitor.service, Pkce()), **PROTOCOL}
    return PEOPLE


def _handles(plausible: dict[str, str], canary: Canary) -> dict[str, str]:
    """What somebody could know or have found of the other account, its passwords and bearer tokens excepted."""
    values = canary.values
    return {
        **plausible,
        "code": values["code"],
        "id_token_hint": values["id token"],
        "login_hint": values["subject"],
        "identifiant": values["identifier"],
        "logout_hint": values["session id"],
    }


def _arrays(plausible: dict[str, str]) -> Parameters:
    pairs = [(name + suffix, value) for name, value in plausible.items() for suffix in ("", "", "[]", "[0]")]
    return MultiDict(pairs)


def _path(rule: Rule, value: str) -> str:
    return re.sub(r"<[^>]*>", quote(value, safe=""), rule.rule)


def _wrong(response: TestResponse, sent: str, canary: Canary, rule: Rule, *, known: bool) -> Iterator[str]:
    status = response.status_code
    if status >= 500 and rule.endpoint != ALWAYS_UNAVAILABLE:
        yield f"status {status}"
    if not known and status not in (404, 405):
        yield f"status {status} for an unknown method"
    body = response.get_data(as_text=True)
    headers = "\n".join(f"{name}: {value}" for name, value in response.headers)
    shown = "\n".join((headers, unquote(headers), body, html.unescape(body), unquote(body))).casefold()
    for name, value in canary.values.items():
        if value.casefold() in shown and value not in sent:
            yield f"shows the {name} of the other account"
    if any(token not in sent for token in TOKEN.findall(headers + body)):
        yield "holds a token"
    yield from _wrong_way(response.headers.get("Location", ""))
    if response.is_json:
        yield from (f"tells « {name} »" for name in sorted(_keys(json.loads(body or "null")) & (GIVEN | CLAIMS)))
    if "X-Mark" in response.headers:
        yield "lets a header be injected"


def _wrong_way(location: str) -> Iterator[str]:
    target = urlsplit(location)
    given = {**parse_qs(target.query), **parse_qs(target.fragment)}.keys() & GIVEN
    if given:
        yield f"redirects with {', '.join(sorted(given))}"
    outside = bool(target.netloc or target.scheme) and f"{target.scheme}://{target.netloc}" != ISSUER
    # A refusal is told to the service, at its registered address: `error` and no more.
    if (outside or location.startswith(("//", "/\\"))) and not location.startswith(f"{CALLBACK}?error="):
        yield "redirects outside"


def _keys(document: Any) -> set[str]:
    """Every member name in a JSON document."""
    if isinstance(document, dict):
        return set(document).union(*map(_keys, document.values()))
    return (
        set[str]().union(*map(_keys, document))
        if isinstance(document, Iterable) and not isinstance(document, str)
        else set()
    )
