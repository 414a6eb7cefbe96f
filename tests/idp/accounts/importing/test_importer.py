"""Rows become accounts once, each in a transaction of its own."""

import io
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from idp.accounts.enrolment import Enrolment
from idp.accounts.importing.importer import Importer
from idp.accounts.importing.reading import lines
from idp.accounts.models import Account, Password
from idp.delivery.mailings import PasswordMailing
from idp.delivery.models import OutboxRow
from idp.delivery.outbox import Gaps, Outbox
from keys.sealing import Sealer
from tests.conftest import Clock, Recorded
from tests.idp.accounts.making import Post, make_account, password_service

HEADER = "reference;type;nom;departement;email;identifiant;numero_utilisateur\n"


def row(reference: str, name: str = "Lefèvre", identifier: str = "", number: str = "") -> str:
    return f"{reference};physique;{name};73;{reference.lower()}@exemple.fr;{identifier};{number}\n"


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def importer(session: Session, clock: Clock, recorded: Recorded, post: Post) -> Importer:
    passwords = password_service(session, clock, recorded)
    return Importer(lambda: session, Enrolment(lambda: session, passwords, post, clock, recorded.record))


@pytest.fixture
def run(importer: Importer) -> Callable[..., list[str]]:
    def run(*rows: str, after: int = 0, check: bool = False) -> list[str]:
        source = lines(io.BytesIO((HEADER + "".join(rows)).encode()))
        results = importer.check(source) if check else importer.run(source, after=after)
        return [f"{result.line}:{result.verdict}:{result.code}" for result in results]

    return run


def number_of(engine: Engine, table: type) -> int:
    with Session(engine) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_each_row_makes_an_account_with_its_password_and_two_sends(
    run: Callable[..., list[str]], engine: Engine, post: Post
) -> None:
    assert run(row("A"), row("B")) == ["2:cree:", "3:cree:"]
    assert number_of(engine, Account) == number_of(engine, Password) == 2
    assert len(post.queued) == 4


def test_the_same_row_again_changes_nothing(run: Callable[..., list[str]], engine: Engine, post: Post) -> None:
    run(row("A"))
    assert run(row("A"), row("A")) == ["2:deja_importe:deja_importe", "3:deja_importe:deja_importe"]
    assert number_of(engine, Account) == 1
    assert len(post.queued) == 2


@pytest.mark.security("OR-10")
def test_a_row_repeated_in_the_file_makes_one_account(run: Callable[..., list[str]], engine: Engine) -> None:
    assert run(row("A"), row("A")) == ["2:cree:", "3:deja_importe:deja_importe"]
    assert number_of(engine, Account) == 1


def test_other_data_under_a_known_reference_are_refused_and_change_nothing(
    run: Callable[..., list[str]], session: Session
) -> None:
    assert run(row("A"), row("A", "Martin")) == ["2:cree:", "3:refuse:autres_donnees"]
    assert run(row("A", "Martin"), row("A")) == ["2:refuse:autres_donnees", "3:deja_importe:deja_importe"]
    assert session.scalars(select(Account.family_name)).all() == ["Lefèvre"]


def test_an_account_made_otherwise_is_not_taken_for_an_imported_one(
    run: Callable[..., list[str]], session: Session
) -> None:
    make_account(session, reference="A")
    session.commit()
    assert run(row("A")) == ["2:refuse:autres_donnees"]


@pytest.mark.security("LG-15")
def test_an_identifier_or_number_of_another_account_is_refused(run: Callable[..., list[str]]) -> None:
    first = row("A", identifier="BAILLEUR-1", number="AB12CD34EF56GH")
    assert run(
        first, row("B", identifier="bailleur1"), row("C", number="ab12 cd34 ef56 gh"), row("D", identifier="BAILLEUR2")
    ) == ["2:cree:", "3:refuse:deja_pris", "4:refuse:deja_pris", "5:cree:"]
    assert run(row("E", identifier="bailleur1")) == ["2:refuse:deja_pris"]


def test_a_refused_row_takes_no_key_from_the_rows_after_it(run: Callable[..., list[str]]) -> None:
    rows = (row("A"), row("A", "Martin", identifier="BAILLEUR-1"), row("B", identifier="BAILLEUR-1"))
    assert run(*rows, check=True) == ["2:valable:", "3:refuse:autres_donnees", "4:valable:"]
    assert run(*rows) == ["2:cree:", "3:refuse:autres_donnees", "4:cree:"]


def test_a_bad_row_does_not_stop_the_others(run: Callable[..., list[str]], engine: Engine) -> None:
    assert run(row("A"), "B;physique\n", row("C", ""), row("D")) == [
        "2:cree:",
        "3:refuse:colonnes",
        "4:refuse:nom",
        "5:cree:",
    ]
    assert number_of(engine, Account) == 2


