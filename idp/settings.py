"""Every option of the provider: type, default, meaning. Checked at start; unknown names are refused.

Values come from the environment (`IDP_...`), else from the TOML file named by `IDP_CONFIG`, else from the default.
A secret may be given as `IDP_..._FILE`: the path of a file that holds it. `docs/operations.md` is checked against this.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from limits import parse_many
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

PREFIX = "IDP_"
SECRET_NAMES = (
    "secret_keys",
    "key_encryption_keys",
    "password_peppers",
    "smtp_url",
    "database_url",
    "redis_url",
)
SECRET_LISTS = ("secret_keys", "key_encryption_keys", "password_peppers")
LOOPBACK = ("localhost", "127.0.0.1", "::1")
REDIS_SCHEMES = ("redis", "rediss", "redis+unix", "redis+cluster", "redis+sentinel")

Seconds = Annotated[int, Field(ge=0)]


class SettingsRefused(Exception):
    """A setting is missing, unknown or wrong. `str()` says which one and what to do, in French, on one line."""


class Settings(BaseModel):
    """The options, by their contract names without the prefix, in lower case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: Literal["production", "demo", "test"] = Field(
        "production", description="`production`, `demo` or `test`. Only production is fit for real people."
    )
    issuer: str = Field(
        description="https URL that services know this provider by; http on loopback outside production."
    )
    data_dir: Path = Field(
        Path("/var/lib/mon-compte-partenaire"),
        description="Where the embedded default keeps its database, secrets, mails, letters.",
    )
    database_url: str = Field(
        "", description="`sqlite:///...` (default, in `IDP_DATA_DIR`) or `postgresql+psycopg://...`."
    )
    redis_url: str = Field("", description="Optional: shared counters of the limits by address.")

    secret_keys: tuple[str, ...] = Field(
        (), description="Sign forms, key counters of attempts. The first signs, the last keys."
    )
    key_encryption_keys: tuple[str, ...] = Field(
        (),
        description="Seal signing keys and what waits to be sent (32 bytes in base64url). The first is current.",
    )
    password_peppers: tuple[str, ...] = Field(
        (), description="Keyed part of password hashes (32 bytes in base64url). The first is current."
    )

    smtp_url: str = Field(
        "", description="`smtp(s)://user:password@host:port`; empty: `.eml` files in `IDP_DATA_DIR/mails`."
    )
    mail_from: str = Field("Mon Compte Partenaire <ne-pas-repondre@localhost>", description="Sender of every mail.")
    mail_gap: Seconds = Field(600, description="Seconds between the identifier mail and the password mail.")
    letter_gap: Seconds = Field(2, description="Working days between the identifier letter and the password letter.")
    letters_dir: Path | None = Field(None, description="Where letters are written; `IDP_DATA_DIR/letters` by default.")
    caf_contact: str = Field(
        "www.caf.fr, rubrique «\u00a0Contacter ma Caf\u00a0»",
        description="How a landlord reaches the Caf, as letters and pages say it.",
    )

    trusted_proxies: int = Field(
        0, ge=0, le=8, description="Number of proxies in front whose `X-Forwarded-*` are believed."
    )
    bcrypt_cost: int = Field(12, ge=4, le=16, description="Cost of a password hash: 10 at least (4 in test only).")
    hash_wait: Seconds = Field(5, description="Seconds a sign-in waits for a hash slot before « 503, try again ».")

    code_lifetime: Seconds = Field(60, description="Life of an authorization code, seconds.")
    access_token_lifetime: Seconds = Field(300, description="Life of an access token, seconds.")
    id_token_lifetime: Seconds = Field(300, description="Life of an ID token, seconds.")
    refresh_token_idle: Seconds = Field(12 * 3600, description="A refresh token unused for so long is dead, seconds.")
    refresh_token_lifetime: Seconds = Field(30 * 86400, description="Life of a family of refresh tokens, seconds.")
    refresh_grace: int = Field(
        10,
        ge=0,
        le=60,
        description="A rotated refresh token used again within so many seconds does not kill its family.",
    )
    client_assertion_lifetime: int = Field(
        300, ge=10, le=300, description="Longest life of a client assertion, seconds."
    )
    parked_request_lifetime: Seconds = Field(12 * 3600, description="How long a request waits for its person, seconds.")
    session_idle: Seconds = Field(1800, description="A session unused for so long ends, seconds.")
    session_lifetime: Seconds = Field(12 * 3600, description="A session ends after so long whatever happens, seconds.")
    provisional_mail_lifetime: Seconds = Field(
        7 * 86400, description="Life of a provisional password sent by mail, seconds."
    )
    provisional_letter_lifetime: Seconds = Field(30 * 86400, description="The same by letter, seconds.")
    email_code_lifetime: Seconds = Field(1800, description="Life of an e-mail code, seconds.")
    key_publish_ahead: Seconds = Field(
        7200, description="A new signing key is published so long before it signs, seconds."
    )
    jwks_max_age: Seconds = Field(3600, description="How long services may cache the key set, seconds.")

    address_limit: str = Field(
        "60 per minute;600 per hour", description="Sign-in tries for one address (syntax of the library `limits`)."
    )
    max_body: int = Field(262_144, ge=16_384, description="Largest request body, bytes.")
    access_log: bool = Field(True, description="One JSON line for each request on standard error.")

    @field_validator("secret_keys", "key_encryption_keys", "password_peppers", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part for part in value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.absolute()

    @field_validator("address_limit")
    @classmethod
    def _limits(cls, value: str) -> str:
        try:
            parse_many(value)
        except ValueError:
            raise ValueError("donnez des limites comme « 60 per minute;600 per hour »") from None
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("donnez une adresse sqlite:///… ou postgresql+psycopg://…")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in REDIS_SCHEMES:
            raise ValueError("donnez une adresse redis://… ou rediss://…")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: str) -> str:
        url = urlsplit(value)
        if value and not (url.scheme in ("smtp", "smtps") and url.hostname):
            raise ValueError("donnez une adresse smtp(s)://utilisateur:mot-de-passe@serveur:port")
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        if not re.search(r"[^@\s<>]@[^@\s<>]+>?\Z", value):
            raise ValueError("donnez un expéditeur comme « Mon Compte Partenaire <ne-pas-repondre@exemple.fr> »")
        return value

    @model_validator(mode="after")
    def _coherent(self) -> "Settings":
        url = urlsplit(self.issuer)
        plain_loopback = url.scheme == "http" and url.hostname in LOOPBACK and not self.production
        if not (url.scheme == "https" or plain_loopback):
            raise ValueError("IDP_ISSUER doit être une adresse https (http seulement en local, hors production)")
        if url.query or url.fragment or url.username or url.path or not url.hostname:
            raise ValueError(
                "IDP_ISSUER : un nom d’hôte seul, sans chemin, paramètre, fragment, utilisateur ni « / » final"
            )
        if self.bcrypt_cost < 10 and self.environment != "test":
            raise ValueError("IDP_BCRYPT_COST doit valoir 10 au moins")
        for name in SECRET_LISTS:
            if any(len(secret) < 32 for secret in getattr(self, name)):
                raise ValueError(f"{PREFIX}{name.upper()} contient un secret de moins de 32 caractères")
        return self

    @property
    def production(self) -> bool:
        """True in the only environment that is fit for real people."""
        return self.environment == "production"

    @property
    def secure_cookies(self) -> bool:
        """False on plain http loopback only, where browsers refuse `Secure` cookies."""
        return self.issuer.startswith("https:")

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in use."""
        return self.database_url or f"sqlite:///{self.data_dir}/idp.sqlite3"

    @property
    def letters(self) -> Path:
        """The folder of the letters in use."""
        return self.letters_dir or self.data_dir / "letters"

    @property
    def mails(self) -> Path:
        """The folder of the `.eml` files when there is no SMTP server."""
        return self.data_dir / "mails"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `environ` (the process's by default) and its `IDP_CONFIG` file.

    Raises `SettingsRefused` for an unknown name, a wrong value or an unreadable file.
    """
    values = {name: value for name, (value, _origin) in sourced(environ).items()}
    try:
        return Settings(**values)
    except ValidationError as refused:
        raise SettingsRefused("; ".join(_sentence(error) for error in refused.errors())) from None


