"""References: keyed hashes that name a subject or a row outside its partner, under keys that never leave it.

The linker's and analytics' references of one subject come from different keys, so the two stores do not join.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from childlink_core.keys import SecretKey

REFERENCE_BYTES: Final = 16


@dataclass(frozen=True)
class ReferenceKeys:
    """A partner's three reference keys, derived from its one reference key file.

    >>> keys = ReferenceKeys.of(SecretKey("trust-a", 1, bytes(32)))
    >>> keys.link("pas", "0042", "child") == keys.link("pas", "0042", "child")
    True
    >>> keys.link("pas", "0042", "child") == keys.analytics("pas", "0042", "child")
    False
    """

    _link: bytes = field(repr=False)
    _analytics: bytes = field(repr=False)
    _row: bytes = field(repr=False)

    @classmethod
    def of(cls, key: SecretKey) -> "ReferenceKeys":
        """Derive the three keys."""
        return cls(key.derive("link reference"), key.derive("analytics reference"), key.derive("row reference"))

    def link(self, id_space: str, person_id: str, role: str) -> bytes:
        """The reference that the linker sees: 16 bytes."""
        return keyed_hash(self._link, id_space, person_id, role)

    def analytics(self, id_space: str, person_id: str, role: str) -> bytes:
        """The reference that analytics sees: 16 bytes."""
        return keyed_hash(self._analytics, id_space, person_id, role)

    def row(self, dataset: str, row_id: str) -> bytes:
        """The reference of a row, in the analytics half only: 16 bytes."""
        return keyed_hash(self._row, dataset, row_id)

    def facet(self, dataset: str) -> bytes:
        """Opaque name of a dataset for the linker: 4 bytes."""
        return keyed_hash(self._link, "facet", dataset)[:4]


def keyed_hash(key: bytes, *parts: str) -> bytes:
    """Keyed BLAKE2b (RFC 7693) over length-prefixed parts, so that ("ab", "c") and ("a", "bc") differ: 16 bytes."""
    message = b"".join(len(encoded := part.encode()).to_bytes(4, "big") + encoded for part in parts)
    return hashlib.blake2b(message, key=key, digest_size=REFERENCE_BYTES).digest()
