"""RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0 §2, §3).

With an ID token of this very sign-in as hint, the person is signed out and sent back; in every other case a page asks
first (LO-02). Nobody is sent to an address that was not registered, byte for byte.
"""

from collections.abc import Mapping

from flask import Blueprint, Response, request, url_for

from clients.registry import Client, ClientRegistry
from idp.db import current_session
from idp.oidc import responses
from idp.oidc.id_token import IdTokens
from idp.oidc.parameters import BadParameters, single
from idp.oidc.subjects import subject
from idp.signin.signing_out import onward, sign_out
from idp.signin.who import who_is_here
from idp.web.error_pages import error_page
from idp.web.translations import t

READ = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")
"""The parameters that are read here (§2)."""


def register(blueprint: Blueprint, clients: ClientRegistry, id_tokens: IdTokens) -> None:
    """Add the endpoint, by GET and by POST (§2)."""

    @blueprint.route("/oauth2/end-session", methods=["GET", "POST"])
    def end_session() -> Response:
        try:
            parameters = single(request.args if request.method == "GET" else request.form)
        except BadParameters as bad:
            return error_page(400, t("page.demande.titre"), t("page.demande.texte"), detail=str(bad))
        hint = id_tokens.read_hint(parameters.get("id_token_hint", ""))
        if "id_token_hint" in parameters and hint is None:
            return error_page(
                400, t("page.demande.titre"), t("page.demande.texte"), detail="id_token_hint is not one of ours"
            )
        if request.method == "POST":
            # A cross-site POST carries no cookie: the browser comes back with it by GET.
            asked = {name: parameters[name] for name in READ if name in parameters}
            return responses.redirect(responses.add_query(url_for("oidc.end_session"), asked))
        client = _client(clients, parameters, hint)
        back = _way_back(client, parameters, known=hint is not None)
        if hint is not None and client is not None and _is_theirs(client, hint):
            if who_is_here() is not None:
                sign_out()
            return responses.redirect(back or url_for("signin.deconnecte"))
        return responses.redirect(url_for("signin.deconnexion", suite=onward.write(back) if back else None))


def _client(clients: ClientRegistry, parameters: Mapping[str, str], hint: Mapping[str, object] | None) -> Client | None:
    """The service that asks, by the hint's audience or by `client_id`; None when they do not agree (§2)."""
    named = parameters.get("client_id")
    audience = str(hint["aud"]) if hint else None
    if named and audience and named != audience:
        return None
    client = clients.get(audience or named or "")
    return client if client is not None and client.enabled else None


def _way_back(client: Client | None, parameters: Mapping[str, str], *, known: bool) -> str | None:
    """The registered address to send the person to (§3), or None: then our own page ends the sign-out."""
    uri = parameters.get("post_logout_redirect_uri")
    named = known or "client_id" in parameters
    if client is None or uri is None or not named or uri not in client.post_logout_redirect_uris:
        return None
    return responses.add_query(uri, {"state": parameters["state"]}) if "state" in parameters else uri


def _is_theirs(client: Client, hint: Mapping[str, object]) -> bool:
    """Whether the hint tells of the sign-in of this browser: its `sid`, or at least its person (LO-03)."""
    who = who_is_here()
    if who is None:
        return True  # Nobody is signed in here any more: nothing ends, the service may have its person back.
    return hint.get("sid") == who.sid or hint["sub"] == subject(current_session(), client, who.account.id)
