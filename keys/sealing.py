"""Sealing of secrets at rest: AES-256-GCM under key-encryption keys that live outside the database.

Owns the format of the sealed bytes. Where the keys come from and where the bytes go is the caller's.
Sealed bytes: version (1), id of the key (8), nonce (12), ciphertext with its tag (16).
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys.refusals import Unsealable

__all__ = ["KEY_BYTES", "Sealer", "Unsealable"]

KEY_BYTES = 32
_VERSION = b"\x01"
_ID_BYTES = 8
_NONCE_BYTES = 12
_NONCE_AT = len(_VERSION) + _ID_BYTES
_TEXT_AT = _NONCE_AT + _NONCE_BYTES
_SHORTEST = _TEXT_AT + 16


class Sealer:
    """Seals with the first key, opens with any of them: that is how a key-encryption key is changed.

    `keks`: keys of 32 random bytes, the current one first. Raises `ValueError` when there is none, or one of another
    size. Random nonces: a key serves for 2^32 sealings at most (NIST SP 800-38D section 8.3). Thread-safe.
    """

    def __init__(self, keks: Sequence[bytes]) -> None:
        if not keks or any(len(kek) != KEY_BYTES for kek in keks):
            raise ValueError("IDP_KEY_ENCRYPTION_KEYS doit contenir une ou plusieurs clés de 32 octets.")
        self._ciphers = {_key_id(kek): AESGCM(kek) for kek in keks}
        self._current = _key_id(keks[0])

    def seal(self, plaintext: bytes, *, purpose: str, id: str) -> bytes:
        """Seal `plaintext`; it opens only for the same `purpose` and `id`, so rows cannot be swapped."""
        head = _VERSION + self._current
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return head + nonce + self._ciphers[self._current].encrypt(nonce, plaintext, _bound(head, purpose, id))

    def open(self, sealed: bytes, *, purpose: str, id: str) -> bytes:
        """The plaintext. Raises `Unsealable`: wrong key, purpose or id, truncated, or tampered with."""
        if len(sealed) < _SHORTEST or not sealed.startswith(_VERSION):
            raise Unsealable("Données scellées tronquées ou d'un format inconnu.")
        head, nonce = sealed[:_NONCE_AT], sealed[_NONCE_AT:_TEXT_AT]
        cipher = self._ciphers.get(head[len(_VERSION) :])
        if cipher is None:
            raise Unsealable("Données scellées par une clé absente de IDP_KEY_ENCRYPTION_KEYS : remettez-la.")
        try:
            return cipher.decrypt(nonce, sealed[_TEXT_AT:], _bound(head, purpose, id))
        except InvalidTag:
            raise Unsealable("Données scellées altérées, ou scellées pour un autre usage.") from None


def _key_id(kek: bytes) -> bytes:
    """A short name for a key, that tells nothing of it."""
    return hmac.digest(kek, b"keys.sealing key id", hashlib.sha256)[:_ID_BYTES]


def _bound(head: bytes, purpose: str, id: str) -> bytes:
    """Associated data. Lengths first, so that no two pairs (purpose, id) give the same bytes."""
    parts = (purpose.encode(), id.encode())
    return head + b"".join(len(part).to_bytes(4) + part for part in parts)
