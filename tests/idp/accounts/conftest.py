"""These tests are about this room alone: nobody else listens to what it announces."""

import pytest
from blinker import Signal


@pytest.fixture(autouse=True)
def stopped(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What was announced of accounts that stop: their id and why, in order."""
    heard: list[tuple[str, str]] = []
    signal = Signal()

    def hear(_sender: object, account_id: str, because: str) -> None:
        heard.append((account_id, because))

    signal.connect(hear, weak=False)
    monkeypatch.setattr("idp.accounts.passwords.account_stopped", signal)
    monkeypatch.setattr("idp.accounts.store.account_stopped", signal)
    return heard
