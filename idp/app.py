"""Builds the provider: every collaborator in one place, one commit a request.

`create_app()` refuses wrong settings. It neither migrates nor makes keys: `start.make_ready` does, before serving.
"""

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable
from email.utils import parseaddr
from typing import Any

from flask import Flask, Response, g
from werkzeug.middleware.proxy_fix import ProxyFix

import consent.views
from clients.registry import ClientRegistry, RegistrationPolicy
from consent.documents import Documents
from consent.gate import Gate
from consent.steps import FIRST_LOGIN
from idp import clock, help, ports, session, start
from idp.accounts.email_proof import EmailProofs
from idp.accounts.enrolment import Enrolment, Lives
from idp.accounts.passwords import PasswordService
from idp.accounts.store import AccountStore
from idp.audit import record
from idp.db import current_session, db, engine_options
from idp.delivery.channel import DeliveryChannel
from idp.delivery.email import FileChannel, SmtpChannel, SmtpServer
from idp.delivery.letter import LetterChannel, Typesetter
from idp.delivery.message import MessageBuilder
from idp.delivery.outbox import Gaps, Outbox
from idp.delivery.wording import Wordings
from idp.delivery.worker import OutboxWorker
from idp.health import blueprint as health
from idp.oidc import room as oidc
from idp.oidc.parked_requests import ParkedRequests
from idp.services import Services
from idp.settings import Settings, SettingsRefused, load
from idp.signin import views as signin
from idp.signin.signing_in import SigningIn
from idp.web import assets, csrf, desk, error_pages, headers, limits, log, translations
from idp.web.hash_pool import HashPool
from idp.web.throttle import Throttle
from keys.refusals import KeyRefused
from keys.ring import KeyRing
from keys.rotation import RotationPolicy
from keys.sealing import Sealer
from keys.stores.sql import SqlKeyStore

SLOWEST_HASH = 0.35
"""Seconds: the shortest time of a look at a password, above what any cost in use takes here."""


class Application(Flask):
    """Flask, told once what it would ask at every call: no view and no hook here is a coroutine."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself."""
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """The Flask application. `settings`: read from the environment when not given. Raises `SettingsRefused`."""
    settings = start.with_secrets(settings or load())
    app = Application("idp")
    _configure(app, settings)
    db.init_app(app)
    try:
        services = app.extensions["idp"] = _collaborators(settings)
    except (KeyRefused, ValueError) as refused:
        raise SettingsRefused(str(refused)) from None
    app.extensions |= {
        "clients": services.clients,
        "documents": services.documents,
        "gate": services.gate,
        "keys": services.ring,
    }
    parked = ParkedRequests(settings.parked_request_lifetime)
    _every_request(app, settings, services, parked)
    _rooms(app, services, parked)
    return app


def serve_in_background(app: Flask) -> None:
    """Check the installation, then send what waits from a thread of this process."""
    start.make_ready(app)
    threading.Thread(target=_send_what_waits, args=(app,), name="outbox", daemon=True).start()


def _send_what_waits(app: Flask) -> None:
    with app.app_context():
        g.own_work = True  # the audit trail says that the server did it, not an operator
        start.services().outbox_worker().run_forever(threading.Event())


