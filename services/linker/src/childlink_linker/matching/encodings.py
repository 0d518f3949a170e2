"""Records as columns, and as the fixed-width rows that the store keeps. Rule: arrays in, arrays
out.

A row holds everything that a record is compared on: its role, source and key version, the first
eight bytes of each token, every segment and every filter. All have been hashed again (see
`intake`). Equal numbers mean equal tokens, whenever they arrived.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from childlink_core.profiles import Profile
from numpy.typing import NDArray

TOKEN_BYTES = 8


@dataclass(frozen=True)
class PassColumns:
    """One pass of n records. Token 0: the record does not carry the pass."""

    tokens: NDArray[np.uint64]
    segments: NDArray[np.uint32]
    """(records, segments and keys of filters); 0 where a record lacks a segment."""
    filters: NDArray[np.uint64]
    """(records, words): the Bloom filters, one after another; 0 where a record lacks one."""


@dataclass(frozen=True)
class Encodings:
    """n records as columns. Equal numbers mean equal tokens, sources or key versions. 0 means
    missing.
    """

    role: NDArray[np.uint8]
    key_version: NDArray[np.uint16]
    nhs: NDArray[np.uint64]
    passes: Mapping[int, PassColumns]
    source: NDArray[np.uint32]
    """From the facet, a hash under the partner's own key: equal facets mean one dataset of one
    partner.
    """
    birth_order: NDArray[np.uint8]
    guessed: NDArray[np.bool_]
    """The date of birth is a guess, or a default that the source uses for unknown dates."""
    many_ids: NDArray[np.bool_]
    """Its source gives an id to each form or visit, so one person may have several."""
    untraced: NDArray[np.bool_]
    """Its source has not traced the NHS number, so it may be mistyped or another person's."""
    multiple: NDArray[np.bool_]
    """A twin whom only a name distinguishes from the co-twin. Set from the order of birth, or from
    the co-twin's record (see `clustering.evidence`).
    """

    def __len__(self) -> int:
        return len(self.nhs)


_NAMED: Final = ("role", "key_version", "nhs", "source", "guessed", "many_ids", "untraced")


@cache
def row_type(profile: Profile) -> np.dtype[np.void]:
    """The layout of a stored row under a profile. It has no padding."""
    fields: list[tuple[str, str] | tuple[str, str, tuple[int]]] = [
        ("role", "u1"),
        ("birth_order", "u1"),
        ("guessed", "?"),
        ("many_ids", "?"),
        ("untraced", "?"),
        ("key_version", "<u2"),
        ("source", "<u4"),
        ("nhs", "<u8"),
    ]
    for item in profile.passes:
        fields += [
            (f"token {item.number}", "<u8"),
            (f"segments {item.number}", "<u4", (item.columns,)),
            (f"filters {item.number}", "<u8", (item.filter_bytes // 8,)),
        ]
    return np.dtype(fields)


def from_rows(rows: Iterable[bytes], profile: Profile) -> Encodings:
    """Read stored rows as columns. Raises ValueError for rows of another profile."""
    return to_columns(np.frombuffer(b"".join(rows), dtype=row_type(profile)), profile)


def to_columns(table: NDArray[np.void], profile: Profile) -> Encodings:
    """Copy each field into an array of its own, so that selecting pairs from one does not touch the
    others.
    """
    columns = {name: np.ascontiguousarray(table[name]) for name in row_type(profile).names or ()}
    passes = {
        item.number: PassColumns(
            columns[f"token {item.number}"],
            columns[f"segments {item.number}"],
            columns[f"filters {item.number}"],
        )
        for item in profile.passes
    }
    named = {name: columns[name] for name in (*_NAMED, "birth_order")}
    return Encodings(passes=passes, multiple=columns["birth_order"] > 1, **named)
