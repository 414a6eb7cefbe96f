"""The gate: what is due, and the only maker of a `Clearance`.

A grant cannot be created without a `Clearance`. Owns the order of the steps; holds no state and caches nothing, so a
new version of a text, a lock or a recovery counts at once on every process.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import InitVar, dataclass
from typing import Any, NoReturn, final

from consent.account import Account
from consent.documents import Documents, Texts
from consent.refusals import NoPublishedText, NotCleared
from consent.step import Step

__all__ = ["Clearance", "Gate", "NoPublishedText", "NotCleared", "Progress"]

_KEY = object()


@final
@dataclass(frozen=True, slots=True)
class Clearance:
    """We vouch for this account, at this time (seconds), having accepted these (name, version, sha256).

    Only `Gate.clearance` makes one: any other construction raises TypeError. A copy is itself; it does not travel by
    pickle, because it is worth nothing after the request that asked for it.
    """

    account_id: str
    made_at: int
    documents: tuple[tuple[str, str, str], ...]
    key: InitVar[object]

    def __post_init__(self, key: object) -> None:
        if key is not _KEY:
            raise TypeError("a Clearance is made by Gate.clearance only")

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("Clearance has no subclass")

    def __copy__(self) -> "Clearance":
        return self

    def __deepcopy__(self, _memo: Any) -> "Clearance":
        return self

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise TypeError("a Clearance is not pickled: ask the gate again")

    def __setstate__(self, _state: Any) -> NoReturn:
        raise TypeError("a Clearance does not change")


@dataclass(frozen=True)
class Progress:
    """Where a person stands: « Étape `position` sur `total` », and the step that follows."""

    position: int
    total: int
    following: Step | None


class Gate:
    """Asks each step, in order, whether it is due. Give it to whoever issues something."""

    def __init__(self, steps: Sequence[Step], documents: Documents, clock: Callable[[], int]) -> None:
        self.steps = tuple(steps)
        self.documents = documents
        self._clock = clock

    def next_step(self, account: Account) -> Step | None:
        """The first step that is due, or None. At most one statement; none while an earlier step is due.

        Raises `NoPublishedText` when the turn of a text comes and none is in force.
        """
        return next(self._due(account, self.documents.texts_for(account.id)), None)

    def clearance(self, account: Account) -> Clearance:
        """Vouch for this account, in one statement, or raise `NotCleared` (`NoPublishedText` is one)."""
        if not account.is_open:
            raise NotCleared("not_open")
        texts = self.documents.texts_for(account.id)
        step = next(self._due(account, texts), None)
        if step is not None:
            raise NotCleared("step_due", step)
        return Clearance(account.id, self._clock(), texts.accepted, _KEY)

    def remaining(self, account: Account) -> tuple[int, int]:
        """(position, total) of the step that is due; (0, 0) when none is."""
        progress = self.progress(account)
        return progress.position, progress.total

    def progress(self, account: Account) -> Progress:
        """The same with the step that follows. A first login counts every step, so that the total stays still."""
        due = self._due(account, self.documents.texts_for(account.id))
        first = next(due, None)
        if first is None:
            return Progress(0, 0, None)
        if account.in_first_login:
            position = self.steps.index(first) + 1
            return Progress(position, len(self.steps), next(iter(self.steps[position:]), None))
        others = list(due)
        return Progress(1, 1 + len(others), others[0] if others else None)

    def _due(self, account: Account, texts: Texts) -> Iterator[Step]:
        return (step for step in self.steps if step.is_due(account, texts))
