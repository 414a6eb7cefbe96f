"""The texts: immutable versions, which one is in force, and the proof of who accepted it.

Owns publication and acceptance. Owns no page: `steps/text.py` shows a text, `cli.py` publishes one.
"""

import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consent.markdown import render
from consent.models import Acceptance, Document
from consent.refusals import NoPublishedText, PublicationRefused

RULES_OF_USE = "regles-d-usage"
TERMS = "conditions-d-utilisation"
NAMES = (RULES_OF_USE, TERMS)

_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,31}")
_documents = Document.__table__.c
_acceptances = Acceptance.__table__.c

# The token endpoint may run four statements and this is one of them: every version in force and this account's
# acceptances come together, without the heavy columns.
_TEXTS_OF_ACCOUNT = (
    select(
        _documents.name,
        _documents.version,
        _documents.sha256,
        _documents.effective_at,
        _acceptances.sha256.label("accepted_sha256"),
        _acceptances.accepted_at,
    )
    .select_from(
        Document.__table__.outerjoin(
            Acceptance.__table__,
            and_(
                _acceptances.account_id == bindparam("account_id"),
                _acceptances.document == _documents.name,
                _acceptances.version == _documents.version,
            ),
        )
    )
    .where(_documents.effective_at <= bindparam("now"))
    .order_by(_documents.effective_at, _documents.sequence)
)


@dataclass(frozen=True)
class Text:
    """The version of a text that is in force, as it stands for one account."""

    name: str
    version: str
    sha256: str
    effective_at: int
    accepted_at: int | None
    earlier_accepted: bool
    """Whether this account accepted a former version: then we tell what changes."""


class Texts:
    """The texts in force for one account, read in one statement the first time somebody asks, or never."""

    def __init__(self, read: Callable[[], Mapping[str, Text]]) -> None:
        self._read = read
        self._texts: Mapping[str, Text] | None = None

    def current(self, name: str) -> Text:
        """The version in force of the text `name`. Raises `NoPublishedText`."""
        if self._texts is None:
            self._texts = self._read()
        try:
            return self._texts[name]
        except KeyError:
            raise NoPublishedText(name) from None

    @property
    def accepted(self) -> tuple[tuple[str, str, str], ...]:
        """(name, version, sha256) of each text in force that is accepted, of those read. Reads nothing itself."""
        texts = (self._texts or {}).values()
        return tuple(sorted((text.name, text.version, text.sha256) for text in texts if text.accepted_at is not None))


