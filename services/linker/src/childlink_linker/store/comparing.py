"""Records in the store, with what comparing them needs: blocking keys and edges."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from childlink_linker.records import LARGEST_BLOCK, StoredRecord
from childlink_linker.store import tables as t
from childlink_linker.store.bulk import BulkRows
from childlink_linker.store.vault import Vault

_HOLDERS_POSTGRESQL: Final = sa.text(
    "SELECT wanted.key, held.record_id FROM unnest(CAST(:keys AS bigint[])) AS wanted(key) CROSS"
    " JOIN LATERAL (SELECT record_id FROM block_key WHERE block_key.key = wanted.key LIMIT :most)"
    " AS held"
)
_HOLDERS_SQLITE: Final = sa.text(
    "SELECT b.key, b.record_id FROM temp.wanted AS w JOIN block_key AS b ON b.key = w.value AND"
    " b.record_id <= coalesce((SELECT record_id FROM block_key WHERE key = w.value ORDER BY"
    " record_id LIMIT 1 OFFSET :last), 9223372036854775807)"
)


class ComparedRecords(BulkRows):
    """Records, their blocking keys, and the edges between them."""

    _vault: Vault

    def next_record_id(self) -> Iterator[int]:
        """Unused record ids, ascending. An id that a waiting proposal knows is not reused, even if
        its record is gone.
        """
        waiting = sa.select(sa.func.max(t.proposal.c.newest_record_id)).where(
            t.proposal.c.state == "waiting"
        )
        known = self.tx.execute(waiting).scalar() or 0
        return itertools.count(max(known + 1, next(self.next_id(t.record.c.record_id))))

    def records_of_subjects(self, ids: Iterable[int]) -> list[StoredRecord]:
        """All records of some subjects."""
        return [
            self._record(row)
            for row in self.rows_in(sa.select(t.record), t.record.c.subject_id, ids)
        ]

    def records(self, ids: Iterable[int]) -> list[StoredRecord]:
        """Records by id."""
        return [
            self._record(row)
            for row in self.rows_in(sa.select(t.record), t.record.c.record_id, ids)
        ]

    def records_after(self, record_id: int, limit: int) -> list[StoredRecord]:
        """The next records in ascending order of id."""
        statement = (
            sa.select(t.record)
            .where(t.record.c.record_id > record_id)
            .order_by(t.record.c.record_id)
            .limit(limit)
        )
        return [self._record(row) for row in self.tx.execute(statement)]

    def insert_records(self, records: Sequence[StoredRecord]) -> None:
        """Insert records with encrypted encodings."""
        self.insert(
            t.record,
            [{**vars(record), "encoding": self._vault.seal(record.encoding)} for record in records],
        )

    def _record(self, row: "sa.Row[Any]") -> StoredRecord:
        encoding = self._vault.open(row.encoding)
        return StoredRecord(
            row.record_id, row.subject_id, row.facet, row.key_version, row.digest, encoding
        )

    def delete_records(self, ids: Iterable[int]) -> None:
        """Delete records with their keys, edges and declared carers."""
        gone = list(ids)
        for column in (
            t.block_key.c.record_id,
            t.edge.c.smaller,
            t.edge.c.larger,
            t.carer.c.record_id,
            t.record.c.record_id,
        ):
            self.delete_in(column, gone)

    def insert_keys(self, keys: NDArray[np.int64], record_ids: NDArray[np.int64]) -> None:
        """Store the blocking keys of records."""
        pairs = np.unique(np.stack([self._vault.blind(keys), record_ids], axis=1), axis=0)
        self.insert_columns(t.block_key, {"key": pairs[:, 0], "record_id": pairs[:, 1]})

    def holders(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The records that hold any of the keys: (keys, record ids). For each key, at most one
        record more than the largest block. The returned keys are blinded; equal keys stay equal.
        """
        wanted = np.unique(self._vault.blind(keys)).tolist()
        if not wanted:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        if self.tx.dialect.name == "postgresql":
            # A placeholder's key can have millions of holders. Each key is looked up separately,
            # with a limit.
            query, parameters = _HOLDERS_POSTGRESQL, {"keys": f"{{{','.join(map(str, wanted))}}}"}
        else:
            self.list_wanted(wanted)
            query, parameters = _HOLDERS_SQLITE, {}
        rows = self.tx.execute(
            query, {**parameters, "most": LARGEST_BLOCK + 1, "last": LARGEST_BLOCK}
        ).all()
        found = np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, 2)
        return found[:, 0], found[:, 1]

    def insert_edges(self, ends: NDArray[np.int64], weights: NDArray[np.float64]) -> None:
        """Write pairs of record ids (pairs, 2), smaller id first, with their match weights."""
        self.insert_columns(
            t.edge, {"smaller": ends[:, 0], "larger": ends[:, 1], "weight": weights}
        )

    def delete_edges(self) -> None:
        """Delete every edge."""
        self.tx.execute(t.edge.delete())

    def neighbours(self, record_ids: Iterable[int]) -> list[tuple[int, int]]:
        """Edges that touch any of the records."""
        ids = list(record_ids)
        columns = (t.edge.c.smaller, t.edge.c.larger)
        rows = itertools.chain(
            *(self.rows_in(sa.select(*columns), column, ids) for column in columns)
        )
        return list({(row.smaller, row.larger) for row in rows})

    def capsule_keys(self, ids: Iterable[int]) -> dict[int, tuple[str, bytes]]:
        """Partner and sealed key of capsule keys, by id."""
        rows = self.rows_in(sa.select(t.capsule_key), t.capsule_key.c.capsule_key_id, ids)
        return {row.capsule_key_id: (row.partner, row.sealed_key) for row in rows}
