"""What a whole test run logged, and every secret that it used: kept in `var/test-run` for `secrets_in_logs`."""

import logging
import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from idp.web.log import JsonLines

RUN = Path(__file__).resolve().parents[1] / "var" / "test-run"
LOGS, SECRETS = RUN / "logs", RUN / "secrets"
SHORTEST = 6


def log_file(name: str) -> Path:
    """Where a server that a test starts writes its log, so that it is searched."""
    LOGS.mkdir(parents=True, exist_ok=True)
    return LOGS / f"{os.getpid()}-{name}.log"


def use(secret: str) -> str:
    """Note a secret that was used, and give it back."""
    if len(secret) >= SHORTEST:
        SECRETS.mkdir(parents=True, exist_ok=True)
        with open(SECRETS / f"{os.getpid()}.txt", "a", encoding="utf-8") as file:
            file.write(secret + "\n")
    return secret


def note_what_is_minted(patch: pytest.MonkeyPatch) -> None:
    """Note each secret that this process mints: codes, tokens, client secrets, cookies, provisional passwords."""
    import secrets

    for name in ("token_urlsafe", "token_hex"):
        patch.setattr(secrets, name, _noting(getattr(secrets, name)))
    from idp.accounts import readable_codes

    patch.setattr(readable_codes, "grouped", _noting(readable_codes.grouped))


def keep_the_log() -> logging.Handler:
    """Write everything that this process logs to a file of the run."""
    handler = logging.FileHandler(log_file("pytest"), encoding="utf-8")
    handler.setFormatter(JsonLines())
    return handler


def _noting(make: Callable[..., str]) -> Callable[..., str]:
    @wraps(make)
    def noted(*arguments: Any, **options: Any) -> str:
        return use(make(*arguments, **options))

    return noted
