"""What the documentation says is so: settings, commands, plug points, examples, links and numbers.

`python -m tests.test_documentation` writes the table of settings again.
"""

import base64
import json
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import click
import pytest

from clients.jwks import check_jwks
from consent.step import Step
from idp.accounts import passwords
from idp.accounts.importing.rows import COLUMNS
from idp.cli import idp
from idp.db import db
from idp.delivery.channel import DeliveryChannel
from idp.oidc.claims import SCOPES, AccountClaims, ClaimProvider
from idp.settings import PREFIX, SECRET_LISTS, Settings
from keys.store import KeyStore
from tests.databases import Databases
from tests.idp.provider import (
    ISSUER,
    SCOPE,
    Browser,
    Landlord,
    Pkce,
    Provider,
    Service,
    authorization,
    redeem,
    refresh,
)

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
OPERATIONS = DOCS / "operations.md"
SERVICES = DOCS / "relying-parties.md"
PAGES = [ROOT / name for name in ("README.md", "CHANGELOG.md", "SECURITY.md")] + sorted(DOCS.rglob("*.md"))
PLUG_POINTS = (KeyStore, DeliveryChannel, ClaimProvider, Step, passwords.HashPool)
ROOMS = ("idp", "consent", "clients", "keys")

SETTINGS_TABLE = re.compile(
    r"(?<=<!-- settings: written by `python -m tests\.test_documentation` -->\n).*?(?=<!-- /)", re.S
)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def table_rows(text: str, heading: str) -> Iterator[list[str]]:
    """The cells of each row of the table whose first line begins with `heading`."""
    lines = text[text.index(heading) :].splitlines()[2:]
    for line in lines:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


# Settings


