"""Texts for people, from the catalogue: keys are msgids, values fill `{name}` placeholders.

Owns: which language a request is answered in, and how dates, hours and durations are written. Knows no page.
The catalogue is `idp/translations/{fr,en}/LC_MESSAGES/messages.po`; after an edit:
`pybabel compile -d idp/translations`.
"""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask import Flask, current_app, g
from flask_babel import Babel, gettext, refresh  # type: ignore[import-untyped]
from markupsafe import Markup, escape

LANGUAGES = ("fr", "en")
DEFAULT = "fr"
PARIS = ZoneInfo("Europe/Paris")
NBSP = "\N{NO-BREAK SPACE}"
MINUTE, HOUR, DAY = 60, 3600, 86400

_FOLDER = Path(__file__).resolve().parent.parent / "translations"
_STRICT = "TRANSLATIONS_STRICT"

log = logging.getLogger(__name__)


class MissingText(LookupError):
    """A key without text, or a placeholder without value, met where that must not pass (demo and tests)."""


def language() -> str:
    """The language of this request, `fr` or `en`; French when nobody asked for anything else."""
    asked = g.get("locale", DEFAULT) if g else DEFAULT
    return asked if asked in LANGUAGES else DEFAULT


def choose_language(tags: str) -> None:
    """Answer in the first of `tags` we speak (`ui_locales` of OpenID Connect Core §3.1.2.1), or in French."""
    spoken = (tag.split("-")[0].lower() for tag in tags.split())
    g.locale = next((tag for tag in spoken if tag in LANGUAGES), DEFAULT)
    refresh()


def t(key: str, **values: Any) -> str:
    """The text of `key` in the language of this request, its placeholders filled.

    A `Markup` value goes in as it is and makes the result `Markup`; everything else is escaped by the template, as
    usual. A missing key or value raises `MissingText`, or in production is logged and shows the key.
    """
    text = gettext(key)
    if text == key:
        return _missing(key, f"no text for {key}")
    pattern = escape(text) if any(isinstance(value, Markup) for value in values.values()) else text
    try:
        return pattern.format(**values)
    except (KeyError, IndexError) as missing:
        return _missing(text, f"no value for {missing} in {key}")


def date_longue(seconds: int) -> str:
    """« 24 novembre 2026 »: the day in Paris, of `seconds` since the epoch."""
    day = _in_paris(seconds).date()
    month_and_year = format_date(day, "MMMM y", locale=language())
    first = language() == "fr" and day.day == 1
    return f"{day.day}{'er' if first else ''}{NBSP}{month_and_year}"


def heure(seconds: int) -> str:
    """« 14 h 30 » (English: `14:30`): the hour in Paris, of `seconds` since the epoch."""
    moment = _in_paris(seconds)
    if language() == "en":
        return f"{moment:%H:%M}"
    return f"{moment.hour}{NBSP}h{NBSP}{moment:%M}"


def duree(seconds: int) -> str:
    """« 30 minutes », « 1 heure et 30 minutes », « 2 jours »: never shorter than what was given."""
    if seconds < MINUTE:
        return _counted("seconde", max(seconds, 0))
    if seconds >= 2 * DAY:
        return _counted("jour", -(-seconds // DAY))
    hours, minutes = divmod(-(-seconds // MINUTE), 60)
    if not hours:
        return _counted("minute", minutes)
    if not minutes:
        return _counted("heure", hours)
    return t("duree.et", premier=_counted("heure", hours), second=_counted("minute", minutes))


def init_translations(app: Flask, *, strict: bool = True) -> None:
    """Install the catalogue and the template globals.

    `strict=False` is for production, where a missing text must not break a page.
    """
    app.config[_STRICT] = strict
    Babel(configure_jinja=False).init_app(
        app,
        default_locale=DEFAULT,
        default_timezone=PARIS.key,
        default_translation_directories=str(_FOLDER),
        locale_selector=language,
    )
    app.jinja_env.globals.update(t=t, language=language, date_longue=date_longue, heure=heure, duree=duree)


def _missing(shown: str, reason: str) -> str:
    if current_app.config[_STRICT]:
        raise MissingText(reason)
    log.error("missing text", extra={"fields": {"reason": reason}})
    return shown


def _counted(unit: str, n: int) -> str:
    one = n < 2 if language() == "fr" else n == 1
    return t(f"duree.{unit}.{'un' if one else 'plusieurs'}", n=n)


def _in_paris(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).astimezone(PARIS)
