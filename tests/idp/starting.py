"""Run as `python -m tests.idp.starting GO COMMAND`: one of several processes that begin at the same moment.

`start` makes the installation ready and prints its key set and its secrets' digest; `upgrade` migrates.
"""

import hashlib
import json
import sys
import time
from pathlib import Path

from idp import migrations
from idp.app import create_app
from idp.db import db
from idp.settings import SettingsRefused
from idp.start import make_ready


def main(go: str, command: str) -> None:
    print("waiting", file=sys.stderr, flush=True)
    while not Path(go).exists():
        time.sleep(0.001)
    try:
        app = create_app()
        if command == "upgrade":
            with app.app_context():
                print(json.dumps(migrations.upgrade(db.engine).version))
            return
        make_ready(app)
    except SettingsRefused as refused:
        sys.exit(f"refused: {refused}")
    settings = app.extensions["idp"].settings
    secrets = repr((settings.secret_keys, settings.key_encryption_keys, settings.password_peppers))
    with app.app_context():
        kids = [key["kid"] for key in json.loads(app.extensions["keys"].jwks().body)["keys"]]
    print(json.dumps([kids, hashlib.sha256(secrets.encode()).hexdigest()]))


if __name__ == "__main__":
    main(*sys.argv[1:])
