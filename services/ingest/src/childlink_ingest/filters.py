"""The bits of salted filters: features, their digests, and the permutation under a salt's key. Rule: arrays in, arrays out.

A value's features and a feature's digest never change under one linkage secret, so both are remembered, as numbers, for all passes.
"""

import hashlib
from array import array
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

DIGEST_BYTES: Final = 16
_WORDS_PER_DIGEST: Final = 8
_MOST_VALUES: Final = 500_000
Permute = Callable[[memoryview], bytes]
_ECB: Final = modes.ECB()  # noqa: S305 - a pseudo-random permutation of digests, not encryption


def features(kind: str, value: str) -> list[str]:
    """Cut a value into features.

    >>> features("bigrams", "amy lu")
    [' a', 'am', 'my', 'y ', ' l', 'lu', 'u ']
    >>> features("positions", "SW9"), features("whole", "f")
    (['0S', '1W', '29'], ['f'])
    """
    match kind:
        case "bigrams":
            return list(dict.fromkeys(f" {word} "[i : i + 2] for word in value.split() for i in range(len(word) + 1)))
        case "positions":
            return [f"{index}{character}" for index, character in enumerate(value)]
        case _:
            return [value]


class FeaturePool:
    """Numbers values and their features, and keeps the features' keyed digests."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._forget()

    def _forget(self) -> None:
        self._values: dict[tuple[str, str], dict[str, int]] = {}
        self._feature_numbers: dict[str, dict[str, int]] = {}
        # Of each value (number 0: missing): where its features begin in `_features`, and how many there are.
        self._starts, self._counts, self._features = array("q", [0]), array("q", [0]), array("q")
        self._digests = bytearray()

    def forget_if_large(self) -> None:
        """Bound the memory. Numbers given before are void afterwards."""
        if len(self._starts) > _MOST_VALUES:
            self._forget()

    def numbers(self, space: str, kind: str, column: Sequence[str]) -> NDArray[np.int64]:
        """The number of each value; 0 for ""."""
        known = self._values.setdefault((space, kind), {"": 0})
        add = self._add
        return np.array([known[v] if v in known else add(known, space, kind, v) for v in column], dtype=np.int64)

    def features_of(self, values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The features of every value, row by row end to end, and how many each value has (in the shape of `values`)."""
        starts = np.frombuffer(self._starts, dtype=np.int64)[values]
        counts = np.frombuffer(self._counts, dtype=np.int64)[values]
        flat = counts.ravel()
        firsts = np.cumsum(flat) - flat
        at = np.repeat(starts.ravel() - firsts, flat) + np.arange(int(flat.sum()))
        return np.frombuffer(self._features, dtype=np.int64)[at], counts

    def digests(self, features: NDArray[np.int64]) -> bytes:
        """The digests of features, end to end."""
        return np.frombuffer(self._digests, dtype=np.dtype((np.void, DIGEST_BYTES)))[features].tobytes()

    def _add(self, known: dict[str, int], space: str, kind: str, value: str) -> int:
        numbers = self._feature_numbers.setdefault(space, {})
        parts = features(kind, value)
        for part in parts:
            if part not in numbers:
                numbers[part] = len(self._digests) // DIGEST_BYTES
                message = f"{space}\0{part}".encode()
                self._digests += hashlib.blake2b(message, key=self._key, digest_size=DIGEST_BYTES).digest()
        self._starts.append(len(self._features))
        self._counts.append(len(parts))
        self._features.extend([numbers[part] for part in parts])
        number = known[value] = len(self._starts) - 1
        return number


def permutation(key: bytes) -> Permute:
    """AES (FIPS 197) under a key, block by block."""
    update: Permute = Cipher(algorithms.AES(key), _ECB).encryptor().update
    return update


def set_bits(words: bytes, bits: NDArray[np.uint8], lengths: NDArray[np.int64], filter_bits: int) -> NDArray[np.uint8]:
    """Filters, as bytes, from encrypted digests: row r owns `lengths[r]` digests, each setting as many bits as `bits` says.

    `filter_bits` is a power of two, so that a 16-bit word chooses a bit without bias.
    """
    positions = np.frombuffer(words, dtype="<u2").reshape(-1, _WORDS_PER_DIGEST) & np.uint16(filter_bits - 1)
    used = np.arange(_WORDS_PER_DIGEST, dtype=np.uint8) < bits[:, None]
    rows = np.repeat(np.arange(len(lengths), dtype=np.int32) * filter_bits, lengths)
    grid = np.zeros(len(lengths) * filter_bits, dtype=np.uint8)
    grid[(rows[:, None] + positions)[used]] = 1
    return np.packbits(grid, bitorder="little").reshape(len(lengths), filter_bits // 8)


def varint(number: int) -> bytes:
    """A protobuf varint.

    >>> varint(300).hex()
    'ac02'
    """
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
