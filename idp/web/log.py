"""The log: one JSON object a line on standard error, escaped and cut, without secrets.

A request is told by its route, never by its address (a query can hold a code), its method, status, time and id.
"""

import json
import logging
import sys
import time
import traceback
from typing import Any

from flask import Flask, Response, g, has_request_context, request

LONGEST = 500
"""Longest text of one field, characters (LE-02)."""

OUTPUT = "idp.stderr"

_access = logging.getLogger("idp.access")


class JsonLines(logging.Formatter):
    """Each record as one line of JSON; control characters are escaped by JSON itself."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """The trace; that of a database error without its text, which holds what was to be written."""
        text = super().formatException(ei)
        if "sqlalchemy.exc." not in text and "psycopg.errors." not in text:
            return text
        return "".join(traceback.format_tb(ei[2])) + f"{type(ei[1]).__module__}.{type(ei[1]).__qualname__}"

    def format(self, record: logging.LogRecord) -> str:
        """Give the line for one record."""
        fields: dict[str, Any] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:LONGEST],
        }
        if has_request_context():
            fields["request_id"] = g.get("request_id")
        fields.update({name: _short(value) for name, value in getattr(record, "fields", {}).items()})
        if record.exc_info:
            fields["trace"] = self.formatException(record.exc_info)[-8000:]
        return json.dumps(fields, ensure_ascii=True)


def _short(value: Any) -> Any:
    return value[:LONGEST] if isinstance(value, str) else value


def configure() -> None:
    """Send the process's log to standard error as JSON lines. Done again, it replaces what it did before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    handler.set_name(OUTPUT)
    root = logging.getLogger()
    root.handlers[:] = [*(other for other in root.handlers if other.name != OUTPUT), handler]
    root.setLevel(logging.INFO)
    # Not in our lines, and looked up for each of them (the logging how-to, "Optimization").
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Authlib writes whole tokens at DEBUG.
    logging.getLogger("authlib").setLevel(logging.INFO)


def init(app: Flask, *, access: bool) -> None:
    """One line for each request when `access` is set."""
    if not access:
        return

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def line(response: Response) -> Response:
        _access.info(
            "request",
            extra={
                "fields": {
                    "method": request.method[:10],
                    "route": request.url_rule.rule if request.url_rule else None,
                    "status": response.status_code,
                    "ms": round((time.perf_counter() - g.get("started", 0)) * 1000, 2) if "started" in g else None,
                    "address": request.remote_addr,
                }
            },
        )
        return response
