"""Second step, and the only one after a recovery: choose a personal password."""

from collections.abc import Sequence
from typing import ClassVar

from flask import request
from wtforms import PasswordField

from consent.account import Account, Ports, Problem, TooBusy
from consent.documents import Texts
from consent.step import Answer, Done, Page, Show, Visit
from consent.steps.form import StepForm

ORGANISATION_MINIMUM = 16


class PasswordForm(StepForm):
    """The new password, twice. Neither is ever sent back to the browser."""

    labels: ClassVar = {"nouveau_mot_de_passe": "e2.label", "confirmation": "e2.confirmation.label"}
    nouveau_mot_de_passe = PasswordField()
    confirmation = PasswordField()


class ChoosePassword:
    """Hashing happens behind `Passwords.change`, which must run before anything is written in this request."""

    name = "password"
    title = "e2.titre"
    path = "/premiere-connexion/mot-de-passe"
    endpoint = "consent.mot_de_passe"

    def is_due(self, account: Account, _texts: Texts) -> bool:
        """While only a provisional password opens the account, and after a recovery."""
        return account.must_choose_password

    def pages(self) -> tuple[Page, ...]:
        """One page."""
        return (Page(self.path, self.endpoint, self.answer),)

    def answer(self, visit: Visit) -> Answer:
        """Show the rules before anything is typed; on POST check, then change."""
        form, ports, account = PasswordForm().labelled(visit.ports.t), visit.ports, visit.account
        if request.method == "GET":
            return self._show(visit, form)
        if not form.genuine(ports.t) or not _filled(form, ports, account):
            return self._show(visit, form, 422)
        try:
            return Done(ports.passwords.change(account, form.nouveau_mot_de_passe.data or ""))
        except TooBusy as busy:
            form.nouveau_mot_de_passe.errors = [ports.t("connexion.service_indisponible")]
            return self._show(visit, form, 503, {"Retry-After": str(busy.retry_after)})

    def _show(self, visit: Visit, form: PasswordForm, status: int = 200, headers: dict[str, str] | None = None) -> Show:
        minimum = visit.ports.passwords.minimum(visit.account)
        values = {"form": form, "organisation": minimum >= ORGANISATION_MINIMUM}
        return Show("consent/mot_de_passe.html", values, status, headers or {})


def _filled(form: PasswordForm, ports: Ports, account: Account) -> bool:
    """Whether both fields are fine; otherwise their errors are in the form."""
    password, confirmation = form.nouveau_mot_de_passe.data or "", form.confirmation.data or ""
    problems: Sequence[Problem]
    problems = ports.passwords.problems(account, password) if password else [("e2.erreur.vide", {})]
    form.nouveau_mot_de_passe.errors = [ports.t(key, **values) for key, values in problems]
    if not problems and confirmation != password:
        key = "e2.erreur.confirmation" if confirmation else "e2.erreur.confirmation_vide"
        form.confirmation.errors = [ports.t(key)]
    return not form.errors
