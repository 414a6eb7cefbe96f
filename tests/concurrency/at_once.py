"""Requests that reach a server at the same instant: all of each is sent but its last byte, then the last bytes go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from tests.concurrency.workers import holders
from tests.journeys.processes import wait_until


@dataclass(frozen=True)
class Post:
    """A form to send: path, fields, headers."""

    path: str
    form: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    location: str | None
    cookies: Sequence[str]
    body: str


def at_once(issuer: str, pid: int, posts: Sequence[Post]) -> list[Answer]:
    """Send all of `posts` to the server whose first process is `pid`, at once; the answers in the same order.

    Asserts that several of its worker processes hold some of the connections.
    """
    connections, last_bytes = [], []
    for post in posts:
        connection, last_byte = _but_the_last_byte(issuer, post)
        connections.append(connection)
        last_bytes.append(last_byte)
    if len(posts) >= 20:
        port = urlsplit(issuer).port or 0
        wait_until(lambda: len(holders(pid, port)) > 1, "several workers to have accepted connections")
    for connection, last_byte in zip(connections, last_bytes, strict=True):
        connection.send(last_byte)
    return [_answer(connection) for connection in connections]


def _but_the_last_byte(issuer: str, post: Post) -> tuple[HTTPConnection, bytes]:
    connection = HTTPConnection("127.0.0.1", urlsplit(issuer).port, timeout=60)
    body = urlencode(post.form).encode()
    connection.putrequest("POST", post.path, skip_host=True)
    headers = {"Host": urlsplit(issuer).netloc, "Content-Type": "application/x-www-form-urlencoded", **post.headers}
    for name, value in {**headers, "Content-Length": str(len(body))}.items():
        connection.putheader(name, value)
    connection.endheaders(body[:-1])
    return connection, body[-1:]


def _answer(connection: HTTPConnection) -> Answer:
    response = connection.getresponse()
    body = response.read().decode()
    cookies = response.headers.get_all("Set-Cookie") or []
    connection.close()
    return Answer(response.status, response.headers["Location"], cookies, body)
