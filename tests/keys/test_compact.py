import base64
import json

import pytest

from keys import compact
from keys.refusals import BadSignature

HEADER = compact.header("RS256", "k", "JWT").decode()


def part(value: object) -> str:
    return compact.encode(json.dumps(value).encode()).decode()


def test_a_token_is_taken_apart() -> None:
    parsed = compact.parse(HEADER + "e30.c2ln")
    assert (parsed.alg, parsed.kid, parsed.typ) == ("RS256", "k", "JWT")
    assert parsed.signed == (HEADER + "e30").encode()
    assert parsed.signature == b"sig"
    assert compact.claims(parsed) == {}


def test_claims_are_compact_utf8() -> None:
    written = compact.payload({"name": "Zoé", "n": 1})
    assert base64.urlsafe_b64decode(written + b"==").decode() == '{"name":"Zoé","n":1}'


@pytest.mark.parametrize("claims", [{"a": float("nan")}, {"a": object()}, {"a": b"bytes"}])
def test_claims_that_json_cannot_say_are_refused(claims: dict[str, object]) -> None:
    with pytest.raises((TypeError, ValueError)):
        compact.payload(claims)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b",
        HEADER + "e30",
        HEADER + "e30.",
        HEADER + ".c2ln.c2ln",
        HEADER + "e30.c2ln=",
        HEADER + "e30.c2 ln",
        HEADER + "e30.c2ln\n",
        HEADER + "e30.c2lnA",
        HEADER + "e30.c2lm/+Q",
        "é" + HEADER + "e30.c2ln",
        part([1]) + ".e30.c2ln",
        part("text") + ".e30.c2ln",
        part({"alg": "RS256", "kid": ["k"], "typ": "JWT"}) + ".e30.c2ln",
        part({"alg": None, "kid": "k", "typ": "JWT"}) + ".e30.c2ln",
        part({"alg": "RS256", "kid": "k"}) + ".e30.c2ln",
        compact.encode(b"\xff\xfe").decode() + ".e30.c2ln",
        compact.encode(b"[" * 9000).decode() + ".e30.c2ln",
        compact.encode(b'{"alg":"RS256","alg":"HS256","kid":"k","typ":"JWT"}').decode() + ".e30.c2ln",
        HEADER + "A" * compact.LONGEST + ".c2ln",
        None,
        b"a.b.c",
        5,
    ],
)
def test_what_is_not_a_token_of_ours_is_refused(token: object) -> None:
    with pytest.raises(BadSignature):
        compact.parse(token)


@pytest.mark.security("JW-03", "JW-04", "JW-06")
@pytest.mark.parametrize(
    "more",
    [
        {"jwk": {"kty": "oct", "k": "AA"}},
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["AA"]},
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": False},
        {"zip": "DEF"},
        {"enc": "A256GCM"},
        {"p2c": 10**9},
        {"cty": "JWT"},
    ],
)
def test_a_header_that_we_never_write_is_refused(more: dict[str, object]) -> None:
    header = {"alg": "RS256", "kid": "k", "typ": "JWT"} | more
    with pytest.raises(BadSignature):
        compact.parse(part(header) + ".e30.c2ln")


@pytest.mark.security("JW-06")
@pytest.mark.parametrize("alg", ["dir", "PBES2-HS512+A256KW", "RSA-OAEP-256"])
def test_an_encrypted_token_is_refused_unopened(alg: str) -> None:
    header = part({"alg": alg, "enc": "A256GCM", "zip": "DEF", "p2c": 10**9, "p2s": "AA"})
    with pytest.raises(BadSignature):
        compact.parse(header + ".AA.AA.AA.AA")


@pytest.mark.parametrize("text", ["[]", "1", "null", "{", '{"a":1,"a":2}'])
def test_claims_that_are_not_an_object_are_refused(text: str) -> None:
    with pytest.raises(BadSignature):
        compact.claims(compact.parse(HEADER + compact.encode(text.encode()).decode() + ".c2ln"))


def test_a_signature_has_one_text_only() -> None:
    """The unused bits of the last letter must be zero: else one signed token would have several texts."""
    assert compact.parse(HEADER + "e30.c2lnAA").signature == b"sig\x00"
    with pytest.raises(BadSignature):
        compact.parse(HEADER + "e30.c2lnAB")
