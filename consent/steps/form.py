"""The form that every step of ours starts from."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Self

from flask_wtf import FlaskForm


class StepForm(FlaskForm):  # type: ignore[misc]
    """A FlaskForm whose fields are read by the step, and that speaks the person's language.

    `labels` gives the catalogue key of the label of each visible field.
    """

    labels: ClassVar[Mapping[str, str]] = {}

    def labelled(self, t: Callable[..., str]) -> Self:
        """Put the labels on; gives the form itself."""
        for name, key in self.labels.items():
            self[name].label.text = t(key)
        return self

    def genuine(self, t: Callable[..., str]) -> bool:
        """Whether the form comes from our page; otherwise the form holds the sentence to show."""
        if self.validate():
            return True
        self.csrf_token.errors = []
        self.form_errors = [t("page.csrf")]
        return False
