"""References: keyed hashes that name a subject or a row outside its partner.

The keys never leave the partner. The linker's and analytics' references of the same subject come
from different keys, so the two stores cannot be joined on them.
"""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from childlink_core.keys import SecretKey

REFERENCE_BYTES: Final = 16


@dataclass(frozen=True)
class ReferenceKeys:
    """A partner's reference keys, all derived from its reference key file.

    >>> keys = ReferenceKeys.of(SecretKey("trust-a", 1, bytes(32)))
    >>> keys.link("pas", "0042", "child") == keys.link("pas", "0042", "child")
    True
    >>> keys.link("pas", "0042", "child") == keys.analytics("pas", "0042", "child")
    False
    """

    _link: bytes = field(repr=False)
    _analytics: bytes = field(repr=False)
    _row: bytes = field(repr=False)
    _spool: bytes = field(repr=False)

    @classmethod
    def of(cls, key: SecretKey) -> "ReferenceKeys":
        """Derive the keys from the reference key."""
        labels = ("link reference", "analytics reference", "row reference", "number in the spool")
        return cls(*(key.derive(label) for label in labels))

    def link(self, id_space: str, person_id: str, role: str) -> bytes:
        """The reference that the linker sees: 16 bytes."""
        return _go_on(_begun(self._link, id_space), person_id, role)

    def analytics(self, id_space: str, person_id: str, role: str) -> bytes:
        """The reference that analytics sees: 16 bytes."""
        return _go_on(_begun(self._analytics, id_space), person_id, role)

    def row(self, feed: str, row_id: str) -> bytes:
        """The reference of a row: 16 bytes. Only the analytics half contains it."""
        return _go_on(_begun(self._row, feed), row_id)

    def facet(self, feed: str, key_version: int = 1) -> bytes:
        """Opaque name of a feed for the linker: 4 bytes.

        It differs by version of the linkage secret. While the secret is rotated, a subject's
        encodings under both versions exist side by side.
        """
        return _facet(self._link, feed if key_version == 1 else f"{feed}\0key {key_version}")

    def nhs(self, nhs_number: str) -> bytes | None:
        """The hash of an NHS number in the site's own spool: 16 bytes, never sent. None if the
        number is empty.
        """
        return _go_on(_begun(self._spool), nhs_number) if nhs_number else None


@lru_cache(maxsize=1_000)
def _facet(key: bytes, name: str) -> bytes:
    return keyed_hash(key, "facet", name)[:4]


def keyed_hash(key: bytes, *parts: str) -> bytes:
    """Keyed BLAKE2b (RFC 7693) over length-prefixed parts: 16 bytes.

    Because of the prefixes, ("ab", "c") and ("a", "bc") differ.
    """
    message = b"".join(
        [len(encoded := part.encode()).to_bytes(4, "big") + encoded for part in parts]
    )
    return hashlib.blake2b(message, key=key, digest_size=REFERENCE_BYTES).digest()


@lru_cache(maxsize=1_000)
def _begun(key: bytes, *first: str) -> "hashlib.blake2b":
    """The state of `keyed_hash` after the parts that rows share. Copy it and continue."""
    return hashlib.blake2b(
        b"".join([_part(part) for part in first]), key=key, digest_size=REFERENCE_BYTES
    )


def _go_on(begun: "hashlib.blake2b", part: str, role: str = "") -> bytes:
    state = begun.copy()
    encoded = part.encode()
    state.update(len(encoded).to_bytes(4, "big") + encoded + (_part(role) if role else b""))
    return state.digest()


@lru_cache(maxsize=1_000)
def _part(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(4, "big") + encoded
