"""What this room refuses, each with its own type. `str()` is one French sentence that says what to do."""


class Refused(Exception):
    """Base of the refusals of this room."""


class MetadataRefused(Refused):
    """A registration may not hold this (RFC 7591 section 3.2.2).

    `error`: `invalid_redirect_uri` or `invalid_client_metadata`; `field`: the metadata name; `message_fr`: why.
    """

    def __init__(self, field: str, message_fr: str, error: str = "invalid_client_metadata") -> None:
        super().__init__(f"{field} : {message_fr}")
        self.error = error
        self.field = field
        self.message_fr = message_fr


class UnknownClient(Refused):
    """No client has this id, or it was deleted."""

    def __init__(self, client_id: str) -> None:
        super().__init__(f"Aucun service n'a l'identifiant « {client_id} » : cherchez-le avec « idp clients list ».")


class ClientIdTaken(Refused):
    """This id belongs, or once belonged, to a client."""

    def __init__(self, client_id: str) -> None:
        super().__init__(
            f"L'identifiant « {client_id} » est déjà pris, ou l'a été par un service supprimé : choisissez-en un autre."
        )


class ConcurrentChange(Refused):
    """Somebody else changed the client meanwhile; nothing was written."""

    def __init__(self, client_id: str) -> None:
        super().__init__(
            f"Quelqu'un d'autre vient de modifier « {client_id} », rien n'a été enregistré : relisez-le avec "
            f"« idp clients show {client_id} », puis recommencez."
        )


class NoSecret(Refused):
    """The client authenticates without a secret: there is none to replace."""

    def __init__(self, client_id: str, method: str) -> None:
        super().__init__(f"« {client_id} » s'authentifie par « {method} », sans secret : il n'y a rien à remplacer.")


class OverlapRefused(Refused):
    """The old secret may not go on for that long."""

    def __init__(self, longest: int) -> None:
        super().__init__(
            f"L'ancien secret peut servir encore de 0 à {longest // 86400} jours : choisissez une durée plus courte."
        )


class SectorChange(Refused):
    """The change would give every person another `sub` at this service."""

    def __init__(self, client_id: str) -> None:
        super().__init__(
            f"Ce changement donnerait à chaque personne un autre identifiant chez « {client_id} » : enregistrez un "
            "nouveau service (« idp clients register »)."
        )