def settings_table() -> str:
    """The table of every setting, as `docs/operations.md` has it."""
    rows = ["| name | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        meaning = (field.description or "").replace("|", "\\|").replace("\u00a0", " ")
        rows.append(f"| `{PREFIX}{name.upper()}` | {_default(name, field.default, field.is_required())} | {meaning} |")
    return "\n".join(rows) + "\n"


def _default(name: str, value: Any, required: bool) -> str:
    if required:
        return "required"
    if name in SECRET_LISTS:
        return "made at the first start"
    if value is None or value == "":
        return ""
    shown = str(value).lower() if isinstance(value, bool) else str(value).replace("\u00a0", " ")
    return f"`{shown}`"


def test_the_table_of_settings_is_the_one_of_the_code() -> None:
    found = SETTINGS_TABLE.search(text_of(OPERATIONS))
    assert found is not None
    assert found[0] == settings_table(), "run: python -m tests.test_documentation"


def test_every_setting_has_a_meaning() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_no_page_names_a_setting_that_does_not_exist() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {"IDP_CONFIG", "IDP_OPERATOR"}
    named = {
        name.removesuffix("_FILE") for page in PAGES for name in re.findall(r"\bIDP_[A-Z_]*[A-Z]\b", text_of(page))
    }
    assert named <= known


# Commands


def commands(group: click.Group = idp, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands())


def blocks(page: Path, *languages: str) -> Iterator[str]:
    for language, content in re.findall(r"^```(\w+)\n(.*?)^```$", text_of(page), re.S | re.M):
        if language in languages:
            yield content


def command_lines(text: str) -> Iterator[str]:
    """The lines that run `idp`, continued ones joined, without the variables set before."""
    for line in text.replace("\\\n", " ").splitlines():
        bare = re.sub(r"^(?:[A-Z_]+=\S+ +)+", "", line.strip())
        if bare.startswith("idp "):
            yield bare


EXAMPLES = [
    pytest.param(line, id=f"{page.relative_to(ROOT)}: {line[:60]}")
    for page in PAGES
    for block in blocks(page, "console", "sh")
    for line in command_lines(block)
]


def parse(line: str) -> None:
    """Raise `click.UsageError` when the command or one of its options does not exist."""
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = idp
    while isinstance(command, click.Group):
        name = words.pop(0)
        assert name in command.commands, f"no command {name!r}"
        command = command.commands[name]
    for word in words:
        # Files that the example only names are there when it is typed.
        if re.fullmatch(r"[a-z-]+\.(csv|json|md)", word):
            Path(word).write_text("{}", encoding="utf-8")
    command.make_context(command.name, words).close()


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_is_a_command_that_exists(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    parse(line)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_a_command_is_documented(path: tuple[str, ...]) -> None:
    name = re.compile(rf"\bidp {' '.join(path)}\b")
    assert any(name.search(text_of(page)) for page in PAGES)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_the_help_of_a_command_ends_with_examples_that_work(
    path: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written = COMMANDS[path].help or ""
    _, marker, examples = written.partition("Exemple")
    assert marker
    lines = list(command_lines(examples))
    assert lines
    assert all(line.startswith(f"idp {' '.join(path)}") for line in lines)
    for line in lines:
        parse(line)


# Plug points


@pytest.mark.parametrize("plug_point", PLUG_POINTS, ids=lambda each: each.__name__)
def test_a_plug_point_has_a_section_that_tells_of_each_of_its_members(plug_point: type) -> None:
    page = text_of(DOCS / "plug-points.md")
    section = re.search(rf"^## {plug_point.__name__}$(.*?)(?=^## |\Z)", page, re.S | re.M)
    assert section is not None
    module = plug_point.__module__.replace(".", "/") + ".py"
    assert module in section[1]
    members = [name for name in vars(plug_point) if not name.startswith("_")]
    assert members
    assert [name for name in members if not re.search(rf"`{name}[`(]", section[1])] == []


def test_no_plug_point_of_the_code_is_left_out() -> None:
    sources = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    marked = {path for path in sources if re.search(r"plug point", text_of(path), re.I)}
    told = {ROOT / (each.__module__.replace(".", "/") + ".py") for each in PLUG_POINTS}
    assert marked <= told


# What the provider gives


@pytest.fixture(scope="module")
def provider(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A provider as an administrator prepares it."""
    provider = Provider(
        Settings(
            environment="test",
            issuer=ISSUER,
            data_dir=tmp_path_factory.mktemp("documented"),
            database_url=databases.new(),
            bcrypt_cost=4,
            access_log=False,
            secret_keys=("s" * 43,),
            key_encryption_keys=("k" * 43,),
            password_peppers=("p" * 43,),
        )
    )
    yield provider
    with provider.app.app_context():
        db.engine.dispose()


class Visit:
    """One person, signed in at one service."""

    def __init__(self, provider: Provider, landlord: Landlord, **metadata: Any) -> None:
        self.provider = provider
        self.service: Service = provider.service(**metadata)
        self.browser: Browser = provider.browser()
        assert self.browser.sign_in(landlord).status_code == 303

    def tokens(self, **parameters: str) -> dict[str, Any]:
        pkce = Pkce()
        code = self.browser.code(self.service, pkce, **parameters)
        return self.answer(redeem(self.browser, self.service, code, pkce))

    def userinfo(self, **parameters: str) -> dict[str, Any]:
        bearer = {"Authorization": f"Bearer {self.tokens(**parameters)['access_token']}"}
        return self.answer(self.browser.get("/oauth2/userinfo", headers=bearer))

    def introspection(self) -> dict[str, Any]:
        token = self.tokens(scope="openid")["access_token"]
        return self.answer(
            self.browser.client.post(
                "/oauth2/introspect", base_url=ISSUER, headers=self.service.basic, data={"token": token}
            )
        )

    def used_refresh(self) -> dict[str, Any]:
        token = self.tokens()["refresh_token"]
        refresh(self.browser, self.service, token)
        again = refresh(self.browser, self.service, token)
        assert again.status_code == 400
        return dict(again.get_json())

    def answer(self, response: Any) -> dict[str, Any]:
        assert response.status_code == 200, response.get_data(as_text=True)
        return dict(response.get_json())


@pytest.fixture(scope="module")
def visit(provider: Provider) -> Visit:
    return Visit(provider, provider.landlord())


@pytest.fixture(scope="module")
def organisation_visit(provider: Provider) -> Visit:
    columns = {"partner_type": "moral", "organisation_id": provider.organisation(), "role": "administrateur"}
    return Visit(provider, provider.landlord(telephone=None, **columns))


def example(name: str) -> dict[str, Any]:
    """The JSON after `<!-- example: name -->`."""
    found = re.search(rf"^<!-- example: {name} -->\n```json\n(.*?)^```$", text_of(SERVICES), re.S | re.M)
    assert found is not None, name
    return dict(json.loads(found[1]))


def shape(document: dict[str, Any]) -> dict[str, type]:
    return {name: type(value) for name, value in document.items()}


def part(token: str, number: int) -> dict[str, Any]:
    return dict(json.loads(base64.urlsafe_b64decode(token.split(".")[number] + "==")))


def test_the_answer_of_the_token_endpoint_and_the_id_token_are_as_shown(visit: Visit) -> None:
    answer = visit.tokens()
    assert shape(example("token")) == shape(answer)
    assert example("token")["expires_in"] == answer["expires_in"]
    assert example("token")["scope"] == SCOPE
    assert example("id_token header").keys() == part(answer["id_token"], 0).keys()
    assert shape(example("id_token")) == shape(part(answer["id_token"], 1))
    for name in ("acr", "amr"):
        assert example("id_token")[name] == part(answer["id_token"], 1)[name]


def test_userinfo_is_as_shown(visit: Visit, organisation_visit: Visit) -> None:
    assert shape(example("userinfo physique")) == shape(visit.userinfo())
    assert shape(example("userinfo moral")) == shape(organisation_visit.userinfo())
    asked = re.search(r"`claims=(\{.*?\})`", text_of(SERVICES))
    assert asked is not None
    assert shape(example("userinfo claims")) == shape(visit.userinfo(scope="openid", claims=asked[1]))


def test_introspection_and_errors_are_as_shown(visit: Visit) -> None:
    assert shape(example("introspection")) == shape(visit.introspection())
    assert example("error") == visit.used_refresh()


def test_the_keys_that_a_service_registers_are_as_shown() -> None:
    assert check_jwks(example("jwks"))["keys"][0]["kid"] == "bailleur-2026"


def test_no_example_of_a_token_is_left_unchecked() -> None:
    named = re.findall(r"^<!-- example: (.*) -->$", text_of(SERVICES), re.M)
    shown = re.findall(r"^```json$", text_of(SERVICES), re.M)
    checked = {"token", "id_token header", "id_token", "error", "introspection", "jwks"}
    assert set(named) == checked | {"userinfo physique", "userinfo moral", "userinfo claims"}
    assert len(named) == len(set(named)) == len(shown)


def test_the_table_of_scopes_is_the_one_of_the_code() -> None:
    told = {row[0].strip("`"): re.findall(r"`(\w+)`", row[1]) for row in table_rows(text_of(SERVICES), "| scope |")}
    given = {scope: list(names) for scope, names in SCOPES.items() if {*names} <= {*AccountClaims().names()}}
    assert told == {"openid": ["sub"], **given, "offline_access": []}


def test_the_errors_that_are_explained_are_sent(visit: Visit) -> None:
    told = " ".join(row[0] for row in table_rows(text_of(SERVICES), "| you get |"))
    asked = {
        "invalid_request": {"max_age": "demain"},
        "invalid_scope": {"scope": "autre"},
        "unmet_authentication_requirements": {"claims": '{"id_token":{"acr":{"essential":true,"value":"eidas2"}}}'},
        "login_required": {"prompt": "none", "claims": '{"id_token":{"sub":{"value":"somebody-else"}}}'},
    }
    for error, parameters in asked.items():
        query = authorization(visit.service, Pkce(), **parameters)
        location = visit.browser.get("/oauth2/authorize", query_string=query).headers["Location"]
        assert f"error={error}&" in location
        assert f"`{error}`" in told


# Numbers


@contextmanager
def measured(provider: Provider, told: dict[str, tuple[int, int]], name: str) -> Iterator[None]:
    with provider.counting() as counts:
        yield
    told[name] = _statements(counts)


def _statements(counts: Counter[str]) -> tuple[int, int]:
    writes = counts["INSERT"] + counts["UPDATE"] + counts["DELETE"]
    return counts["SELECT"] + writes, writes


def test_the_statements_that_the_architecture_claims_are_counted(provider: Provider, visit: Visit) -> None:
    client, pkce, found = visit.browser, Pkce(), {}
    visit.userinfo()  # keys and the client are read once
    client.get("/oauth2/jwks")
    with measured(provider, found, "authorize"):
        code = client.code(visit.service, pkce)
    with measured(provider, found, "token"):
        body = redeem(client, visit.service, code, pkce).get_json()
    with measured(provider, found, "userinfo"):
        client.get("/oauth2/userinfo", headers={"Authorization": f"Bearer {body['access_token']}"})
    with measured(provider, found, "refresh"):
        assert refresh(client, visit.service, body["refresh_token"]).status_code == 200
    with measured(provider, found, "jwks"):
        client.get("/oauth2/jwks")
    with measured(provider, found, "discovery"):
        client.get("/.well-known/openid-configuration")
    rows = table_rows(text_of(DOCS / "architecture.md"), "| request | statements |")
    assert {name: (int(statements), int(writes)) for name, statements, writes in rows} == found


# Names


def test_every_event_of_the_audit_is_told() -> None:
    sources = "\n".join(text_of(path) for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    written = set(re.findall(r"record\(\s*\"([a-z_]+\.[a-z_]+)\"", sources))
    told = {
        name for row in table_rows(text_of(OPERATIONS), "| about | events |") for name in re.findall(r"`(.*?)`", row[1])
    }
    assert written <= told
    # Those whose name is put together: account.locked, account.suspended, client.enabled...
    assert {name.split(".")[0] for name in told} == {name.split(".")[0] for name in written}


def test_every_column_of_the_import_is_told() -> None:
    told = " ".join(row[0] for row in table_rows(text_of(OPERATIONS), "| column | content |"))
    told = told.replace("`adresse_1` to `adresse_4`", "`adresse_1` `adresse_2` `adresse_3` `adresse_4`")
    assert sorted(re.findall(r"`(\w+)`", told)) == sorted(COLUMNS)


def test_the_environments_are_told() -> None:
    assert get_args(Settings.model_fields["environment"].annotation) == ("production", "demo", "test")


# Links


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", text_of(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


LINKS = [
    pytest.param(page, target, id=f"{page.relative_to(ROOT)} -> {target}")
    for page in PAGES
    for target in re.findall(r"(?:\]\(|src=\")([^)\"]+)", text_of(page))
    if not re.match(r"https?:", target)
]


@pytest.mark.parametrize(("page", "target"), LINKS)
def test_a_link_leads_somewhere(page: Path, target: str) -> None:
    path, _, anchor = target.partition("#")
    found = (page.parent / path).resolve() if path else page
    assert found.exists()
    assert not anchor or anchor in anchors(found)


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        targets = re.findall(r"\]\(([^)#]+)", text_of(page))
        waiting += [(page.parent / target).resolve() for target in targets if not re.match(r"https?:", target)]
    assert set(PAGES) <= reached


def test_a_decision_is_dated_short_and_listed() -> None:
    for page in sorted((DOCS / "decisions").glob("0*.md")):
        lines = text_of(page).splitlines()
        assert len(lines) <= 10
        assert re.match(r"# \d+\. ", lines[0])
        assert re.match(r"\d{4}-\d\d-\d\d\. ", lines[2])


def main() -> None:
    """Write the table of settings again."""
    OPERATIONS.write_text(SETTINGS_TABLE.sub(lambda _found: settings_table(), text_of(OPERATIONS)), encoding="utf-8")


if __name__ == "__main__":
    main()
