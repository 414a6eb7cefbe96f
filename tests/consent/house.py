"""A small house around the room: accounts, passwords and mail proofs in the real database, and who is signed in.

Each request has its own session and one commit; a 5xx rolls back. Texts are shown as their keys and values.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from flask import Flask, g
from flask import session as cookie
from jinja2 import ChoiceLoader, FileSystemLoader
from sqlalchemy import Boolean, Column, Engine, Integer, MetaData, String, Table, insert, select, update
from sqlalchemy.orm import Session

from consent import account as ports_of_consent
from consent.account import PendingProof, Ports, Problem, TooBusy, Verdict
from consent.documents import Documents
from consent.gate import Gate
from consent.step import Step
from consent.steps import FIRST_LOGIN
from consent.views import blueprint
from tests.conftest import Clock, Recorded

metadata = MetaData()
people = Table(
    "house_people",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("partner_type", String(8), default="physique"),
    Column("departement", String(3), default="2A"),
    Column("organisation_name", String(100)),
    Column("siret", String(14)),
    Column("given_name", String(400)),
    Column("family_name", String(400)),
    Column("email", String(254), unique=True),
    Column("suggested_email", String(254)),
    Column("telephone", String(20)),
    Column("provisional", String(100)),
    Column("personal", String(2000)),
    Column("completed", Integer, default=0),
    Column("closed", Boolean, default=False),
)
proofs = Table(
    "house_proofs",
    metadata,
    Column("account_id", String(32), primary_key=True),
    Column("email", String(254)),
    Column("code", String(6)),
    Column("expires_at", Integer),
    Column("tries", Integer, default=0),
    Column("sends", Integer, default=1),
)


@dataclass(frozen=True)
class Person:
    """What the room sees of a row of `house_people`."""

    id: str
    partner_type: Literal["physique", "moral"]
    departement: str | None
    organisation_name: str | None
    siret: str | None
    given_name: str | None
    family_name: str | None
    email: str | None
    suggested_email: str | None
    telephone: str | None
    provisional: str | None
    personal: str | None
    completed: int
    closed: bool
    user_number: str = "UABCDEFGHJKLM7"
    identifier: str = "ident-1"

    @property
    def email_verified(self) -> bool:
        return self.email is not None

    @property
    def has_personal_password(self) -> bool:
        return self.personal is not None

    @property
    def must_choose_password(self) -> bool:
        return self.provisional is not None

    @property
    def is_open(self) -> bool:
        return not self.closed

    @property
    def in_first_login(self) -> bool:
        return self.completed == 0


def t(key: str, **values: object) -> str:
    """The key itself with its values: tests need no wording."""
    return key + "".join(f"|{name}={value}" for name, value in values.items())


def person(session: Session, account_id: str) -> Person | None:
    row = session.execute(select(people).where(people.c.id == account_id)).one_or_none()
    return Person(**row._mapping) if row else None


class House:
    """The Flask application, its gate, and what happened in it. `send` is what mails would carry."""

    def __init__(self, engine: Engine, clock: Clock, recorded: Recorded, steps: tuple[Step, ...] = FIRST_LOGIN) -> None:
        metadata.create_all(engine)
        self.engine, self.clock, self.recorded = engine, clock, recorded
        self.sent: list[str] = []
        self.completions: list[str] = []
        self.refusals: list[str] = []
        self.busy = False
        self.before_check: Callable[[], None] = lambda: None
        self.service: str | None = "Espace bailleur"
        self.documents = Documents(lambda: g.db, clock, recorded.record)
        self.gate = Gate(steps, self.documents, clock)
        self.app = self._app()

    def _app(self) -> Flask:
        app = Flask("house", template_folder="")
        app.secret_key = "only in tests"
        app.config["WTF_CSRF_ENABLED"] = False
        app.jinja_loader = ChoiceLoader(
            [FileSystemLoader("tests/consent/templates"), FileSystemLoader("idp/templates")]
        )
        app.jinja_env.globals.update(t=t, date_longue=lambda s: f"jour {s}", duree=lambda s: f"{s} s")
        app.register_blueprint(blueprint(self.gate, self.ports()))
        app.add_url_rule("/connexion", "signin.connexion", lambda: "connexion")
        app.before_request(self._open)
        app.after_request(self._close)
        return app

    def ports(self) -> Ports:
        return Ports(
            accounts=_Accounts(),
            passwords=_Passwords(self),
            email_proofs=_Proofs(self),
            clock=self.clock,
            t=t,
            record=self.recorded.record,
            desk_url=lambda: "/bureau",
            completed=self._completed,
            refused=self._refused,
            sign_out_url=lambda: "/deconnexion",
            service_name=lambda: self.service,
            administered=lambda account: account.organisation_name,
            led_by_another=lambda account: account.partner_type == "moral" and not account.organisation_name,
            administrator_help_url=lambda: "/aide/administrateur",
        )

    def _open(self) -> None:
        g.db = Session(self.engine, expire_on_commit=False)
        g.request_id = "request-1"

    def _close(self, response: Any) -> Any:
        if response.status_code >= 500:
            g.db.rollback()
        else:
            g.db.commit()
        g.db.close()
        return response

    def _completed(self, account: ports_of_consent.Account) -> None:
        self.completions.append(account.id)
        g.db.execute(update(people).where(people.c.id == account.id).values(completed=people.c.completed + 1))

    def _refused(self, name: str) -> str:
        self.refusals.append(name)
        return "https://service.example/retour?error=access_denied"

    def add(self, account_id: str = "a1", **values: Any) -> None:
        """A landlord who never came, unless `values` say otherwise."""
        with Session(self.engine) as session, session.begin():
            session.execute(insert(people).values(id=account_id, provisional="PROVISOIRE", **values))

    def add_finished(self, account_id: str = "a1", **values: Any) -> None:
        """A landlord who did everything but accept the texts in force."""
        row = {"given_name": "Zoé", "family_name": "N’Guyen", "email": f"{account_id}@exemple.fr", "completed": 1}
        with Session(self.engine) as session, session.begin():
            session.execute(insert(people).values(id=account_id, personal="Mot2passe-choisi", **{**row, **values}))

    def change(self, account_id: str = "a1", **values: Any) -> None:
        with Session(self.engine) as session, session.begin():
            session.execute(update(people).where(people.c.id == account_id).values(**values))

    def person(self, account_id: str = "a1") -> Person:
        with Session(self.engine) as session:
            found = person(session, account_id)
        assert found is not None
        return found

    def code(self, account_id: str = "a1") -> str:
        with Session(self.engine) as session:
            return str(session.scalar(select(proofs.c.code).where(proofs.c.account_id == account_id)))

    def in_session(self, work: Callable[[Documents], Any]) -> Any:
        """Do `work` with the documents in a transaction of its own."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            return work(Documents(lambda: session, self.clock, self.recorded.record))

    def publish(self, name: str, version: str = "1", **values: Any) -> None:
        self.in_session(lambda documents: documents.publish(name, version, f"# Titre\n\nTexte {version}\n", **values))

    def publish_both(self) -> None:
        for name in ("regles-d-usage", "conditions-d-utilisation"):
            self.publish(name)

    def accept_both(self, account_id: str = "a1") -> None:
        def accept(documents: Documents) -> None:
            texts = documents.texts_for(account_id)
            for name in ("regles-d-usage", "conditions-d-utilisation"):
                documents.accept(account_id, texts.current(name), request_id=None, ip=None)

        self.in_session(accept)

    def browser(self, account_id: str | None = "a1") -> "Browser":
        return Browser(self, account_id)


