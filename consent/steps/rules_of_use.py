"""Third step: accept the rules of use."""

from consent.documents import RULES_OF_USE
from consent.steps.text import AcceptText


class RulesOfUse(AcceptText):
    """The « règles d’usage »."""

    name = "rules_of_use"
    document = RULES_OF_USE
    texts = "e3"
