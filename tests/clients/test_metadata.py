from collections.abc import Callable
from typing import Any

import pytest

from clients.metadata import (
    DEFAULT_SCOPE,
    FIELDS,
    NOT_OFFERED,
    MetadataRefused,
    RegistrationPolicy,
    check,
    check_client_id,
)

PRODUCTION = RegistrationPolicy(production=True)
DEMO = RegistrationPolicy(production=False)


def refused(metadata: object, policy: RegistrationPolicy = PRODUCTION) -> MetadataRefused:
    with pytest.raises(MetadataRefused) as caught:
        check(metadata, policy)
    assert caught.value.message_fr.endswith(".")
    assert str(caught.value) == f"{caught.value.field} : {caught.value.message_fr}"
    return caught.value


@pytest.mark.authlib(6)
def test_every_default_is_written_down(metadata: dict[str, Any]) -> None:
    assert check(metadata, PRODUCTION) == metadata | {
        "application_type": "web",
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": DEFAULT_SCOPE,
        "require_pkce": True,
        "id_token_signed_response_alg": "RS256",
        "subject_type": "public",
    }


def test_what_was_checked_once_passes_again_unchanged(metadata: dict[str, Any]) -> None:
    checked = check(metadata, PRODUCTION)
    assert check(checked, PRODUCTION) == checked


def test_a_field_that_is_null_is_a_field_left_out(metadata: dict[str, Any]) -> None:
    assert check(metadata | {"scope": None, "logo_uri": None}, PRODUCTION) == check(metadata, PRODUCTION)


