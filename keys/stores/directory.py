"""Signing keys in a folder: one JSON file a key, its private part sealed. For who keeps them out of the database.

Owns the files `ALG-GENERATION.json`, readable by their owner only, replaced whole by an atomic rename. There is no
transaction around it: what is written stays written.
"""

import base64
import binascii
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

from keys.refusals import StoreUnreadable, UnknownKey
from keys.sealing import Sealer
from keys.store import DateName, Key, SigningKey
from keys.stores.sealed import seal, unseal

_OTHERS = 0o077


class DirectoryKeyStore:
    """`folder`: made when missing, 0700. `purpose`: what the keys are for; they open for that purpose only."""

    def __init__(self, folder: Path, sealer: Sealer, purpose: str = "tokens") -> None:
        self._folder = folder
        self._sealer = sealer
        self._purpose = purpose
        with _reachable(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def read(self) -> Sequence[SigningKey]:
        """Reads every file."""
        return [key for key, _ in self._files()]

    def private(self, kid: str) -> Key:
        """Found by the kid inside the files: a kid is never part of a path."""
        key, sealed = self._file(kid)
        return unseal(self._sealer, sealed, kid, key.alg, self._purpose)

    def add(self, key: SigningKey, private: Key) -> bool:
        """A hard link to the finished file: of two processes, the second is told that the name is taken."""
        sealed = seal(self._sealer, private, key.kid, self._purpose)
        with _reachable(self._folder), self._written(key, sealed) as written:
            try:
                os.link(written, self._path(key))
            except FileExistsError:
                return False
        return True

    def bring_forward(self, kid: str, date: DateName, at: int) -> bool:
        """Reads and replaces the file while it holds the lock of the folder."""
        with self._locked():
            try:
                key, sealed = self._file(kid)
            except UnknownKey:
                return False
            before = getattr(key, date)
            if before is not None and before <= at:
                return False
            with _reachable(self._folder), self._written(replace(key, **cast(Any, {date: at})), sealed) as written:
                os.replace(written, self._path(key))
        return True

    def _path(self, key: SigningKey) -> Path:
        return self._folder / f"{key.alg}-{key.generation}.json"

    def _file(self, kid: str) -> tuple[SigningKey, bytes]:
        for key, sealed in self._files():
            if key.kid == kid:
                return key, sealed
        raise UnknownKey(kid)

    def _files(self) -> Iterator[tuple[SigningKey, bytes]]:
        with _reachable(self._folder):
            # A missing folder is an error: it would look like an empty one, and new keys would be made (F-23).
            paths = sorted(path for path in self._folder.iterdir() if path.suffix == ".json")
        for path in paths:
            with _reachable(path):
                key, sealed = self._parse(path)
            yield key, sealed

    def _parse(self, path: Path) -> tuple[SigningKey, bytes]:
        if path.stat().st_mode & _OTHERS:
            raise StoreUnreadable(f"« {path} » est lisible par d'autres que son propriétaire : chmod 600")
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        sealed = base64.b64decode(content.pop("sealed"), validate=True)
        key = SigningKey(**content)
        if path != self._path(key) or not _well_formed(content):
            raise ValueError
        return key, sealed

    @contextmanager
    def _written(self, key: SigningKey, sealed: bytes) -> Iterator[Path]:
        """A temporary file, complete and on the disk; what is left of it is removed, and the folder is on the disk."""
        content = {**asdict(key), "sealed": base64.b64encode(sealed).decode()}
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=".tmp")  # 0600
        path = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(content, file)
                file.flush()
                os.fsync(file.fileno())
            yield path
        finally:
            path.unlink(missing_ok=True)
        with self._opened_folder() as folder:
            os.fsync(folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with _reachable(self._folder), self._opened_folder() as folder:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _opened_folder(self) -> Iterator[int]:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            yield folder
        finally:
            os.close(folder)


def _well_formed(content: dict[str, Any]) -> bool:
    texts, times = ("kid", "alg"), ("generation", "published_at", "active_from", "retired_at", "revoked_at")
    return all(isinstance(content[name], str) for name in texts) and all(
        type(content[name]) is int or (name in ("retired_at", "revoked_at") and content[name] is None) for name in times
    )


@contextmanager
def _reachable(path: Path) -> Iterator[None]:
    """Turns what a damaged or unreachable file raises into a refusal that names it."""
    try:
        yield
    except OSError as error:
        raise StoreUnreadable(f"« {path} » : {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError, binascii.Error) as error:
        raise StoreUnreadable(f"« {path} » est tronqué ou n'est pas un fichier de clé") from error
