"""From scopes and the claims parameter to claims (OpenID Connect Core §5.4, §5.5).

A `ClaimProvider` knows some claims of an account; the scopes below say which claims travel together.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from consent.documents import Documents
from idp.accounts.standing import Standing

ACR = "eidas1"
"""The only level that holding a letter or a mail proves (journeys L31)."""

SCOPES: Mapping[str, tuple[str, ...]] = {
    "profile": ("name", "given_name", "family_name", "locale", "zoneinfo", "updated_at"),
    "email": ("email", "email_verified"),
    "phone": ("phone_number", "phone_number_verified"),
    "partenaire": ("numero_utilisateur", "departement", "type_partenaire", "siret", "organisation", "role"),
    "acceptations": ("acceptations",),
}
"""Claims of each scope. `openid` gives `sub` alone, `offline_access` none."""


def claims_of(scope: str) -> frozenset[str]:
    """The claims that the scopes of a space-separated list stand for."""
    return frozenset(claim for name in scope.split() for claim in SCOPES.get(name, ()))


class ClaimProvider(Protocol):
    """A source of claims about an account. Plug point: named in settings, called once for each answer."""

    def names(self) -> Iterable[str]:
        """The claims that this source may know. The caller asks for no other one."""

    def claims(self, account: Standing, wanted: frozenset[str]) -> Mapping[str, Any]:
        """The wanted claims that are known of `account`; an unknown one is left out, never null.

        The caller relies on no secret and no other account's data being in there, and on no write.
        """


class AccountClaims:
    """What the account itself says of a person and of the partner."""

    _SOURCES: Mapping[str, Callable[[Standing], Any]] = {
        "name": lambda account: " ".join(part for part in (account.given_name, account.family_name) if part),
        "given_name": lambda account: account.given_name,
        "family_name": lambda account: account.family_name,
        "locale": lambda _: "fr-FR",
        "zoneinfo": lambda _: "Europe/Paris",
        "updated_at": lambda account: account.information_given_at,
        "email": lambda account: account.email if account.email_verified else None,
        "email_verified": lambda account: True if account.email_verified and account.email else None,
        "phone_number": lambda account: account.telephone,
        "phone_number_verified": lambda account: False if account.telephone else None,
        "numero_utilisateur": lambda account: account.user_number,
        "departement": lambda account: account.departement,
        "type_partenaire": lambda account: account.partner_type,
        "siret": lambda account: account.siret,
        "organisation": lambda account: account.organisation_name,
        "role": lambda account: account.role,
    }

    def names(self) -> Iterable[str]:
        """All claims of an account."""
        return self._SOURCES

    def claims(self, account: Standing, wanted: frozenset[str]) -> Mapping[str, Any]:
        """The wanted ones that have a value."""
        found = {name: self._SOURCES[name](account) for name in wanted if name in self._SOURCES}
        return {name: value for name, value in found.items() if value not in (None, "")}


class AcceptanceClaims:
    """Which texts the account accepted: `acceptations`, one statement, only when it is asked for."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def names(self) -> Iterable[str]:
        """One claim."""
        return ("acceptations",)

    def claims(self, account: Standing, wanted: frozenset[str]) -> Mapping[str, Any]:
        """Each acceptance: document, version, digest of what was shown (hexadecimal), time."""
        if "acceptations" not in wanted:
            return {}
        accepted = [
            {
                "document": acceptance.document,
                "version": acceptance.version,
                "sha256": acceptance.sha256,
                "accepted_at": acceptance.accepted_at,
            }
            for acceptance in self._documents.acceptances(account.id)
        ]
        return {"acceptations": accepted}


class Claims:
    """Assembles claims from the providers, in their order; the first that knows a claim gives it."""

    def __init__(self, providers: Iterable[ClaimProvider]) -> None:
        self._providers = tuple(providers)

    @property
    def supported(self) -> list[str]:
        """Every claim that a service can ask for, for discovery."""
        known = {name for provider in self._providers for name in provider.names()}
        return sorted(known | {"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid"})

    def of_scope(self, account: Standing, scope: str, asked: Iterable[str], registered: str) -> dict[str, Any]:
        """The claims of the scopes in `scope`, and those `asked` for one by one (userinfo)."""
        return self._known(account, claims_of(scope) | (frozenset(asked) & claims_of(registered)))

    def asked(self, account: Standing, names: Iterable[str], registered: str) -> dict[str, Any]:
        """The named claims that are known of the account and within what the service registered for."""
        return self._known(account, frozenset(names) & claims_of(registered))

    def _known(self, account: Standing, wanted: frozenset[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for provider in self._providers:
            found = {**provider.claims(account, wanted), **found} if wanted else found
        return found