def test_a_dry_run_says_the_same_and_writes_nothing(run: Callable[..., list[str]], engine: Engine, post: Post) -> None:
    rows = (row("A"), row("A"), row("B", identifier="BAILLEUR-1"), row("C", identifier="BAILLEUR-1"), row("D", ""))
    dry = run(*rows, check=True)
    assert number_of(engine, Account) == 0
    assert post.queued == []
    assert [line.replace("valable", "cree") for line in dry] == run(*rows)


def test_an_import_is_taken_up_after_a_line(run: Callable[..., list[str]], engine: Engine) -> None:
    assert run(row("A"), row("B"), row("C"), after=3) == ["4:cree:"]
    assert number_of(engine, Account) == 1


def test_more_rows_than_one_look_ahead(run: Callable[..., list[str]], engine: Engine) -> None:
    rows = [row(f"R{number}") for number in range(450)]
    assert len(run(*rows)) == 450
    assert run(*rows)[449] == "451:deja_importe:deja_importe"
    assert number_of(engine, Account) == 450


class Broken(Post):
    """An outbox that fails at the nth send, as a full disk would."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def queue(self, mailing: object) -> str:
        if len(self.queued) == self.at:
            raise OSError("disk full")
        return super().queue(mailing)  # type: ignore[arg-type]


@pytest.mark.security("OR-10")
@pytest.mark.parametrize("at", [2, 3])
def test_a_row_is_kept_whole_or_not_at_all(
    session: Session, engine: Engine, clock: Clock, recorded: Recorded, at: int
) -> None:
    passwords = password_service(session, clock, recorded)
    enrolment = Enrolment(lambda: session, passwords, Broken(at), clock, recorded.record)
    source = lines(io.BytesIO((HEADER + row("A") + row("B")).encode()))
    with pytest.raises(OSError, match="disk"):
        list(Importer(lambda: session, enrolment, commit_every=1).run(source))
    session.rollback()
    assert number_of(engine, Account) == number_of(engine, Password) == 1


def test_rows_are_told_of_once_they_are_committed(
    session: Session, engine: Engine, clock: Clock, recorded: Recorded
) -> None:
    passwords = password_service(session, clock, recorded)
    enrolment = Enrolment(lambda: session, passwords, Broken(at=5), clock, recorded.record)
    source = lines(io.BytesIO((HEADER + "".join(row(f"R{number}") for number in range(4))).encode()))
    results = Importer(lambda: session, enrolment, commit_every=2).run(source)
    for reference in ("R0", "R1"):
        assert next(results).reference == reference
        assert number_of(engine, Account) == 2
    with pytest.raises(OSError, match="disk"):
        next(results)
    assert number_of(engine, Account) == number_of(engine, Password) == 2


def test_two_imports_of_one_file_at_once_make_each_account_once(
    engine: Engine, clock: Clock, recorded: Recorded
) -> None:
    content = (HEADER + "".join(row(f"R{number}") for number in range(20))).encode()
    results = []
    sessions = [Session(engine, expire_on_commit=False) for _ in range(2)]
    running = []
    for session in sessions:
        passwords = password_service(session, clock, recorded)
        enrolment = Enrolment(lambda s=session: s, passwords, Post(), clock, recorded.record)  # type: ignore[misc]
        running.append(Importer(lambda s=session: s, enrolment).run(lines(io.BytesIO(content))))  # type: ignore[misc]
    # Both have looked ahead before either has made anything; then they take turns.
    for pair in zip(*running, strict=True):
        results.append(sorted(result.verdict for result in pair))
    for session in sessions:
        session.close()
    assert results == [["cree", "deja_importe"]] * 20
    assert number_of(engine, Account) == 20


def test_with_the_real_outbox_no_secret_is_in_clear_in_the_database(
    session: Session, engine: Engine, clock: Clock, recorded: Recorded
) -> None:
    passwords = password_service(session, clock, recorded)
    outbox = Outbox(lambda: session, Sealer([b"k" * 32]), clock, recorded.record, Gaps(600, 2), "exemple.fr")
    kept: list[str] = []

    class Watched(Post):
        def queue(self, mailing: object) -> str:
            if isinstance(mailing, PasswordMailing):
                kept.append(mailing.provisional_password)
            return outbox.queue(mailing)  # type: ignore[arg-type]

    enrolment = Enrolment(lambda: session, passwords, Watched(), clock, recorded.record)
    list(Importer(lambda: session, enrolment).run(lines(io.BytesIO((HEADER + row("A")).encode()))))
    assert number_of(engine, OutboxRow) == 2
    with Session(engine) as elsewhere:
        stored = [
            str(tuple(line))
            for table in (OutboxRow, Password, Account)
            for line in elsewhere.execute(select(*table.__table__.columns))
        ]
    (secret,) = kept
    assert all(secret not in line and secret.replace("-", "") not in line for line in stored)
