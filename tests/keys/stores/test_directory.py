import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from keys.algorithms import make_key
from keys.refusals import StoreUnreadable
from keys.sealing import Sealer
from keys.store import SigningKey
from keys.stores.directory import DirectoryKeyStore

SEALER = Sealer([b"\x01" * 32])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def store(folder: Path) -> DirectoryKeyStore:
    return DirectoryKeyStore(folder, SEALER)


@pytest.fixture
def key(store: DirectoryKeyStore) -> SigningKey:
    private = make_key("ES256")
    key = SigningKey(str(private.kid), "ES256", 1, 1000, 1000)
    store.add(key, private)
    return key


def test_files_are_for_their_owner_only_and_hold_nothing_in_clear(
    store: DirectoryKeyStore, key: SigningKey, folder: Path
) -> None:
    store.bring_forward(key.kid, "retired_at", 900)
    private = str(store.private(key.kid).as_dict(private=True)["d"])
    assert [path.name for path in folder.iterdir()] == ["ES256-1.json"]
    assert stat.S_IMODE((folder / "ES256-1.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert private not in (folder / "ES256-1.json").read_text()


@pytest.mark.security("F-23")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(
    store: DirectoryKeyStore, key: SigningKey, folder: Path, mode: int
) -> None:
    (folder / "ES256-1.json").chmod(mode)
    with pytest.raises(StoreUnreadable, match="chmod 600"):
        store.read()


@pytest.mark.security("F-23")
def test_a_truncated_file_is_refused_at_every_length(store: DirectoryKeyStore, key: SigningKey, folder: Path) -> None:
    path = folder / "ES256-1.json"
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(StoreUnreadable, match=r"ES256-1\.json"):
            store.read()


@pytest.mark.security("F-23")
@pytest.mark.parametrize(
    "change",
    [
        {"generation": "1"},
        {"generation": 2},
        {"kid": None},
        {"active_from": None},
        {"active_from": True},
        {"retired_at": "1"},
        {"unknown": 1},
        {"sealed": "not base64!"},
        {"sealed": None},
    ],
)
def test_a_file_that_is_not_a_key_is_refused(
    store: DirectoryKeyStore, key: SigningKey, folder: Path, change: dict[str, Any]
) -> None:
    path = folder / "ES256-1.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(StoreUnreadable):
        store.read()


@pytest.mark.security("F-23")
@pytest.mark.parametrize("content", ["[]", '"text"', "1", "null", "{}"])
def test_other_json_is_refused(store: DirectoryKeyStore, key: SigningKey, folder: Path, content: str) -> None:
    (folder / "ES256-1.json").write_text(content)
    with pytest.raises(StoreUnreadable):
        store.read()


@pytest.mark.security("F-26")
def test_what_a_killed_process_left_half_written_is_not_a_key(
    store: DirectoryKeyStore, key: SigningKey, folder: Path
) -> None:
    (folder / "tmpabcdef.tmp").write_text('{"kid": "half')
    assert list(store.read()) == [key]


@pytest.mark.security("F-26")
def test_a_change_that_cannot_be_finished_leaves_the_file_as_it_was(
    store: DirectoryKeyStore, key: SigningKey, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreUnreadable, match="No space left"):
        store.bring_forward(key.kid, "revoked_at", 1000)
    monkeypatch.undo()
    assert list(store.read()) == [key]
    assert [path.name for path in folder.iterdir()] == ["ES256-1.json"]


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnreadable):
        DirectoryKeyStore(tmp_path / "file" / "keys", SEALER)
