"""A step that shows a text and asks for its acceptance: the rules of use and the terms share it.

An acceptance is given for the very bytes that were on the screen: the form carries their hash, and another hash is
answered with the text as it is now. It is an acceptance of rules, not a consent to a processing of personal data.
"""

from typing import Any, ClassVar

from flask import g, request
from wtforms import BooleanField, HiddenField

from consent.account import Account
from consent.documents import Text, Texts
from consent.step import Answer, Done, Go, Page, Show, Visit
from consent.steps.form import StepForm


class AcceptanceForm(StepForm):
    """One unticked box, and the hash of the text that is on the screen."""

    accepter = BooleanField()
    empreinte = HiddenField()


class AcceptText:
    """Subclasses say which document it is and the prefix of its texts in the catalogue (`e3`, `e4`)."""

    name: ClassVar[str]
    document: ClassVar[str]
    texts: ClassVar[str]

    @property
    def title(self) -> str:
        """Catalogue key of the title."""
        return f"{self.texts}.titre"

    @property
    def path(self) -> str:
        """Where the step begins."""
        return f"/premiere-connexion/{self.document}"

    @property
    def endpoint(self) -> str:
        """For `url_for`."""
        return f"consent.{self.document.replace('-', '_')}"

    def is_due(self, _account: Account, texts: Texts) -> bool:
        """Until the version in force is accepted."""
        return texts.current(self.document).accepted_at is None

    def pages(self) -> tuple[Page, ...]:
        """One page."""
        return (Page(self.path, self.endpoint, self.answer),)

    def answer(self, visit: Visit) -> Answer:
        """Show the text; on POST refuse, ask again, or keep the proof."""
        text, form = visit.texts.current(self.document), AcceptanceForm()
        if request.method == "GET":
            return self._show(visit, text, form)
        if not form.genuine(visit.ports.t):
            return self._show(visit, text, form, 422)
        if "refuser" in request.form:
            visit.ports.record("gate.refused", account_id=visit.account.id, document=text.name, version=text.version)
            return Go("consent.refus", {"texte": text.name})
        if form.empreinte.data != text.sha256:
            form.accepter.data = False
            form.accepter.errors = [visit.ports.t("gate.version_changee")]
            return self._show(visit, text, form, 422)
        if not form.accepter.data:
            form.accepter.errors = [visit.ports.t(f"{self.texts}.erreur")]
            return self._show(visit, text, form, 422)
        return Done(self._accept(visit, text))

    def _accept(self, visit: Visit, text: Text) -> bool:
        return visit.documents.accept(visit.account.id, text, request_id=g.get("request_id"), ip=request.remote_addr)

    def _show(self, visit: Visit, text: Text, form: AcceptanceForm, status: int = 200) -> Show:
        document = visit.documents.get(text.name, text.version)
        form.empreinte.data = text.sha256
        values: dict[str, Any] = {
            "form": form,
            "document": document,
            "prefix": self.texts,
            "since": text.effective_at,
            "renewed": text.earlier_accepted,
        }
        return Show(f"consent/{self.document.replace('-', '_')}.html", values, status)
