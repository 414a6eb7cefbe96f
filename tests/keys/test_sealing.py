import pytest

from keys.sealing import Sealer, Unsealable

OLD, NEW = b"\x01" * 32, b"\x02" * 32


def sealed_by(*keks: bytes) -> bytes:
    return Sealer(keks).seal(b"secret", purpose="outbox", id="7")


def test_what_is_sealed_opens_for_the_same_purpose_and_id() -> None:
    assert Sealer([OLD]).open(sealed_by(OLD), purpose="outbox", id="7") == b"secret"


def test_nothing_can_be_read_in_sealed_bytes_and_no_two_are_alike() -> None:
    assert b"secret" not in sealed_by(OLD)
    assert OLD not in sealed_by(OLD)
    assert sealed_by(OLD) != sealed_by(OLD)


def test_the_first_key_seals_and_every_key_opens() -> None:
    both = Sealer([NEW, OLD])
    assert both.open(sealed_by(OLD), purpose="outbox", id="7") == b"secret"
    assert Sealer([NEW]).open(sealed_by(NEW, OLD), purpose="outbox", id="7") == b"secret"
    with pytest.raises(Unsealable):
        Sealer([OLD]).open(sealed_by(NEW, OLD), purpose="outbox", id="7")


def test_an_empty_secret_is_a_secret_too() -> None:
    sealer = Sealer([OLD])
    assert sealer.open(sealer.seal(b"", purpose="a", id=""), purpose="a", id="") == b""


@pytest.mark.parametrize(("purpose", "id"), [("outbox", "8"), ("signing-key", "7"), ("outbox7", ""), ("", "outbox7")])
def test_sealed_bytes_do_not_open_in_another_place(purpose: str, id: str) -> None:
    with pytest.raises(Unsealable):
        Sealer([OLD]).open(sealed_by(OLD), purpose=purpose, id=id)


def test_every_byte_of_sealed_bytes_counts() -> None:
    sealed = sealed_by(OLD)
    for place in range(len(sealed)):
        tampered = bytearray(sealed)
        tampered[place] ^= 1
        with pytest.raises(Unsealable):
            Sealer([OLD]).open(bytes(tampered), purpose="outbox", id="7")


@pytest.mark.security("F-23")
def test_truncated_bytes_do_not_open() -> None:
    sealed = sealed_by(OLD)
    for length in range(len(sealed)):
        with pytest.raises(Unsealable):
            Sealer([OLD]).open(sealed[:length], purpose="outbox", id="7")


@pytest.mark.parametrize("keks", [[], [b"short"], [OLD, b"\x02" * 31], [b"\x02" * 33]])
def test_a_sealer_wants_keys_of_32_bytes(keks: list[bytes]) -> None:
    with pytest.raises(ValueError, match="32 octets"):
        Sealer(keks)