def _configure(app: Flask, settings: Settings) -> None:
    log.configure()
    if settings.environment == "test":
        clock.use_offset_file(str(settings.data_dir / "clock-offset"))
    app.config.update(
        SECRET_KEY=settings.secret_keys[0],
        SQLALCHEMY_DATABASE_URI=settings.database,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database),
        MAX_CONTENT_LENGTH=settings.max_body,
        MAX_FORM_MEMORY_SIZE=settings.max_body,
        MAX_FORM_PARTS=100,
        WTF_CSRF_TIME_LIMIT=None,  # a slow reader may take the day; the token dies with the session
        WTF_CSRF_SSL_STRICT=False,  # Referrer-Policy is no-referrer; Sec-Fetch-Site and Origin are checked instead
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def _collaborators(settings: Settings) -> Services:
    registry = ClientRegistry(current_session, clock.now, record, RegistrationPolicy(production=settings.production))
    keks = tuple(_bytes(key) for key in settings.key_encryption_keys)
    sealer = Sealer(keks)
    ring = KeyRing(
        SqlKeyStore(current_session, sealer),
        clock.now,
        RotationPolicy(
            publish_ahead=settings.key_publish_ahead,
            # An ID token outlives its `exp` as the hint of a sign-out, for as long as the session.
            token_lifetime=max(settings.id_token_lifetime, settings.session_lifetime),
            jwks_max_age=settings.jwks_max_age,
        ),
        record,
    )
    documents = Documents(current_session, clock.now, record)
    pool = HashPool(settings.data_dir / "hash-slots", wait=settings.hash_wait)
    peppers = tuple(_bytes(pepper) for pepper in settings.password_peppers)
    passwords = PasswordService(current_session, peppers, settings.bcrypt_cost, pool, clock.now, record, translations.t)
    gaps = Gaps(mail=settings.mail_gap, letter=settings.letter_gap)
    outbox = Outbox(
        current_session,
        sealer,
        clock.now,
        record,
        gaps,
        parseaddr(settings.mail_from)[1].rpartition("@")[2],
    )
    store = AccountStore(current_session, clock.now, record)
    _mail(settings)  # a wrong sender or server is refused at start, not by a thread later
    return Services(
        settings=settings,
        key_encryption_keys=keks,
        password_peppers=peppers,
        clock=clock.now,
        sealer=sealer,
        ring=ring,
        clients=registry,
        documents=documents,
        gate=Gate(FIRST_LOGIN, documents, clock.now),
        accounts=store,
        passwords=passwords,
        email_proofs=EmailProofs(current_session, peppers[0], clock.now, record, outbox, settings.email_code_lifetime),
        enrolment=Enrolment(
            current_session,
            passwords,
            outbox,
            clock.now,
            record,
            Lives(settings.provisional_mail_lifetime, settings.provisional_letter_lifetime),
        ),
        outbox=outbox,
        outbox_worker=lambda: OutboxWorker(current_session, sealer, clock.now, _channels(settings), record, gaps),
        throttle=Throttle(derived(settings.secret_keys[-1], "throttle"), clock.now),
        hash_pool=pool,
    )


def _channels(settings: Settings) -> dict[str, DeliveryChannel]:
    """How mails and letters leave; one set for each worker, which is one thread."""
    typesetter = Typesetter(Wordings(translations.t, settings.caf_contact), translations.t)
    return {"mail": _mail(settings), "letter": LetterChannel(typesetter, settings.letters)}


def _mail(settings: Settings) -> DeliveryChannel:
    builder = MessageBuilder(Wordings(translations.t, settings.caf_contact), settings.mail_from)
    if settings.smtp_url:
        return SmtpChannel(builder, SmtpServer.from_url(settings.smtp_url))
    return FileChannel(builder, settings.mails)


def _every_request(app: Flask, settings: Settings, services: Services, parked: ParkedRequests) -> None:
    """What happens around each request, in this order."""
    app.session_interface = session.Cookies(settings)
    headers.init(app, settings)
    log.init(app, access=settings.access_log)
    translations.init_translations(app, strict=not settings.production)
    assets.init_assets(app)
    error_pages.init(app)
    limits.init(app, settings)
    desk.init(app, lambda name: parked.waiting(name, clock.now(), services.clients))
    app.context_processor(signin.context)
    app.jinja_env.globals["demo"] = not settings.production
    app.after_request(_commit)


def _rooms(app: Flask, services: Services, parked: ParkedRequests) -> None:
    signing_in = SigningIn(
        services.passwords, services.throttle, 0.0 if services.settings.environment == "test" else SLOWEST_HASH
    )
    protocol = oidc.blueprint(services, parked)
    csrf.init(app, services.settings, exempt=protocol)
    app.register_blueprint(protocol)
    app.register_blueprint(signin.blueprint(services, signing_in))
    app.register_blueprint(consent.views.blueprint(services.gate, ports.build(services)))
    app.register_blueprint(help.blueprint())
    app.register_blueprint(health())


def _commit(response: Response) -> Response:
    """One request, one commit: the writes of a 4xx stay (attempts, burned codes), those of a 5xx do not."""
    if db.session.registry.has():
        if response.status_code < 500 and not g.get("read_only"):
            db.session.commit()
        else:
            db.session.rollback()
    return response


def derived(secret: str, purpose: str) -> bytes:
    """A key for one purpose, from a secret key."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).digest()


def _bytes(secret: str) -> bytes:
    """32 bytes of a secret given as base64url, as `idp secrets init` writes it; of any other text, its digest."""
    try:
        raw = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
    except ValueError:
        raw = b""
    return raw if len(raw) == 32 else hashlib.sha256(secret.encode()).digest()
