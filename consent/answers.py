"""Read what a person typed: names, mail address, telephone, code. Length first, then form, never a repair.

Each reader gives the value to keep, or raises `Mistyped` with the catalogue key that explains it.
"""

import unicodedata

import phonenumbers
from email_validator import EmailNotValidError, validate_email

LONGEST_NAME = 100
LONGEST_ADDRESS = 254
LONGEST_TELEPHONE = 40
_SPACES = " \u00a0\u202f"
_IN_NAMES = frozenset(" -.'’‐‑\u00a0\u202f")
_IN_TELEPHONES = frozenset("0123456789+.-()/ \u00a0\u202f")
# Overseas numbers typed without their prefix belong to a plan of their own.
_REGIONS = ("FR", "GP", "MQ", "GF", "RE", "YT", "PM", "NC", "PF", "WF")


class Mistyped(Exception):
    """What was typed cannot be kept: `key` and `values` of the sentence that says how to mend it."""

    def __init__(self, key: str, **values: object) -> None:
        self.key = key
        self.values = values
        super().__init__(key)


def name(typed: str, field: str) -> str:
    """A name as its holder writes it, in NFC: letters of any script, accents, apostrophes, hyphens, dots, spaces.

    `field` (`nom` or `prenom`) chooses the sentences. 1 to 100 characters; one letter is a name.
    """
    if len(typed) > LONGEST_NAME * 4:
        raise Mistyped(f"e1.erreur.{field}_long")
    text = unicodedata.normalize("NFC", typed).strip(_SPACES)
    for character in text:
        if character not in _IN_NAMES and unicodedata.category(character)[0] not in "LM":
            raise Mistyped(f"e1.erreur.{field}_caractere", caractere=_visible(character))
    if not any(character.isalpha() for character in text):
        raise Mistyped(f"e1.erreur.{field}_vide")
    if len(text) > LONGEST_NAME:
        raise Mistyped(f"e1.erreur.{field}_long")
    return text


def mail_address(typed: str) -> str:
    """One address, and only one (no display name, no list, no quoting), its domain in ASCII lower case."""
    text = typed.strip(_SPACES)
    if not text:
        raise Mistyped("e1.erreur.mail_vide")
    if len(text) > LONGEST_ADDRESS:
        raise Mistyped("e1.erreur.mail_format")
    try:
        valid = validate_email(text, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise Mistyped("e1.erreur.mail_format") from None
    # The ASCII form shows a look-alike domain (Cyrillic « а ») for what it is.
    return str(valid.ascii_email)


def telephone(typed: str) -> str | None:
    """A French, overseas or foreign number in E.164; None when nothing was typed."""
    text = typed.strip(_SPACES)
    if not text:
        return None
    if len(text) <= LONGEST_TELEPHONE and set(text) <= _IN_TELEPHONES:
        for region in _REGIONS:
            number = _parsed(text.replace("\u202f", " "), region)
            if number is not None and phonenumbers.is_valid_number(number):
                return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    raise Mistyped("e1.erreur.tel_format")


def code(typed: str) -> str:
    """The six digits of a mail code, spaces forgotten."""
    text = "".join(typed[:64].split())
    if not text:
        raise Mistyped("e1b.erreur.vide")
    if len(text) != 6 or not (text.isascii() and text.isdigit()):
        raise Mistyped("e1b.erreur.format")
    return text


def shown_again(typed: str) -> str:
    """What was typed, fit to be put back in its field: no control character, and not a megabyte."""
    return "".join(character for character in typed[:1000] if character.isprintable())


def telephone_by_pairs(e164: str | None) -> str:
    """A number as people read it: `06 12 34 56 78` with no-break spaces, international form when foreign."""
    number = _parsed(e164 or "", None)
    if number is None:
        return ""
    french = number.country_code in (33, 262, 590, 594, 596)
    form = phonenumbers.PhoneNumberFormat
    shown = phonenumbers.format_number(number, form.NATIONAL if french else form.INTERNATIONAL)
    return str(shown).replace(" ", "\u00a0")


def _parsed(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _visible(character: str) -> str:
    return character if character.isprintable() else f"U+{ord(character):04X}"
