"""What the ring relies on, for every key store."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from keys.algorithms import make_key
from keys.models import Base
from keys.refusals import KeyUnusable, StoreUnreadable, UnknownKey
from keys.sealing import Sealer
from keys.store import DateName, Key, KeyStore, SigningKey
from keys.stores.directory import DirectoryKeyStore
from keys.stores.sql import SqlKeyStore

KEK, OTHER_KEK = b"\x01" * 32, b"\x02" * 32

OpenStore = Callable[..., KeyStore]


@pytest.fixture(params=["sql", "directory"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Opens the same store once more, as another process would: other keys to unseal, or another purpose."""
    sessions: list[Session] = []
    # Asked for here, so that the sessions are closed before the engine is.
    engine: Engine | None = request.getfixturevalue("engine") if request.param == "sql" else None

    def opened(kek: bytes = KEK, purpose: str = "tokens") -> KeyStore:
        if engine is None:
            return DirectoryKeyStore(tmp_path / "keys", Sealer([kek]), purpose)
        # Each has its connection; each statement stands at once, as after the caller's commit.
        session = Session(engine.execution_options(isolation_level="AUTOCOMMIT"))
        sessions.append(session)
        return SqlKeyStore(lambda: session, Sealer([kek]), purpose)

    yield opened
    for session in sessions:
        session.close()


@pytest.fixture
def store(open_store: OpenStore) -> KeyStore:
    return open_store()


def new_key(generation: int = 1, alg: str = "ES256") -> tuple[SigningKey, Key]:
    private = make_key(alg)
    return SigningKey(str(private.kid), alg, generation, 1000, 2000), private


def test_a_new_store_is_empty(store: KeyStore) -> None:
    assert list(store.read()) == []


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_a_key_that_was_added_is_read_back_by_another_process(store: KeyStore, open_store: OpenStore, alg: str) -> None:
    key, private = new_key(alg=alg)
    assert store.add(key, private)
    other = open_store()
    assert list(other.read()) == [key]
    assert other.private(key.kid).as_dict(private=True) == private.as_dict(private=True)


def test_the_first_of_two_keys_of_a_generation_stays(store: KeyStore, open_store: OpenStore) -> None:
    first, second = new_key(), new_key()
    assert store.add(*first)
    assert not open_store().add(*second)
    assert list(store.read()) == [first[0]]
    assert store.add(*new_key(generation=2))
    assert store.add(*new_key(alg="RS256"))
    assert len(store.read()) == 3


@pytest.mark.security("F-27")
def test_of_many_that_add_the_same_generation_one_is_told_so(open_store: OpenStore) -> None:
    told: list[bool] = []
    stores = [open_store() for _ in range(6)]
    together = threading.Barrier(len(stores))

    def add(store: KeyStore) -> None:
        made = new_key()
        together.wait()
        told.append(store.add(*made))

    threads = [threading.Thread(target=add, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [False] * 5 + [True]
    assert len(open_store().read()) == 1


@pytest.mark.parametrize("date", ["retired_at", "revoked_at"])
def test_a_date_is_set_once_and_only_moves_earlier(store: KeyStore, open_store: OpenStore, date: DateName) -> None:
    key, private = new_key()
    store.add(key, private)
    assert store.bring_forward(key.kid, date, 3000)
    assert not store.bring_forward(key.kid, date, 3000)
    assert not open_store().bring_forward(key.kid, date, 4000)
    assert open_store().bring_forward(key.kid, date, 2500)
    assert list(store.read()) == [replace(key, **cast(dict[str, int], {date: 2500}))]  # type: ignore[arg-type]


def test_a_key_can_be_made_to_sign_earlier_never_later(store: KeyStore) -> None:
    key, private = new_key()
    store.add(key, private)
    assert not store.bring_forward(key.kid, "active_from", 2001)
    assert store.bring_forward(key.kid, "active_from", 1500)
    assert [found.active_from for found in store.read()] == [1500]


def test_the_private_part_outlives_a_change_of_date(store: KeyStore) -> None:
    key, private = new_key()
    store.add(key, private)
    store.bring_forward(key.kid, "retired_at", 3000)
    assert store.private(key.kid).as_dict(private=True) == private.as_dict(private=True)


@pytest.mark.security("JW-03")
@pytest.mark.parametrize("kid", ["", "unknown", "../../etc/passwd", "' OR '1'='1", "/dev/null", "ES256-1", "x" * 5000])
def test_an_unknown_kid_names_no_key(store: KeyStore, kid: str) -> None:
    store.add(*new_key())
    with pytest.raises(UnknownKey):
        store.private(kid)
    assert not store.bring_forward(kid, "revoked_at", 3000)
    assert [found.revoked_at for found in store.read()] == [None]


@pytest.mark.security("F-23")
def test_with_the_wrong_key_encryption_key_a_key_does_not_open(store: KeyStore, open_store: OpenStore) -> None:
    key, private = new_key()
    store.add(key, private)
    wrong = open_store(kek=OTHER_KEK)
    assert list(wrong.read()) == [key]
    with pytest.raises(KeyUnusable, match="IDP_KEY_ENCRYPTION_KEYS"):
        wrong.private(key.kid)


@pytest.mark.security("JW-10")
def test_a_key_of_one_purpose_does_not_serve_another(store: KeyStore, open_store: OpenStore) -> None:
    key, private = new_key()
    store.add(key, private)
    with pytest.raises((KeyUnusable, UnknownKey)):
        open_store(purpose="encryption").private(key.kid)


@pytest.mark.security("F-23")
def test_a_store_out_of_reach_says_so(
    store: KeyStore, request: pytest.FixtureRequest, tmp_path: Path, open_store: OpenStore
) -> None:
    key, private = new_key()
    store.add(key, private)
    if isinstance(store, DirectoryKeyStore):
        (tmp_path / "keys").rename(tmp_path / "elsewhere")
    else:
        Base.metadata.drop_all(request.getfixturevalue("engine"))
    for attempt in (
        store.read,
        lambda: store.private(key.kid),
        lambda: store.add(*new_key(generation=2)),
        lambda: store.bring_forward(key.kid, "revoked_at", 1),
    ):
        with pytest.raises(StoreUnreadable) as refused:
            attempt()  # type: ignore[operator]
        assert key.kid not in str(refused.value)
