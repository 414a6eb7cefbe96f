"""The gate: who is cleared, what a Clearance is worth, and what asking costs."""

import copy
import dataclasses
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from consent.documents import Documents
from consent.gate import Clearance, Gate, NoPublishedText, NotCleared
from consent.steps import FIRST_LOGIN
from tests.conftest import Clock, Recorded
from tests.consent.house import Person

BOTH = ("conditions-d-utilisation", "regles-d-usage")


@pytest.fixture
def documents(session: Session, clock: Clock, recorded: Recorded) -> Documents:
    made = Documents(lambda: session, clock, recorded.record)
    for name in BOTH:
        made.publish(name, "1", "# Titre\n\nTexte\n")
    session.commit()
    return made


@pytest.fixture
def gate(documents: Documents, clock: Clock) -> Gate:
    return Gate(FIRST_LOGIN, documents, clock)


@pytest.fixture
def person() -> Person:
    """Told, proved, with a password; no text accepted."""
    return Person(
        id="a1",
        partner_type="physique",
        departement="01",
        organisation_name=None,
        siret=None,
        given_name="Y",
        family_name="Ÿ",
        email="y@exemple.fr",
        suggested_email=None,
        telephone=None,
        provisional=None,
        personal="oui",
        completed=0,
        closed=False,
    )


