"""Packs items and rows for the stage and for travel between processes. No I/O.

They are grouped into buckets by the first bits of their references.
"""

import struct
from collections.abc import Iterable, Iterator, Set
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from childlink_ingest.model.items import StagedItem, StagedRow

BUCKETS: Final = 64
_SHIFT: Final = 2  # 256 first bytes / BUCKETS
# Reference, digest, facet, companion, also, flags for which of the last three are present, and the
# length of the payload that follows.
_HEAD: Final = struct.Struct("<16s16s4s16s16sBI")
ROW: Final = np.dtype(
    [("number", "<u8"), ("observation", "V16"), ("child", "V16"), ("adult", "V16"), ("has", "u1")]
)
_ROW: Final = struct.Struct("<Q16s16s16sB")
_FACET, _COMPANION, _ALSO = 1, 2, 4
_CHILD, _ADULT = 1, 2
Buckets = dict[int, bytes]
"""Packed items or rows, by bucket."""


def pack_items(items: Iterable[StagedItem]) -> Buckets:
    """Pack items for the stage."""
    parts: dict[int, list[bytes]] = {}
    pack = _HEAD.pack
    for reference, facet, digest, payload, companion, also in items:
        has = (_FACET if facet else 0) | (_COMPANION if companion else 0) | (_ALSO if also else 0)
        part = parts.setdefault(reference[0] >> _SHIFT, [])
        part.append(
            pack(reference, digest, facet, companion or b"", also or b"", has, len(payload))
        )
        part.append(payload)
    return {bucket: b"".join(part) for bucket, part in parts.items()}


def pack_rows(rows: Iterable[StagedRow]) -> Buckets:
    """Pack rows for the stage, by the bucket of their observation."""
    parts: dict[int, list[bytes]] = {}
    for number, observation, child, adult in rows:
        has = (_CHILD if child else 0) | (_ADULT if adult else 0)
        packed = _ROW.pack(number, observation, child or b"", adult or b"", has)
        parts.setdefault(observation[0] >> _SHIFT, []).append(packed)
    return {bucket: b"".join(part) for bucket, part in parts.items()}


def unpack_items(packed: bytes) -> Iterator[StagedItem]:
    """Unpack items, in the order in which they were packed."""
    at, end, size = 0, len(packed), _HEAD.size
    unpack = _HEAD.unpack_from
    while at < end:
        reference, digest, facet, companion, also, has, length = unpack(packed, at)
        at += size
        yield StagedItem(
            reference,
            facet if has & _FACET else b"",
            digest,
            packed[at : at + length],
            companion if has & _COMPANION else None,
            also if has & _ALSO else None,
        )
        at += length


def unpack_rows(packed: bytes) -> NDArray[np.void]:
    """Unpack rows as an array of `ROW`."""
    return np.frombuffer(bytearray(packed), dtype=ROW)


def without_rows(
    rows: Buckets, observations: Buckets, subjects: Buckets, numbers: Set[int]
) -> tuple[Buckets, Buckets, Buckets]:
    """Remove rows from a chunk by number, and subjects that are then on no row."""
    about: set[bytes] = set()
    kept: Buckets = {}
    kept_observations: Buckets = {}
    for bucket, packed in rows.items():
        found = unpack_rows(packed)
        good = ~np.isin(found["number"], list(numbers))
        kept[bucket] = found[good].tobytes()
        # The observations of a bucket are in the order of its rows.
        items = zip(unpack_items(observations[bucket]), good.tolist(), strict=True)
        kept_observations |= pack_items(item for item, wanted in items if wanted)
        for role in ("child", "adult"):
            about |= {
                reference.tobytes() for reference in found[role][good & has_role(found, role)]
            }
    kept_subjects: Buckets = {}
    for packed in subjects.values():
        kept_subjects |= pack_items(
            item for item in unpack_items(packed) if item.reference in about
        )
    return kept, kept_observations, kept_subjects


def has_role(rows: NDArray[np.void], role: Literal["child", "adult"]) -> NDArray[np.bool_]:
    """Mark the rows that have a person in this role."""
    has: NDArray[np.bool_] = (rows["has"] & (_CHILD if role == "child" else _ADULT)) > 0
    return has


def bucket_range(bucket: int) -> tuple[bytes, bytes]:
    """The smallest reference of a bucket, and an upper bound greater than all of them."""
    last = bucket == BUCKETS - 1
    return bytes((bucket << _SHIFT,)), b"\xff" * 17 if last else bytes((bucket + 1 << _SHIFT,))


def prefixes(references: NDArray[np.void]) -> NDArray[np.uint64]:
    """The first 8 bytes of references (16 bytes each), as numbers in the same order."""
    return np.frombuffer(references.tobytes(), dtype=">u8")[::2].astype(np.uint64)
