"""Encodings at rest: encrypted under a key of the linker's own, so that its database and backups
alone open nothing.

One record at a time (ChaCha20-Poly1305, RFC 8439): measured at two microseconds each, so that
keeping a block's records together, as the design had it, would buy nothing and make every change
rewrite its neighbours.
"""

import hashlib
import secrets
from typing import Final

import numpy as np
from childlink_core.errors import UserError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from numpy.typing import NDArray

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
        blinding = hashlib.blake2b(b"keys", key=key, digest_size=32).digest()
        self._blind = Cipher(algorithms.AES(blinding), modes.ECB()).encryptor().update  # noqa: S305 - a permutation of single blocks

    def seal(self, encoding: bytes) -> bytes:
        """As it is stored: a nonce, then the ciphertext."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, encoding, None)

    def open(self, stored: bytes) -> bytes:
        """What was sealed. Raises VaultError when it was sealed under another key, or changed
        since.
        """
        try:
            return self._cipher.decrypt(stored[:_NONCE_BYTES], stored[_NONCE_BYTES:], None)
        except InvalidTag:
            raise VaultError(
                "An encoding in the store does not open under this linker's token key.",
                "Is `token_key` the file that this store was made with? Restore it from its"
                " backup.",
            ) from None

    def blind(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Keys as they are stored: equal ones stay equal, and nothing else of them can be seen
        without the vault's key.

        >>> a, b, c = Vault(bytes(32)).blind(np.array([1, 2, 1])).tolist()
        >>> a == c, a == b
        (True, False)
        """
        blocks = np.zeros((len(keys), 2), dtype=np.int64)
        blocks[:, 0] = keys
        blinded = np.frombuffer(self._blind(blocks.tobytes()), dtype=np.int64).reshape(-1, 2)
        return np.ascontiguousarray(blinded[:, 0])