class Browser:
    """A person's browser, signed in (half-gated or not) as `account_id`."""

    def __init__(self, house: House, account_id: str | None) -> None:
        self.client = house.app.test_client()
        if account_id is not None:
            with self.client.session_transaction() as session:
                session["who"] = account_id

    def get(self, path: str) -> Any:
        return self.client.get(path)

    def post(self, path: str, **fields: str) -> Any:
        return self.client.post(path, data=fields)

    def hash_shown(self, path: str) -> str:
        page = self.get(path).get_data(as_text=True)
        return str(page.split('name="empreinte" type="hidden" value="')[1].split('"')[0])

    def accept(self, name: str) -> Any:
        path = f"/premiere-connexion/{name}"
        return self.post(path, accepter="oui", empreinte=self.hash_shown(path))


class _Accounts:
    def current(self) -> Person | None:
        return person(g.db, cookie["who"]) if "who" in cookie else None

    def give_information(
        self, account: ports_of_consent.Account, given_name: str, family_name: str, telephone: str | None
    ) -> None:
        given = {"given_name": given_name, "family_name": family_name, "telephone": telephone}
        g.db.execute(update(people).where(people.c.id == account.id).values(**given))


class _Passwords:
    def __init__(self, house: House) -> None:
        self.house = house

    def minimum(self, account: ports_of_consent.Account) -> int:
        return 16 if account.partner_type == "moral" else 12

    def problems(self, account: ports_of_consent.Account, password: str) -> list[Problem]:
        current = person(g.db, account.id)
        if current is not None and password == current.provisional:
            return [("e2.erreur.identique", {})]
        if "\0" in password or len(password) > 1024:
            return [("e2.erreur.courant", {})]
        short = len(password) < self.minimum(account)
        return [("e2.erreur.court", {"n": len(password)})] if short else []

    def change(self, account: ports_of_consent.Account, password: str) -> bool:
        if self.house.busy:
            raise TooBusy(7)
        waiting = people.c.id == account.id, people.c.provisional.is_not(None)
        done = g.db.execute(update(people).where(*waiting).values(provisional=None, personal=password))
        return bool(done.rowcount)


class _Proofs:
    def __init__(self, house: House) -> None:
        self.house = house

    def start(self, account: ports_of_consent.Account, email: str) -> None:
        g.db.execute(proofs.delete().where(proofs.c.account_id == account.id))
        row = {"account_id": account.id, "email": email, "code": f"12345{len(self.house.sent)}"}
        g.db.execute(insert(proofs).values(expires_at=self.house.clock() + 1800, **row))
        self.house.sent.append(email)

    def pending(self, account: ports_of_consent.Account) -> PendingProof | None:
        row = g.db.execute(select(proofs).where(proofs.c.account_id == account.id)).one_or_none()
        return PendingProof(row.email, row.expires_at) if row else None

    def check(self, account: ports_of_consent.Account, code: str) -> Verdict:
        self.house.before_check()
        row = g.db.execute(
            update(proofs).where(proofs.c.account_id == account.id).values(tries=proofs.c.tries + 1).returning(proofs)
        ).one_or_none()
        if row is None:
            return "wrong"
        if row.tries > 5:
            return "too_many"
        if row.expires_at <= self.house.clock():
            return "expired"
        if row.code != code:
            return "wrong"
        g.db.execute(proofs.delete().where(proofs.c.account_id == account.id))
        g.db.execute(update(people).where(people.c.id == account.id).values(email=row.email))
        return "right"

    def resend(self, account: ports_of_consent.Account) -> bool:
        row = g.db.execute(
            update(proofs)
            .where(proofs.c.account_id == account.id, proofs.c.sends < 3)
            .values(sends=proofs.c.sends + 1, code="654321", expires_at=self.house.clock() + 1800)
            .returning(proofs.c.email)
        ).one_or_none()
        if row is not None:
            self.house.sent.append(row.email)
        return row is not None
