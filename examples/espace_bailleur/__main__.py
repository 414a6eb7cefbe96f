"""`python -m examples.espace_bailleur --issuer URL --client-id ID [--port 8001]`.

The client's secret is read from ESPACE_BAILLEUR_CLIENT_SECRET, or from the file that
ESPACE_BAILLEUR_CLIENT_SECRET_FILE or `--client-secret-file` names: never from an argument, which other users see.
"""

import argparse
import logging
import os
import secrets
import signal
import sys
from pathlib import Path

from werkzeug.serving import make_server

from .app import SCOPE, create_app

SECRET = "ESPACE_BAILLEUR_CLIENT_SECRET"


def main() -> None:
    """Serve until told to stop."""
    options = _options()
    logging.basicConfig(level=logging.INFO)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # its lines would carry codes
    base_url = options.base_url or f"http://localhost:{options.port}"
    app = create_app(
        options.issuer,
        options.client_id,
        options.client_secret,
        os.environ.get("ESPACE_BAILLEUR_SECRET_KEY") or secrets.token_urlsafe(32),
        base_url,
        scope=options.scope,
        sessions_file=options.sessions_file,
    )
    server = make_server(options.host, options.port, app, threaded=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    logging.info("Espace bailleur : %s", base_url)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.espace_bailleur", description=__doc__)
    parser.add_argument("--issuer", required=True, help="the provider's issuer URL")
    parser.add_argument("--client-id", required=True, help="the client_id given at registration")
    parser.add_argument("--client-secret-file", type=Path, help="a file that holds the client secret")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--base-url", help="where people reach it (http://localhost:PORT by default)")
    parser.add_argument("--scope", default=SCOPE)
    parser.add_argument("--sessions-file", type=Path, help="keeps sessions through a restart")
    options = parser.parse_args()
    options.client_secret = _client_secret(options.client_secret_file)
    if not options.client_secret:
        parser.error(f"le secret du service manque : donnez {SECRET} ou {SECRET}_FILE")
    return options


def _client_secret(file: Path | None) -> str:
    named = file or os.environ.get(f"{SECRET}_FILE")
    return Path(named).read_text(encoding="utf-8").strip() if named else os.environ.get(SECRET, "")


main()
