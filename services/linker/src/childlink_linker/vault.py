"""Encodings at rest: encrypted under a key of the linker's own, so that its database and backups alone open nothing.

One record at a time (ChaCha20-Poly1305, RFC 8439): measured at two microseconds each, so that keeping a block's records together,
as the design had it, would buy nothing and make every change rewrite its neighbours.
"""

import secrets
from typing import Final

from childlink_core.errors import UserError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

_NONCE_BYTES: Final = 12


class VaultError(UserError):
    """The store's encodings are under another key."""


class Vault:
    """Encrypts what the store keeps of a record.

    >>> vault = Vault(bytes(32))
    >>> vault.open(vault.seal(b"encoding"))
    b'encoding'
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = ChaCha20Poly1305(key)

    def seal(self, encoding: bytes) -> bytes:
        """As it is stored: a nonce, then the ciphertext."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, encoding, None)

    def open(self, stored: bytes) -> bytes:
        """What was sealed. Raises VaultError when it was sealed under another key, or changed since."""
        try:
            return self._cipher.decrypt(stored[:_NONCE_BYTES], stored[_NONCE_BYTES:], None)
        except InvalidTag:
            raise VaultError(
                "An encoding in the store does not open under this linker's token key.",
                "Is `token_key` the file that this store was made with? Restore it from its backup.",
            ) from None
