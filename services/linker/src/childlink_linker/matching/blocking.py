"""Which records are compared at all: those that share a key. Rule: arrays in, arrays out.

A key is 64 bits of what the linker holds: a token, or a token of the date-of-birth pass together
with one of its segments, because thousands share a date. Two records of one date are compared if
their names are the same in whatever order, sound alike, begin or end alike, or their postcode, or
given name and district, is the same; a date alone is no reason to look.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
from childlink_core.profiles import Profile
from numpy.typing import NDArray

from childlink_linker.matching.encodings import Encodings
from childlink_linker.records import LARGEST_BLOCK

Keys = NDArray[np.int64]
Indexes = NDArray[np.int64]
DOB_PASS, NAME_PASS, MOTHER_NUMBER_PASS, MOTHER_NAME_PASS, NUMBER_PASS, PLACE_PASS = (
    1,
    2,
    3,
    4,
    5,
    6,
)
_KEYS_OF_A_DATE: Final = (
    ("given", "surname"),
    ("given_sound", "surname_sound"),
    ("given_start", "surname"),
    ("given_end", "surname"),
    ("given", "surname_start"),
    ("given", "surname_end"),
    ("given", "district"),
    ("postcode",),
)
_SPREAD: Final = np.uint64(0x9E37_79B9_7F4A_7C15)


def keys(encodings: Encodings, profile: Profile) -> tuple[Keys, Indexes]:
    """The keys of all records, and which record each belongs to; in no order."""
    found = [(_mix(encodings.nhs, 0), np.flatnonzero(encodings.nhs))]
    for item in profile.passes:
        columns = encodings.passes[item.number]
        if not item.candidates:
            continue
        if item.number != DOB_PASS:
            found.append((_mix(columns.tokens, item.number), np.flatnonzero(columns.tokens)))
            continue
        for at, segment in enumerate(item.segments):
            if segment in _KEYS_OF_A_DATE:
                own = columns.segments[:, at].astype(np.uint64)
                found.append(
                    (_mix(columns.tokens ^ (own << np.uint64(32)), 16 + at), np.flatnonzero(own))
                )
    return np.concatenate([values[at] for values, at in found]), np.concatenate(
        [at for _, at in found]
    )


def pairs_of(keys: Keys, records: Indexes) -> NDArray[np.int64]:
    """Every two records that share a key that is none of a placeholder: (pairs, 2), each once, the
    smaller first.
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
    """`pairs_of`, about `most` pairs at a time, so that memory is bounded; a pair that shares
    several keys may be in several parts. A record may come with one key more than once.
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
    """Every two records of one date of birth, whatever else they share: what strangers have in
    common is learnt from them.
    """
    tokens = encodings.passes[DOB_PASS].tokens
    at = np.flatnonzero(tokens)
    return pairs_of(tokens[at].view(np.int64), at)


def _mix(values: NDArray[np.uint64], kind: int) -> Keys:
    """Spreads what is already a hash, differently for each kind."""
    mixed: Keys = ((values ^ np.uint64(kind)) * _SPREAD).view(np.int64)
    return mixed
