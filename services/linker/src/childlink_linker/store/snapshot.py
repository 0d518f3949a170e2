"""The content of the store at one moment, as arrays. A new partition is compared with it. Adapter
of SQLAlchemy.

Ten million records take about 600 MB: ids, the subject of each record, digests and current persons.
It holds no encodings.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from childlink_linker.store import tables as t

_ROWS_AT_A_TIME: Final = 50_000
Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Standing:
    """A decision in force."""

    decision_id: int
    smaller_subject_id: int
    larger_subject_id: int
    verdict: str
    steward: str
    """A number instead of the name: the rules need to know whether two stewards differ, not who
    they are.
    """
    asks_second: bool


@dataclass(frozen=True)
class Snapshot:
    """Subjects and records by ascending id."""

    subjects: Ids
    persons: NDArray[np.bytes_]
    """The current person of each subject."""
    records: Ids
    subject_of: Ids
    """The subject of each record."""
    digests: NDArray[np.uint8]
    """(records, 16)."""
    decisions: Sequence[Standing]
    """Oldest first."""
    doubts: Sequence[tuple[int, int, float]]
    """Pairs of subjects that wait for review now."""

    @property
    def newest_record_id(self) -> int:
        """The greatest record id. 0 for an empty store."""
        return int(self.records[-1]) if len(self.records) else 0

    def places_of(self, record_ids: Ids) -> NDArray[np.int32]:
        """The positions in `subjects` of the records' subjects."""
        owners = self.subject_of[np.searchsorted(self.records, record_ids)]
        return self.places(owners)

    def places(self, subject_ids: Ids) -> NDArray[np.int32]:
        """The positions of subjects in `subjects`."""
        return np.searchsorted(self.subjects, subject_ids).astype(np.int32)


@contextmanager
def one_moment(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that sees the store as it is now. Later writes by others are not visible."""
    with engine.connect() as tx:
        if engine.dialect.name == "postgresql":
            tx = tx.execution_options(isolation_level="REPEATABLE READ")  # noqa: PLW2901 - the same connection
        else:
            tx.exec_driver_sql("BEGIN")
        yield tx


def in_batches(tx: sa.Connection, statement: "sa.Select[Any]") -> Iterator[Sequence["sa.Row[Any]"]]:
    """The rows of a statement, in batches."""
    with tx.execute(statement.execution_options(yield_per=_ROWS_AT_A_TIME)) as result:
        yield from result.partitions()


def standing_decisions() -> "sa.Select[Any]":
    """Decisions that were not undone, as `Standing`, oldest first."""
    c = t.decision.c
    steward = sa.cast(sa.func.dense_rank().over(order_by=c.steward), sa.String).label("steward")
    columns = (
        c.decision_id,
        c.smaller_subject_id,
        c.larger_subject_id,
        c.verdict,
        steward,
        c.asks_second,
    )
    return sa.select(*columns).where(c.undone_at_ms.is_(None)).order_by(c.decision_id)


def read_snapshot(tx: sa.Connection) -> Snapshot:
    """Read the store as `tx` sees it."""
    subject, record, pair = t.subject.c, t.record.c, t.review_pair.c
    people = list(
        in_batches(
            tx, sa.select(subject.subject_id, subject.person_id).order_by(subject.subject_id)
        )
    )
    held = [
        (
            np.array([(row.record_id, row.subject_id) for row in rows], dtype=np.int64),
            np.frombuffer(b"".join(row.digest for row in rows), dtype=np.uint8).reshape(-1, 16),
        )
        for rows in in_batches(
            tx,
            sa.select(record.record_id, record.subject_id, record.digest).order_by(
                record.record_id
            ),
        )
    ]
    ids = np.concatenate([np.zeros((0, 2), dtype=np.int64), *(part for part, _ in held)])
    return Snapshot(
        np.array([row.subject_id for rows in people for row in rows], dtype=np.int64),
        np.array([row.person_id or "" for rows in people for row in rows], dtype="S16"),
        np.ascontiguousarray(ids[:, 0]),
        np.ascontiguousarray(ids[:, 1]),
        np.concatenate([np.zeros((0, 16), dtype=np.uint8), *(part for _, part in held)]),
        [Standing(*tuple(row)) for row in tx.execute(standing_decisions())],
        [
            tuple(row)
            for row in tx.execute(
                sa.select(pair.smaller_subject_id, pair.larger_subject_id, pair.weight)
            )
        ],
    )
