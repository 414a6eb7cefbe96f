"""Last step: accept the terms."""

from consent.documents import TERMS
from consent.steps.text import AcceptText


class Terms(AcceptText):
    """The « conditions d’utilisation »."""

    name = "terms"
    document = TERMS
    texts = "e4"
