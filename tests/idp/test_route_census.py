"""Every method of every route, for those who may have nothing: no token, no claim, nothing of anybody else."""

from collections.abc import Callable

import flask
import pytest
from flask.typing import ResponseReturnValue

from tests.idp.canary import Canary, make_canary
from tests.idp.census import METHODS, Visitor, census
from tests.idp.newcomers import INFORMATION, TERMS, before_everything, before_the_terms
from tests.idp.provider import Provider, Service


@pytest.fixture
def provider(make_provider: Callable[..., Provider]) -> Provider:
    """Without the limit by address: the whole census comes from one."""
    return make_provider(address_limit="1000000 per minute")


@pytest.fixture
def canary(provider: Provider, service: Service) -> Canary:
    return make_canary(provider, service)


@pytest.fixture(params=["half-gated", "terms not accepted", "anonymous"])
def visitor(request: pytest.FixtureRequest, provider: Provider, service: Service) -> Visitor:
    """With a provisional password and nothing done; with a personal one and one step to go; nobody."""
    if request.param == "half-gated":
        return Visitor(provider, service, before_everything(provider), INFORMATION)
    if request.param == "terms not accepted":
        return Visitor(provider, service, before_the_terms(provider), TERMS)
    return Visitor(provider, service, None, "/connexion")


@pytest.mark.security("GA-04", "GA-12", "GA-02", "AZ-16", "SE-14")
def test_no_route_gives_a_token_a_claim_or_another_persons_data(
    provider: Provider, visitor: Visitor, canary: Canary
) -> None:
    made, problems = census(provider, visitor, canary)
    assert problems == []
    assert made > len(list(provider.app.url_map.iter_rules())) * len(METHODS) * 4
    assert canary.is_unharmed()


LEAKS: dict[str, Callable[[Canary], ResponseReturnValue]] = {
    "shows the e-mail of the other account": lambda canary: canary.values["e-mail"],
    "shows the organisation of the other account": lambda canary: f"<p>{canary.values['organisation'].upper()}</p>",
    "shows the subject of the other account": lambda canary: ("", 200, {"X-Account": canary.values["subject"]}),
    "holds a token": lambda _canary: "mcp_at_" + "a" * 43,
    "tells « sub »": lambda _canary: {"user": [{"sub": "somebody"}]},
    "redirects with code": lambda _canary: flask.redirect("https://bailleur.example/retour?error=&code=abc"),
    "redirects outside": lambda _canary: flask.redirect("//evil.example/"),
    "status 500": lambda _canary: ("", 500),
}


@pytest.mark.parametrize("problem", LEAKS)
def test_the_census_finds_a_route_that_gives_something_away(
    make_provider: Callable[..., Provider], problem: str
) -> None:
    provider = make_provider()
    leaky: list[Canary] = []
    # Before the first request, as any blueprint would.
    provider.app.add_url_rule("/fuite/<_name>", "leaky", lambda _name: LEAKS[problem](leaky[0]), methods=["PUT"])
    service = provider.service()
    leaky.append(make_canary(provider, service))
    visitor = Visitor(provider, service, None, "/connexion")
    _made, problems = census(provider, visitor, leaky[0], only="leaky")
    assert f"PUT /fuite/<_name> (plausible): {problem}" in problems


def test_the_census_finds_a_method_that_nobody_announced(make_provider: Callable[..., Provider]) -> None:
    provider = make_provider()

    @provider.app.before_request
    def trace() -> str | None:
        return "TRACE" if flask.request.method == "TRACE" else None

    service = provider.service()
    visitor = Visitor(provider, service, None, "/connexion")
    canary = make_canary(provider, service)
    _made, problems = census(provider, visitor, canary, only="oidc.jwks")
    assert "TRACE /oauth2/jwks (bare): status 200 for an unknown method" in problems
