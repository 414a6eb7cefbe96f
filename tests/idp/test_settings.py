"""Settings: where they come from, what is refused at start, and that each refusal says what to do."""

from pathlib import Path
from typing import Any

import pytest

from idp.settings import SECRET_NAMES, Settings, SettingsRefused, load, sourced

ISSUER = {"IDP_ISSUER": "https://compte.example"}
LONG = "s" * 32


def refusal(**environ: str) -> str:
    with pytest.raises(SettingsRefused) as refused:
        load({**ISSUER, **environ})
    sentence = str(refused.value)
    assert "\n" not in sentence
    return sentence


def test_the_defaults_are_those_of_production() -> None:
    settings = load(ISSUER)
    assert (settings.environment, settings.production, settings.secure_cookies) == ("production", True, True)
    assert (settings.bcrypt_cost, settings.session_idle, settings.session_lifetime) == (12, 1800, 43200)
    assert (settings.code_lifetime, settings.access_token_lifetime, settings.refresh_grace) == (60, 300, 10)
    assert (settings.mail_gap, settings.letter_gap, settings.trusted_proxies) == (600, 2, 0)
    assert settings.database == "sqlite:////var/lib/mon-compte-partenaire/idp.sqlite3"
    assert settings.letters == settings.data_dir / "letters"
    assert settings.mails == settings.data_dir / "mails"


def test_every_setting_says_what_it_is_for() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_an_unknown_name_is_refused_by_name_wherever_it_stands(tmp_path: Path) -> None:
    assert "IDP_ISUER" in refusal(IDP_ISUER="https://x.example")
    assert "idp settings" in refusal(IDP_SMTP_HOST="x", IDP_DEBUG="1")
    file = tmp_path / "idp.toml"
    file.write_text('isuer = "https://x.example"\n')
    assert "IDP_ISUER" in refusal(IDP_CONFIG=str(file))
    assert load({**ISSUER, "OTHER": "x", "IDP_OPERATOR": "jeanne"}).production


def test_a_file_gives_settings_and_the_environment_wins_over_it(tmp_path: Path) -> None:
    file = tmp_path / "idp.toml"
    file.write_text(
        'issuer = "https://fichier.example"\nIDP_MAIL_GAP = 5\nsecret_keys = ["' + LONG + '"]\nletter_gap=1\n'
    )
    environ = {"IDP_CONFIG": str(file), "IDP_LETTER_GAP": "7"}
    settings = load(environ)
    assert (settings.issuer, settings.mail_gap, settings.letter_gap) == ("https://fichier.example", 5, 7)
    assert settings.secret_keys == (LONG,)
    origins = {name: origin for name, (_value, origin) in sourced(environ).items()}
    assert origins == {
        "issuer": str(file),
        "mail_gap": str(file),
        "secret_keys": str(file),
        "letter_gap": "environnement",
    }


@pytest.mark.parametrize("content", ["= pas du TOML", "\xff", None])
def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "idp.toml"
    if content is not None:
        file.write_bytes(content.encode("latin-1"))
    sentence = refusal(IDP_CONFIG=str(file))
    assert sentence.startswith("IDP_CONFIG : ")
    assert str(file) in sentence


def test_a_secret_is_read_from_its_file_without_the_last_newline(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"{LONG}1 {LONG}2\n")
    (tmp_path / "smtp").write_text("smtp://caf:secret@mail.example\n")
    settings = load(
        {**ISSUER, "IDP_SECRET_KEYS_FILE": str(tmp_path / "keys"), "IDP_SMTP_URL_FILE": str(tmp_path / "smtp")}
    )
    assert settings.secret_keys == (f"{LONG}1", f"{LONG}2")
    assert settings.smtp_url == "smtp://caf:secret@mail.example"
    assert "IDP_SECRET_KEYS_FILE" in refusal(IDP_SECRET_KEYS_FILE=str(tmp_path / "nowhere"))


def test_only_secrets_have_a_file(tmp_path: Path) -> None:
    (tmp_path / "gap").write_text("5")
    assert "IDP_MAIL_GAP_FILE" in refusal(IDP_MAIL_GAP_FILE=str(tmp_path / "gap"))
    assert set(SECRET_NAMES) < set(Settings.model_fields)


