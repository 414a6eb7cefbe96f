import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click import Command
from click.testing import Result
from flask import Flask

from clients.cli import clients_cli
from clients.client import Client
from clients.registry import ClientRegistry
from tests.conftest import Clock, Recorded

Run = Callable[..., Result]
NEW = ["register", "--name", "Espace bailleur", "--redirect-uri", "https://bailleur.example/retour"]


@pytest.fixture
def run(registry: ClientRegistry) -> Run:
    """Runs `idp clients ...` in a small application that holds the registry."""
    app = Flask("test")
    app.extensions["clients"] = registry
    runner = app.test_cli_runner()

    def invoke(*arguments: str, **more: Any) -> Result:
        return runner.invoke(clients_cli, list(arguments), **more)

    return invoke


@pytest.fixture
def rp1(run: Run) -> dict[str, Any]:
    """A registered service, as `register` told it."""
    told: dict[str, Any] = json.loads(run(*NEW, "--client-id", "rp1").stdout)
    return told


def refusal(result: Result) -> str:
    """The one line of a refusal: exit 1, nothing on stdout."""
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    return result.stderr


def there(registry: ClientRegistry, client_id: str) -> Client:
    client = registry.get(client_id)
    assert client is not None
    return client


@pytest.mark.parametrize(("name", "command"), sorted(clients_cli.commands.items()))
def test_every_command_has_help_with_an_example_and_a_json_answer(run: Run, name: str, command: Command) -> None:
    text = run(name, "--help").output
    assert f"idp clients {name}" in text.split("Exemple :")[1]
    assert "--json" in text


def test_registering_prints_json_with_the_id_and_the_secret_once(
    run: Run, registry: ClientRegistry, rp1: dict[str, Any]
) -> None:
    assert rp1["client_id"] == "rp1"
    assert rp1["client_secret_expires_at"] == 0
    assert rp1["redirect_uris"] == ["https://bailleur.example/retour"]
    assert there(registry, "rp1").check_client_secret(rp1["client_secret"])
    assert (
        rp1["client_secret"] not in run("show", "rp1").output + run("list").output + run("show", "rp1", "--json").output
    )


def test_every_option_becomes_its_metadata(
    run: Run, registry: ClientRegistry, tmp_path: Path, public_jwk: Callable[..., dict[str, Any]]
) -> None:
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps({"keys": [public_jwk("P-256", kid="k1")]}))
    result = run(
        *NEW,
        *("--client-id", "rp1", "--redirect-uri", "https://bailleur.example/autre"),
        *("--post-logout-redirect-uri", "https://bailleur.example/", "--auth-method", "private_key_jwt"),
        *("--scope", "openid partenaire", "--jwks", str(keys), "--id-token-alg", "ES256", "--no-require-pkce"),
        *("--initiate-login-uri", "https://bailleur.example/demarrer", "--pairwise", "--json"),
    )
    assert "client_secret" not in json.loads(result.stdout)
    client = there(registry, "rp1")
    assert client.redirect_uris == ("https://bailleur.example/retour", "https://bailleur.example/autre")
    assert client.post_logout_redirect_uris == ("https://bailleur.example/",)
    assert client.token_endpoint_auth_method == "private_key_jwt"
    assert client.scope == "openid partenaire"
    assert client.jwks is not None
    assert client.jwks.get_by_kid("k1").key_type == "EC"
    assert client.id_token_signed_response_alg == "ES256"
    assert client.require_pkce is False
    assert client.initiate_login_uri == "https://bailleur.example/demarrer"
    assert client.sector == "bailleur.example"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ("web", "client_secret_basic")),
        (["--public"], ("web", "none")),
        (["--public", "--auth-method", "none"], ("web", "none")),
        (["--native"], ("native", "none")),
        (["--native", "--auth-method", "client_secret_post"], ("native", "client_secret_post")),
    ],
)
def test_a_native_client_is_public_unless_said_otherwise(
    run: Run, registry: ClientRegistry, options: list[str], expected: tuple[str, str]
) -> None:
    assert run(*NEW, "--client-id", "rp1", *options).exit_code == 0
    client = there(registry, "rp1")
    assert (client.application_type, client.token_endpoint_auth_method) == expected


def test_options_that_contradict_one_another_are_wrong_usage(run: Run) -> None:
    result = run(*NEW, "--public", "--auth-method", "client_secret_post")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "se contredisent" in result.stderr


