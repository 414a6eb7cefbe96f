"""Health: `/sante/vivant` (this process answers) and `/sante/pret` (it can serve: database and keys)."""

from flask import Blueprint, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from idp.db import current_session
from idp.start import services


def blueprint() -> Blueprint:
    """The two checks; they say nothing else, to anybody."""
    room = Blueprint("health", __name__)

    @room.get("/sante/vivant")
    def alive() -> Response:
        return Response("vivant\n", mimetype="text/plain")

    @room.get("/sante/pret")
    def ready() -> Response:
        try:
            current_session().execute(text("SELECT 1"))
            services().ring.jwks()
        except SQLAlchemyError:
            return Response("pas prêt\n", status=503, mimetype="text/plain")
        return Response("prêt\n", mimetype="text/plain")

    return room
