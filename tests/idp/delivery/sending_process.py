"""Another process that sends: `python -m tests.idp.delivery.sending_process DATABASE SMTP LETTERS NOW [die]`.

With `die` it is killed between the server's answer and the commit that says so.
"""

import os
import signal
import sys
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from idp.db import engine_options
from idp.delivery.channel import DeliveryChannel, Envelope
from idp.delivery.letter import LetterChannel, Typesetter
from idp.delivery.outbox import Gaps
from idp.delivery.wording import Wordings
from idp.delivery.worker import OutboxWorker
from keys.sealing import Sealer
from tests.idp.delivery.conftest import CONTACT, smtp_channel, t


class KilledAfter:
    """Delivers for good, then the process dies as if its plug had been pulled."""

    def __init__(self, channel: DeliveryChannel) -> None:
        self._channel = channel

    def deliver(self, envelope: Envelope) -> None:
        self._channel.deliver(envelope)
        os.kill(os.getpid(), signal.SIGKILL)

    def close(self) -> None:
        self._channel.close()


def main(database: str, smtp: str, letters: str, now: str, *die: str) -> None:
    engine = create_engine(database, **engine_options(database))
    channels: dict[str, DeliveryChannel] = {
        "mail": smtp_channel(smtp),
        "letter": LetterChannel(Typesetter(Wordings(t, CONTACT), t), Path(letters)),
    }
    if die:
        channels = {name: KilledAfter(channel) for name, channel in channels.items()}
    with Session(engine) as session:
        worker = OutboxWorker(
            lambda: session, Sealer([b"k" * 32]), lambda: int(now), channels, lambda *_, **__: None, Gaps(0, 0)
        )
        sys.stdin.readline()
        sys.stdout.write(f"{worker.send_due(1000).sent}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
