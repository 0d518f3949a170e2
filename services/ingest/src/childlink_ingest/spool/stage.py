"""The stage: where the items and rows of the run that is being read wait, on disk, until all of it
is known to be good.

A distribution sort: items go into files by the first bits of their references, and come back file
by file, in the order of their references. References are keyed hashes, so the order in which items
leave tells nothing of the file's; memory stays flat, and the disk is written from front to back.
Holds references, digests and encodings, never an identifier; deleted after the run, and by the next
one if it was killed.
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
        """Numbers of those packed rows whose observation an earlier row has, of this run or of this
        call.

        Notes them all. Tells references by their first 8 bytes: two of ten million that differ are
        taken for one with a chance of about one in 400,000.
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
        """Each bucket with its items, in the order of their references; of several with one
        reference and facet, the last.
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
    """Which number in the spool an encoding's reference has: 16 bytes of memory each. Built in the
    order of the references.
    """

    def __init__(self) -> None:
        self._prefixes: list[NDArray[np.uint64]] = []
        self._numbers: list[NDArray[np.int64]] = []

    def add(self, references: Sequence[bytes], numbers: Sequence[int]) -> None:
        """Note references, in order."""
        self._prefixes.append(prefixes(np.frombuffer(b"".join(references), dtype="V16")))
        self._numbers.append(np.array(numbers, dtype=np.int64))

    def of(self, references: NDArray[np.void]) -> NDArray[np.int64]:
        """The number of each reference; 0 for one that is not known."""
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
    """Which of the values are among the ordered ones."""
    if not len(ordered):
        return np.zeros(len(values), dtype=bool)
    found: NDArray[np.bool_] = (
        ordered[np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)] == values
    )
    return found


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
