"""The texts: immutable versions, safe HTML, and the proofs of acceptance."""

import hashlib
import re
import threading
from collections.abc import Callable
from importlib import resources

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from consent.cli import shipped
from consent.documents import NAMES, Documents
from consent.markdown import render
from consent.models import Acceptance, AppendOnly, Document
from consent.refusals import NoPublishedText, PublicationRefused
from tests.conftest import Clock, Recorded

RULES = "regles-d-usage"


@pytest.fixture
def documents(session: Session, clock: Clock, recorded: Recorded) -> Documents:
    return Documents(lambda: session, clock, recorded.record)


def test_a_published_version_keeps_what_is_shown_and_its_hash(
    documents: Documents, clock: Clock, recorded: Recorded
) -> None:
    published = documents.publish(RULES, "1", "# Règles\r\n\r\nUn *texte*.\r\n", changes="Tout.")
    assert published.title == "Règles"
    assert published.html == "<h2>Règles</h2>\n<p>Un <em>texte</em>.</p>\n"
    assert published.sha256 == hashlib.sha256(published.html.encode()).hexdigest()
    assert (published.published_at, published.effective_at) == (clock(), clock())
    assert recorded == [
        (
            "documents.published",
            {"document": RULES, "version": "1", "sha256": published.sha256, "effective_at": clock()},
        )
    ]


def test_publishing_the_same_text_again_changes_nothing(
    documents: Documents, session: Session, clock: Clock, recorded: Recorded
) -> None:
    documents.publish(RULES, "1", "# Titre\n\nTexte\n", changes="Tout.")
    clock.advance(10)
    again = documents.publish(RULES, "1", "# Titre\r\n\r\nTexte\r\n")
    assert again.published_at == clock() - 10
    assert session.scalar(select(func.count()).select_from(Document)) == 1
    assert recorded.names == ["documents.published"]


@pytest.mark.parametrize(
    "other", [{"markdown": "# Titre\n\nAutre\n"}, {"changes": "Rien."}, {"effective_at": 1_900_000_000}]
)
def test_a_version_never_changes(documents: Documents, other: dict[str, str]) -> None:
    documents.publish(RULES, "1", "# Titre\n\nTexte\n")
    with pytest.raises(PublicationRefused, match="une version ne change jamais"):
        documents.publish(**{"name": RULES, "version": "1", "markdown": "# Titre\n\nTexte\n", **other})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "version", "markdown"),
    [
        ("autre-texte", "1", "# Titre\n"),
        (RULES, "", "# Titre\n"),
        (RULES, "1/2", "# Titre\n"),
        (RULES, "1" * 33, "# Titre\n"),
        (RULES, "1\0", "# Titre\n"),
        (RULES, "1", "Sans titre\n"),
        (RULES, "1", ""),
        (RULES, "1", "## Sous-titre\n"),
    ],
)
def test_what_cannot_be_published_is_refused(documents: Documents, name: str, version: str, markdown: str) -> None:
    with pytest.raises(PublicationRefused):
        documents.publish(name, version, markdown)


def test_published_rows_and_proofs_cannot_be_changed_nor_deleted(documents: Documents, session: Session) -> None:
    published = documents.publish(RULES, "1", "# Titre\n")
    documents.accept("a1", documents.texts_for("a1").current(RULES), request_id=None, ip=None)
    session.commit()
    published.html = "<p>Autre</p>"
    with pytest.raises(AppendOnly):
        session.flush()
    session.rollback()
    session.delete(documents.acceptances("a1")[0])
    with pytest.raises(AppendOnly):
        session.flush()


def test_the_version_in_force_is_the_latest_that_took_effect(documents: Documents, clock: Clock) -> None:
    documents.publish(RULES, "1", "# Titre\n\n1\n")
    documents.publish(RULES, "2", "# Titre\n\n2\n")
    documents.publish(RULES, "3", "# Titre\n\n3\n", effective_at=clock() + 10)
    assert documents.texts_for("a1").current(RULES).version == "2"
    assert documents.in_force()[RULES].version == "2"
    clock.advance(10)
    assert documents.texts_for("a1").current(RULES).version == "3"
    assert [document.version for document in documents.versions(RULES)] == ["1", "2", "3"]
    assert documents.next_version(RULES) == "4"
    assert documents.next_version("conditions-d-utilisation") == "1"


def test_a_text_without_version_in_force_says_what_to_do(documents: Documents, clock: Clock) -> None:
    documents.publish(RULES, "1", "# Titre\n", effective_at=clock() + 1)
    with pytest.raises(NoPublishedText, match=f"idp documents publish {RULES}"):
        documents.texts_for("a1").current(RULES)


