"""The stage: where the items and rows of the run that is being read wait, on disk, until all of it is known to be good.

A distribution sort: items go into files by the first bits of their references, and come back file by file, in the order of their
references. References are keyed hashes, so the order in which items leave tells nothing of the file's; memory stays flat, and
the disk is written from front to back. Holds references, digests and encodings, never an identifier; deleted after the run,
and by the next one if it was killed.
"""

import shutil
import struct
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from childlink_ingest.errors import SpoolError
from childlink_ingest.items import Half, StagedItem, StagedRow

BUCKETS: Final = 64
_SHIFT: Final = 2  # 256 first bytes / BUCKETS
# reference, digest, facet, companion, also, which of the last three there are, length of the payload that follows
_HEAD: Final = struct.Struct("<16s16s4s16s16sBI")
ROW: Final = np.dtype([("number", "<u8"), ("observation", "V16"), ("child", "V16"), ("adult", "V16"), ("has", "u1")])
_ROW: Final = struct.Struct("<Q16s16s16sB")
_FACET, _COMPANION, _ALSO = 1, 2, 4
_CHILD, _ADULT = 1, 2
Buckets = dict[int, bytes]
"""Packed items or rows, by bucket."""


def pack_items(items: Iterable[StagedItem]) -> Buckets:
    """Items as they are staged."""
    parts: dict[int, list[bytes]] = {}
    pack = _HEAD.pack
    for reference, facet, digest, payload, companion, also in items:
        has = (_FACET if facet else 0) | (_COMPANION if companion else 0) | (_ALSO if also else 0)
        part = parts.setdefault(reference[0] >> _SHIFT, [])
        part.append(pack(reference, digest, facet, companion or b"", also or b"", has, len(payload)))
        part.append(payload)
    return {bucket: b"".join(part) for bucket, part in parts.items()}


def pack_rows(rows: Iterable[StagedRow]) -> Buckets:
    """Rows as they are staged, by the bucket of their observation."""
    parts: dict[int, list[bytes]] = {}
    for number, observation, child, adult in rows:
        has = (_CHILD if child else 0) | (_ADULT if adult else 0)
        packed = _ROW.pack(number, observation, child or b"", adult or b"", has)
        parts.setdefault(observation[0] >> _SHIFT, []).append(packed)
    return {bucket: b"".join(part) for bucket, part in parts.items()}


def unpack_items(packed: bytes) -> Iterator[StagedItem]:
    """The items, in the order in which they were packed."""
    at, end, size = 0, len(packed), _HEAD.size
    unpack = _HEAD.unpack_from
    while at < end:
        reference, digest, facet, companion, also, has, length = unpack(packed, at)
        at += size
        yield StagedItem(
            reference, facet if has & _FACET else b"", digest, packed[at : at + length],
            companion if has & _COMPANION else None, also if has & _ALSO else None,
        )  # fmt: skip
        at += length


def unpack_rows(packed: bytes) -> NDArray[np.void]:
    """Rows as an array of `ROW`."""
    return np.frombuffer(bytearray(packed), dtype=ROW)


def without_rows(
    rows: Buckets, observations: Buckets, subjects: Buckets, numbers: Set[int]
) -> tuple[Buckets, Buckets, Buckets]:
    """A chunk without some of its rows, by number, and without the subjects who are on none of the others."""
    about: set[bytes] = set()
    kept: Buckets = {}
    kept_observations: Buckets = {}
    for bucket, packed in rows.items():
        found = unpack_rows(packed)
        good = ~np.isin(found["number"], list(numbers))
        kept[bucket] = found[good].tobytes()
        # The observations of a bucket stand in the order of its rows.
        items = zip(unpack_items(observations[bucket]), good.tolist(), strict=True)
        kept_observations |= pack_items(item for item, wanted in items if wanted)
        for role in ("child", "adult"):
            about |= {reference.tobytes() for reference in found[role][good & has_role(found, role)]}
    kept_subjects: Buckets = {}
    for packed in subjects.values():
        kept_subjects |= pack_items(item for item in unpack_items(packed) if item.reference in about)
    return kept, kept_observations, kept_subjects


def has_role(rows: NDArray[np.void], role: Literal["child", "adult"]) -> NDArray[np.bool_]:
    """Which rows are about somebody of a role."""
    has: NDArray[np.bool_] = (rows["has"] & (_CHILD if role == "child" else _ADULT)) > 0
    return has


