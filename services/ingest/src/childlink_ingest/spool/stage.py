"""The stage: items and rows of the current run wait here, on disk, until the whole run is valid.

It is a distribution sort. Items go into files by the first bits of their references, and come back
file by file in the order of their references. References are keyed hashes, so the order of sending
reveals nothing about the order in the extract. Memory use stays constant, and the disk is written
sequentially. The stage holds references, digests and encodings, never an identifier. It is deleted
after the run, or by the next run if the process was killed.
"""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from childlink_ingest.errors import SpoolError
from childlink_ingest.model.items import Half, StagedItem
from childlink_ingest.spool.packing import (
    BUCKETS,
    ROW,
    Buckets,
    prefixes,
    unpack_items,
    unpack_rows,
)


class Stage:
    """The stage of one run. Use `open_stage`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = np.zeros(0, dtype=np.uint64)

    def add(self, half: Half | Literal["rows"], packed: Buckets) -> None:
        """Append packed items of a half, or packed rows. Raises SpoolError."""
        try:
            for bucket, content in packed.items():
                with self._path(half, bucket).open("ab") as file:
                    file.write(content)
        except OSError as error:
            raise _full(self._folder, error) from None

    def repeats(self, rows: Iterable[bytes]) -> set[int]:
        """Numbers of the packed rows that repeat the observation of an earlier row of this run.

        All rows are recorded. References are compared by their first 8 bytes: among ten million
        different references, two collide with a chance of about 1 in 400,000.
        """
        found = np.concatenate([unpack_rows(packed) for packed in rows] or [np.zeros(0, dtype=ROW)])
        found = found[np.argsort(found["number"], kind="stable")]
        keys = prefixes(found["observation"])
        unique, first = np.unique(keys, return_index=True)
        repeated = np.ones(len(keys), dtype=bool)
        repeated[first] = False
        repeated |= is_in(keys, self._seen)
        self._seen = np.sort(np.concatenate([self._seen, unique]), kind="stable")
        return set(found["number"][repeated].tolist())

    def items(self, half: Half) -> Iterator[tuple[int, list[StagedItem]]]:
        """Yield each bucket with its items, in the order of their references.

        If several items have the same reference and facet, the last one counts.
        """
        for bucket in range(BUCKETS):
            path = self._path(half, bucket)
            if path.exists():
                newest = {
                    (item.reference, item.facet): item for item in unpack_items(path.read_bytes())
                }
                yield bucket, [newest[key] for key in sorted(newest)]

    def rows(self, bucket: int) -> NDArray[np.void]:
        """The rows of a bucket of observations, as an array of `ROW`."""
        path = self._path("rows", bucket)
        return unpack_rows(path.read_bytes()) if path.exists() else np.zeros(0, dtype=ROW)

    def _path(self, half: str, bucket: int) -> Path:
        return self._folder / f"{half}.{bucket}"


class ItemNumbers:
    """Item ids in the spool, by encoding reference. Uses 16 bytes of memory each.

    References must be added in order.
    """

    def __init__(self) -> None:
        self._prefixes: list[NDArray[np.uint64]] = []
        self._numbers: list[NDArray[np.int64]] = []

    def add(self, references: Sequence[bytes], numbers: Sequence[int]) -> None:
        """Add references and their ids, in order."""
        self._prefixes.append(prefixes(np.frombuffer(b"".join(references), dtype="V16")))
        self._numbers.append(np.array(numbers, dtype=np.int64))

    def of(self, references: NDArray[np.void]) -> NDArray[np.int64]:
        """The id of each reference; 0 if it is unknown."""
        if not self._prefixes:
            return np.zeros(len(references), dtype=np.int64)
        self._prefixes, self._numbers = (
            [np.concatenate(self._prefixes)],
            [np.concatenate(self._numbers)],
        )
        wanted, known = prefixes(references), self._prefixes[0]
        at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        return np.where(known[at] == wanted, self._numbers[0][at], 0)


def is_in(values: NDArray[np.uint64], ordered: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Mark the values that are in `ordered`."""
    if not len(ordered):
        return np.zeros(len(values), dtype=bool)
    found: NDArray[np.bool_] = (
        ordered[np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)] == values
    )
    return found


@contextmanager
def open_stage(spool: Path) -> Iterator[Stage]:
    """Yield an empty stage next to the spool, and delete it afterwards. Raises SpoolError."""
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
        "Nothing was sent. Free disk space or correct the permissions, then run again.",
    )
