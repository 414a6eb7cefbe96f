"""The refusals of this room. `str()` of each is one French sentence that says what to do."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from consent.step import Step

Reason = Literal["not_open", "step_due", "no_published_text"]


class NotCleared(Exception):
    """We vouch for nobody here. `reason` says why, `step` which step is due (`step_due` only)."""

    def __init__(self, reason: Reason, step: "Step | None" = None, sentence: str | None = None) -> None:
        self.reason: Reason = reason
        self.step = step
        super().__init__(sentence or _SENTENCES[reason])


class NoPublishedText(NotCleared):
    """A text that people must accept has no version in force: publish one."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            "no_published_text",
            sentence=f"Le texte « {name} » n’a aucune version en vigueur : "
            f"publiez-en une avec « idp documents publish {name} ».",
        )


class PublicationRefused(Exception):
    """A text cannot be published as asked."""


_SENTENCES: dict[Reason, str] = {
    "not_open": "Ce compte est verrouillé, suspendu ou fermé : rouvrez-le avant de continuer.",
    "step_due": "La première connexion n’est pas terminée : reprenez-la à l’étape indiquée.",
    "no_published_text": "Un texte à accepter n’a aucune version en vigueur : publiez-le.",
}
