"""French as it is printed (check C19 of the journeys): spaces, apostrophes, words that have no place here."""

import re

RULES = {
    "an ordinary space before a double sign, or inside the guillemets": re.compile(r" [;:!?»]|« "),
    "no space before a double sign": re.compile(r"(?<=[\w»)])(?:[;!?](?=\s|$)|:(?=\s|$))"),
    "no space inside the guillemets": re.compile(r"«(?=[\w{])|(?<=[\w}.])»"),
    "a straight apostrophe": re.compile(r"(?<=\w)'(?=\w)"),
    "three dots": re.compile(r"\.\.\."),
    "an English word": re.compile(r"\b(?:login|password|submit|error|invalid|token|e-mails?|emails?)\b", re.IGNORECASE),
    "a word that scolds": re.compile(r"\bveuillez\b|\binvalides?\b", re.IGNORECASE),
}


def faults(text: str) -> list[str]:
    """The names of the rules that a French text breaks."""
    return [f"{name} in « {text[:80]} »" for name, rule in RULES.items() if rule.search(text)]