class Documents:
    """The published texts and their acceptances. Adds to the session it is given, never commits."""

    def __init__(self, session: Callable[[], Session], clock: Callable[[], int], record: Callable[..., None]) -> None:
        self._session = session
        self._clock = clock
        self._record = record

    def publish(
        self,
        name: str,
        version: str,
        markdown: str,
        changes: str | None = None,
        effective_at: int | None = None,
    ) -> Document:
        """Publish a version, in force from `effective_at` (seconds; now by default), and give it.

        The same text again under the same version changes nothing. Raises `PublicationRefused` for an unknown name,
        a version that is not a plain word, a text without title, or a different text under a version that exists.
        """
        if name not in NAMES:
            raise PublicationRefused(f"Le texte « {name} » est inconnu : choisissez {' ou '.join(NAMES)}.")
        if not _VERSION.fullmatch(version):
            raise PublicationRefused(
                f"La version « {version[:40]} » ne convient pas : 32 lettres, chiffres, points ou tirets au plus."
            )
        markdown = markdown.replace("\r\n", "\n")
        rendered, now = render(markdown), self._clock()
        row = {
            "name": name,
            "version": version,
            "title": rendered.title,
            "markdown": markdown,
            "html": rendered.html,
            "sha256": rendered.sha256,
            "changes": changes,
            "published_at": now,
            "effective_at": now if effective_at is None else effective_at,
        }
        inserted = self._insert_once(Document, row, ("name", "version"))
        published = self._session().scalars(_one_version(name, version)).one()  # inserted now, or it was in the way
        if inserted:
            self._record(
                "documents.published",
                document=name,
                version=version,
                sha256=rendered.sha256,
                effective_at=row["effective_at"],
            )
        else:
            _refuse_another(published, markdown, changes, effective_at)
        return published

    def next_version(self, name: str) -> str:
        """The whole number that follows the highest one published under `name`: `1` at first."""
        numbers = [int(document.version) for document in self.versions(name) if document.version.isdecimal()]
        return str(max(numbers, default=0) + 1)

    def get(self, name: str, version: str) -> Document | None:
        """One version, in force or not; None when there is no such one, whatever was asked."""
        if name not in NAMES or not _VERSION.fullmatch(version):
            return None
        return self._session().scalars(_one_version(name, version)).one_or_none()

    def versions(self, name: str | None = None) -> list[Document]:
        """Every version, of one text or of all, in the order in which they take force."""
        wanted = select(Document).order_by(Document.name, Document.effective_at, Document.sequence)
        if name is not None:
            wanted = wanted.where(Document.name == name)
        return list(self._session().scalars(wanted))

    def in_force(self) -> dict[str, Document]:
        """The version of each text that is in force now: what `idp doctor` looks at."""
        now = self._clock()
        return {document.name: document for document in self.versions() if document.effective_at <= now}

    def texts_for(self, account_id: str) -> Texts:
        """The texts in force as they stand for this account: one statement, and only once asked."""
        return Texts(lambda: self._read_texts(account_id))

    def accept(self, account_id: str, text: Text, *, request_id: str | None, ip: str | None) -> bool:
        """Keep the proof that this account accepts `text` on the web. False when the proof was there already."""
        row = {
            "id": uuid.uuid4().hex,
            "account_id": account_id,
            "document": text.name,
            "version": text.version,
            "sha256": text.sha256,
            "accepted_at": self._clock(),
            "channel": "web",
            "request_id": request_id and request_id[:32],
            "ip": ip and ip[:45],
        }
        inserted = self._insert_once(Acceptance, row, ("account_id", "document", "version"))
        if inserted:
            self._record(
                "gate.acceptance_recorded",
                account_id=account_id,
                document=text.name,
                version=text.version,
                sha256=text.sha256,
            )
        return inserted

    def acceptances(self, account_id: str) -> list[Acceptance]:
        """Every proof of this account, the oldest first: for the claim `acceptations` and the person's own page."""
        wanted = (
            select(Acceptance)
            .where(Acceptance.account_id == account_id)
            .order_by(Acceptance.accepted_at, Acceptance.document, Acceptance.version)
        )
        return list(self._session().scalars(wanted))

    def _read_texts(self, account_id: str) -> dict[str, Text]:
        given = {"account_id": account_id, "now": self._clock()}
        return _latest(self._session().execute(_TEXTS_OF_ACCOUNT, given))

    def _insert_once(
        self, model: type[Document] | type[Acceptance], row: dict[str, Any], unique: tuple[str, ...]
    ) -> bool:
        """Insert unless the unique columns are taken; says whether it did. A double submit waits, then does nothing."""
        session = self._session()
        insert: Any = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
        statement = insert(model.__table__).values(**row).on_conflict_do_nothing(index_elements=unique)
        return session.execute(statement.returning(model.__table__.c.version)).first() is not None


def _one_version(name: str, version: str) -> Select[Document]:
    return select(Document).where(Document.name == name, Document.version == version)


def _latest(rows: Iterable[Sequence[Any]]) -> dict[str, Text]:
    """The last row of each name is the version in force. An acceptance counts for the very text it was given for."""
    latest: dict[str, Text] = {}
    once_accepted: set[str] = set()
    for name, version, sha256, effective_at, accepted_sha256, accepted_at in rows:
        latest[name] = Text(
            name=name,
            version=version,
            sha256=sha256,
            effective_at=effective_at,
            accepted_at=accepted_at if accepted_sha256 == sha256 else None,
            earlier_accepted=name in once_accepted,
        )
        if accepted_at is not None:
            once_accepted.add(name)
    return latest


def _refuse_another(published: Document, markdown: str, changes: str | None, effective_at: int | None) -> None:
    """Publishing again is fine when nothing differs; the Markdown decides, since a renderer may change its HTML."""
    same = (
        published.markdown == markdown
        and changes in (None, published.changes)
        and effective_at in (None, published.effective_at)
    )
    if not same:
        raise PublicationRefused(
            f"La version {published.version} du texte « {published.name} » est déjà publiée avec un autre contenu : "
            "une version ne change jamais, publiez-la sous un autre numéro."
        )
