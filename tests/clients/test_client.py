import base64
from collections.abc import Callable
from typing import Any

import pytest
from authlib.oauth2.rfc6749 import ClientAuthentication, ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidClientError

from clients.client import Client
from clients.registry import ClientRegistry

Register = Callable[..., Client]


@pytest.fixture
def client(registry: ClientRegistry, metadata: dict[str, Any]) -> Register:
    def register(**more: Any) -> Client:
        return registry.register(metadata | more).client

    return register


def test_it_answers_all_of_authlib_s_questions(client: Register) -> None:
    asked = {name for name in vars(ClientMixin) if name.startswith(("get_", "check_"))}
    assert len(asked) == 8
    assert asked <= vars(Client).keys()
    registered = client()
    assert registered.get_client_id() == registered.client_id


@pytest.mark.security("AZ-04")
@pytest.mark.authlib(11)
def test_there_is_no_default_redirect_address(client: Register) -> None:
    assert client().get_default_redirect_uri() is None


@pytest.mark.security("AZ-01", "AZ-02")
@pytest.mark.parametrize(
    "asked",
    [
        "https://bailleur.example/retour/",
        "https://bailleur.example/retour/x",
        "https://bailleur.example/Retour",
        "https://BAILLEUR.example/retour",
        "https://bailleur.example:443/retour",
        "https://bailleur.example:8443/retour",
        "http://bailleur.example/retour",
        "https://bailleur.example/retour?x=1",
        "https://bailleur.example/retour?",
        "https://bailleur.example/retour#",
        "https://bailleur.example/retour#x",
        "https://bailleur.example/retour%2f",
        "https://bailleur.example/x/%2e%2e/retour",
        "https://bailleur.example/./retour",
        "https://bailleur.example/retour\n",
        " https://bailleur.example/retour",
        "https://bailleur.example@evil.test/retour",
        "https://bailleur.example\\@evil.test/retour",
        "https://evil.test/retour",
        "//bailleur.example/retour",
        "/retour",
        "",
        "https://bailleur.example/r\u00e9tour",
        "https://bailleur.example/retour\x00",
        "\ud800",
    ],
)
def test_a_redirect_address_is_compared_byte_for_byte(client: Register, asked: str) -> None:
    registered = client()
    assert registered.check_redirect_uri("https://bailleur.example/retour")
    assert not registered.check_redirect_uri(asked)


@pytest.mark.security("AZ-01")
def test_the_query_of_a_redirect_address_is_part_of_it(client: Register) -> None:
    registered = client(redirect_uris=["https://bailleur.example/retour?a=1&b=2"])
    assert registered.check_redirect_uri("https://bailleur.example/retour?a=1&b=2")
    for other in ("", "?a=1", "?b=2&a=1", "?a=1&b=2&c=3", "?a=1&amp;b=2"):
        assert not registered.check_redirect_uri("https://bailleur.example/retour" + other)


NATIVE = {"application_type": "native", "token_endpoint_auth_method": "none"}


@pytest.mark.security("AZ-01")
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_a_native_client_listens_on_any_port_of_its_loopback_address(client: Register, host: str) -> None:
    registered = client(**NATIVE, redirect_uris=[f"http://{host}/retour?a=1"])
    for port in ("", ":1", ":8001", ":65535"):
        assert registered.check_redirect_uri(f"http://{host}{port}/retour?a=1")
    for wrong in (
        f"http://{host}:0/retour?a=1",
        f"http://{host}:65536/retour?a=1",
        f"http://{host}:080/retour?a=1",
        f"http://{host}:/retour?a=1",
        f"http://{host}:８/retour?a=1",
        f"http://{host}:80@evil.test/retour?a=1",
        f"http://{host}:8001/retour",
        f"http://{host}:8001/retour/?a=1",
        f"http://{host}:8001/retour?a=1\n",
        f"http://{host}.evil.test:8001/retour?a=1",
        f"https://{host}:8001/retour?a=1",
        "http://127.0.0.2:8001/retour?a=1",
    ):
        assert not registered.check_redirect_uri(wrong)


