"""The pages of the gate, looping over what is due.

Owns the order (only the due step is served), the way from one step to the next, and the pages around them: done,
refused, the text as it was accepted. Each step answers for its own pages; with nothing due, back to the desk.
"""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from consent.account import Account, Ports
from consent.gate import Gate
from consent.refusals import NoPublishedText
from consent.step import Done, Go, Page, Show, Step, Visit
from consent.steps.form import StepForm

DONE = "/premiere-connexion/terminee"
REFUSED = "/premiere-connexion/refus"


def blueprint(gate: Gate, ports: Ports) -> Blueprint:
    """The blueprint `consent`: the pages of each step of `gate`, and those around them."""
    room = Blueprint("consent", __name__, template_folder="templates")
    pages = _Pages(gate, ports)
    for step in gate.steps:
        for page in step.pages():
            name = page.endpoint.removeprefix("consent.")
            room.add_url_rule(page.path, name, pages.serving(step, page), methods=["GET", "POST"])
    room.add_url_rule(DONE, "terminee", pages.done)
    room.add_url_rule(REFUSED, "refus", pages.refused, methods=["GET", "POST"])
    room.add_url_rule("/textes/<name>/<version>", "texte", pages.text)
    room.register_error_handler(NoPublishedText, pages.nothing_published)
    return room


class _Pages:
    def __init__(self, gate: Gate, ports: Ports) -> None:
        self.gate = gate
        self.ports = ports

    def serving(self, step: Step, page: Page) -> Callable[[], AnyResponse]:
        """The view of one page of one step: only served while the step is the one that is due."""

        def view() -> AnyResponse:
            account = self._here()
            if account is None:
                return _to("signin.connexion")
            due = self.gate.next_step(account)
            if due is not step:
                return self._elsewhere(step, due)
            texts = self.gate.documents.texts_for(account.id)
            answer = page.answer(Visit(account, texts, self.gate.documents, self.ports))
            if isinstance(answer, Done):
                return self._after(account, step, answer.here)
            if isinstance(answer, Go):
                return _to(answer.endpoint, answer.query)
            return self._show(account, step, answer)

        return view

    def done(self) -> AnyResponse:
        """« Votre compte est prêt »."""
        account = self._here()
        if account is None:
            return _to("signin.connexion")
        due = self.gate.next_step(account)
        if due is not None:
            return _to(due.endpoint, {"reprise": "1"})
        return make_response(
            render_template(
                "consent/terminee.html",
                account=account,
                service_name=self.ports.service_name(),
                desk_url=self.ports.desk_url(),
                administered=self.ports.administered(account),
                led_by_another=self.ports.led_by_another(account),
                administrator_help_url=self.ports.administrator_help_url(),
            )
        )

    def refused(self) -> AnyResponse:
        """What a refusal means, and what can be done: read again, go back to the service, sign out."""
        account = self._here()
        if account is None:
            return _to("signin.connexion")
        due = self.gate.next_step(account)
        if due is None:
            return redirect(self.ports.desk_url(), 303)
        name = getattr(due, "document", None)
        if name is None or request.args.get("texte") != name:
            return _to(due.endpoint, {"reprise": "1"})
        form = StepForm()
        if request.method == "POST" and form.genuine(self.ports.t):
            return redirect(self.ports.refused(name), 303)
        page = render_template(
            "consent/refus.html",
            form=form,
            step=due,
            service_name=self.ports.service_name(),
            sign_out_url=self.ports.sign_out_url(),
        )
        return make_response(page, 422 if form.errors else 200)

    def text(self, name: str, version: str) -> AnyResponse:
        """A text as it was shown when it was accepted, alone on its page, to be printed or kept. No secret in it."""
        document = self.gate.documents.get(name, version)
        if document is None:
            abort(404)
        account = self._here()
        proofs = self.gate.documents.acceptances(account.id) if account is not None else []
        accepted_at = next((p.accepted_at for p in proofs if (p.document, p.version) == (name, version)), None)
        return make_response(
            render_template(
                "consent/version.html",
                document=document,
                accepted_at=accepted_at,
            )
        )

    def nothing_published(self, _missing: NoPublishedText) -> AnyResponse:
        """We vouch for nobody until the text is published: say so in plain words."""
        return make_response(render_template("consent/indisponible.html", sign_out_url=self.ports.sign_out_url()), 503)

    def _here(self) -> Account | None:
        account = self.ports.accounts.current()
        return account if account is not None and account.is_open else None

    def _elsewhere(self, step: Step, due: Step | None) -> AnyResponse:
        """The answer to a step out of order or done already: the one that is due, or the way out."""
        if due is not None:
            return _to(due.endpoint, {"reprise": "1"})
        if request.method == "POST" and step is self.gate.steps[-1]:
            # The second half of a double click on the last button sees what the first one leads to.
            return _to("consent.terminee")
        return redirect(self.ports.desk_url(), 303)

    def _after(self, account: Account, step: Step, here: bool) -> AnyResponse:
        """A step is done: on to the next one, or, in this same transaction, tell that the gate is passed."""
        if here:
            self.ports.record("gate.step_completed", account_id=account.id, step=step.name)
        now = self._here()
        if now is None:
            return _to("signin.connexion")
        try:
            due = self.gate.next_step(now)
        except NoPublishedText:
            # Not a 503 here, which would roll back the step that is done. The same address tells what is missing.
            return _to(step.endpoint)
        if due is not None:
            return _to(due.endpoint)
        if here:
            self.ports.completed(now)
            self.ports.record("gate.completed", account_id=account.id, first_login=account.in_first_login)
        return _to("consent.terminee") if account.in_first_login else redirect(self.ports.desk_url(), 303)

    def _show(self, account: Account, step: Step, answer: Show) -> Response:
        progress = self.gate.progress(account)
        page = render_template(
            answer.template,
            account=account,
            step=step,
            progress=progress,
            etape_n=progress.position if account.in_first_login else None,
            etape_total=progress.total,
            notice=self._notice(account),
            service_name=self.ports.service_name(),
            sign_out_url=self.ports.sign_out_url(),
            **answer.values,
        )
        return make_response(page, answer.status, dict(answer.headers))

    def _notice(self, account: Account) -> str | None:
        if request.method != "GET" or request.args.get("reprise") != "1":
            return None
        return self.ports.t("connexion.reprise" if account.in_first_login else "gate.reprise")


def _to(endpoint: str, query: Mapping[str, Any] | None = None) -> AnyResponse:
    return redirect(url_for(endpoint, **(query or {})), 303)
