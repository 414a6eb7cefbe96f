"""`idp run`, a real server: what it answers to requests that are made to be read in two ways (SE-13)."""

import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import Databases
from tests.idp.cli.commands import Installation
from tests.journeys.processes import Server, free_port

SECRET_PATH = "/mes-services"
"""What a hidden second request asks for."""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[int]:
    """A running provider with two workers."""
    folder = tmp_path_factory.mktemp("run")
    installation, number = Installation(folder, databases.new()), free_port()
    installation.environ["IDP_ISSUER"] = f"http://localhost:{number}"
    assert installation.run("secrets", "init").returncode == 0
    assert installation.run("db", "upgrade").returncode == 0
    command = [sys.executable, "-m", "idp.cli", "run", "--port", str(number), "--workers", "2"]
    server = Server(command, installation.environ, folder / "log", f"http://localhost:{number}/sante/pret")
    server.start()
    yield number
    server.stop()


def send(port: int, raw: bytes) -> bytes:
    """All that the server answers until it closes, or has nothing more to say for two seconds."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(raw)
        try:
            while part := connection.recv(65536):
                answer += part
        except (TimeoutError, ConnectionResetError):
            pass
    return answer


def statuses(answer: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d{3})", answer)]


def request(port: int, *headers: str, line: str = "POST /connexion HTTP/1.1", body: str = "") -> bytes:
    head = "\r\n".join((line, f"Host: localhost:{port}", *headers))
    return f"{head}\r\n\r\n{body}".encode("latin-1")


def hidden(port: int) -> str:
    return f"GET {SECRET_PATH} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"


@pytest.mark.security("SE-13")
def test_two_lengths_of_one_body_are_refused_or_close_the_connection(port: int) -> None:
    """CL+TE and TE+CL: never two answers, or the second request was read out of the first one's body."""
    inside = hidden(port)
    both = ("Transfer-Encoding: chunked", f"Content-Length: {len(inside) + 5}")
    for headers in (both, both[::-1]):
        seen = statuses(send(port, request(port, *headers, body="0\r\n\r\n" + inside)))
        assert len(seen) <= 1, (headers, seen)
        assert not seen or seen[0] >= 400


@pytest.mark.security("SE-13")
@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 5, 6",),
        ("Content-Length: +5",),
        ("Content-Length: -1",),
        ("Content-Length: 0x5",),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding : chunked",),
        ("X-Nul: a\x00b", "Content-Length: 5"),
    ],
)
def test_a_length_that_can_be_read_in_two_ways_is_refused(port: int, headers: tuple[str, ...]) -> None:
    seen = statuses(send(port, request(port, *headers, body="a=b&c" + hidden(port))))
    assert len(seen) <= 1, seen
    assert not seen or seen[0] >= 400


@pytest.mark.security("SE-13")
def test_a_folded_header_is_refused(port: int) -> None:
    folded = request(port, "X-Long: a\r\n Content-Length: 5", line="GET /connexion HTTP/1.1")
    seen = statuses(send(port, folded))
    assert seen in ([], [400])


@pytest.mark.security("SE-13")
def test_what_follows_a_body_of_the_announced_length_is_a_request_of_its_own_and_nobodys_body(port: int) -> None:
    """Pipelining is HTTP: two whole requests get two answers, each decided by itself."""
    answer = send(port, request(port, "Content-Length: 3", "Content-Type: text/plain", body="a=b" + hidden(port)))
    seen = statuses(answer)
    assert seen[0] == 403
    assert seen[1:] in ([], [303])


@pytest.mark.security("SE-13", "IN-10")
@pytest.mark.parametrize(
    "line",
    [
        "GET /connexion HTTP/9.9",
        "GET /connexion",
        "GET  /connexion HTTP/1.1",
        "G\x00T /connexion HTTP/1.1",
        "\x16\x03\x01",
    ],
)
def test_a_line_that_is_no_request_is_refused(port: int, line: str) -> None:
    seen = statuses(send(port, request(port, line=line)))
    assert seen in ([], [400], [505])


@pytest.mark.security("PW-01")
def test_another_host_is_refused(port: int) -> None:
    for host in ("mechant.example", f"localhost:{port + 1}", ""):
        raw = f"GET /connexion HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        assert statuses(send(port, raw)) in ([400], [421])


@pytest.mark.security("LE-04")
def test_no_answer_tells_what_serves_it(port: int) -> None:
    for path in ("/connexion", "/nulle-part", "/oauth2/token", "/oauth2/jwks"):
        answer = send(port, request(port, "Connection: close", line=f"GET {path} HTTP/1.1"))
        head = answer.partition(b"\r\n\r\n")[0].lower()
        assert re.findall(rb"\r\n(?:server|x-powered-by|via): *([^\r]*)", head) == [b"mcp"]
        assert b"granian" not in answer
        assert b"werkzeug" not in answer.lower()


def test_the_log_of_the_run_is_json_line_by_line(port: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    import json

    send(port, request(port, "Connection: close", line="GET /connexion?secret=x HTTP/1.1"))
    logs = sorted(Path(tmp_path_factory.getbasetemp()).glob("run*/log"))
    lines = logs[-1].read_text().splitlines()
    assert [json.loads(line) for line in lines]
    assert "secret=x" not in logs[-1].read_text()
