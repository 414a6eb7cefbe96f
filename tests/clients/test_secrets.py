import base64
import hashlib
import hmac

import pytest

from clients import secrets


@pytest.mark.security("CL-01")
def test_a_secret_has_256_random_bits_behind_its_prefix() -> None:
    minted = {secrets.mint() for _ in range(100)}
    assert len(minted) == 100
    for secret in minted:
        assert secret.startswith("mcp_cs_")
        assert len(base64.urlsafe_b64decode(secret.removeprefix("mcp_cs_") + "=")) == 32


def test_the_digest_is_sha_256() -> None:
    assert secrets.digest("é") == hashlib.sha256("é".encode()).digest()


@pytest.mark.security("CL-01")
@pytest.mark.authlib(2)
@pytest.mark.parametrize("wrong", [None, "", "faux", "mot de passe accentué", "\ud800", "\x00", "a" * 100_000])
def test_a_wrong_secret_opens_nothing_and_raises_nothing(wrong: str | None) -> None:
    known = [secrets.digest(secrets.mint()) for _ in range(2)]
    assert not secrets.opens(wrong, known)
    assert not secrets.opens(wrong, [])


@pytest.mark.security("CL-01")
def test_every_digest_is_compared_in_constant_time_whichever_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[int, int]] = []
    real = hmac.compare_digest

    def watched(a: bytes, b: bytes) -> bool:
        compared.append((len(a), len(b)))
        return real(a, b)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    first, second = secrets.mint(), secrets.mint()
    known = [secrets.digest(first), secrets.digest(second)]
    assert secrets.opens(first, known)
    assert secrets.opens(second, known)
    assert not secrets.opens("faux", known)
    assert compared == [(32, 32)] * 6
