"""Addresses of our own style sheet, script and icon: each carries a digest of its content, so that browsers keep it."""

import hashlib
from functools import cache
from pathlib import Path

from flask import url_for
from flask.sansio.app import App

KEPT_FOR = 365 * 86400
"""Seconds that a browser may keep a static file: a changed file has another address."""

_FOLDER = Path(__file__).resolve().parent.parent / "static"


@cache
def _digest(filename: str) -> str:
    return hashlib.sha256((_FOLDER / filename).read_bytes()).hexdigest()[:12]


def asset_url(filename: str) -> str:
    """The address of a file of `idp/static`, with the digest of what it holds."""
    return url_for("static", filename=filename, v=_digest(filename))


def init_assets(app: App) -> None:
    """Give templates `asset_url` and let browsers keep what it points to."""
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = KEPT_FOR
    app.jinja_env.globals["asset_url"] = asset_url