def test_everything_that_may_be_registered_is_kept(
    metadata: dict[str, Any], public_jwk: Callable[..., dict[str, Any]]
) -> None:
    whole = metadata | {
        "application_type": "web",
        "post_logout_redirect_uris": ["https://bailleur.example/"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks": {"keys": [public_jwk("P-256", kid="k1"), public_jwk("RSA", kid="k2")]},
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "scope": "openid acceptations address",
        "require_pkce": False,
        "id_token_signed_response_alg": "ES256",
        "subject_type": "pairwise",
        "initiate_login_uri": "https://bailleur.example/demarrer",
        "client_uri": "https://bailleur.example/",
        "logo_uri": "https://bailleur.example/logo.svg",
        "policy_uri": "https://bailleur.example/donnees",
        "tos_uri": "https://bailleur.example/conditions",
        "contacts": ["equipe@bailleur.example"],
        "default_max_age": 0,
        "require_auth_time": True,
        "default_acr_values": ["eidas1"],
    }
    assert check(whole, PRODUCTION) == whole
    assert whole.keys() == {field.name for field in FIELDS}


@pytest.mark.authlib(2, 6)
@pytest.mark.parametrize("value", [None, [], ["a"], "text", 5, True, [{"client_name": "x"}]])
def test_what_is_not_a_json_object_is_refused(value: object) -> None:
    assert refused(value).field == "metadata"


# (field, wrong value, a word of the reason)
WRONG = [
    ("client_name", 5, "texte"),
    ("client_name", "", "nom du service"),
    ("client_name", " \t ", "nom du service"),
    ("client_name", "a" * 101, "100"),
    ("client_name", "Espace\x00bailleur", "invisible"),
    ("client_name", "Espace\nbailleur", "invisible"),
    ("client_name", "Espace\x1b[31m", "invisible"),
    ("client_name", "Espace \u202erelliab", "invisible"),  # right-to-left override
    ("client_name", "Espace \u2066x\u2069", "invisible"),
    ("client_name", "Espa\u200bce", "invisible"),
    ("client_name", "Espace\u2028bailleur", "invisible"),
    ("client_name", "Espace \ud800", "invisible"),
    ("client_name", "Espace \ue000", "invisible"),
    ("application_type", "service", "web, native"),
    ("redirect_uris", "https://bailleur.example/", "liste"),
    ("redirect_uris", {"a": 1}, "liste"),
    ("redirect_uris", [5], "texte"),
    ("redirect_uris", [["https://bailleur.example/"]], "texte"),
    ("redirect_uris", [None], "texte"),
    ("redirect_uris", [], "au moins une"),
    ("redirect_uris", [f"https://bailleur.example/{n}" for n in range(21)], "20"),
    ("redirect_uris", ["https://bailleur.example/#a"], "fragment"),
    ("redirect_uris", ["javascript:alert(1)"], "javascript"),
    ("redirect_uris", ["javascript://bailleur.example/%0aalert(1)"], "javascript"),
    ("redirect_uris", ["http://localhost/retour"], "la machine de la personne"),
    ("redirect_uris", ["fr.exemple.appli:/retour"], "schéma"),
    ("post_logout_redirect_uris", ["http://bailleur.example/"], "chiffré"),
    ("post_logout_redirect_uris", [5], "texte"),
    ("token_endpoint_auth_method", "bogus", "valeur inconnue"),
    ("token_endpoint_auth_method", "client_secret_jwt", "valeur inconnue"),
    ("token_endpoint_auth_method", ["none"], "texte"),
    ("token_endpoint_auth_signing_alg", "HS256", "valeur inconnue"),
    ("token_endpoint_auth_signing_alg", "none", "valeur inconnue"),
    ("token_endpoint_auth_signing_alg", "RS256", "private_key_jwt"),
    ("jwks", {"keys": []}, "clés"),
    ("jwks", "{}", "RFC 7517"),
    ("grant_types", [], "nécessaire"),
    ("grant_types", ["refresh_token"], "nécessaire"),
    ("grant_types", ["authorization_code", "implicit"], "valeur inconnue"),
    ("grant_types", ["authorization_code", "password"], "valeur inconnue"),
    ("grant_types", ["authorization_code", "client_credentials"], "valeur inconnue"),
    ("grant_types", "authorization_code", "liste"),
    ("response_types", [], "seul « code »"),
    ("response_types", ["token"], "seul « code »"),
    ("response_types", ["code", "id_token token"], "seul « code »"),
    ("response_types", ["code id_token"], "seul « code »"),
    ("scope", ["openid"], "texte"),
    ("scope", "", "valeur inconnue"),
    ("scope", "openid  email", "valeur inconnue"),
    ("scope", "openid\temail", "valeur inconnue"),
    ("scope", "openid admin", "valeur inconnue"),
    ("scope", "email", "openid"),
    ("scope", "openid " * 100, "500"),
    ("require_pkce", "true", "true ou false"),
    ("require_pkce", 1, "true ou false"),
    ("id_token_signed_response_alg", "none", "valeur inconnue"),
    ("id_token_signed_response_alg", "HS256", "valeur inconnue"),
    ("subject_type", "private", "valeur inconnue"),
    ("initiate_login_uri", "http://bailleur.example/demarrer", "chiffré"),
    ("client_uri", 5, "texte"),
    ("logo_uri", "javascript:alert(1)", "javascript"),
    ("logo_uri", "data:image/svg+xml,<svg/onload=alert(1)>", "interdit"),
    ("logo_uri", "data:image/svg+xml;base64,AAAA", "data:"),
    ("policy_uri", "http://127.0.0.1/", "la machine de la personne"),
    ("tos_uri", "https://" + "a" * 2000, "2000"),
    ("contacts", "equipe@bailleur.example", "liste"),
    ("contacts", ["equipe"], "adresses"),
    ("contacts", ["equipe@bailleur.example\nBcc:x@y.example"], "adresses"),
    ("contacts", ["\u202eequipe@bailleur.example"], "adresses"),
    ("contacts", ["a@b.example"] * 11, "10"),
    ("default_max_age", -1, "secondes"),
    ("default_max_age", True, "secondes"),
    ("default_max_age", 1.5, "secondes"),
    ("default_max_age", 2**31, "secondes"),
    ("default_max_age", "60", "secondes"),
    ("require_auth_time", "yes", "true ou false"),
    ("default_acr_values", ["é"], "ASCII"),
    ("default_acr_values", "eidas1", "liste"),
]


@pytest.mark.security("CL-03", "CL-05", "CL-10", "AZ-06", "TK-11")
@pytest.mark.authlib(2, 6)
@pytest.mark.parametrize(("field", "value", "reason"), WRONG)
def test_a_wrong_value_is_refused_by_its_name_with_the_reason(
    metadata: dict[str, Any], field: str, value: object, reason: str
) -> None:
    found = refused(metadata | {field: value})
    assert (found.field, reason in found.message_fr) == (field, True)
    assert found.error == ("invalid_redirect_uri" if field == "redirect_uris" else "invalid_client_metadata")


def test_a_refusal_never_carries_control_characters_to_the_terminal(metadata: dict[str, Any]) -> None:
    for bad in (
        metadata | {"redirect_uris": ["https://bailleur.example/\x1b[2J\u202e"]},
        metadata | {"logo_uri": "\x1b[2J"},
        metadata | {"\x1b[2J": 1},
    ):
        assert str(refused(bad)).isprintable()


@pytest.mark.parametrize("field", ["client_name", "redirect_uris"])
@pytest.mark.authlib(6)
def test_a_name_and_a_redirect_address_are_required(metadata: dict[str, Any], field: str) -> None:
    del metadata[field]
    assert "obligatoire" in refused(metadata).message_fr


@pytest.mark.security("CL-03", "CL-11")
@pytest.mark.parametrize("name", NOT_OFFERED)
def test_what_is_not_offered_is_refused_with_an_honest_reason(metadata: dict[str, Any], name: str) -> None:
    found = refused(metadata | {name: "https://bailleur.example/x"})
    assert (found.field, found.error) == (name, "invalid_client_metadata")
    assert "retirez-le" in found.message_fr or "mettez" in found.message_fr or "donnez" in found.message_fr


def test_an_unknown_name_is_refused_and_shown(metadata: dict[str, Any]) -> None:
    assert "« redirect_uri »" in refused(metadata | {"redirect_uri": "https://bailleur.example/"}).field


@pytest.mark.security("CL-10")
def test_html_in_a_name_is_kept_as_text(metadata: dict[str, Any]) -> None:
    name = "<script>alert(1)</script> & « Bailleurs »"
    assert check(metadata | {"client_name": f"  {name} "}, PRODUCTION)["client_name"] == name


def test_repeated_values_are_kept_once(metadata: dict[str, Any]) -> None:
    kept = check(metadata | {"redirect_uris": metadata["redirect_uris"] * 2, "scope": "openid email openid"}, DEMO)
    assert kept["redirect_uris"] == metadata["redirect_uris"]
    assert kept["scope"] == "openid email"


@pytest.mark.security("CL-05")
def test_loopback_is_for_native_clients_or_outside_production(metadata: dict[str, Any]) -> None:
    metadata["redirect_uris"] = ["http://127.0.0.1/retour"]
    assert refused(metadata).error == "invalid_redirect_uri"
    check(metadata, DEMO)
    check(metadata | {"application_type": "native"}, PRODUCTION)


@pytest.mark.security("AZ-09")
def test_a_public_client_cannot_waive_pkce_and_a_confidential_one_can(metadata: dict[str, Any]) -> None:
    public = metadata | {"token_endpoint_auth_method": "none", "require_pkce": False}
    assert refused(public).field == "require_pkce"
    assert check(metadata | {"require_pkce": False}, PRODUCTION)["require_pkce"] is False


def test_private_key_jwt_needs_a_key_for_its_algorithm(
    metadata: dict[str, Any], public_jwk: Callable[..., dict[str, Any]]
) -> None:
    metadata["token_endpoint_auth_method"] = "private_key_jwt"
    assert refused(metadata).field == "jwks"
    metadata["jwks"] = {"keys": [public_jwk("P-256")]}
    check(metadata, PRODUCTION)
    check(metadata | {"token_endpoint_auth_signing_alg": "ES256"}, PRODUCTION)
    assert "PS256" in refused(metadata | {"token_endpoint_auth_signing_alg": "PS256"}).message_fr


def test_offline_access_needs_the_refresh_token_grant(metadata: dict[str, Any]) -> None:
    metadata["scope"] = "openid offline_access"
    check(metadata, PRODUCTION)
    assert refused(metadata | {"grant_types": ["authorization_code"]}).field == "scope"


@pytest.mark.security("CL-11")
def test_a_pairwise_client_has_one_host(metadata: dict[str, Any]) -> None:
    metadata["subject_type"] = "pairwise"
    check(metadata | {"redirect_uris": ["https://a.example/1", "https://a.example:8443/2"]}, PRODUCTION)
    assert refused(metadata | {"redirect_uris": ["https://a.example/", "https://b.example/"]}).field == "subject_type"
    assert refused(metadata | {"application_type": "native"}).field == "subject_type"


@pytest.mark.parametrize("client_id", ["espace-bailleur", "rp1", "A.b_c-9", "z" * 64, "deadbeef"])
def test_a_plain_client_id_is_accepted(client_id: str) -> None:
    assert check_client_id(client_id) == client_id


@pytest.mark.parametrize("client_id", ["", "ab", "a" * 65, "espace bailleur", "é-bailleur", "a/b/c", "a:bc", "abc\n"])
def test_a_client_id_of_another_form_is_refused(client_id: str) -> None:
    with pytest.raises(MetadataRefused, match="de 3 à 64"):
        check_client_id(client_id)


@pytest.mark.security("TK-15")
@pytest.mark.parametrize(
    "client_id", ["0123456789abcdef" * 2, "0123456789ABCDEF" * 2, "0" * 64, "01234567-89ab-cdef-0123-456789abcdef"]
)
def test_a_client_id_never_has_the_form_of_a_subject(client_id: str) -> None:
    with pytest.raises(MetadataRefused, match="une personne"):
        check_client_id(client_id)
