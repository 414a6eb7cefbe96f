"""Ways to deliver an envelope: mail, letter, or another one (plug point).

Owns what a worker and a channel promise each other. Owns no queue and no retry: `worker.py` does.
"""

from dataclasses import dataclass
from typing import Protocol

from idp.delivery.mailings import Mailing


class NotDelivered(Exception):
    """It did not leave. `reason`: kind of error and its number, never an address nor what a server said."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Later(NotDelivered):
    """Not now; the same envelope may leave at another time (greylisting, full disk)."""


class Unreachable(Later):
    """Nothing can leave this way now: no use trying the next envelope (server down, refused login, time-out)."""


class Never(NotDelivered):
    """No later attempt can succeed: the recipient was refused for good."""


@dataclass(frozen=True)
class Envelope:
    """One thing to deliver. `id` and `message_id` stay the same from one attempt to the next; `at`: epoch seconds."""

    id: str
    message_id: str
    mailing: Mailing
    at: int


class DeliveryChannel(Protocol):
    """One way to deliver. An instance serves one worker, hence one thread."""

    def deliver(self, envelope: Envelope) -> None:
        """Hand the envelope over for good: once this returned, it is out of our hands or safely on disk.

        Called again with the same `id` after a crash: must then deliver nothing more if it can know (a file), else
        the same thing under the same `message_id` (a mail). Must return or raise within the worker's lease.
        Raises `Later`, `Unreachable` or `Never`; anything else counts as `Later`.
        """

    def close(self) -> None:
        """Release what is held between two envelopes (a connection). Called after each batch; never raises."""
