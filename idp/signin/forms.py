"""The forms of signing in and out."""

from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import ValidationError

from idp.web.translations import t

LONGEST_IDENTIFIER = 200
"""Characters; far more than any identifier has."""


def _identifier(_form: FlaskForm, field: StringField) -> None:
    value = (field.data or "").strip()
    if not value:
        raise ValidationError(t("connexion.erreur.identifiant_vide"))
    if "@" in value:
        raise ValidationError(t("connexion.erreur.identifiant_est_mail"))
    if len(value) > LONGEST_IDENTIFIER or "\0" in value:
        raise ValidationError(t("connexion.erreur.identifiant_forme"))


def _password(_form: FlaskForm, field: PasswordField) -> None:
    if not field.data:
        raise ValidationError(t("connexion.erreur.mdp_vide"))


class SignInForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """Identifier and password. The labels are in the template."""

    identifiant = StringField(validators=[_identifier])
    mot_de_passe = PasswordField(validators=[_password])


class SignOutForm(FlaskForm):  # type: ignore[misc]
    """One button, `confirmer`; the token against forgery is all that it holds."""
