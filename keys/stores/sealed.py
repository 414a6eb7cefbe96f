"""The private part of a signing key at rest: PKCS#8, sealed for its kid and its purpose.

Shared by the stores that keep bytes. A store whose keys never leave a device has no use for it.
"""

from keys.algorithms import Key, from_bytes, to_bytes
from keys.refusals import KeyUnusable, Unsealable
from keys.sealing import Sealer


def seal(sealer: Sealer, private: Key, kid: str, purpose: str) -> bytes:
    """The sealed bytes of `private`."""
    return sealer.seal(to_bytes(private), purpose=f"signing-key:{purpose}", id=kid)


def unseal(sealer: Sealer, sealed: bytes, kid: str, alg: str, purpose: str) -> Key:
    """The key that `seal` was given. Raises `KeyUnusable`, `WeakKey` or `UnknownAlgorithm`."""
    try:
        der = sealer.open(sealed, purpose=f"signing-key:{purpose}", id=kid)
    except Unsealable:
        raise KeyUnusable(kid) from None
    return from_bytes(der, kid, alg)
