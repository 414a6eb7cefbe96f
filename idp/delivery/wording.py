"""What mails and letters say: the catalogue's texts, with their values.

Owns how a text becomes paragraphs, and which value goes under which label. In the catalogue « | » separates
paragraphs, and a line break separates a label from its value. Owns neither paper nor MIME.
"""

from collections.abc import Callable
from dataclasses import dataclass

from babel.units import format_unit

from idp.delivery.mailings import CodeMailing, IdentifierMailing, Mailing, NoticeMailing, PasswordMailing
from idp.web.translations import date_longue, heure

Text = Callable[..., str]
"""`t(key, name=value)`: the catalogue."""

MORAL = "moral"


@dataclass(frozen=True)
class Labelled:
    """A value that stands alone on the line after its label."""

    label: str
    value: str


Paragraph = str | Labelled


@dataclass(frozen=True)
class Wording:
    """A subject without any secret, and what follows it."""

    subject: str
    body: tuple[Paragraph, ...]


class Wordings:
    """The words of each mailing. `contact`: how a landlord reaches the Caf, as letters say it."""

    def __init__(self, t: Text, contact: str) -> None:
        self._t = t
        self._contact = contact

    def of_mail(self, mailing: Mailing) -> Wording:
        """What the mail of this mailing says, in French."""
        match mailing:
            case IdentifierMailing():
                wording = self._mail("identifiant", **self._pairing(mailing))
                return Wording(wording.subject, (*wording.body, *self._of_organisation("mail", mailing)))
            case PasswordMailing():
                moment = self._t("mail.moment", date=date_longue(mailing.expires_at), heure=heure(mailing.expires_at))
                return self._mail("oubli" if mailing.recovery else "mdp", **self._secret(mailing, moment))
            case CodeMailing():
                return self._mail("code", code=mailing.code, duree=_minutes(mailing.lifetime))
            case NoticeMailing():
                return self._mail(mailing.key, **mailing.values)

    def of_letter(self, mailing: IdentifierMailing | PasswordMailing) -> Wording:
        """What the letter of this mailing says, in French."""
        if isinstance(mailing, PasswordMailing):
            return self._wording("courrier.mdp", **self._secret(mailing, date_longue(mailing.expires_at)))
        wording = self._wording("courrier.identifiant", **self._pairing(mailing), contact=self._contact)
        several = () if mailing.partner_type == MORAL else self._paragraphs("courrier.identifiant.plusieurs")
        return Wording(wording.subject, (*wording.body, *self._of_organisation("courrier", mailing), *several))

    def footer(self) -> str:
        """The last lines of every mail."""
        return self._t("mail.pied")

    def _of_organisation(self, medium: str, mailing: IdentifierMailing) -> tuple[Paragraph, ...]:
        if mailing.partner_type != MORAL:
            return ()
        return self._paragraphs(f"{medium}.identifiant.moral", organisme=mailing.organisation_name or "")

    def _pairing(self, mailing: IdentifierMailing) -> dict[str, str]:
        return {
            "identifiant": mailing.identifier,
            "numero": mailing.user_number,
            "departement": mailing.departement,
        }

    def _secret(self, mailing: PasswordMailing, until: str) -> dict[str, str]:
        return {
            "mdp_provisoire": mailing.provisional_password,
            "numero": mailing.user_number,
            "date_limite": until,
        }

    def _mail(self, key: str, **values: str) -> Wording:
        return self._wording(f"mail.{key}", **values)

    def _wording(self, key: str, **values: str) -> Wording:
        subject = self._t(f"{key}.objet", **_plain(values))
        return Wording(subject, self._paragraphs(f"{key}.corps", **values))

    def _paragraphs(self, key: str, **values: str) -> tuple[Paragraph, ...]:
        parts = self._t(key, **_plain(values)).split(" | ")
        return tuple(Labelled(*part.split("\n", 1)) if "\n" in part else part for part in parts)


def _plain(values: dict[str, str]) -> dict[str, str]:
    """Values on one line each, without the catalogue's separator: no value can make a paragraph or a label."""
    return {name: " ".join(value.split("\n")).replace("\r", " ").replace("|", "¦") for name, value in values.items()}


def _minutes(seconds: int) -> str:
    return format_unit(seconds // 60, "duration-minute", locale="fr")
