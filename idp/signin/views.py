"""The pages of signing in and out, the list of services, and the one honest page behind both help links."""

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import generate_csrf
from sqlalchemy.exc import SQLAlchemyError

from consent.refusals import NoPublishedText
from idp import session as browser_session
from idp.accounts import user_numbers
from idp.audit import record
from idp.services import Services
from idp.signin import device
from idp.signin.forms import SignInForm, SignOutForm
from idp.signin.signing_in import Outcome, SigningIn
from idp.signin.signing_out import onward, sign_out
from idp.signin.who import has_timed_out, who_is_here
from idp.web import limits
from idp.web.desk import desk_url, waiting
from idp.web.headers import allow_redirect_to
from idp.web.throttle import Blocked
from idp.web.translations import duree, t


def blueprint(services: Services, signing_in: SigningIn) -> Blueprint:
    """The blueprint `signin`."""
    room = Blueprint("signin", __name__)
    room.add_url_rule("/connexion", "connexion", _SignIn(services, signing_in).view, methods=["GET", "POST"])
    room.add_url_rule("/deconnexion", "deconnexion", _confirm_sign_out, methods=["GET", "POST"])
    room.add_url_rule("/deconnecte", "deconnecte", _signed_out)
    room.add_url_rule("/mes-services", "mes_services", _services)
    room.add_url_rule("/", "accueil", _home)
    room.add_url_rule("/session/prolonger", "prolonger", _extend, methods=["POST"])
    room.add_url_rule("/mot-de-passe-oublie", "mot_de_passe_oublie", _help)
    room.add_url_rule("/probleme-de-connexion", "probleme_de_connexion", _help)
    room.add_url_rule("/indisponible", "indisponible", _closed_gate)
    return room


class _SignIn:
    """« Connexion »."""

    def __init__(self, services: Services, signing_in: SigningIn) -> None:
        self._settings = services.settings
        self._signing_in = signing_in

    def view(self) -> Response:
        """Show the form; at a POST, one try."""
        form = SignInForm()
        if request.method == "GET":
            return self._timed_out() if has_timed_out() else self._page(form)
        limits.sign_in_from_this_address()
        if not form.validate_on_submit():
            return self._page(form, 422)
        identifier, password = form.identifiant.data or "", form.mot_de_passe.data or ""
        known = device.device(self._settings)
        try:
            outcome = self._signing_in.attempt(identifier, password, known)
        except Blocked as blocked:
            return _blocked(form, blocked)
        match outcome:
            case Outcome.EXPIRED:
                return make_response(render_template("provisoire_expire.html"), 422)
            case Outcome.REFUSED:
                return self._page(form, 422, erreur_generale=t(_hint(identifier)))
            case Outcome.SIGNED_IN:
                response = redirect(desk_url(), 303)
                device.remember(response, self._settings, known)  # type: ignore[arg-type]
                return response  # type: ignore[return-value]

    def _timed_out(self) -> Response:
        """Say once that the session is over; the next visit of this address shows the form."""
        browser_session.end()
        found = waiting()
        return make_response(
            render_template(
                "session_finie.html",
                duree_inactivite=duree(self._settings.session_idle),
                retour_url=found.service.initiate_login_uri if found else None,
            )
        )

    def _page(self, form: SignInForm, status: int = 200, **context: object) -> Response:
        found = waiting()
        if request.method == "GET" and found and found.login_hint and len(found.login_hint) <= 64:
            form.identifiant.data = found.login_hint
        return make_response(render_template("connexion.html", form=form, **context), status)


def _blocked(form: SignInForm, blocked: Blocked) -> Response:
    """The same page whether the identifier exists or not (C22)."""
    record("signin.blocked", suspended=blocked.suspended)
    if blocked.suspended:
        page = render_template("suspendue.html", duree_restante=duree(blocked.seconds))
    else:
        page = render_template(
            "connexion.html", form=form, attente=t("connexion.attente", duree=duree(blocked.seconds))
        )
    response = make_response(page, 429)
    response.headers["Retry-After"] = str(blocked.seconds)
    return response


def _hint(typed: str) -> str:
    """What may have been typed instead of an identifier, by its look alone: it tells nothing of any account."""
    if user_numbers.looks_like_ours(typed):
        return "connexion.erreur.identifiant_est_numero"
    if user_numbers.looks_like_a_siret(typed):
        return "connexion.erreur.identifiant_est_siret"
    return "connexion.erreur.couple"


def _confirm_sign_out() -> Response:
    """Ask before signing out: a picture on another site must not be able to (LO-02)."""
    back = onward.read(request.args.get("suite", ""))
    form = SignOutForm()
    if request.method == "POST" and form.validate_on_submit():
        sign_out()
        return redirect(back or url_for("signin.deconnecte"), 303)  # type: ignore[return-value]
    if who_is_here() is None:
        return redirect(back or url_for("signin.deconnecte"), 303)  # type: ignore[return-value]
    if back:
        allow_redirect_to(back)
    return make_response(render_template("deconnexion.html", form=form))


def _signed_out() -> str:
    return render_template("deconnecte.html")


def _home() -> Response:
    return redirect(url_for("signin.mes_services"), 303)  # type: ignore[return-value]


def _services() -> Response:
    """Signing in without a service lands here: the services that can be started from our side."""
    services: Services = current_app.extensions["idp"]
    who = who_is_here()
    if who is None:
        return redirect(url_for("signin.connexion"), 303)  # type: ignore[return-value]
    try:
        step = services.gate.next_step(who.account)
    except NoPublishedText:
        return _closed_gate()
    if step is not None:
        return redirect(url_for(step.endpoint), 303)  # type: ignore[return-value]
    return make_response(render_template("mes_services.html", compte=who.account, services=services.clients.services()))


def _extend() -> Response:
    """« Rester connecté »: the visit itself moves the idle limit on."""
    who = who_is_here()
    if who is None:
        return Response(status=401)
    browser_session.touch(0)
    return make_response({"csrf": generate_csrf()})


def _help() -> str:
    """Until the recoveries exist: whom to ask, honestly."""
    services: Services = current_app.extensions["idp"]
    return render_template("recours.html", contact=services.settings.caf_contact)


def _closed_gate() -> Response:
    """No required text is published: we vouch for nobody, and say so."""
    return make_response(render_template("consent/indisponible.html", sign_out_url=url_for("signin.deconnexion")), 503)


def context() -> dict[str, object]:
    """What the layout shows of the session: its idle limit, when somebody is signed in."""
    services: Services = current_app.extensions["idp"]
    try:
        who = who_is_here()
    except SQLAlchemyError:
        who = None  # the page that is being drawn says that the database does not answer
    return {"session_idle": services.settings.session_idle if who else None}
