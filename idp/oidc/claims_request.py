"""The `claims` parameter: which claims a service asks for one by one (OpenID Connect Core §5.5)."""

import json
from dataclasses import dataclass
from typing import Any

from idp.oidc.parameters import BadParameters

DEEPEST = 50
"""Most claims that one request may name."""


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """For the ID token and for userinfo: claim name -> what was said of it (`{}` when nothing)."""

    id_token: dict[str, dict[str, Any]]
    userinfo: dict[str, dict[str, Any]]
    text: str | None

    @property
    def subject(self) -> str | None:
        """The one subject that the service wants an answer about, if it says so (§5.5.1)."""
        value = self.id_token.get("sub", {}).get("value")
        return value if isinstance(value, str) else None

    @property
    def essential_acrs(self) -> list[str] | None:
        """The authentication classes of which one is essential (§5.5.1.1); None when none is."""
        asked = self.id_token.get("acr", {})
        if asked.get("essential") is not True:
            return None
        values = asked.get("values") or [asked.get("value")]
        return [str(value) for value in values if value is not None]


NOTHING = ClaimsRequest({}, {}, None)


def read(text: str | None) -> ClaimsRequest:
    """Read the parameter. Raises `BadParameters` when it is not the JSON that the specification describes."""
    if not text:
        return NOTHING
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError):
        raise BadParameters("claims is not JSON") from None
    if not isinstance(asked, dict):
        raise BadParameters("claims is not a JSON object")
    return ClaimsRequest(_member(asked, "id_token"), _member(asked, "userinfo"), text)


def _member(asked: dict[str, Any], name: str) -> dict[str, dict[str, Any]]:
    member = asked.get(name) or {}
    if not isinstance(member, dict) or len(member) > DEEPEST:
        raise BadParameters(f"claims.{name} is not an object of claims")
    for value in member.values():
        if value is not None and not isinstance(value, dict):
            raise BadParameters(f"claims.{name} holds a member that is neither null nor an object")
    for value in (value or {} for value in member.values()):
        values = value.get("values", [])
        if not isinstance(values, list) or not all(isinstance(each, str | int | float | bool) for each in values):
            raise BadParameters(f"claims.{name} holds values that are not a list")
    return {claim: value or {} for claim, value in member.items()}
