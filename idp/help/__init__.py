"""Help and legal pages: prose in French and in English, open to everybody. Owns no data and reads no account."""

from idp.help.views import blueprint

__all__ = ["blueprint"]
