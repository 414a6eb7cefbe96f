"""Userinfo: who the person is, for the service that holds a living access token with the scope openid."""

import json

import pytest

from tests.idp.provider import ISSUER, Browser, Landlord, Pkce, Provider, Service, redeem


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def access_token(signed_in: Browser, service: Service, pkce: Pkce) -> str:
    return str(redeem(signed_in, service, signed_in.code(service, pkce), pkce).get_json()["access_token"])


def test_the_claims_are_those_of_the_scopes(signed_in: Browser, landlord: Landlord, access_token: str) -> None:
    assert signed_in.get("/oauth2/userinfo", headers=bearer(access_token)).get_json() == {
        "sub": landlord.id,
        "name": "Jeanne d’Ormesson",
        "given_name": "Jeanne",
        "family_name": "d’Ormesson",
        "locale": "fr-FR",
        "zoneinfo": "Europe/Paris",
        "updated_at": signed_in.get("/oauth2/userinfo", headers=bearer(access_token)).get_json()["updated_at"],
        "email": landlord.email,
        "email_verified": True,
        "phone_number": "+33612345678",
        "phone_number_verified": False,
        "numero_utilisateur": landlord.user_number,
        "departement": "26",
        "type_partenaire": "physique",
    }


def test_a_person_of_an_organisation_brings_its_name_siret_and_role(
    provider: Provider, service: Service, pkce: Pkce
) -> None:
    organisation = provider.organisation()
    landlord = provider.landlord(partner_type="moral", organisation_id=organisation, role="administrateur")
    browser = provider.browser()
    browser.sign_in(landlord)
    token = redeem(browser, service, browser.code(service, pkce), pkce).get_json()["access_token"]
    claims = browser.get("/oauth2/userinfo", headers=bearer(token)).get_json()
    assert claims["type_partenaire"] == "moral"
    assert claims["siret"] == "35600000000048"
    assert claims["organisation"] == "Agence des Alpes"
    assert claims["role"] == "administrateur"


@pytest.mark.security("GA-10")
def test_an_address_that_was_not_proved_is_not_given(provider: Provider, service: Service, pkce: Pkce) -> None:
    from idp.oidc.claims import AccountClaims

    landlord = provider.landlord(completed=False, email=None, email_key=None, email_verified_at=None)
    with provider.transaction() as services:
        from idp.accounts.standing import standing
        from idp.db import current_session

        account = standing(current_session(), landlord.id)
        assert account is not None
        assert AccountClaims().claims(account, frozenset({"email", "email_verified"})) == {}
        assert services.gate.next_step(account) is not None


def test_claims_asked_for_one_by_one_come_in_userinfo_and_not_in_the_id_token(
    signed_in: Browser, service: Service, pkce: Pkce
) -> None:
    from tests.idp.oidc.test_token import id_token

    asked = json.dumps({"userinfo": {"name": {"essential": True}, "inconnu": None}})
    code = signed_in.code(service, pkce, scope="openid", claims=asked)
    body = redeem(signed_in, service, code, pkce).get_json()
    claims = signed_in.get("/oauth2/userinfo", headers=bearer(body["access_token"])).get_json()
    assert claims.keys() == {"sub", "name"}
    assert "name" not in id_token(signed_in, body["id_token"])


@pytest.mark.security("AZ-18")
def test_claims_asked_for_one_by_one_never_go_beyond_what_the_service_registered_for(
    provider: Provider, signed_in: Browser, pkce: Pkce
) -> None:
    from tests.idp.oidc.test_token import id_token

    narrow = provider.service(scope="openid")
    asked = json.dumps({"userinfo": {"email": None, "numero_utilisateur": None}, "id_token": {"email": None}})
    body = redeem(signed_in, narrow, signed_in.code(narrow, pkce, scope="openid", claims=asked), pkce).get_json()
    claims = signed_in.get("/oauth2/userinfo", headers=bearer(body["access_token"])).get_json()
    assert claims.keys() == {"sub"}
    assert "email" not in id_token(signed_in, body["id_token"])


def test_a_service_can_ask_which_texts_were_accepted(provider: Provider, signed_in: Browser, pkce: Pkce) -> None:
    service = provider.service(scope="openid acceptations")
    code = signed_in.code(service, pkce, scope="openid acceptations")
    token = redeem(signed_in, service, code, pkce).get_json()["access_token"]
    accepted = signed_in.get("/oauth2/userinfo", headers=bearer(token)).get_json()["acceptations"]
    assert {(text["document"], text["version"]) for text in accepted} == {
        ("regles-d-usage", "1"),
        ("conditions-d-utilisation", "1"),
    }
    for text in accepted:
        assert len(text["sha256"]) == 64
        assert text["accepted_at"] > 0