def test_a_file_with_standard_names_is_read_and_options_go_over_it(
    run: Run, registry: ClientRegistry, metadata: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "service.json"
    file.write_text(json.dumps(metadata | {"contacts": ["a@b.example"], "scope": "openid email"}), encoding="utf-8")
    assert run("register", "--from", str(file), "--scope", "openid", "--client-id", "rp1").exit_code == 0
    client = there(registry, "rp1")
    assert (client.name, client.contacts, client.scope) == ("Espace bailleur", ("a@b.example",), "openid")


def test_a_file_can_come_from_standard_input(run: Run, metadata: dict[str, Any]) -> None:
    assert json.loads(run("register", "--from", "-", input=json.dumps(metadata)).stdout)["client_name"]


@pytest.mark.authlib(2, 6)
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"\xff\xfe\xfd", "JSON"),
        (b"[" * 100_000, "JSON"),
        (b" " * 300_000, "256 ko"),
        (b"[]", "objet JSON"),
        (b"[5]", "objet JSON"),
        (b'"texte"', "objet JSON"),
        (b'{"client_name": "x", "redirect_uris": [5]}', "redirect_uris"),
        (b'{"client_nom": "x"}', "client_nom"),
        (b'{"client_name": "\\ud800", "redirect_uris": ["https://a.example/"]}', "client_name"),
    ],
)
def test_a_bad_file_is_refused_in_one_line(run: Run, tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "service.json"
    file.write_bytes(content)
    assert reason in refusal(run("register", "--from", str(file)))


@pytest.mark.security("CL-05")
@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("http://bailleur.example/retour", "n'est pas chiffré"),
        ("https://*.bailleur.example/retour", "joker"),
        ("https://bailleur.example/retour#a", "fragment"),
        ("javascript:alert(1)", "javascript:"),
        ("data:text/html,x", "data:"),
        ("https://192.0.2.1/retour", "adresse IP"),
        ("http://127.0.0.1:8001/retour", "la machine de la personne"),
        ("http://localhost/retour", "la machine de la personne"),
        ("https://bаilleur.example/retour", "non ASCII"),
        ("https://xn--80ak6aa92e.example/retour", "se confondre"),
    ],
)
def test_a_dangerous_redirect_address_is_refused_with_a_clear_message(
    run: Run, registry: ClientRegistry, recorded: Recorded, uri: str, reason: str
) -> None:
    assert reason in refusal(run("register", "--name", "X", "--redirect-uri", uri))
    assert registry.list() == ()
    assert recorded.names == ["client.registration_refused"]


@pytest.mark.security("CL-03")
def test_a_secret_cannot_be_chosen_nor_shared_with_a_method_that_signs_with_it(
    run: Run, metadata: dict[str, Any]
) -> None:
    chosen = json.dumps(metadata | {"client_secret": "court"})
    assert "jamais choisi" in refusal(run("register", "--from", "-", input=chosen))
    assert run(*NEW, "--auth-method", "client_secret_jwt").exit_code == 2
    assert run(*NEW, "--id-token-alg", "HS256").exit_code == 2
    assert "--client-secret" not in run("register", "--help").output


def test_the_list_shows_every_service_and_its_state(run: Run, rp1: dict[str, Any]) -> None:
    run("disable", "rp1")
    run(*NEW, "--client-id", "rp2")
    lines = run("list").stdout.splitlines()
    assert [(line.split()[0], line.split()[1]) for line in lines] == [("rp1", "arrêté"), ("rp2", "actif")]
    told = json.loads(run("list", "--json").stdout)
    assert [(one["client_id"], one["enabled"]) for one in told] == [("rp1", False), ("rp2", True)]


def test_an_empty_list_says_what_to_do_next(run: Run) -> None:
    assert "idp clients register" in run("list").stdout
    assert json.loads(run("list", "--json").stdout) == []


def test_showing_a_service_shows_what_it_registered_and_the_dates_of_its_secrets(
    run: Run, rp1: dict[str, Any], clock: Clock
) -> None:
    run("rotate-secret", "rp1", "--overlap", "1h")
    text = run("show", "rp1").stdout
    assert "client_id : rp1 (actif)" in text
    assert 'redirect_uris : ["https://bailleur.example/retour"]' in text
    assert "secret : sans date de fin" in text
    assert "secret : jusqu'au 15/01/2027 à 09:00:00 UTC" in text
    told = json.loads(run("show", "rp1", "--json").stdout)
    assert told["secrets"] == [{"expires_at": clock() + 3600}, {"expires_at": None}]


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "inconnu"],
        ["update", "inconnu", "--name", "x"],
        ["rotate-secret", "inconnu"],
        ["enable", "inconnu"],
        ["disable", "inconnu"],
        ["delete", "inconnu", "--yes"],
    ],
)
def test_an_unknown_service_is_refused_with_the_way_to_find_it(run: Run, arguments: list[str]) -> None:
    assert "idp clients list" in refusal(run(*arguments))


def test_an_update_changes_what_is_given(run: Run, registry: ClientRegistry, rp1: dict[str, Any]) -> None:
    assert "à jour" in run("update", "rp1", "--name", "Bailleurs").stdout
    assert there(registry, "rp1").name == "Bailleurs"
    told = json.loads(run("update", "rp1", "--scope", "openid", "--json").stdout)
    assert (told["client_name"], told["scope"]) == ("Bailleurs", "openid")
    assert "client_secret" not in told
    run("update", "rp1", "--no-require-pkce")
    assert not there(registry, "rp1").require_pkce
    assert "joker" in refusal(run("update", "rp1", "--redirect-uri", "https://*.example/"))


