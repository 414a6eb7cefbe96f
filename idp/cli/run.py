"""`idp run`: the production server."""

import logging

import click

from idp.settings import SettingsRefused


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Adresse d’écoute.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port d’écoute.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Nombre de processus.")
@click.option("--threads", default=24, show_default=True, type=click.IntRange(4, 256), help="Fils par processus.")
def run(host: str, port: int, workers: int, threads: int) -> None:
    """Lance le serveur ; les mails et les courriers en attente partent tout seuls.

    \b
    Exemple :
      IDP_ISSUER=https://compte.example idp run --host 0.0.0.0 --workers 4
    """
    try:
        serve(host, port, workers, threads)
    except SettingsRefused as refused:
        raise click.ClickException(str(refused)) from None


def serve(host: str, port: int, workers: int, threads: int) -> None:
    """Check the installation, then serve until SIGTERM. Raises `SettingsRefused` before the first request."""
    from granian import Granian
    from granian.constants import Interfaces, Loops

    from idp.app import create_app
    from idp.start import make_ready

    app = create_app()
    make_ready(app)
    Granian(
        "wsgi:app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        loop=Loops.asyncio,
        backlog=1024,
        respawn_failed_workers=True,
        workers_kill_timeout=30,
        websockets=False,
        log_access=False,
        log_dictconfig=LOG,
    ).serve()


class NotAboutThreads(logging.Filter):
    """The server finds 24 threads many: most of them wait for a slot to hash a password, which costs nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything else through."""
        return "Python threads" not in record.getMessage()


LOG = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "idp.web.log.JsonLines"}},
    "filters": {"threads": {"()": NotAboutThreads}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stderr",
            "formatter": "json",
            "filters": ["threads"],
        }
    },
    "loggers": {"_granian": {"handlers": ["stderr"], "level": "WARNING", "propagate": False}},
}
