"""Step: one thing that a person must do.                                                            [plug point]

Owns the shape of a step and what it may answer. Owns no order (`steps/__init__`) and no web (`views.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from consent.account import Account, Ports
from consent.documents import Documents, Texts


@dataclass(frozen=True)
class Visit:
    """A person on a page of a step that is due for them."""

    account: Account
    texts: Texts
    documents: Documents
    ports: Ports


@dataclass(frozen=True)
class Show:
    """Show this template. `status` 422 says that what was typed must be corrected."""

    template: str
    values: Mapping[str, Any]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Go:
    """See another page (303): the name of the endpoint in this blueprint, and query parameters of ours."""

    endpoint: str
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """The step is done. `here` is False when another tab or a double click had done it already."""

    here: bool = True


Answer = Show | Go | Done


@dataclass(frozen=True)
class Page:
    """One page of a step. `answer` serves GET and POST; on GET it must change nothing."""

    path: str
    endpoint: str
    answer: Callable[[Visit], Answer]


class Step(Protocol):
    """What the gate and the views rely on."""

    @property
    def name(self) -> str:
        """Short English name, written to the audit."""

    @property
    def title(self) -> str:
        """Catalogue key of the title."""

    @property
    def path(self) -> str:
        """Where the step begins."""

    @property
    def endpoint(self) -> str:
        """The same for `url_for`: `consent.mot_de_passe`."""

    def is_due(self, account: Account, texts: Texts) -> bool:
        """Whether this account must do it now. Derived, never stored; must read nothing but its two arguments."""

    def pages(self) -> tuple[Page, ...]:
        """Its pages, the first one first."""
