"""The search itself: it finds work that does not hold together."""

import pytest
from sqlalchemy import select

from idp.audit import AuditEvent
from idp.db import db
from tests.faults.everywhere import Trial, killed_everywhere
from tests.faults.executioner import Executioner
from tests.idp.provider import Provider


def test_work_in_two_commits_is_found_out(provider: Provider, executioner: Executioner) -> None:
    halves = ["test.first_half", "test.second_half"]

    def whole() -> None:
        with provider.transaction():
            done = db.session.scalars(select(AuditEvent.event).where(AuditEvent.event.in_(halves))).all()
        assert done.count(halves[0]) == done.count(halves[1]), "half of it was done"

    order = {"work": "in two commits"}
    with pytest.raises(AssertionError, match="half of it was done") as found:
        killed_everywhere(provider, executioner, lambda: Trial(order, whole, lambda _committed: None))
    assert found.value.__notes__ == ["killed at point 3 of 8: after COMMIT"]
