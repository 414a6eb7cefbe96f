"""Against forged forms: Flask-WTF's token, and before it what the browser itself says of where a form comes from."""

from urllib.parse import urlsplit

from flask import Blueprint, Flask, request
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError

from idp.settings import Settings

SAFE = ("GET", "HEAD", "OPTIONS")


def init(app: Flask, settings: Settings, exempt: Blueprint) -> None:
    """Protect every form but the protocol's endpoints, where clients prove themselves."""
    parts = urlsplit(settings.issuer)
    ours = f"{parts.scheme}://{parts.netloc}"

    @app.before_request
    def from_our_own_page() -> None:
        """SE-06. Browsers send `Origin: null` from our pages, which give no referrer: then the token decides."""
        if request.method in SAFE or request.blueprint == exempt.name:
            return
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        origin = request.headers.get("Origin", "null")
        if site not in ("same-origin", "none") or origin not in (ours, "null"):
            raise CSRFError("cross-site")

    # The current key signs; forms signed with a key that was replaced are still good (SE-04). Oldest first.
    app.config["WTF_CSRF_SECRET_KEY"] = list(reversed(settings.secret_keys))
    CSRFProtect(app).exempt(exempt)
