"""Makes an account of each row, once: account, password and both sends, or nothing of it.

Commits a small batch of rows at a time, since a commit costs more than ten rows; a row is told of once it is committed.
Idempotent by `reference`: the same row again changes nothing, another row under the same reference is refused. So a run
that was killed, at whatever statement, is simply run again.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from idp.accounts.enrolment import Enrolment, NewAccount, Taken
from idp.accounts.importing import rows
from idp.accounts.importing.reading import Line
from idp.accounts.importing.report import ALREADY, CREATED, REFUSED, VALID, Result
from idp.accounts.importing.rows import RowRefused
from idp.accounts.models import Account

_LOOK_AHEAD = 200
"""Rows whose keys are looked up by one SELECT."""

_OTHER_DATA = RowRefused(
    "autres_donnees",
    "un compte porte déjà cette référence avec d’autres données ; il n’a pas été modifié : changez la référence",
)
_TAKEN = RowRefused("deja_pris", "l’identifiant ou le numéro utilisateur appartient déjà à un autre compte")

Key = tuple[str, str]
"""A column and its value."""
Read = tuple[Line, NewAccount | None]
"""A line, and the account that it describes, if it does."""


class Importer:
    """`run(lines)` commits, in the session that it is given, every `commit_every` rows."""

    def __init__(self, session: Callable[[], Session], enrolment: Enrolment, commit_every: int = 20) -> None:
        self._session = session
        self._enrolment = enrolment
        self._commit_every = commit_every

    def run(self, lines: Iterable[Line], *, after: int = 0) -> Iterator[Result]:
        """Import, giving each result once it is committed. Lines up to `after` were reported before."""
        rest = (line for line in lines if line.number > after)
        while batch := list(islice(rest, self._commit_every)):
            yield from self._batch([_read(line) for line in batch])

    def check(self, lines: Iterable[Line]) -> Iterator[Result]:
        """What `run` would give, writing nothing."""
        seen = _Seen()
        source = iter(lines)
        while batch := list(islice(source, _LOOK_AHEAD)):
            read = [_read(line) for line in batch]
            known = self._look_up(key for _line, account in read if account for key in _keys(account))
            for line, account in read:
                if account is None:
                    yield _refused(line)
                else:
                    found = _judged(line, account, known | seen.look_up(_keys(account)))
                    if found is None:
                        seen.add(account)
                    yield found or Result(line.number, account.reference, VALID)

    def _batch(self, batch: list[Read]) -> list[Result]:
        known = self._look_up(key for _line, account in batch if account for key in _keys(account))
        try:
            return self._make(batch, known)
        except Taken:
            # Another import made one of these rows meanwhile: one by one, the others pass.
            return [self._alone(line) for line in batch]

    def _alone(self, line: Read) -> Result:
        try:
            return self._make([line], self._look_up(_keys(line[1]) if line[1] else ()))[0]
        except Taken:
            return _refusal(line[0], line[1].reference if line[1] else "", _TAKEN)

    def _make(self, batch: list[Read], known: dict[Key, bytes | None]) -> list[Result]:
        """One transaction. Raises `Taken` having changed nothing."""
        # The look-up must not hold a snapshot older than what is written now.
        self._session().rollback()
        try:
            results = [self._one(line, account, known) for line, account in batch]
            self._session().commit()
        except BaseException:
            self._session().rollback()
            raise
        return results

    def _one(self, line: Line, account: NewAccount | None, known: dict[Key, bytes | None]) -> Result:
        if account is None:
            return _refused(line)
        if refusal := _judged(line, account, known):
            return refusal
        self._enrolment.enrol(account)
        known |= _entries(account)
        return Result(line.number, account.reference, CREATED)

    def _look_up(self, keys: Iterable[Key]) -> dict[Key, bytes | None]:
        wanted: dict[str, list[str]] = {"reference": [], "identifier": [], "user_number": []}
        for column, value in keys:
            wanted[column].append(value)
        found: dict[Key, bytes | None] = {}
        for column, values in wanted.items():
            if values:
                named: ColumnElement[str] = getattr(Account, column)
                query = select(named, Account.import_digest).where(named.in_(values))
                found |= {(column, value): made_of for value, made_of in self._session().execute(query)}
        return found


class _Seen:
    """The keys of a file so far, for a dry run: on disk, so that a million rows fit."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")
        self._database.execute("CREATE TABLE seen (key TEXT, value TEXT, digest BLOB, PRIMARY KEY (key, value))")

    def look_up(self, keys: Iterable[Key]) -> dict[Key, bytes | None]:
        found = {}
        for key in keys:
            row = self._database.execute("SELECT digest FROM seen WHERE key = ? AND value = ?", key).fetchone()
            if row:
                found[key] = row[0]
        return found

    def add(self, account: NewAccount) -> None:
        entries = [(*key, made_of) for key, made_of in _entries(account).items()]
        self._database.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", entries)


def _read(line: Line) -> Read:
    """The line with what it describes, or with the reason why it describes nothing."""
    if line.fields is None:
        return line, None
    try:
        return line, rows.read(line.fields)
    except RowRefused as refused:
        return Line(line.number, line.size, line.fields, refused), None


def _keys(account: NewAccount) -> Iterator[Key]:
    yield "reference", account.reference
    if account.identifier:
        yield "identifier", account.identifier
    if account.user_number:
        yield "user_number", account.user_number


def _entries(account: NewAccount) -> dict[Key, bytes | None]:
    return dict.fromkeys(_keys(account), account.digest())


def _judged(line: Line, account: NewAccount, known: dict[Key, bytes | None]) -> Result | None:
    """Why nothing is to be made of a valid row; None when it is new."""
    reference = ("reference", account.reference)
    if reference in known:
        if known[reference] == account.digest():
            return Result(line.number, account.reference, ALREADY, "deja_importe", "déjà importé, rien n’a changé")
        return _refusal(line, account.reference, _OTHER_DATA)
    if any(key in known for key in _keys(account)):
        return _refusal(line, account.reference, _TAKEN)
    return None


def _refused(line: Line) -> Result:
    refusal = line.refusal or RowRefused("illisible", "la ligne est illisible")
    return _refusal(line, (line.fields or {}).get("reference", ""), refusal)


def _refusal(line: Line, reference: str, refusal: RowRefused) -> Result:
    return Result(line.number, reference, REFUSED, refusal.code, str(refusal))
