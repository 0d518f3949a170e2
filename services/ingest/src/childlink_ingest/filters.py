"""The bits of salted filters: features, their digests, the permutation under a salt's key, diffusion. Rule: arrays in, arrays out.

A value's features and a feature's digest never change under one linkage secret, so both are remembered, as numbers, for all passes.
"""

import hashlib
from array import array
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from childlink_core.profiles import FilterField, Pass, Profile
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

DIGEST_BYTES: Final = 16
MOST_BITS_OF_A_FEATURE: Final = 8
_WORDS_PER_DIGEST: Final = MOST_BITS_OF_A_FEATURE
_MOST_VALUES: Final = 500_000
Permute = Callable[[bytes | memoryview], bytes]
_ECB: Final = modes.ECB()  # noqa: S305 - a pseudo-random permutation of digests, not encryption


def features(kind: str, value: str) -> list[str]:
    """Cut a value into features.

    >>> features("bigrams", "amy lu")
    [' a', 'am', 'my', 'y ', ' l', 'lu', 'u ']
    >>> features("positions", "SW9"), features("whole", "f")
    (['0S', '1W', '29'], ['f'])
    """
    match kind:
        case "bigrams" | "given":
            return list(dict.fromkeys(f" {word} "[i : i + 2] for word in value.split() for i in range(len(word) + 1)))
        case "positions" | "postcode":
            return [f"{index}{character}" for index, character in enumerate(value)]
        case _:
            return [value]


def spread(kind: str, value: str, parts: Sequence[str], bits: int) -> list[int]:
    """How many bits each feature sets, so that every value sets about as many. Three quarters are those of the first given name, and
    of a postcode's inward part.

    >>> spread("bigrams", "amy", features("bigrams", "amy"), 30)
    [8, 8, 7, 7]
    >>> spread("given", "amy lu", features("given", "amy lu"), 32)
    [6, 6, 6, 6, 3, 3, 2]
    >>> spread("postcode", "SW98JJ", features("postcode", "SW98JJ"), 32)
    [3, 3, 2, 8, 8, 8]
    """
    most = bits * 3 // 4
    if kind == "postcode":
        return _share(bits - most, len(parts) - 3) + _share(most, 3)
    first = len(features(kind, value.split(" ", 1)[0])) if kind == "given" else len(parts)
    if first >= len(parts):
        return _share(bits, len(parts))
    return _share(most, first) + _share(bits - most, len(parts) - first)


def _share(bits: int, parts: int) -> list[int]:
    each, rest = divmod(bits, parts)
    return [min(MOST_BITS_OF_A_FEATURE, each + (number < rest)) for number in range(parts)]


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
        self._bits = array("B")
        self._digests = bytearray()

    def forget_if_large(self) -> None:
        """Bound the memory. Numbers given before are void afterwards."""
        if len(self._starts) > _MOST_VALUES:
            self._forget()

    def numbers(self, space: str, field: FilterField, column: Sequence[str]) -> NDArray[np.int64]:
        """The number of each value; 0 for ""."""
        known = self._values.setdefault((space, field.field), {"": 0})
        add = self._add
        return np.array([known[v] if v in known else add(known, space, field, v) for v in column], dtype=np.int64)

    def features_of(self, values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.int64]]:
        """The features of every value, row by row end to end; how many bits each sets; and how many features each value has
        (in the shape of `values`)."""
        starts = np.frombuffer(self._starts, dtype=np.int64)[values]
        counts = np.frombuffer(self._counts, dtype=np.int64)[values]
        flat = counts.ravel()
        firsts = np.cumsum(flat) - flat
        at = np.repeat(starts.ravel() - firsts, flat) + np.arange(int(flat.sum()))
        return np.frombuffer(self._features, dtype=np.int64)[at], np.frombuffer(self._bits, dtype=np.uint8)[at], counts

    def digests(self, features: NDArray[np.int64]) -> bytes:
        """The digests of features, end to end."""
        return np.frombuffer(self._digests, dtype=np.dtype((np.void, DIGEST_BYTES)))[features].tobytes()

    def _add(self, known: dict[str, int], space: str, field: FilterField, value: str) -> int:
        numbers = self._feature_numbers.setdefault(space, {})
        parts = features(field.features, value)
        for part in parts:
            if part not in numbers:
                numbers[part] = len(self._digests) // DIGEST_BYTES
                message = f"{space}\0{part}".encode()
                self._digests += hashlib.blake2b(message, key=self._key, digest_size=DIGEST_BYTES).digest()
        self._starts.append(len(self._features))
        self._counts.append(len(parts))
        self._features.extend([numbers[part] for part in parts])
        self._bits.extend(spread(field.features, value, parts, field.bits))
        number = known[value] = len(self._starts) - 1
        return number