def bucket_range(bucket: int) -> tuple[bytes, bytes]:
    """The least reference of a bucket, and what is greater than all of its references."""
    last = bucket == BUCKETS - 1
    return bytes((bucket << _SHIFT,)), b"\xff" * 17 if last else bytes((bucket + 1 << _SHIFT,))


class Stage:
    """Open with `open_stage`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = np.zeros(0, dtype=np.uint64)

    def add(self, half: Half | Literal["rows"], packed: Buckets) -> None:
        """Append packed items of a half, or packed rows."""
        try:
            for bucket, content in packed.items():
                with self._path(half, bucket).open("ab") as file:
                    file.write(content)
        except OSError as error:
            raise _full(self._folder, error) from None

    def repeats(self, rows: Iterable[bytes]) -> set[int]:
        """Numbers of those packed rows whose observation an earlier row has, of this run or of this call.

        Notes them all. Tells references by their first 8 bytes: two of ten million that differ are taken for one with a
        chance of about one in 400,000.
        """
        found = np.concatenate([unpack_rows(packed) for packed in rows] or [np.zeros(0, dtype=ROW)])
        found = found[np.argsort(found["number"], kind="stable")]
        keys = _prefixes(found["observation"])
        unique, first = np.unique(keys, return_index=True)
        repeated = np.ones(len(keys), dtype=bool)
        repeated[first] = False
        repeated |= is_in(keys, self._seen)
        self._seen = np.sort(np.concatenate([self._seen, unique]), kind="stable")
        return set(found["number"][repeated].tolist())

    def items(self, half: Half) -> Iterator[tuple[int, list[StagedItem]]]:
        """Each bucket with its items, in the order of their references; of several with one reference and facet, the last."""
        for bucket in range(BUCKETS):
            path = self._path(half, bucket)
            if path.exists():
                newest = {(item.reference, item.facet): item for item in unpack_items(path.read_bytes())}
                yield bucket, [newest[key] for key in sorted(newest)]

    def rows(self, bucket: int) -> NDArray[np.void]:
        """The rows of a bucket of observations, as an array of `ROW`."""
        path = self._path("rows", bucket)
        return unpack_rows(path.read_bytes()) if path.exists() else np.zeros(0, dtype=ROW)

    def _path(self, half: str, bucket: int) -> Path:
        return self._folder / f"{half}.{bucket}"


class ItemNumbers:
    """Which number in the spool an encoding's reference has: 16 bytes of memory each. Built in the order of the references."""

    def __init__(self) -> None:
        self._prefixes: list[NDArray[np.uint64]] = []
        self._numbers: list[NDArray[np.int64]] = []

    def add(self, references: Sequence[bytes], numbers: Sequence[int]) -> None:
        """Note references, in order."""
        self._prefixes.append(_prefixes(np.frombuffer(b"".join(references), dtype="V16")))
        self._numbers.append(np.array(numbers, dtype=np.int64))

    def of(self, references: NDArray[np.void]) -> NDArray[np.int64]:
        """The number of each reference; 0 for one that is not known."""
        if not self._prefixes:
            return np.zeros(len(references), dtype=np.int64)
        self._prefixes, self._numbers = [np.concatenate(self._prefixes)], [np.concatenate(self._numbers)]
        wanted, known = _prefixes(references), self._prefixes[0]
        at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        return np.where(known[at] == wanted, self._numbers[0][at], 0)


def is_in(values: NDArray[np.uint64], ordered: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which of the values are among the ordered ones."""
    if not len(ordered):
        return np.zeros(len(values), dtype=bool)
    found: NDArray[np.bool_] = ordered[np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)] == values
    return found


def _prefixes(references: NDArray[np.void]) -> NDArray[np.uint64]:
    """The first 8 bytes of references (16 bytes each) as numbers of the same order."""
    return np.frombuffer(references.tobytes(), dtype=">u8")[::2].astype(np.uint64)


@contextmanager
def open_stage(spool: Path) -> Iterator[Stage]:
    """An empty stage beside a spool, gone afterwards."""
    folder = spool.with_name(f"{spool.name}.stage")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise _full(folder, error) from None
    try:
        yield Stage(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _full(folder: Path, error: OSError) -> SpoolError:
    return SpoolError(
        f"{folder} cannot be written ({error.strerror}).",
        "Free disk space or correct the permissions, and run again. Nothing was sent.",
    )
