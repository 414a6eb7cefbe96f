"""The collaborators, built once at start by `app.py`. Only types and reaches them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.clock import Clock
from idp.settings import Settings

if TYPE_CHECKING:
    from clients.registry import ClientRegistry
    from consent.documents import Documents
    from consent.gate import Gate
    from idp.accounts.email_proof import EmailProofs
    from idp.accounts.enrolment import Enrolment
    from idp.accounts.passwords import PasswordService
    from idp.accounts.store import AccountStore
    from idp.delivery.outbox import Outbox
    from idp.delivery.worker import OutboxWorker
    from idp.web.hash_pool import HashPool
    from idp.web.throttle import Throttle
    from keys.ring import KeyRing
    from keys.sealing import Sealer


@dataclass(frozen=True)
class Services:
    """What the rooms of `idp` work with; `current_app.extensions["idp"]`."""

    settings: Settings
    key_encryption_keys: tuple[bytes, ...]
    password_peppers: tuple[bytes, ...]
    clock: Clock
    sealer: "Sealer"
    ring: "KeyRing"
    clients: "ClientRegistry"
    documents: "Documents"
    gate: "Gate"
    accounts: "AccountStore"
    passwords: "PasswordService"
    email_proofs: "EmailProofs"
    enrolment: "Enrolment"
    outbox: "Outbox"
    outbox_worker: "Callable[[], OutboxWorker]"
    throttle: "Throttle"
    hash_pool: "HashPool"
