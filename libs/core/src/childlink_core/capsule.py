"""Capsules: a subject's analytics reference on its way through the linker, which cannot read it.

Each encoded batch has a key of its own, sealed to analytics; each record's capsule is encrypted
under it (ChaCha20-Poly1305, RFC 8439). The partner's name is bound into both, so that no partner
can pass off a capsule as another's.
"""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from childlink_core.envelope import open_bytes, seal_bytes
from childlink_core.keys import OpeningKey, SealKey

_NONCE_BYTES: Final = 12


class CapsuleSealer:
    """Makes the capsules of one batch.

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
        """The capsule of an analytics reference: nonce (12 bytes), then ciphertext and tag.

        The key is this batch's alone, so a count of its capsules is nonce enough. (The order of a
        batch tells nothing.)
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
        """Open a batch's capsule key, or None when it is not sealed to any of `keys` for
        `partner`.
        """
        for key in keys:
            capsule_key = open_bytes(sealed_key, key, _info(partner))
            if capsule_key is not None:
                return cls(capsule_key, partner)
        return None

    def open(self, capsule: bytes) -> bytes | None:
        """The analytics reference, or None when the capsule is not of this batch."""
        try:
            return self._cipher.decrypt(
                capsule[:_NONCE_BYTES], capsule[_NONCE_BYTES:], self._partner
            )
        except (InvalidTag, ValueError):
            return None


def _info(partner: str) -> bytes:
    return b"childlink capsule key v1\x00" + partner.encode()