def test_an_update_that_needs_a_secret_prints_it_once(run: Run, rp1: dict[str, Any], registry: ClientRegistry) -> None:
    run("update", "rp1", "--public")
    told = json.loads(run("update", "rp1", "--auth-method", "client_secret_post").stdout)
    assert there(registry, "rp1").check_client_secret(told["client_secret"])


def test_an_update_without_anything_to_change_is_wrong_usage(run: Run, rp1: dict[str, Any]) -> None:
    result = run("update", "rp1")
    assert (result.exit_code, "rien à changer" in result.stderr) == (2, True)
    assert "objet JSON" in refusal(run("update", "rp1", "--from", "-", input="[]"))


def test_rotating_prints_the_new_secret_alone_on_its_line_and_until_when_the_old_one_serves(
    run: Run, registry: ClientRegistry, rp1: dict[str, Any], clock: Clock
) -> None:
    lines = run("rotate-secret", "rp1", "--overlap", "2j").stdout.splitlines()
    client = there(registry, "rp1")
    assert client.check_client_secret(lines[1])
    assert client.check_client_secret(rp1["client_secret"])
    assert "17/01/2027" in lines[2]
    told = json.loads(run("rotate-secret", "rp1", "--json").stdout)
    assert told["previous_expires_at"] == clock() + 86400  # a day sooner than the first time said
    assert there(registry, "rp1").check_client_secret(told["client_secret"])


def test_a_leaked_secret_is_replaced_at_once(run: Run, registry: ClientRegistry, rp1: dict[str, Any]) -> None:
    assert run("rotate-secret", "rp1", "--overlap", "0").stdout.endswith("L'ancien ne sert plus.\n")
    assert not there(registry, "rp1").check_client_secret(rp1["client_secret"])


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("90s", 90), ("30m", 1800), ("24h", 86400), ("7j", 604800), ("7d", 604800)]
)
def test_a_length_of_time_has_a_unit(
    run: Run, rp1: dict[str, Any], recorded: Recorded, text: str, seconds: int
) -> None:
    assert run("rotate-secret", "rp1", "--overlap", text).exit_code == 0
    assert recorded[-1][1]["overlap"] == seconds


@pytest.mark.parametrize("text", ["", "60", "-1h", "1w", "1h30m", "h", "1.5h", "9999999999s"])
def test_another_length_of_time_is_wrong_usage(run: Run, rp1: dict[str, Any], text: str) -> None:
    result = run("rotate-secret", "rp1", f"--overlap={text}")
    assert (result.exit_code, "30m, 24h ou 7j" in result.stderr) == (2, True)


def test_an_overlap_that_is_too_long_and_a_client_without_secret_are_refused(run: Run, rp1: dict[str, Any]) -> None:
    assert "90 jours" in refusal(run("rotate-secret", "rp1", "--overlap", "91j"))
    run("update", "rp1", "--public")
    assert "sans secret" in refusal(run("rotate-secret", "rp1"))


@pytest.mark.security("CL-07")
def test_disabling_and_enabling(run: Run, registry: ClientRegistry, rp1: dict[str, Any]) -> None:
    assert run("disable", "rp1").stdout == "« rp1 » est arrêté.\n"
    assert not there(registry, "rp1").enabled
    assert json.loads(run("enable", "rp1", "--json").stdout) == {"client_id": "rp1", "enabled": True}
    assert there(registry, "rp1").enabled


def test_deleting_asks_first(run: Run, registry: ClientRegistry, rp1: dict[str, Any]) -> None:
    for answer in ("rp2\n", ""):
        refused = run("delete", "rp1", input=answer)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "retapez son identifiant" in refused.stderr
        assert registry.get("rp1") is not None
    assert "supprimé" in run("delete", "rp1", input="rp1\n").stdout
    assert registry.get("rp1") is None
    assert "déjà pris" in refusal(run(*NEW, "--client-id", "rp1"))


def test_deleting_without_asking_is_for_scripts(run: Run, registry: ClientRegistry, rp1: dict[str, Any]) -> None:
    assert json.loads(run("delete", "rp1", "--yes", "--json").stdout) == {"client_id": "rp1", "deleted": True}
    assert registry.get("rp1") is None


@pytest.mark.security("CL-10")
def test_a_name_with_html_is_shown_as_it_is_and_one_that_writes_backwards_is_refused(run: Run) -> None:
    told = json.loads(run("register", "--name", "<b>X</b>", "--redirect-uri", "https://a.example/").stdout)
    assert told["client_name"] == "<b>X</b>"
    backwards = run("register", "--name", "X\u202e", "--redirect-uri", "https://a.example/")
    assert "sens d'écriture" in refusal(backwards)
