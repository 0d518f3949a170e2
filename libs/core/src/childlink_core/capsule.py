"""Capsules: a subject's analytics reference, encrypted so that the linker cannot read it.

Each encoded batch has its own key, sealed to analytics. The capsule of each record is encrypted
under that key (ChaCha20-Poly1305, RFC 8439). The partner's name is bound into both, so a partner
cannot pass off a capsule as another partner's.
"""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from childlink_core.envelope import open_bytes, seal_bytes
from childlink_core.keys import OpeningKey, SealKey

_NONCE_BYTES: Final = 12


class CapsuleSealer:
    """Seals the capsules of one batch.

    >>> from childlink_core.keys import OpeningKey
    >>> analytics = OpeningKey.generate("analytics")
    >>> sealer = CapsuleSealer("trust-a", analytics.public())
    >>> capsule = sealer.seal(b"r" * 16)
    >>> opener = CapsuleOpener.unlock(sealer.sealed_key, "trust-a", (analytics,))
    >>> opener.open(capsule)
    b'rrrrrrrrrrrrrrrr'
    """

    def __init__(self, partner: str, analytics: SealKey) -> None:
        key = ChaCha20Poly1305.generate_key()
        self._cipher = ChaCha20Poly1305(key)
        self._partner = partner.encode()
        self._sealed = 0
        self.sealed_key = seal_bytes(key, analytics, _info(partner))

    def seal(self, reference: bytes) -> bytes:
        """Seal an analytics reference. Returns the nonce (12 bytes), then the ciphertext and tag.

        Each batch has its own key, so a counter is a safe nonce. The order of records in a batch
        reveals nothing.
        """
        self._sealed += 1
        nonce = self._sealed.to_bytes(_NONCE_BYTES, "big")
        return nonce + self._cipher.encrypt(nonce, reference, self._partner)


class CapsuleOpener:
    """Opens the capsules of one batch."""

    def __init__(self, key: bytes, partner: str) -> None:
        self._cipher = ChaCha20Poly1305(key)
        self._partner = partner.encode()

    @classmethod
    def unlock(
        cls, sealed_key: bytes, partner: str, keys: tuple[OpeningKey, ...]
    ) -> "CapsuleOpener | None":
        """Open the capsule key of a batch. Returns None if it is not sealed to one of `keys` for
        `partner`.
        """
        for key in keys:
            capsule_key = open_bytes(sealed_key, key, _info(partner))
            if capsule_key is not None:
                return cls(capsule_key, partner)
        return None

    def open(self, capsule: bytes) -> bytes | None:
        """The analytics reference. Returns None if the capsule does not belong to this batch."""
        try:
            return self._cipher.decrypt(
                capsule[:_NONCE_BYTES], capsule[_NONCE_BYTES:], self._partner
            )
        except (InvalidTag, ValueError):
            return None


def _info(partner: str) -> bytes:
    return b"childlink capsule key v1\x00" + partner.encode()
