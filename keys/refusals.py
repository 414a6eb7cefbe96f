"""What this room refuses, one exception for each reason. `str()` is one French sentence that says what to do.

`BadSignature` and `Unsealable` are answers to what came from outside; the others are for the operator.
"""

_SECRET_NAMES = {"kek": "IDP_KEY_ENCRYPTION_KEYS", "pepper": "IDP_PASSWORD_PEPPERS"}


class KeyRefused(Exception):
    """Base of the refusals that an operator reads."""


class Unsealable(Exception):
    """Sealed bytes that do not open: wrong key, wrong purpose or id, truncated, or tampered with."""


class BadSignature(Exception):
    """A token that none of our keys signed, or whose header is not exactly one of ours."""


class UnknownAlgorithm(KeyRefused):
    """`alg`: no key here signs with it."""

    def __init__(self, alg: object) -> None:
        super().__init__(f"Aucune clé ne signe en « {alg} » : choisissez un algorithme donné par « idp keys list ».")
        self.alg = alg


class UnknownKey(KeyRefused):
    """`kid`: no key of the store has it."""

    def __init__(self, kid: str) -> None:
        super().__init__(f"Aucune clé ne porte le kid « {kid} » : copiez-le depuis « idp keys list ».")
        self.kid = kid


class NothingToRetire(KeyRefused):
    """`kid`: its key has left the JWKS already."""

    def __init__(self, kid: str) -> None:
        super().__init__(f"La clé « {kid} » n'est plus publiée : il n'y a rien à retirer.")
        self.kid = kid


class ConcurrentRotation(KeyRefused):
    """`alg`: other processes kept making keys for it at the same moment."""

    def __init__(self, alg: str) -> None:
        super().__init__(f"Une autre commande renouvelle les clés {alg} en ce moment : recommencez dans une minute.")
        self.alg = alg


class NoCurrentKey(KeyRefused):
    """`alg`: it has no key to sign with."""

    def __init__(self, alg: str) -> None:
        super().__init__(
            f"Aucune clé {alg} ne peut signer : restaurez la sauvegarde de la base, "
            f"ou faites une nouvelle clé par « idp keys rotate --alg {alg} »."
        )
        self.alg = alg


class EmptyStore(KeyRefused):
    """There is no key at all, in an installation that had some."""

    def __init__(self) -> None:
        super().__init__(
            "Le coffre des clés de signature est vide alors que cette installation en avait : "
            "restaurez sa sauvegarde ; aucune nouvelle clé n'est créée."
        )


class StoreUnreadable(KeyRefused):
    """`reason`: why the key store cannot be read."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Le coffre des clés de signature est illisible ({reason}) : rétablissez-le, puis relancez.")
        self.reason = reason


class KeyUnusable(KeyRefused):
    """`kid`: its private part does not open. The key-encryption keys are not those that sealed it."""

    def __init__(self, kid: str) -> None:
        super().__init__(
            f"La clé « {kid} » ne s'ouvre pas : remettez dans IDP_KEY_ENCRYPTION_KEYS la clé de chiffrement "
            "qui l'a scellée ; aucune nouvelle clé n'est créée."
        )
        self.kid = kid


class WeakKey(KeyRefused):
    """`kid`, `reason`: the key is not fit for its algorithm (JW-10)."""

    def __init__(self, kid: str, reason: str) -> None:
        super().__init__(f"La clé « {kid} » est refusée ({reason}) : révoquez-la par « idp keys revoke {kid} ».")
        self.kid = kid
        self.reason = reason


class PolicyRefused(KeyRefused):
    """Times of rotation that would let a token be signed by a key that its readers do not know yet."""

    def __init__(self, shortest: int) -> None:
        super().__init__(
            f"IDP_KEY_PUBLISH_AHEAD doit valoir au moins {shortest} s : la durée de cache du JWKS (IDP_JWKS_MAX_AGE) "
            "et l'écart d'horloge admis."
        )
        self.shortest = shortest


class WrongSecret(KeyRefused):
    """`kind`: the secret given at start is not the one that this database was filled with (F-23)."""

    def __init__(self, kind: str, *, known: bool) -> None:
        name = _SECRET_NAMES.get(kind, kind)
        super().__init__(
            f"{name} n'est pas le secret de cette base : remettez celui qui a servi jusqu'ici, puis relancez ; "
            "rien n'a été créé."
            if known
            else f"Cette base ne connaît aucun secret {name} alors qu'elle n'est pas neuve : restaurez sa sauvegarde, "
            "ou lancez « idp secrets init » s'il s'agit d'une première installation ; rien n'a été créé."
        )
        self.kind = kind