@pytest.mark.parametrize("issuer", ["http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000"])
def test_a_plain_http_issuer_is_for_loopback_outside_production(issuer: str) -> None:
    for environment in ("demo", "test"):
        settings = load({"IDP_ISSUER": issuer, "IDP_ENVIRONMENT": environment})
        assert not settings.secure_cookies
    assert "https" in refusal(IDP_ISSUER=issuer)


@pytest.mark.security("LE-06")
@pytest.mark.parametrize(
    "issuer",
    [
        "http://compte.example",
        "http://localhost.compte.example",
        "ftp://compte.example",
        "compte.example",
        "",
        "https://",
        "https://compte.example/",
        "https://compte.example?x=1",
        "https://compte.example#x",
        "https://qui@compte.example",
    ],
)
def test_an_issuer_that_cannot_be_one_is_refused(issuer: str) -> None:
    assert "IDP_ISSUER" in refusal(IDP_ISSUER=issuer, IDP_ENVIRONMENT="demo")


@pytest.mark.security("SE-04")
@pytest.mark.parametrize("name", ["IDP_SECRET_KEYS", "IDP_KEY_ENCRYPTION_KEYS", "IDP_PASSWORD_PEPPERS"])
def test_a_short_secret_is_refused_and_not_shown(name: str) -> None:
    sentence = refusal(**{name: f"{LONG},tropcourt"})
    assert name in sentence
    assert "32" in sentence
    assert "tropcourt" not in sentence


@pytest.mark.security("SE-12")
def test_what_is_for_tests_is_refused_outside_tests() -> None:
    for environment in ("production", "demo"):
        assert "IDP_BCRYPT_COST" in refusal(IDP_BCRYPT_COST="9", IDP_ENVIRONMENT=environment)
    assert load({**ISSUER, "IDP_BCRYPT_COST": "4", "IDP_ENVIRONMENT": "test"}).bcrypt_cost == 4


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("IDP_ENVIRONMENT", "prod", "IDP_ENVIRONMENT : donnez 'production', 'demo' ou 'test'"),
        ("IDP_MAIL_GAP", "dix", "IDP_MAIL_GAP : donnez un nombre entier"),
        ("IDP_MAIL_GAP", "-1", "IDP_MAIL_GAP : donnez au moins 0"),
        ("IDP_REFRESH_GRACE", "61", "IDP_REFRESH_GRACE : donnez au plus 60"),
        ("IDP_TRUSTED_PROXIES", "9", "IDP_TRUSTED_PROXIES : donnez au plus 8"),
        ("IDP_ACCESS_LOG", "peut-être", "IDP_ACCESS_LOG : donnez true ou false"),
        (
            "IDP_ADDRESS_LIMIT",
            "beaucoup",
            "IDP_ADDRESS_LIMIT : donnez des limites comme « 60 per minute;600 per hour »",
        ),
        (
            "IDP_DATABASE_URL",
            "mysql://x",
            "IDP_DATABASE_URL : donnez une adresse sqlite:///… ou postgresql+psycopg://…",
        ),
        ("IDP_REDIS_URL", "memcached://x", "IDP_REDIS_URL : donnez une adresse redis://… ou rediss://…"),
        (
            "IDP_SMTP_URL",
            "mail.example",
            "IDP_SMTP_URL : donnez une adresse smtp(s)://utilisateur:mot-de-passe@serveur",
        ),
        ("IDP_MAIL_FROM", "la Caf", "IDP_MAIL_FROM : donnez un expéditeur"),
    ],
)
def test_a_wrong_value_is_refused_in_one_french_sentence_that_says_what_to_give(
    name: str, value: str, sentence: str
) -> None:
    assert refusal(**{name: value}).startswith(sentence)


def test_a_missing_issuer_is_asked_for() -> None:
    with pytest.raises(SettingsRefused, match="IDP_ISSUER : ce réglage est nécessaire"):
        load({})


def test_all_that_is_wrong_is_told_at_once() -> None:
    sentence = refusal(IDP_MAIL_GAP="x", IDP_MAX_BODY="1")
    assert "IDP_MAIL_GAP" in sentence
    assert "IDP_MAX_BODY : donnez au moins 16384" in sentence


def test_a_refused_secret_is_never_in_the_sentence() -> None:
    for name in SECRET_NAMES:
        value: Any = "motdepasse"
        sentence = refusal(**{"IDP_" + name.upper(): value})
        assert value not in sentence, name


def test_settings_do_not_change_once_read() -> None:
    settings = load(ISSUER)
    with pytest.raises(Exception, match="frozen"):
        settings.issuer = "https://autre.example"