def test_one_loopback_address_is_not_another(client: Register) -> None:
    registered = client(**NATIVE, redirect_uris=["http://127.0.0.1:5000", "fr.exemple.appli:/retour"])
    assert registered.check_redirect_uri("http://127.0.0.1:6000")
    assert registered.check_redirect_uri("fr.exemple.appli:/retour")
    assert not registered.check_redirect_uri("http://localhost:5000")
    assert not registered.check_redirect_uri("http://127.0.0.1:5000/")
    assert not registered.check_redirect_uri("fr.exemple.appli:/autre")


def test_only_registered_scopes_are_allowed_in_the_order_asked_and_once(client: Register) -> None:
    registered = client(scope="openid email partenaire")
    assert registered.get_allowed_scope("partenaire admin openid openid phone") == "partenaire openid"
    assert registered.get_allowed_scope("openid\temail") == ""
    assert registered.get_allowed_scope("") == ""
    assert registered.get_allowed_scope(None) == ""


@pytest.mark.security("AZ-06", "TK-11")
@pytest.mark.authlib(6)
def test_only_the_registered_grants_and_answers_are_allowed(client: Register) -> None:
    registered = client(grant_types=["authorization_code"])
    assert registered.check_response_type("code")
    for other in ("token", "id_token", "code token", "token code", "code code", "", "é"):
        assert not registered.check_response_type(other)
    assert registered.check_grant_type("authorization_code")
    for grant in ("refresh_token", "password", "implicit", "client_credentials", ""):
        assert not registered.check_grant_type(grant)


@pytest.mark.security("TK-09")
def test_one_authentication_method_at_every_endpoint(client: Register) -> None:
    registered = client(token_endpoint_auth_method="client_secret_post")
    for endpoint in ("token", "introspection", "revocation"):
        assert registered.check_endpoint_auth_method("client_secret_post", endpoint)
        for other in ("client_secret_basic", "none", "private_key_jwt"):
            assert not registered.check_endpoint_auth_method(other, endpoint)
    assert not registered.public
    assert client(token_endpoint_auth_method="none").public


def basic(client_id: str, secret: str) -> OAuth2Request:
    value = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return OAuth2Request("POST", "https://connexion.example/oauth2/token", headers={"Authorization": f"Basic {value}"})


@pytest.mark.security("CL-01")
@pytest.mark.authlib(2)
@pytest.mark.parametrize("method", ["client_secret_basic", "none", "private_key_jwt"])
def test_authlib_refuses_a_wrong_secret_of_any_letters_instead_of_failing(
    registry: ClientRegistry, metadata: dict[str, Any], public_jwk: Callable[..., dict[str, Any]], method: str
) -> None:
    keys = {"jwks": {"keys": [public_jwk("P-256")]}}
    made = registry.register(metadata | keys | {"token_endpoint_auth_method": method})
    authenticate = ClientAuthentication(registry.get)
    for secret in ("faux", "é", "日本"):
        with pytest.raises(InvalidClientError):
            authenticate(basic(made.client.client_id, secret), ["client_secret_basic"])
    if made.client_secret:
        found = authenticate(basic(made.client.client_id, made.client_secret), ["client_secret_basic"])
        assert found.client_id == made.client.client_id


@pytest.mark.security("CL-11")
def test_two_sectors_are_two_hosts_and_a_public_client_has_none(client: Register) -> None:
    first = client(subject_type="pairwise")
    second = client(subject_type="pairwise", redirect_uris=["https://autre.example:8443/retour"])
    assert (first.sector, second.sector, client().sector) == ("bailleur.example", "autre.example", None)


def test_keys_are_parsed_once_and_ready(client: Register, public_jwk: Callable[..., dict[str, Any]]) -> None:
    registered = client(jwks={"keys": [public_jwk("P-256", kid="k1")]})
    assert registered.jwks is not None
    assert registered.jwks.get_by_kid("k1").key_type == "EC"
    assert client().jwks is None


def test_a_client_cannot_be_changed_and_shows_no_secret(registry: ClientRegistry, metadata: dict[str, Any]) -> None:
    made = registry.register(metadata)
    assert made.client_secret is not None
    assert made.client_secret not in repr(made)
    assert "digest" not in repr(made)
    with pytest.raises(AttributeError):
        made.client.enabled = False  # type: ignore[misc]  # what is shown to be impossible
    with pytest.raises(TypeError):
        made.client.registration["scope"] = "x"  # type: ignore[index]  # what is shown to be impossible
