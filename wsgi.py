"""The provider as a WSGI application: `granian --interface wsgi wsgi:app`, or any other WSGI server."""

import os

from idp.app import create_app, serve_in_background

os.umask(0o077)  # what is written here is for this user alone
app = create_app()
serve_in_background(app)
