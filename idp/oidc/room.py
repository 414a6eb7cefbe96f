"""The protocol's blueprint: every endpoint, over the collaborators it needs."""

from flask import Blueprint

from idp import clock
from idp.oidc import grants
from idp.oidc.claims import AcceptanceClaims, AccountClaims, Claims
from idp.oidc.client_authentication import ClientAuthentication
from idp.oidc.desk import Desk
from idp.oidc.endpoints import authorize, discovery, end_session, introspect, jwks, revoke, token, userinfo
from idp.oidc.id_token import IdTokens
from idp.oidc.issuance import Issuance
from idp.oidc.parked_requests import ParkedRequests
from idp.oidc.server import Server
from idp.services import Services

ALGORITHMS = ("RS256", "ES256")


def blueprint(services: Services, parked: ParkedRequests) -> Blueprint:
    """The endpoints, ready to be mounted."""
    settings = services.settings
    claims = Claims([AccountClaims(), AcceptanceClaims(services.documents)])
    issuance = Issuance(settings)
    id_tokens = IdTokens(settings.issuer, services.ring, claims, settings.id_token_lifetime)
    server = Server(services.clients, ClientAuthentication(services.clients, settings), settings.issuer)
    grants.register(server, issuance, id_tokens, services.gate, settings.refresh_grace)
    desk = Desk(settings.issuer, clock.now, services.clients, services.gate, issuance, id_tokens, parked)

    room = Blueprint("oidc", __name__)
    authorize.register(room, desk)
    token.register(room, server)
    userinfo.register(room, issuance, claims, services.clients)
    revoke.register(room, server, issuance)
    introspect.register(room, server, issuance)
    end_session.register(room, services.clients, id_tokens)
    discovery.register(room, settings.issuer, claims, ALGORITHMS)
    jwks.register(room, services.ring)
    return room
