"""The form that every step of ours starts from."""

from collections.abc import Callable

from flask_wtf import FlaskForm


class StepForm(FlaskForm):  # type: ignore[misc]
    """A FlaskForm whose fields are read by the step, and whose protection speaks the person's language."""

    def genuine(self, t: Callable[..., str]) -> bool:
        """Whether the form comes from our page; otherwise the form holds the sentence to show."""
        if self.validate():
            return True
        self.csrf_token.errors = [t("page.csrf")]
        return False
