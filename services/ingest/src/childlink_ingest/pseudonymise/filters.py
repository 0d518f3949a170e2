"""Hardened Bloom filters: a fixed number of elements of pairs of bigrams, under the salt. No I/O.

A filter of the bigrams of names falls to graph matching: filters of people who share a name are
alike, and the number of bits tells the length (docs/explanation/encodings.md). Here

* a feature is a *pair*: a bigram of one field with a bigram of another, in either order. Who shares
  one field only looks like a stranger;
* an element is a band of two min-hashes (Broder 1997; banding as in Leskovec, Rajaraman and Ullman,
  "Mining of Massive Datasets", section 3.4) of all features. Two records share an element with the
  square of the likeness (Jaccard), so accidental likeness vanishes;
* the number of elements is fixed, so no length shows;
* elements, and which features are least, depend on the record's salt. Filters under different salts
  cannot be compared.

Min-hashes are taken by exclusive or with secret numbers of the salt: the feature nearest to each
number counts. One hash of each feature then serves all min-hashes.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from childlink_core.keys import SecretKey
from childlink_core.profiles import Filter
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

Words = NDArray[np.uint64]
_AT_A_TIME: Final = 1_000
_ODD: Final = (np.uint64(0xBF58_476D_1CE4_E5B9), np.uint64(0x94D0_49BB_1331_11EB))
_LEAST: Final = np.uint32(1)
_NONE: Final = np.zeros(0, dtype=np.uint64)


def bigrams_of(value: str) -> list[str]:
    """The bigrams of a value, with its ends marked.

    >>> bigrams_of("amy"), bigrams_of("")
    (['_a', 'am', 'my', 'y_'], [])
    """
    padded = f"_{value}_"
    return [padded[at : at + 2] for at in range(len(padded) - 1)] if value else []


@dataclass(frozen=True)
class Ragged:
    """Lists of words, one after another in `flat`."""

    flat: Words
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]


class Bigrams:
    """The digests of the bigrams of numbered values. Value 0 is the missing one."""

    def __init__(self) -> None:
        self._flat, self._ends = array("Q"), array("q", (0,))

    def add(self, digests: Iterable[int]) -> None:
        """The next value."""
        self._flat.extend(digests)
        self._ends.append(len(self._flat))

    def of(self, numbers: NDArray[np.int64]) -> Ragged:
        """The digests of these values."""
        ends = np.frombuffer(self._ends, dtype=np.int64)
        begins = np.where(numbers > 0, ends[numbers - 1], 0)
        lengths = ends[numbers] - begins
        starts = np.cumsum(lengths) - lengths
        # Only what is asked for is copied: the values of a large extract are many.
        places = np.arange(lengths.sum()) + np.repeat(begins - starts, lengths)
        flat = np.frombuffer(self._flat, dtype=np.uint64)[places] if len(places) else _NONE
        return Ragged(flat, starts, lengths)


class FilterEncoder:
    """Makes one filter of a pass."""

    def __init__(self, item: Filter, linkage: SecretKey, name: str) -> None:
        self.fields, self.only_without = item.fields, item.only_without
        self._item = item
        self._offsets, self._elements = (
            Cipher(algorithms.AES(linkage.derive(f"{name} {what}")), modes.ECB()).encryptor()  # noqa: S305 - a permutation, not encryption
            for what in ("offsets", "elements")
        )

    def encode(
        self, salt: Words, one: Ragged, other: Ragged
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
        """The filters (records, bytes) and their keys (records, keys). Without a value of either
        field, both are zero.
        """
        blooms = np.zeros((len(salt), self._item.bits // 8), dtype=np.uint8)
        keys = np.zeros((len(salt), self._item.keys), dtype=np.uint32)
        # Many features first, so that a step of the min-hashes works on the first rows only.
        features = one.lengths * other.lengths
        order = np.argsort(-features, kind="stable")[: np.count_nonzero(features)]
        for at in range(0, len(order), _AT_A_TIME):
            rows = order[at : at + _AT_A_TIME]
            blooms[rows], keys[rows] = self._chunk(
                salt[rows], _taken(one, rows), _taken(other, rows)
            )
        return blooms, keys

    def _chunk(
        self, salt: Words, one: Ragged, other: Ragged
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
        n, elements, bits = len(salt), self._item.elements, self._item.bits
        least = self._min_hashes(salt, _pairs(one, other), one.lengths * other.lengths)
        blocks = np.empty((n, elements, 2), dtype=np.uint64)
        blocks[:, :, 0] = salt[:, :1] + np.arange(elements, dtype=np.uint64)
        blocks[:, :, 1] = salt[:, 1:] ^ least
        mixed = np.frombuffer(self._elements.update(blocks.tobytes()), dtype="<u4").reshape(
            n, elements, 4
        )
        positions = (mixed[:, :, 0] & np.uint32(bits - 1)).astype(np.int64)
        flags = np.zeros((n, bits), dtype=bool)
        flags[np.arange(n)[:, None], positions] = True
        keys = np.maximum(mixed[:, : self._item.keys, 1], _LEAST)
        return np.packbits(flags, axis=1, bitorder="little"), keys

    def _min_hashes(self, salt: Words, features: list[Words], counts: NDArray[np.int64]) -> Words:
        """For each element, the two features that are nearest to its secret numbers, as one word:
        (records, elements). `features` holds the first feature of every record, then the second of
        those that have one, and so on.
        """
        n, elements = len(salt), self._item.elements
        blocks = np.empty((n, elements // 2, 2), dtype=np.uint64)
        blocks[:, :, 0] = salt[:, :1] + np.arange(elements // 2, dtype=np.uint64)
        blocks[:, :, 1] = salt[:, 1:]
        secret = np.frombuffer(self._offsets.update(blocks.tobytes()), dtype="<u4").reshape(
            n, 2, elements
        )
        low, high = np.ascontiguousarray(secret[:, 0]), np.ascontiguousarray(secret[:, 1])
        least_low = np.full((n, elements), 0xFFFF_FFFF, dtype=np.uint32)
        least_high = least_low.copy()
        for feature in features:
            m = len(feature)
            words = feature.view("<u4").reshape(m, 2)
            np.minimum(least_low[:m], words[:, :1] ^ low[:m], out=least_low[:m])
            np.minimum(least_high[:m], words[:, 1:] ^ high[:m], out=least_high[:m])
        return least_low.astype(np.uint64) | (least_high.astype(np.uint64) << np.uint64(32))


def _taken(lists: Ragged, rows: NDArray[np.int64]) -> Ragged:
    return Ragged(lists.flat, lists.starts[rows], lists.lengths[rows])


def _pairs(one: Ragged, other: Ragged) -> list[Words]:
    """The pairs of two fields, mixed: the first pair of all records, then the second of those that
    have one. Records come with the most pairs first.
    """
    counts = one.lengths * other.lengths
    steps = np.arange(counts.max())
    alive = np.searchsorted(-counts, -steps, side="left")
    found = []
    for step, m in zip(steps.tolist(), alive.tolist(), strict=True):
        first, second = np.divmod(step, other.lengths[:m])
        sums = one.flat[one.starts[:m] + first] + other.flat[other.starts[:m] + second]
        sums = (sums ^ (sums >> np.uint64(30))) * _ODD[0]
        sums = (sums ^ (sums >> np.uint64(27))) * _ODD[1]
        found.append(np.ascontiguousarray(sums ^ (sums >> np.uint64(31))))
    return found