@pytest.mark.security("GA-08")
def test_a_proof_says_who_what_when_and_from_where(documents: Documents, clock: Clock, recorded: Recorded) -> None:
    published = documents.publish(RULES, "1", "# Titre\n")
    text = documents.texts_for("a1").current(RULES)
    assert documents.accept("a1", text, request_id="r" * 40, ip="2001:db8::1")
    [proof] = documents.acceptances("a1")
    assert (proof.document, proof.version, proof.sha256) == (RULES, "1", published.sha256)
    assert (proof.accepted_at, proof.channel, proof.request_id, proof.ip) == (clock(), "web", "r" * 32, "2001:db8::1")
    assert recorded[-1] == (
        "gate.acceptance_recorded",
        {"account_id": "a1", "document": RULES, "version": "1", "sha256": published.sha256},
    )
    assert documents.acceptances("a2") == []


@pytest.mark.security("GA-11")
def test_the_first_acceptance_stands_when_it_is_given_twice(
    documents: Documents, clock: Clock, recorded: Recorded
) -> None:
    documents.publish(RULES, "1", "# Titre\n")
    text = documents.texts_for("a1").current(RULES)
    documents.accept("a1", text, request_id=None, ip=None)
    clock.advance(5)
    assert not documents.accept("a1", text, request_id=None, ip=None)
    assert [proof.accepted_at for proof in documents.acceptances("a1")] == [clock() - 5]
    assert recorded.names.count("gate.acceptance_recorded") == 1


def in_threads(work: Callable[[int], None], count: int) -> None:
    """Run `work(number)` in `count` threads that start together; an exception in one of them is raised here."""
    start, errors = threading.Barrier(count), []

    def one(number: int) -> None:
        start.wait()
        try:
            work(number)
        except BaseException as error:  # the main thread raises it
            errors.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.mark.security("GA-11")
def test_acceptances_at_the_same_moment_leave_one_row(engine: Engine, clock: Clock, recorded: Recorded) -> None:
    with Session(engine) as session, session.begin():
        Documents(lambda: session, clock, recorded.record).publish(RULES, "1", "# Titre\n")
    inserted: list[bool] = []

    def accept(_number: int) -> None:
        with Session(engine) as session, session.begin():
            documents = Documents(lambda: session, clock, recorded.record)
            text = documents.texts_for("a1").current(RULES)
            inserted.append(documents.accept("a1", text, request_id=None, ip=None))

    in_threads(accept, 8)
    assert sorted(inserted) == [False] * 7 + [True]
    with Session(engine) as session:
        assert session.scalar(select(func.count()).select_from(Acceptance)) == 1


def test_two_operators_who_publish_different_texts_under_one_version_get_one_and_a_refusal(
    engine: Engine, clock: Clock, recorded: Recorded
) -> None:
    verdicts: list[str] = []

    def publish(number: int) -> None:
        with Session(engine) as session, session.begin():
            try:
                Documents(lambda: session, clock, recorded.record).publish(RULES, "1", f"# Titre\n\n{number}\n")
                verdicts.append("published")
            except PublicationRefused:
                verdicts.append("refused")

    in_threads(publish, 4)
    assert sorted(verdicts) == ["published", "refused", "refused", "refused"]


@pytest.mark.parametrize(
    ("markdown", "absent"),
    [
        ("<script>alert(1)</script>", "<script"),
        ("<img src=x onerror=alert(1)>", "<img"),
        ("[clic](javascript:alert(1))", 'href="javascript'),
        ("![image](https://ailleurs.example/x.png)", "<img"),
        ("[clic](data:text/html,x)", 'href="data'),
    ],
)
def test_a_text_brings_no_markup_of_its_own(markdown: str, absent: str) -> None:
    assert absent not in render(f"# Titre\n\n{markdown}\n").html


def test_headings_leave_the_first_level_to_the_page() -> None:
    html = render("# Un\n\n## Deux\n\n###### Six\n").html
    assert re.findall(r"<(h\d)>", html) == ["h2", "h3", "h6"]


@pytest.mark.parametrize("name", NAMES)
def test_the_texts_that_we_ship_follow_french_typography(name: str) -> None:
    text = shipped(name)
    assert not re.search(r" [;:!?»]|« ", text), "a no-break space is missing"
    assert "'" not in text
    assert not re.search("veuillez|login|token", text, re.IGNORECASE)
    assert re.search("courrier", text)
    assert render(text).title


def test_the_terms_ask_for_no_consent_and_tell_how_long_the_journal_is_kept() -> None:
    text = shipped("conditions-d-utilisation").replace("\u00a0", " ")
    assert "mission d’intérêt public" in text
    assert "journal de vos connexions : 12 mois" in text
    assert "j’accepte que mes données" not in text.lower()
    for way in ("par courrier", "par téléphone", "à l’accueil"):
        assert way in text


def test_the_shipped_texts_are_package_data() -> None:
    names = {file.name for file in (resources.files("consent") / "texts").iterdir()}
    assert names == {f"{name}.fr.md" for name in NAMES}