def sourced(environ: Mapping[str, str] | None = None) -> dict[str, tuple[Any, str]]:
    """Every setting that was given, by field name: its raw value and where it comes from."""
    environ = os.environ if environ is None else environ
    found = {**_from_file(environ.get(f"{PREFIX}CONFIG")), **_from_environment(environ)}
    unknown = sorted(PREFIX + name.upper() for name in found if name not in Settings.model_fields)
    if unknown:
        raise SettingsRefused(f"réglage inconnu : {', '.join(unknown)} ; la liste est donnée par « idp settings »")
    return found


def _from_file(path: str | None) -> dict[str, tuple[Any, str]]:
    if not path:
        return {}
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsRefused(f"IDP_CONFIG : « {path} » ne peut pas être lu ({error})") from None
    return _with_secret_files({name.removeprefix(PREFIX).lower(): value for name, value in content.items()}, path)


def _from_environment(environ: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and name not in (f"{PREFIX}CONFIG", f"{PREFIX}OPERATOR")
    }
    return _with_secret_files(given, "environnement")


def _with_secret_files(given: dict[str, Any], origin: str) -> dict[str, tuple[Any, str]]:
    """Replace each `..._file` of a secret by what the file holds."""
    read: dict[str, tuple[Any, str]] = {}
    for name, value in given.items():
        secret = name.removesuffix("_file")
        if name.endswith("_file") and secret in SECRET_NAMES:
            try:
                read[secret] = (Path(str(value)).read_text(encoding="utf-8").strip(), str(value))
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsRefused(f"{PREFIX}{name.upper()} : « {value} » ne peut pas être lu ({error})") from None
        else:
            read[name] = (value, origin)
    return read


_SENTENCES = {
    "missing": "ce réglage est nécessaire, donnez-lui une valeur",
    "int_parsing": "donnez un nombre entier",
    "int_type": "donnez un nombre entier",
    "int_from_float": "donnez un nombre entier",
    "greater_than_equal": "donnez au moins {ge}",
    "less_than_equal": "donnez au plus {le}",
    "literal_error": "donnez {expected}",
    "bool_parsing": "donnez true ou false",
    "bool_type": "donnez true ou false",
    "string_type": "donnez un texte",
    "path_type": "donnez un chemin",
    "tuple_type": "donnez un texte, ou une liste de textes",
}


def _sentence(error: Any) -> str:
    """One line for one refusal of pydantic; the value is left out, it may be a secret."""
    where = str(error["loc"][0]).upper() if error["loc"] else ""
    context = {name: str(value).replace(" or ", " ou ") for name, value in error.get("ctx", {}).items()}
    reason = _SENTENCES.get(error["type"], "").format(**context) or str(error["msg"]).removeprefix("Value error, ")
    return f"{PREFIX}{where} : {reason}" if where else reason
