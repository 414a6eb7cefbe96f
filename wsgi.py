"""The provider as a WSGI application: `granian --interface wsgi wsgi:app`, or any other WSGI server."""

from idp.app import create_app, serve_in_background

app = create_app()
serve_in_background(app)
