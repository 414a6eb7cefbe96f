"""What we sign about a sign-in (OpenID Connect Core §2), and how we recognise it when it comes back."""

from typing import Any

from clients.registry import Client
from idp.accounts.standing import Standing
from idp.oidc.claims import Claims
from idp.oidc.claims_request import read as read_claims
from idp.oidc.issuance import Granted
from keys.ring import BadSignature, KeyRing, left_half_hash

TYPE = "JWT"


class IdTokens:
    """Makes ID tokens and reads hints. One active key signs; its `kid` is always written (Authlib defect 3)."""

    def __init__(self, issuer: str, ring: KeyRing, claims: Claims, lifetime: int) -> None:
        self._issuer = issuer
        self._ring = ring
        self._claims = claims
        self._lifetime = lifetime

    def sign(
        self,
        client: Client,
        granted: Granted,
        account: Standing,
        subject: str,
        access_token: str,
        now: int,
        *,
        nonce: bool,
    ) -> str:
        """The ID token of one answer of the token endpoint. `auth_time` is the sign-in's, not now's.

        `nonce`: whether to repeat the request's; a refresh does not (§12.2).
        """
        alg = client.id_token_signed_response_alg
        token: dict[str, Any] = {
            "iss": self._issuer,
            "sub": subject,
            "aud": client.client_id,
            "exp": now + self._lifetime,
            "iat": now,
            "auth_time": granted.auth_time,
            "acr": granted.acr,
            "amr": granted.amr.split(),
            "sid": granted.sid,
            "at_hash": left_half_hash(access_token, alg),
        }
        if nonce and granted.nonce is not None:
            token["nonce"] = granted.nonce
        if granted.claims:
            asked = read_claims(granted.claims).id_token
            token = {**self._claims.asked(account, asked.keys() - token.keys(), client.scope), **token}
        return self._ring.sign(token, alg, TYPE)

    def read_hint(self, hint: str) -> dict[str, Any] | None:
        """The claims of an ID token that we signed, expired or not; None for anything else (LO-03, Authlib defect 5).

        Any other JWT under our keys has another `typ` or lacks what an ID token has, and is refused.
        """
        try:
            claims = self._ring.verify(hint, typ=TYPE)
        except BadSignature:
            return None
        whole = claims.get("iss") == self._issuer and isinstance(claims.get("aud"), str) and "auth_time" in claims
        return claims if whole and isinstance(claims.get("sub"), str) else None
