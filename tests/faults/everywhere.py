"""Do one piece of work, see every point that it passes, then do it again as often and die at each of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.conftest import everything
from tests.faults.executioner import Executioner
from tests.idp.provider import Provider


@dataclass(frozen=True)
class Trial:
    """One piece of work on a subject of its own.

    `whole()` asserts that all of it was done, once. `again(committed)` does what comes after a crash: it ends with all
    of it done, whether the dead process had committed or not.
    """

    order: dict[str, Any]
    whole: Callable[[], None]
    again: Callable[[bool], None]


def killed_everywhere(provider: Provider, executioner: Executioner, prepare: Callable[[], Trial]) -> list[str]:
    """Assert all or nothing at every point, and that a retry completes. Gives the points."""
    undisturbed = prepare()
    points = list(executioner.run(undisturbed.order).points)
    undisturbed.whole()
    for at, point in enumerate(points):
        try:
            _killed_at(at, points, provider, executioner, prepare())
        except AssertionError as error:
            error.add_note(f"killed at point {at} of {len(points)}: {point}")
            raise
    return points


def _killed_at(at: int, points: list[str], provider: Provider, executioner: Executioner, trial: Trial) -> None:
    before = everything(provider)
    course = executioner.kill(trial.order, at)
    assert course.points == points[: at + 1], "another course than the one that was recorded"
    if course.committed:
        trial.whole()
    else:
        assert everything(provider) == before, "something was left behind"
    trial.again(course.committed)
    trial.whole()