def test_claims_asked_for_in_the_id_token_come_there(signed_in: Browser, service: Service, pkce: Pkce) -> None:
    from tests.idp.oidc.test_token import id_token

    asked = json.dumps({"id_token": {"departement": None, "sub": None, "exp": {"value": 1}}})
    code = signed_in.code(service, pkce, scope="openid", claims=asked)
    claims = id_token(signed_in, redeem(signed_in, service, code, pkce).get_json()["id_token"])
    assert claims["departement"] == "26"
    assert claims["exp"] > 1


def test_the_token_may_come_by_post_in_a_header_or_in_the_body(signed_in: Browser, access_token: str) -> None:
    for options in ({"headers": bearer(access_token)}, {"data": {"access_token": access_token}}):
        response = signed_in.client.post("/oauth2/userinfo", base_url=ISSUER, **options)
        assert response.status_code == 200


@pytest.mark.security("RT-12")
def test_a_token_in_the_address_is_refused(signed_in: Browser, access_token: str) -> None:
    assert signed_in.get(f"/oauth2/userinfo?access_token={access_token}").status_code == 400


@pytest.mark.security("RT-12")
def test_a_token_sent_twice_is_refused(signed_in: Browser, access_token: str) -> None:
    response = signed_in.client.post(
        "/oauth2/userinfo", base_url=ISSUER, headers=bearer(access_token), data={"access_token": access_token}
    )
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_request")


@pytest.mark.security("RT-12")
def test_a_token_without_openid_is_not_enough(provider: Provider, signed_in: Browser, pkce: Pkce) -> None:
    service = provider.service(scope="email openid")
    body = redeem(signed_in, service, signed_in.code(service, pkce, scope="email"), pkce).get_json()
    assert "id_token" not in body
    response = signed_in.get("/oauth2/userinfo", headers=bearer(body["access_token"]))
    assert (response.status_code, response.get_json()["error"]) == (403, "insufficient_scope")


@pytest.mark.security("TK-16")
def test_an_id_token_a_refresh_token_and_a_code_are_no_access_tokens(
    signed_in: Browser, service: Service, pkce: Pkce
) -> None:
    unused = signed_in.code(service, pkce)
    body = redeem(signed_in, service, signed_in.code(service, pkce), pkce).get_json()
    for wrong in (body["id_token"], body["refresh_token"], unused, "", "é"):
        assert signed_in.get("/oauth2/userinfo", headers=bearer(wrong)).status_code == 401


@pytest.mark.security("RT-11")
def test_every_bad_token_gets_the_same_answer(signed_in: Browser, service: Service, access_token: str) -> None:
    signed_in.client.post("/oauth2/revoke", base_url=ISSUER, headers=service.basic, data={"token": access_token})
    revoked = signed_in.get("/oauth2/userinfo", headers=bearer(access_token))
    unknown = signed_in.get("/oauth2/userinfo", headers=bearer("mcp_at_inconnu"))
    assert revoked.get_data() == unknown.get_data()
    assert revoked.status_code == unknown.status_code == 401
    assert revoked.headers["WWW-Authenticate"] == unknown.headers["WWW-Authenticate"]


def test_without_a_token_the_answer_only_says_how_to_come(browser: Browser) -> None:
    response = browser.get("/oauth2/userinfo")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="Mon Compte Partenaire"'


@pytest.mark.security("CL-07")
def test_a_token_of_a_disabled_service_is_worth_nothing(
    provider: Provider, signed_in: Browser, service: Service, access_token: str
) -> None:
    with provider.transaction() as services:
        services.clients.disable(service.client_id)
    assert signed_in.get("/oauth2/userinfo", headers=bearer(access_token)).status_code == 401


@pytest.mark.security("CL-11", "OR-12")
def test_services_of_different_sectors_cannot_compare_their_subjects(
    provider: Provider, signed_in: Browser, landlord: Landlord
) -> None:
    subjects = []
    for host in ("a.example", "b.example", "a.example"):
        service, pkce = provider.service(redirect_uris=[f"https://{host}/retour"], subject_type="pairwise"), Pkce()
        token = redeem(signed_in, service, signed_in.code(service, pkce), pkce).get_json()["access_token"]
        subjects.append(signed_in.get("/oauth2/userinfo", headers=bearer(token)).get_json()["sub"])
    assert subjects[0] == subjects[2]
    assert len({*subjects, landlord.id}) == 3
