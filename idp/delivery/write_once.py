"""A file that appears complete, once, for its owner only."""

import os
import secrets
from pathlib import Path


def write_once(folder: Path, name: str, content: bytes) -> bool:
    """Write `folder/name` (0600, folder 0700), whole or not at all, power cut included. False if it was there already.

    What an earlier attempt left half written is removed. Raises `OSError`.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = folder / name
    for leftover in folder.glob(f".{name}.*"):
        leftover.unlink(missing_ok=True)
    if target.exists():
        return False
    draft = folder / f".{name}.{secrets.token_hex(4)}"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)
    _sync(folder)
    return True


def _sync(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