def permutation(key: bytes) -> Permute:
    """AES (FIPS 197) under a key, block by block."""
    update: Permute = Cipher(algorithms.AES(key), _ECB).encryptor().update
    return update


class SegmentLayout:
    """A pass's segments: which bytes of a field's encrypted digests choose their bits, and how each is diffused."""

    def __init__(self, item: Pass, profile: Profile, diffusion_key: bytes) -> None:
        self._bits = profile.segment_bits
        self._fields = item.fields
        # A field's digest has two bytes for each bit: its first segment takes the one, its second the other, so that a field's
        # bits in two segments have nothing to do with each other.
        self._holds: list[list[tuple[int, int]]] = [[] for _ in self._fields]
        for number, segment in enumerate(item.segments):
            for name in segment:
                held = self._holds[self._fields.index(name)]
                held.append((number, len(held)))
        self._count = len(item.segments)
        self._tables = [
            diffusion_tables(diffusion_key, number, self._bits, profile.diffusion) for number in range(self._count)
        ]
        size = self._count * self._bits // 8
        self.mask_input = b"".join(b"mask" + at.to_bytes(12, "big") for at in range(-(-size // DIGEST_BYTES)))
        """What is encrypted under a salt's key to make the constant of its segments."""

    def filters(
        self,
        words: bytes,
        bits: NDArray[np.uint8],
        counts: NDArray[np.int64],
        whole: NDArray[np.bool_],
        masks: bytes,
        salt_of: NDArray[np.int64],
    ) -> NDArray[np.uint8]:
        """Filters, a row a subject, from encrypted digests: subject r owns `counts[r]` digests of each field, end to end, each
        setting as many bits as `bits` says. `whole`: which segments each subject has. `masks`: the constants of each salt."""
        n, size = len(counts), self._bits // 8
        chosen = np.frombuffer(words, dtype=np.uint8).reshape(-1, _WORDS_PER_DIGEST, 2)
        flat = counts.ravel()
        owner = np.repeat(np.arange(len(flat)), flat)
        row, field = owner // len(self._fields), owner % len(self._fields)
        grid = np.zeros(n * self._count * self._bits, dtype=np.uint8)
        for number, held in enumerate(self._holds):
            at = np.flatnonzero(field == number)
            used = np.arange(_WORDS_PER_DIGEST, dtype=np.uint8) < bits[at][:, None]
            for segment, byte in held:
                base = (row[at] * self._count + segment) * self._bits
                positions = chosen[at, :, byte].astype(np.int64) + base[:, None]
                grid[positions[used]] = 1
        packed = np.packbits(grid, bitorder="little").reshape(n, self._count, size)
        out = np.empty((n, self._count, size // 8), dtype=np.uint64)
        for segment, table in enumerate(self._tables):
            out[:, segment] = diffuse(packed[:, segment], table)
        laid = np.frombuffer(masks, dtype=np.uint64).reshape(-1, len(self.mask_input) // 8)
        out ^= laid[:, : self._count * size // 8].reshape(-1, self._count, size // 8)[salt_of]
        out *= whole[:, :, None]
        return out.view(np.uint8).reshape(n, -1)


def diffusion_tables(key: bytes, segment: int, bits: int, combined: int) -> NDArray[np.uint64]:
    """What each byte of a segment adds to the bits that leave: (bytes, 256, words). Each bit that leaves is the XOR of
    `combined` different bits, drawn from a stream of SHAKE-256 under the key. `bits` is at most 256 and a multiple of 64."""
    stream = np.frombuffer(hashlib.shake_256(key + bytes((segment,))).digest(64 * bits * combined), dtype=np.uint8)
    drawn = iter((stream.astype(np.int64) % bits).tolist())
    matrix = np.zeros((bits, bits), dtype=np.uint8)
    for leaving in range(bits):
        taken: set[int] = set()
        while len(taken) < combined:
            taken.add(next(drawn))
        matrix[sorted(taken), leaving] = 1
    table = np.zeros((bits // 8, 256, bits // 8), dtype=np.uint8)
    values = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
    for byte in range(bits // 8):
        odd = values @ matrix[byte * 8 : byte * 8 + 8] & 1
        table[byte] = np.packbits(odd, axis=1, bitorder="little")
    return table.view(np.uint64)


def diffuse(segments: NDArray[np.uint8], table: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Diffused segments, as words: a row a subject."""
    columns = np.ascontiguousarray(segments.T)
    out: NDArray[np.uint64] = table[0][columns[0]]
    for byte in range(1, len(table)):
        out ^= table[byte][columns[byte]]
    return out


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