@pytest.fixture
def accept(documents: Documents, session: Session) -> Callable[..., None]:
    def accept_texts(account_id: str = "a1", names: tuple[str, ...] = BOTH) -> None:
        for name in names:
            documents.accept(account_id, documents.texts_for(account_id).current(name), request_id=None, ip=None)
        session.commit()

    return accept_texts


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements sent to the database meanwhile."""
    statements: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


def test_an_account_that_did_everything_is_cleared_with_what_it_accepted(
    gate: Gate, person: Person, accept: Callable[..., None], clock: Clock
) -> None:
    accept()
    cleared = gate.clearance(person)
    assert (cleared.account_id, cleared.made_at) == ("a1", clock())
    assert [(name, version) for name, version, _ in cleared.documents] == [(name, "1") for name in BOTH]
    assert all(len(sha256) == 64 for _, _, sha256 in cleared.documents)
    assert gate.next_step(person) is None
    assert gate.remaining(person) == (0, 0)


@pytest.mark.security("GA-02", "GA-12")
@pytest.mark.parametrize(
    ("missing", "due", "position"),
    [
        ({"email": None}, "information", 1),
        ({"given_name": None}, "information", 1),
        ({"family_name": ""}, "information", 1),
        ({"provisional": "PROVISOIRE"}, "password", 2),
        ({}, "rules_of_use", 3),
    ],
)
def test_nobody_is_cleared_before_every_step_is_done(
    gate: Gate, person: Person, missing: dict[str, Any], due: str, position: int
) -> None:
    someone = replace(person, **missing)
    with pytest.raises(NotCleared) as refused:
        gate.clearance(someone)
    assert refused.value.reason == "step_due"
    assert refused.value.step is not None
    assert refused.value.step.name == due
    assert gate.remaining(someone) == (position, 4)


@pytest.mark.security("GA-12")
def test_the_rules_alone_do_not_clear(gate: Gate, person: Person, accept: Callable[..., None]) -> None:
    accept(names=("regles-d-usage",))
    with pytest.raises(NotCleared) as refused:
        gate.clearance(person)
    assert refused.value.step is FIRST_LOGIN[3]
    assert gate.progress(person).following is None


def test_a_closed_account_is_not_cleared_whatever_it_accepted(
    gate: Gate, person: Person, accept: Callable[..., None], engine: Engine
) -> None:
    accept()
    with counted(engine) as statements, pytest.raises(NotCleared, match="verrouillé") as refused:
        gate.clearance(replace(person, closed=True))
    assert refused.value.reason == "not_open"
    assert statements == []


def test_without_a_published_text_the_gate_vouches_for_nobody(
    session: Session, clock: Clock, recorded: Recorded, person: Person
) -> None:
    gate = Gate(FIRST_LOGIN, Documents(lambda: session, clock, recorded.record), clock)
    with pytest.raises(NoPublishedText, match="idp documents publish") as refused:
        gate.clearance(person)
    assert refused.value.reason == "no_published_text"
    assert refused.value.name == "regles-d-usage"


@pytest.mark.security("GA-03")
def test_a_new_version_counts_at_once_for_an_account_that_was_cleared(
    gate: Gate, documents: Documents, person: Person, accept: Callable[..., None], clock: Clock
) -> None:
    accept()
    documents.publish("regles-d-usage", "2", "# Titre\n\nNouveau\n", effective_at=clock() + 60)
    assert gate.clearance(person)
    clock.advance(60)
    with pytest.raises(NotCleared) as refused:
        gate.clearance(person)
    assert refused.value.step is FIRST_LOGIN[2]
    assert gate.remaining(replace(person, completed=1)) == (1, 1)


def test_after_the_first_login_only_the_steps_that_are_due_are_counted(
    gate: Gate, person: Person, accept: Callable[..., None]
) -> None:
    accept(names=("conditions-d-utilisation",))
    progress = gate.progress(replace(person, completed=1, provisional="PROVISOIRE"))
    assert (progress.position, progress.total, progress.following) == (1, 2, FIRST_LOGIN[2])


def test_a_text_that_changed_under_its_version_clears_nobody(
    gate: Gate, documents: Documents, person: Person, accept: Callable[..., None], session: Session
) -> None:
    accept()
    session.connection().exec_driver_sql("UPDATE consent_documents SET sha256 = 'autre' WHERE name = 'regles-d-usage'")
    with pytest.raises(NotCleared):
        gate.clearance(person)


def test_asking_the_gate_costs_one_statement(
    gate: Gate, documents: Documents, person: Person, accept: Callable[..., None], engine: Engine
) -> None:
    accept()
    documents.publish("regles-d-usage", "0", "# Titre\n\nAncien\n", effective_at=1)
    with counted(engine) as statements:
        gate.clearance(person)
    assert len(statements) == 1
    with counted(engine) as statements:
        gate.next_step(person)
    assert len(statements) == 1


@pytest.mark.parametrize("missing", [{"email": None}, {"provisional": "PROVISOIRE"}])
def test_no_statement_is_run_while_an_earlier_step_is_due(
    gate: Gate, person: Person, engine: Engine, missing: dict[str, Any]
) -> None:
    someone = replace(person, **missing)
    with counted(engine) as statements:
        gate.next_step(someone)
        gate.remaining(someone)
        with pytest.raises(NotCleared):
            gate.clearance(someone)
    assert statements == []


def test_only_the_gate_makes_a_clearance(gate: Gate, person: Person, accept: Callable[..., None]) -> None:
    accept()
    cleared = gate.clearance(person)
    with pytest.raises(TypeError):
        Clearance("a2", 1, (), object())
    with pytest.raises(TypeError):
        Clearance("a2", 1, ())  # type: ignore[call-arg]
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(cleared, account_id="a2")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        type("Forged", (Clearance,), {})
    with pytest.raises(dataclasses.FrozenInstanceError):
        cleared.account_id = "a2"  # type: ignore[misc]
    with pytest.raises(TypeError):
        cleared.__setstate__(["a2", 1, ()])


def test_a_clearance_is_copied_as_itself_and_never_pickled(
    gate: Gate, person: Person, accept: Callable[..., None]
) -> None:
    accept()
    cleared = gate.clearance(person)
    assert copy.copy(cleared) is cleared
    assert copy.deepcopy(cleared) is cleared
    with pytest.raises(TypeError, match="ask the gate again"):
        pickle.dumps(cleared)
