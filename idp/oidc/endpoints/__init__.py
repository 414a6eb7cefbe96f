"""One endpoint, one file: read, refuse, answer."""
