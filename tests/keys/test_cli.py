import json
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskCliRunner

from keys.cli import keys_cli
from keys.ring import KeyRing
from tests.conftest import Clock
from tests.keys.conftest import POLICY


@pytest.fixture
def runner(ring: KeyRing) -> FlaskCliRunner:
    app = Flask(__name__)
    app.extensions["keys"] = ring
    app.cli.add_command(keys_cli)
    return app.test_cli_runner()


def run(runner: FlaskCliRunner, *arguments: str, answer: str | None = None) -> Result:
    return runner.invoke(args=["keys", *arguments], input=answer)


def told(runner: FlaskCliRunner, *arguments: str) -> Any:
    result = run(runner, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_list_shows_each_key_its_state_and_its_dates(runner: FlaskCliRunner, ring: KeyRing, clock: Clock) -> None:
    ring.rotate()
    table = run(runner, "list")
    assert table.exit_code == 0
    heading, first, second = table.stdout.splitlines()
    assert heading.split() == ["kid", "alg", "état", "signe", "à", "partir", "de", "part", "le"]
    assert first.split() == [ring.list()[0].key.kid, "ES256", "signe", "2027-01-15T08:00:00Z", "2027-01-15T10:06:00Z"]
    assert second.split()[1:] == ["ES256", "publiée", "2027-01-15T10:00:00Z", "-"]


def test_list_for_machines_is_one_json_document(runner: FlaskCliRunner, ring: KeyRing, clock: Clock) -> None:
    (key,) = told(runner, "list")
    assert key == {
        "kid": ring.list()[0].key.kid,
        "alg": "ES256",
        "generation": 1,
        "state": "current",
        "published_at": clock(),
        "active_from": clock(),
        "leaves_at": None,
        "revoked_at": None,
    }


def test_no_private_part_is_ever_printed(runner: FlaskCliRunner, ring: KeyRing) -> None:
    kid = ring.list()[0].key.kid
    private = str(ring._store.private(kid).as_dict(private=True)["d"])
    for arguments in (["list"], ["list", "--json"], ["rotate"], ["retire", kid], ["revoke", kid, "--yes", "--json"]):
        assert private not in run(runner, *arguments).output


def test_rotate_shows_the_key_that_will_sign_next_and_never_makes_two(runner: FlaskCliRunner, clock: Clock) -> None:
    (first,) = told(runner, "rotate")
    assert first["state"] == "published"
    assert first["active_from"] == clock() + POLICY.publish_ahead
    assert told(runner, "rotate", "--alg", "ES256") == [first]


def test_rotate_refuses_an_algorithm_that_this_installation_does_not_sign_with(runner: FlaskCliRunner) -> None:
    refused = run(runner, "rotate", "--alg", "RS256")
    assert refused.exit_code == 1
    assert "RS256" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert refused.stdout == ""


@pytest.mark.parametrize(
    "arguments", [["rotate", "--alg", "HS256"], ["retire"], ["revoke"], ["revoke", "a", "b"], ["forget", "a"]]
)
def test_wrong_usage_exits_2(runner: FlaskCliRunner, arguments: list[str]) -> None:
    assert run(runner, *arguments).exit_code == 2


def test_retire_shows_what_becomes_of_the_key_and_of_its_successor(runner: FlaskCliRunner, ring: KeyRing) -> None:
    kid = ring.list()[0].key.kid
    first, second = told(runner, "retire", kid)
    assert (first["kid"], first["state"]) == (kid, "current")
    assert first["leaves_at"] == second["active_from"] + POLICY.token_lifetime
    assert second["state"] == "published"


@pytest.mark.security("JW-08")
def test_revoke_takes_the_key_away_at_once(runner: FlaskCliRunner, ring: KeyRing, clock: Clock) -> None:
    kid = ring.list()[0].key.kid
    revoked, fresh = told(runner, "revoke", kid, "--yes")
    assert (revoked["kid"], revoked["state"], revoked["revoked_at"]) == (kid, "revoked", clock())
    assert fresh["state"] == "current"
    assert kid not in ring.jwks().body.decode()
    assert "révoquée" in run(runner, "list").stdout


def test_revoke_of_the_last_key_that_could_sign_still_answers(runner: FlaskCliRunner, ring: KeyRing) -> None:
    from_nobody = KeyRing(ring._store, ring._clock, POLICY, ring._record)
    kid = ring.list()[0].key.kid
    ring._store.bring_forward(kid, "revoked_at", 1)
    assert from_nobody.revoke(kid) is None
    (revoked,) = told(runner, "revoke", kid, "--yes")
    assert revoked["state"] == "revoked"


@pytest.mark.parametrize(("answer", "exit_code"), [("y\n", 0), ("n\n", 1), ("", 1), ("\n", 1)])
def test_revoke_asks_first(runner: FlaskCliRunner, ring: KeyRing, answer: str, exit_code: int) -> None:
    kid = ring.list()[0].key.kid
    asked = run(runner, "revoke", kid, "--json", answer=answer)
    assert asked.exit_code == exit_code
    assert kid in asked.stderr
    assert len(ring.list()) == (2 if exit_code == 0 else 1)
    if exit_code == 0:
        assert json.loads(asked.stdout)


@pytest.mark.parametrize("command", [["retire"], ["revoke", "--yes"]])
def test_an_unknown_kid_is_refused_on_one_line_with_what_to_do(runner: FlaskCliRunner, command: list[str]) -> None:
    refused = run(runner, *command, "../../etc/passwd")
    assert refused.exit_code == 1
    assert "idp keys list" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_an_empty_store_says_so(runner: FlaskCliRunner, ring: KeyRing) -> None:
    class Empty:
        def read(self) -> list[object]:
            return []

    ring._store = Empty()  # type: ignore[assignment]
    assert run(runner, "list").stdout == "Aucune clé de signature.\n"
    assert told(runner, "list") == []


@pytest.mark.parametrize("command", ["list", "rotate", "retire", "revoke"])
def test_every_command_explains_itself_with_an_example(runner: FlaskCliRunner, command: str) -> None:
    helped = run(runner, command, "--help").stdout
    assert "Exemple :" in helped
    assert f"idp keys {command}" in helped
    assert "--json" in helped
