"""The desk: what is missing before this request may have its code, and nothing else.

It re-checks everything and trusts no page before it. Each answer is a redirect: to the page that asks the person what
is missing, which comes back here, or to the service.
"""

from dataclasses import dataclass

from flask import Response, g, url_for

from clients.registry import ClientRegistry
from consent.gate import Clearance, Gate, NotCleared
from idp import session as browser_session
from idp.accounts.standing import SignedIn
from idp.audit import record
from idp.clock import Clock
from idp.db import current_session
from idp.oidc import responses
from idp.oidc.authorization_request import AuthorizationRequest, RefusedToClient
from idp.oidc.id_token import IdTokens
from idp.oidc.issuance import Issuance
from idp.oidc.parked_requests import Parked, ParkedRequests
from idp.oidc.subjects import subject
from idp.signin.who import who_is_here
from idp.web.desk import demande


@dataclass(frozen=True)
class Desk:
    """Decides one authorization request. Built once; `decide` is the whole of it."""

    issuer: str
    clock: Clock
    clients: ClientRegistry
    gate: Gate
    issuance: Issuance
    id_tokens: IdTokens
    parked: ParkedRequests

    def decide(self, asked: AuthorizationRequest, parked: Parked | None) -> Response:
        """Sign-in, then gate, then code; with `prompt=none` what is missing is an error to the service."""
        who = who_is_here(parked.sid if parked else None)
        try:
            if who is None or self._must_sign_in(asked, parked, who):
                self._refuse_if_silent(asked, "login_required", "the person must sign in")
                return self._send(asked, parked, "signin.connexion")
            self._refuse_other_person(asked, who)
            clearance = self.gate.clearance(who.account)
        except RefusedToClient as refused:
            return self._answer_error(asked, parked, refused)
        except NotCleared as refused:
            return self._to_the_gate(asked, parked, refused)
        if who.kind != browser_session.PERSONAL:
            # A provisional password never opens more than the gate, whatever the gate says (GA-04).
            return self._send(asked, parked, "signin.connexion")
        return self._give_code(asked, parked, who, clearance)

    def decline(self, asked: AuthorizationRequest, parked: Parked) -> Response:
        """The person refused a text: the service is told `access_denied` (RFC 6749 §4.1.2.1)."""
        return self._answer_error(asked, parked, RefusedToClient("access_denied", "the person declined"))

    def _must_sign_in(self, asked: AuthorizationRequest, parked: Parked | None, who: SignedIn) -> bool:
        """Whether this sign-in does not do for this request. One made for this very request always does."""
        if parked is not None and parked.sid == who.sid:
            return False
        too_old = asked.max_age is not None and self.clock() - who.signed_in_at > asked.max_age
        return too_old or bool(asked.prompt & {"login", "select_account"}) or not self._is_the_one_asked_for(asked, who)

    def _refuse_other_person(self, asked: AuthorizationRequest, who: SignedIn) -> None:
        """The person signed in, but is not the one that the service wants (OpenID Connect Core §3.1.2.1)."""
        if not self._is_the_one_asked_for(asked, who):
            raise RefusedToClient("login_required", "another person signed in")

    def _is_the_one_asked_for(self, asked: AuthorizationRequest, who: SignedIn) -> bool:
        wanted = [asked.claims.subject] if asked.claims.subject else []
        if asked.id_token_hint:
            hint = self.id_tokens.read_hint(asked.id_token_hint)
            if hint is None or hint["aud"] != asked.client.client_id:
                raise RefusedToClient("invalid_request", "id_token_hint is not an ID token given to this client")
            wanted.append(hint["sub"])
        if not wanted:
            return True
        return all(sub == subject(current_session(), asked.client, who.account.id) for sub in wanted)

    def _refuse_if_silent(self, asked: AuthorizationRequest, error: str, description: str) -> None:
        if "none" in asked.prompt:
            raise RefusedToClient(error, description)

    def _to_the_gate(self, asked: AuthorizationRequest, parked: Parked | None, refused: NotCleared) -> Response:
        try:
            self._refuse_if_silent(asked, "interaction_required", "the person has steps to complete")
        except RefusedToClient as silent:
            return self._answer_error(asked, parked, silent)
        if refused.step is not None:
            return self._send(asked, parked, refused.step.endpoint)
        record("gate.closed", client_id=asked.client.client_id, reason=refused.reason)
        return self._send(asked, parked, "signin.indisponible")

    def _send(self, asked: AuthorizationRequest, parked: Parked | None, endpoint: str) -> Response:
        """Ask the person; the request waits under its name."""
        if parked is None:
            name = self.parked.park(
                asked.client.client_id, dict(asked.parameters), self.clock(), browser_session.browser()
            )
            g.demande = name
        return responses.redirect(url_for(endpoint))

    def _give_code(
        self, asked: AuthorizationRequest, parked: Parked | None, who: SignedIn, clearance: Clearance
    ) -> Response:
        now = self.clock()
        if parked is not None and not self.parked.use(parked, now):
            # Another tab was faster: the same address now explains, with the way back to the service.
            return responses.redirect(url_for("oidc.authorize", demande=demande()))
        browser_session.touch(who.last_seen_at)
        code = self.issuance.code(current_session(), clearance, asked, who, now, g.get("request_id"))
        if code is None:
            return responses.error(asked.back, self.issuer, "login_required", "the sign-in ended meanwhile")
        return responses.success(asked.back, self.issuer, code)

    def _answer_error(self, asked: AuthorizationRequest, parked: Parked | None, refused: RefusedToClient) -> Response:
        if parked is not None:
            self.parked.use(parked, self.clock())
        return responses.error(asked.back, self.issuer, refused.error, str(refused))
