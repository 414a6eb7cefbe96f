from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, text
from sqlalchemy.orm import Session

from clients import secrets
from clients.client import Client
from clients.models import ClientRecord, ClientSecret
from clients.refusals import (
    ClientIdTaken,
    ConcurrentChange,
    MetadataRefused,
    NoSecret,
    OverlapRefused,
    SectorChange,
    UnknownClient,
)
from clients.registry import LONGEST_OVERLAP, ClientRegistry, RegistrationPolicy
from tests.conftest import Clock, Recorded

PRODUCTION = RegistrationPolicy(production=True)


@contextmanager
def statements_of(engine: Engine) -> Iterator[list[str]]:
    """The statements that the block sends, transaction control left out."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def elsewhere(engine: Engine, clock: Clock, recorded: Recorded) -> Iterator[ClientRegistry]:
    """The registry of another process: its own cache, its own connection."""
    with Session(engine) as session:

        def current() -> Session:
            session.rollback()  # each request there starts afresh
            return session

        yield ClientRegistry(current, clock, recorded.record, PRODUCTION)


def there(registry: ClientRegistry, client_id: str) -> Client:
    client = registry.get(client_id)
    assert client is not None
    return client


def test_a_registered_client_is_found_with_its_secret(
    registry: ClientRegistry, metadata: dict[str, Any], recorded: Recorded
) -> None:
    made = registry.register(metadata, "espace-bailleur")
    found = there(registry, "espace-bailleur")
    assert (found.client_id, found.name, found.enabled) == ("espace-bailleur", "Espace bailleur", True)
    assert found.check_client_secret(made.client_secret)
    assert not found.check_client_secret(secrets.mint())
    assert recorded == [("client.registered", {"client_id": "espace-bailleur", "auth_method": "client_secret_basic"})]


@pytest.mark.security("CL-01")
@pytest.mark.authlib(4)
def test_the_database_and_the_events_never_hold_the_secret(
    registry: ClientRegistry, metadata: dict[str, Any], session: Session, recorded: Recorded
) -> None:
    secret = registry.register(metadata, "rp1").client_secret
    rotated = registry.rotate_secret("rp1", 60)
    assert secret is not None
    stored = repr(session.execute(text("SELECT * FROM clients_clients")).all()) + repr(recorded)
    stored += repr(session.execute(text("SELECT * FROM clients_secrets")).all())
    for value in (secret, rotated):
        assert value not in stored
        assert value.removeprefix("mcp_cs_") not in stored


@pytest.mark.security("TK-15")
def test_an_id_of_ours_is_new_and_never_has_the_form_of_a_subject(
    registry: ClientRegistry, metadata: dict[str, Any]
) -> None:
    ids = {registry.register(metadata).client.client_id for _ in range(5)}
    assert len(ids) == 5
    assert all(client_id.startswith("rp-") for client_id in ids)


@pytest.mark.authlib(6)
@pytest.mark.parametrize("method", ["none", "private_key_jwt"])
def test_a_client_without_secret_gets_none(
    registry: ClientRegistry,
    metadata: dict[str, Any],
    public_jwk: Callable[..., dict[str, Any]],
    session: Session,
    method: str,
) -> None:
    metadata |= {"token_endpoint_auth_method": method, "jwks": {"keys": [public_jwk("P-256")]}}
    made = registry.register(metadata, "rp1")
    assert made.client_secret is None
    assert session.execute(select(ClientSecret.digest)).all() == []
    assert not made.client.check_client_secret("")
    assert not made.client.check_client_secret(None)
    with pytest.raises(NoSecret, match=method):
        registry.rotate_secret("rp1", 0)


def test_a_refused_registration_is_recorded_and_writes_nothing(
    registry: ClientRegistry, metadata: dict[str, Any], recorded: Recorded
) -> None:
    with pytest.raises(MetadataRefused):
        registry.register(metadata | {"redirect_uris": [5]}, "rp1")
    with pytest.raises(MetadataRefused):
        registry.register(metadata, "a" * 200)
    with pytest.raises(MetadataRefused):
        registry.register([metadata])
    assert registry.list() == ()
    assert recorded == [
        (
            "client.registration_refused",
            {"client_id": "rp1", "error": "invalid_redirect_uri", "field": "redirect_uris"},
        ),
        (
            "client.registration_refused",
            {"client_id": None, "error": "invalid_client_metadata", "field": "client_id"},
        ),
        (
            "client.registration_refused",
            {"client_id": None, "error": "invalid_client_metadata", "field": "metadata"},
        ),
    ]


def test_an_id_is_given_once_even_after_its_client_was_deleted(
    registry: ClientRegistry, metadata: dict[str, Any], session: Session
) -> None:
    registry.register(metadata, "rp1")
    with pytest.raises(ClientIdTaken, match="rp1"):
        registry.register(metadata, "rp1")
    registry.delete("rp1")
    with pytest.raises(ClientIdTaken, match="rp1"):
        registry.register(metadata, "rp1")
    assert registry.register(metadata, "rp2").client.client_id == "rp2"
    session.commit()


@pytest.mark.parametrize("client_id", ["inconnu", "", "a", "a" * 5000, "\x00\x00\x00", "é" * 5, "\ud800" * 5, "a b c"])
@pytest.mark.authlib(2)
def test_an_unknown_id_is_nobody_and_is_not_remembered(registry: ClientRegistry, client_id: str) -> None:
    assert registry.get(client_id) is None
    assert registry._held == {}
    for change in (registry.enable, registry.disable, registry.delete):
        with pytest.raises(UnknownClient):
            change(client_id)


def test_finding_a_client_costs_one_statement_every_four_seconds_and_gives_the_same_object(
    registry: ClientRegistry, metadata: dict[str, Any], engine: Engine, clock: Clock
) -> None:
    registry.register(metadata, "rp1")
    with statements_of(engine) as seen:
        first = registry.get("rp1")
        assert len(seen) == 1
        clock.advance(3)
        assert registry.get("rp1") is first
        assert len(seen) == 1
        clock.advance(1)
        assert registry.get("rp1") is first
        assert len(seen) == 2
        clock.advance(-3600)  # a clock set back does not make an old answer last
        assert registry.get("rp1") is first
        assert len(seen) == 3


@pytest.mark.security("CL-07")
@pytest.mark.parametrize("change", ["disable", "delete", "update", "rotate"])
def test_a_change_is_seen_elsewhere_within_five_seconds(
    registry: ClientRegistry,
    elsewhere: ClientRegistry,
    metadata: dict[str, Any],
    session: Session,
    clock: Clock,
    change: str,
) -> None:
    secret = registry.register(metadata, "rp1").client_secret
    session.commit()
    before = there(elsewhere, "rp1")
    assert before.check_client_secret(secret)
    if change == "disable":
        registry.disable("rp1")
    elif change == "delete":
        registry.delete("rp1")
    elif change == "update":
        registry.update("rp1", {"scope": "openid"})
    else:
        registry.rotate_secret("rp1", 0)
    session.commit()
    clock.advance(4)
    after = elsewhere.get("rp1")
    if change == "delete":
        assert after is None
        assert elsewhere._held == {}
    elif change == "update":
        assert after is not None
        assert (after.scope, after.check_client_secret(secret)) == ("openid", True)
    else:
        assert after is not None
        assert not after.check_client_secret(secret)
        assert after.enabled is (change == "rotate")


def test_a_change_made_here_is_seen_here_at_once(registry: ClientRegistry, metadata: dict[str, Any]) -> None:
    registry.register(metadata, "rp1")
    assert there(registry, "rp1").enabled
    registry.disable("rp1")
    assert not there(registry, "rp1").enabled


def test_a_change_that_was_rolled_back_does_not_stay_in_memory(
    registry: ClientRegistry, metadata: dict[str, Any], session: Session, clock: Clock
) -> None:
    registry.register(metadata, "rp1")
    session.commit()
    registry.update("rp1", {"client_name": "Jamais enregistré"})
    assert there(registry, "rp1").name == "Jamais enregistré"
    session.rollback()
    clock.advance(4)
    assert there(registry, "rp1").name == "Espace bailleur"


@pytest.mark.security("CL-07")
def test_a_disabled_client_is_refused_everything_and_only_enabling_helps(
    registry: ClientRegistry, metadata: dict[str, Any], recorded: Recorded
) -> None:
    secret = registry.register(metadata, "rp1").client_secret
    registry.disable("rp1")
    recent = registry.rotate_secret("rp1", 3600)
    registry.update("rp1", {"client_name": "Autre"})
    client = there(registry, "rp1")
    assert not client.enabled
    assert not client.check_client_secret(secret)
    assert not client.check_client_secret(recent)
    assert not client.check_redirect_uri("https://bailleur.example/retour")
    assert not client.check_endpoint_auth_method("client_secret_basic", "token")
    assert not client.check_response_type("code")
    assert not client.check_grant_type("refresh_token")
    registry.enable("rp1")
    assert there(registry, "rp1").check_client_secret(recent)
    assert recorded.names[1:] == ["client.disabled", "client.secret_rotated", "client.updated", "client.enabled"]


def test_enabling_what_is_enabled_changes_nothing(
    registry: ClientRegistry, metadata: dict[str, Any], recorded: Recorded
) -> None:
    version = registry.register(metadata, "rp1").client.version
    assert registry.enable("rp1").version == version
    assert registry.disable("rp1").version == version + 1
    assert registry.disable("rp1").version == version + 1
    assert recorded.names == ["client.registered", "client.disabled"]


@pytest.mark.security("CL-07")
def test_a_deleted_client_leaves_only_its_id(
    registry: ClientRegistry, metadata: dict[str, Any], session: Session, clock: Clock, recorded: Recorded
) -> None:
    registry.register(metadata, "rp1")
    registry.delete("rp1")
    assert registry.get("rp1") is None
    assert registry.list() == ()
    left = session.execute(select(ClientRecord.__table__)).one()
    assert (left.client_id, left.registration, left.enabled, left.deleted_at) == ("rp1", "{}", False, clock())
    assert session.execute(select(ClientSecret.digest)).all() == []
    for change in (
        registry.enable,
        registry.delete,
        lambda i: registry.update(i, {}),
        lambda i: registry.rotate_secret(i, 0),
    ):
        with pytest.raises(UnknownClient):
            change("rp1")
    assert recorded[-1] == ("client.deleted", {"client_id": "rp1", "name": "Espace bailleur"})


def test_an_update_changes_what_it_names_and_keeps_the_rest(
    registry: ClientRegistry, metadata: dict[str, Any], recorded: Recorded
) -> None:
    secret = registry.register(metadata | {"contacts": ["a@b.example"], "scope": "openid"}, "rp1").client_secret
    changed = registry.update("rp1", {"client_name": "Bailleurs", "contacts": None, "scope": None})
    assert changed.client_secret is None
    assert changed.client.name == "Bailleurs"
    assert changed.client.contacts == ()
    assert "partenaire" in changed.client.scope
    assert changed.client.redirect_uris == ("https://bailleur.example/retour",)
    assert changed.client.check_client_secret(secret)
    assert recorded[-1] == ("client.updated", {"client_id": "rp1", "fields": "client_name contacts scope"})


@pytest.mark.parametrize("changes", [{"redirect_uris": []}, {"client_id": "rp2"}, ["a"], None, {"nom": "x"}])
def test_a_refused_update_writes_nothing(
    registry: ClientRegistry, metadata: dict[str, Any], recorded: Recorded, changes: object
) -> None:
    before = registry.register(metadata, "rp1").client
    with pytest.raises(MetadataRefused):
        registry.update("rp1", changes)
    after = there(registry, "rp1")
    assert (after.version, after.registration) == (before.version, before.registration)
    assert recorded.names[-1] == "client.registration_refused"


def test_another_authentication_method_brings_or_forgets_the_secret(
    registry: ClientRegistry, metadata: dict[str, Any], session: Session
) -> None:
    secret = registry.register(metadata, "rp1").client_secret
    posted = registry.update("rp1", {"token_endpoint_auth_method": "client_secret_post"})
    assert posted.client_secret is None
    assert posted.client.check_client_secret(secret)
    assert registry.update("rp1", {"token_endpoint_auth_method": "none"}).client_secret is None
    assert session.execute(select(ClientSecret.digest)).all() == []
    again = registry.update("rp1", {"token_endpoint_auth_method": "client_secret_basic"})
    assert again.client.check_client_secret(again.client_secret)
    assert not again.client.check_client_secret(secret)


@pytest.mark.security("CL-11")
@pytest.mark.parametrize("changes", [{"subject_type": "public"}, {"redirect_uris": ["https://autre.example/"]}])
def test_a_change_that_would_change_every_subject_is_refused(
    registry: ClientRegistry, metadata: dict[str, Any], changes: dict[str, Any]
) -> None:
    registry.register(metadata | {"subject_type": "pairwise"}, "rp1")
    with pytest.raises(SectorChange, match="rp1"):
        registry.update("rp1", changes)
    registry.update("rp1", {"redirect_uris": ["https://bailleur.example/autre"]})


@pytest.mark.security("CL-06")
def test_a_change_that_starts_from_an_older_version_is_refused(
    registry: ClientRegistry, metadata: dict[str, Any]
) -> None:
    read = registry.register(metadata, "rp1").client
    registry.update("rp1", {"client_name": "Premier"}, version=read.version)
    with pytest.raises(ConcurrentChange, match="rp1"):
        registry.update("rp1", {"client_name": "Second"}, version=read.version)
    assert there(registry, "rp1").name == "Premier"


@pytest.mark.security("CL-01")
def test_during_a_rotation_both_secrets_open_until_the_date(
    registry: ClientRegistry, metadata: dict[str, Any], clock: Clock, recorded: Recorded
) -> None:
    old = registry.register(metadata, "rp1").client_secret
    new = registry.rotate_secret("rp1", overlap=3600)
    client = there(registry, "rp1")
    clock.advance(3599)
    assert (client.check_client_secret(old), client.check_client_secret(new)) == (True, True)
    clock.advance(1)
    assert (client.check_client_secret(old), client.check_client_secret(new)) == (False, True)
    assert recorded[-1] == ("client.secret_rotated", {"client_id": "rp1", "overlap": 3600})


def test_a_second_rotation_never_makes_an_old_secret_live_longer(
    registry: ClientRegistry, metadata: dict[str, Any], clock: Clock, session: Session
) -> None:
    first = registry.register(metadata, "rp1").client_secret
    second = registry.rotate_secret("rp1", overlap=100)
    third = registry.rotate_secret("rp1", overlap=1000)
    clock.advance(100)
    client = there(registry, "rp1")
    assert [client.check_client_secret(s) for s in (first, second, third)] == [False, True, True]
    registry.rotate_secret("rp1", overlap=10)
    assert len(there(registry, "rp1").secrets) == 3  # the one that ended is gone
    assert len(session.execute(select(ClientSecret.digest)).all()) == 3


def test_a_leaked_secret_is_replaced_at_once(registry: ClientRegistry, metadata: dict[str, Any]) -> None:
    leaked = registry.register(metadata, "rp1").client_secret
    registry.rotate_secret("rp1", overlap=3600)
    new = registry.rotate_secret("rp1", overlap=0)
    client = there(registry, "rp1")
    assert (client.check_client_secret(leaked), client.check_client_secret(new)) == (False, True)
    assert [secret.expires_at for secret in client.secrets] == [None]


@pytest.mark.parametrize("overlap", [-1, LONGEST_OVERLAP + 1])
def test_an_overlap_has_a_limit(registry: ClientRegistry, metadata: dict[str, Any], overlap: int) -> None:
    registry.register(metadata, "rp1")
    with pytest.raises(OverlapRefused, match="90 jours"):
        registry.rotate_secret("rp1", overlap)


def test_the_secrets_of_one_client_are_not_those_of_another(registry: ClientRegistry, metadata: dict[str, Any]) -> None:
    first = registry.register(metadata, "rp1").client_secret
    second = registry.register(metadata, "rp2").client_secret
    registry.rotate_secret("rp1", 0)
    registry.delete("rp1")
    assert there(registry, "rp2").check_client_secret(second)
    assert not there(registry, "rp2").check_client_secret(first)


def test_services_are_the_enabled_clients_that_can_be_started_from_here(
    registry: ClientRegistry, metadata: dict[str, Any]
) -> None:
    start = {"initiate_login_uri": "https://bailleur.example/demarrer"}
    registry.register(metadata, "sans-adresse")
    registry.register(metadata | start, "arrete")
    registry.register(metadata | start, "actif")
    registry.disable("arrete")
    registry.rotate_secret("actif", 60)  # two secrets, still one service
    assert [client.client_id for client in registry.list()] == ["actif", "arrete", "sans-adresse"]
    assert [client.client_id for client in registry.services()] == ["actif"]
