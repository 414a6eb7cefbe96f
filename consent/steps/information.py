"""First step: who the person is, and a mail address proved by a typed code.

Owns two pages, the information and its code. Saving the names is apart from proving the address, so a person who
leaves between the two finds what they typed. An address that belongs to another account is answered like any other.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from flask import request
from wtforms import HiddenField, StringField

from consent import answers
from consent.account import Account, PendingProof, Ports
from consent.documents import Texts
from consent.mail_typos import suggestion
from consent.step import Answer, Done, Go, Page, Show, Visit
from consent.steps.form import StepForm

CODE = "consent.code"


class InformationForm(StepForm):
    """`faute_signalee` carries the address that we doubted once, so that we do not doubt it twice."""

    labels: ClassVar = {
        "prenom": "e1.prenom.label",
        "nom": "e1.nom.label",
        "email": "e1.mail.label",
        "telephone": "e1.tel.label",
    }
    prenom = StringField()
    nom = StringField()
    email = StringField()
    telephone = StringField()
    faute_signalee = HiddenField()


class CodeForm(StepForm):
    """The code received by mail."""

    labels: ClassVar = {"code": "e1b.code.label"}
    code = StringField()


class Information:
    """Due until the names are known and the address is proved."""

    name = "information"
    title = "e1.titre"
    path = "/premiere-connexion/informations"
    endpoint = "consent.informations"

    def is_due(self, account: Account, _texts: Texts) -> bool:
        """Whether something is still to be told or proved."""
        return not (account.email_verified and account.given_name and account.family_name)

    def pages(self) -> tuple[Page, ...]:
        """The information, then the code."""
        return (
            Page(self.path, self.endpoint, self.answer),
            Page("/premiere-connexion/code", CODE, self.answer_code),
        )

    def answer(self, visit: Visit) -> Answer:
        """Ask for the information; on POST keep it and send a code, unless the address is proved already."""
        pending = visit.ports.email_proofs.pending(visit.account)
        known = _known(visit.account, pending) if request.method == "GET" else None
        form = InformationForm(data=known).labelled(visit.ports.t)
        if visit.account.email_verified:
            del form.email
        if request.method == "GET":
            return _show_information(form, pending)
        if not form.genuine(visit.ports.t) or (told := _read(form, visit.ports)) is None:
            return _show_information(form, pending, 422)
        visit.ports.accounts.give_information(visit.account, told["prenom"], told["nom"], told["telephone"])
        if "email" not in told:
            return Done()
        if not _still_valid(pending, told["email"], visit.ports):
            visit.ports.email_proofs.start(visit.account, told["email"])
        return Go(CODE)

    def answer_code(self, visit: Visit) -> Answer:
        """Ask for the code; on POST send another one, or check the one that was typed."""
        pending = visit.ports.email_proofs.pending(visit.account)
        if pending is None:
            return Go(self.endpoint, {"reprise": "1"})
        form = CodeForm().labelled(visit.ports.t)
        if request.method == "GET":
            return _show_code(form, pending, visit.ports)
        if not form.genuine(visit.ports.t):
            return _show_code(form, pending, visit.ports, 422)
        if "renvoyer" in request.form:
            sent = visit.ports.email_proofs.resend(visit.account)
            return Go(CODE, {"renvoi": "fait" if sent else "limite"})
        return self._check(visit, form, pending)

    def _check(self, visit: Visit, form: CodeForm, pending: PendingProof) -> Answer:
        try:
            verdict = visit.ports.email_proofs.check(visit.account, answers.code(form.code.data or ""))
        except answers.Mistyped as mistyped:
            form.code.errors = [visit.ports.t(mistyped.key)]
            return _show_code(form, pending, visit.ports, 422)
        if verdict == "right":
            return Done()
        # Another tab, or the first half of a double click, may just have proved the address with this very code.
        now = visit.ports.accounts.current()
        if now is not None and not self.is_due(now, visit.texts):
            return Done(here=False)
        key = "e1b.erreur.trop" if verdict == "too_many" else "e1b.erreur.faux"
        form.code.errors = [visit.ports.t(key)]
        return _show_code(form, pending, visit.ports, 422)


def _known(account: Account, pending: PendingProof | None) -> dict[str, str]:
    """What fills the fields in advance: never ask twice for what is known."""
    return {
        "prenom": account.given_name or "",
        "nom": account.family_name or "",
        "email": (pending.email if pending else account.suggested_email) or "",
        "telephone": answers.telephone_by_pairs(account.telephone),
    }


def _read(form: InformationForm, ports: Ports) -> dict[str, Any] | None:
    """The values by field, or None with the errors in the form."""
    readers: dict[str, Callable[[str], str | None]] = {
        "prenom": lambda typed: answers.name(typed, "prenom"),
        "nom": lambda typed: answers.name(typed, "nom"),
        "email": lambda typed: _undoubted(typed, form),
        "telephone": answers.telephone,
    }
    told: dict[str, Any] = {}
    for name, read in readers.items():
        if name in form:
            typed = form[name].data or ""
            try:
                told[name] = read(typed)
            except answers.Mistyped as mistyped:
                form[name].errors = [ports.t(mistyped.key, **mistyped.values)]
                form[name].data = answers.shown_again(typed)
    return None if form.errors else told


def _undoubted(typed: str, form: InformationForm) -> str:
    """The address; a probable slip is doubted once, the same address again is what the person means."""
    doubted, form.faute_signalee.data = form.faute_signalee.data, ""
    address = answers.mail_address(typed)
    meant = suggestion(address)
    if meant is not None:
        form.faute_signalee.data = address
        if doubted != address:
            raise answers.Mistyped("e1.erreur.mail_faute", suggestion=meant)
    return address


def _still_valid(pending: PendingProof | None, address: str, ports: Ports) -> bool:
    """A double click sends one code."""
    return pending is not None and pending.email == address and pending.expires_at > ports.clock()


def _show_information(form: InformationForm, pending: PendingProof | None, status: int = 200) -> Show:
    return Show("consent/informations.html", {"form": form, "pending": pending}, status)


def _show_code(form: CodeForm, pending: PendingProof, ports: Ports, status: int = 200) -> Show:
    form.code.data = ""
    renvoi = request.args.get("renvoi") if request.method == "GET" else None
    seconds = pending.expires_at - ports.clock()
    values = {
        "form": form,
        "pending": pending,
        "seconds": seconds,
        "expired": seconds <= 0,
        "renvoi": renvoi if renvoi in ("fait", "limite") else None,
    }
    return Show("consent/code.html", values, status)
