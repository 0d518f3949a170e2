"""Blocking: selects the pairs of records to compare, which are those that share a key. Rule: arrays
in, arrays out.

A key has 64 bits. It is made from a token. In the date-of-birth pass it is made from a token and
one segment, because thousands of records share a date.

Two records with the same date of birth are compared if one of these agrees:

* the names, in either order, or with a second given name or a nickname for the given name;
* the sound, the beginning or the end of the names;
* one of the keys of the filter of both names;
* the postcode;
* the given name and the district.

A shared date alone is not enough.

CLKs are compared if one of their bands agrees or, under a profile with a salt, if their block
tokens do.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
from childlink_core.profiles import Clk, Profile
from numpy.typing import NDArray

from childlink_linker.matching.encodings import Encodings, PassColumns
from childlink_linker.records import LARGEST_BLOCK

Keys = NDArray[np.int64]
Indexes = NDArray[np.int64]
DOB_PASS, NAME_PASS, MOTHER_NUMBER_PASS, MOTHER_NAME_PASS = 1, 2, 3, 4
NUMBER_PASS, PLACE_PASS, CHILD_NUMBER_PASS, CHILD_NAME_PASS = 5, 6, 7, 8
_KEYS_OF_A_DATE: Final = (
    ("given_family", "surname"),
    ("given_sound", "surname_sound"),
    ("given_start", "surname"),
    ("given_end", "surname"),
    ("given", "surname_start"),
    ("given", "surname_end"),
    ("given", "district"),
    ("postcode",),
)
# A second given name may equal another's first, so these give one kind of key.
_NAMES_OF_A_DATE: Final = (
    ("given", "surname"),
    ("given_2", "surname"),
    ("given_3", "surname"),
    ("given_without_2", "surname"),
    ("given_without_3", "surname"),
    ("given", "surname_without_2"),
    ("given", "surname_without_3"),
)
_SPREAD: Final = np.uint64(0x9E37_79B9_7F4A_7C15)


def keys(encodings: Encodings, profile: Profile) -> tuple[Keys, Indexes]:
    """All keys of all records, and the record that each key belongs to. The order is not
    defined.
    """
    found = [(_mix(encodings.nhs, 0), np.flatnonzero(encodings.nhs))]
    for item in profile.passes:
        columns = encodings.passes[item.number]
        if not item.candidates:
            continue
        if item.clk and item.clk.bands:
            found += _band_keys(columns, item.number, item.clk)
            continue
        if item.number != DOB_PASS:
            found.append((_mix(columns.tokens, item.number), np.flatnonzero(columns.tokens)))
            continue
        of_filters = range(len(item.segments), item.columns)
        for at, segment in [*enumerate(item.segments), *((at, ()) for at in of_filters)]:
            if at in of_filters or segment in _KEYS_OF_A_DATE or segment in _NAMES_OF_A_DATE:
                own = columns.segments[:, at].astype(np.uint64)
                kind = 15 if segment in _NAMES_OF_A_DATE else 16 + at
                found.append(
                    (_mix(columns.tokens ^ (own << np.uint64(32)), kind), np.flatnonzero(own))
                )
    return np.concatenate([values[at] for values, at in found]), np.concatenate(
        [at for _, at in found]
    )


def _band_keys(columns: PassColumns, number: int, clk: Clk) -> list[tuple[Keys, Indexes]]:
    """A key for each band: so many bits of the CLK, one band after another. The bits were moved by
    a secret permutation before (see `intake`), so each band is a random sample of them.
    """
    at = np.flatnonzero(columns.tokens)
    bits = np.unpackbits(
        columns.filters[at].view(np.uint8), axis=1, count=clk.bands * clk.band_bits
    ).reshape(len(at), clk.bands, clk.band_bits)
    sampled = bits.astype(np.uint64) @ (np.uint64(1) << np.arange(clk.band_bits, dtype=np.uint64))
    found = []
    for band in range(clk.bands):
        keys = np.zeros(len(columns.tokens), dtype=np.uint64)
        keys[at] = columns.tokens[at] ^ (sampled[:, band] << np.uint64(32)) ^ np.uint64(band << 16)
        found.append((_mix(keys, number), at))
    return found


def pairs_of(keys: Keys, records: Indexes) -> NDArray[np.int64]:
    """All pairs of records that share a key, except placeholder keys. Shape (pairs, 2). Each pair
    occurs once, with the smaller index first.
    """
    order = np.argsort(keys)
    keys, records = keys[order], records[order]
    starts = (
        np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        if len(keys)
        else np.zeros(0, dtype=np.int64)
    )
    sizes = np.diff(np.r_[starts, len(keys)])
    parts = []
    for size in np.unique(sizes[(sizes > 1) & (sizes <= LARGEST_BLOCK)]).tolist():
        members = records[starts[sizes == size][:, None] + np.arange(size)]
        i, j = np.triu_indices(size, k=1)
        parts.append(np.stack([members[:, i].ravel(), members[:, j].ravel()], axis=1))
    if not parts:
        return np.zeros((0, 2), dtype=np.int64)
    pairs = np.sort(np.concatenate(parts), axis=1)
    packed = np.unique(pairs[:, 0] << 32 | pairs[:, 1])
    return np.stack([packed >> 32, packed & 0xFFFF_FFFF], axis=1)


def pairs_in_parts(keys: Keys, records: Indexes, most: int) -> Iterator[NDArray[np.int64]]:
    """`pairs_of` in parts of about `most` pairs, to limit memory.

    A pair that shares several keys can be in several parts. The input may repeat a key of a record.
    """
    order = np.lexsort((records, keys))
    keys, records = keys[order], records[order]
    fresh = (
        np.flatnonzero(np.r_[True, (np.diff(keys) != 0) | (np.diff(records) != 0)])
        if len(keys)
        else order
    )
    keys, records = keys[fresh], records[fresh]
    starts = np.flatnonzero(np.r_[True, np.diff(keys) != 0]) if len(keys) else order
    sizes = np.diff(np.r_[starts, len(keys)])
    pairs = np.where(sizes <= LARGEST_BLOCK, sizes * (sizes - 1) // 2, 0)
    part_of = np.cumsum(pairs) // most
    cuts = starts[np.flatnonzero(np.r_[True, np.diff(part_of) != 0])] if len(keys) else starts
    for start, end in pairwise([*cuts.tolist(), len(keys)]):
        yield pairs_of(keys[start:end], records[start:end])


def pairs_of_one_date(encodings: Encodings) -> NDArray[np.int64]:
    """All pairs of records with the same date of birth, whatever else they share. They show how
    often unrelated records agree by chance. None under a profile of CLKs.
    """
    if DOB_PASS not in encodings.passes:
        return np.zeros((0, 2), dtype=np.int64)
    tokens = encodings.passes[DOB_PASS].tokens
    at = np.flatnonzero(tokens)
    return pairs_of(tokens[at].view(np.int64), at)


def _mix(values: NDArray[np.uint64], kind: int) -> Keys:
    """Spread hashed values differently for each kind of key."""
    mixed: Keys = ((values ^ np.uint64(kind)) * _SPREAD).view(np.int64)
    return mixed
