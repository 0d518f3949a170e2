"""Analytics' database within one transaction: bulk upserts, withdrawals, and reading all rows for a
cut.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from childlink_analytics.releasing.store import tables as t

_ROWS_AT_A_TIME: Final = 50_000
_OPEN_TRACES: Final = 1_000


class Store:
    """The store, within one transaction."""

    def __init__(self, tx: sa.Connection) -> None:
        self._tx = tx

    def put_observations(self, rows: Sequence[dict[str, Any]]) -> None:
        """Store rows. A row with the same partner and reference replaces the old one."""
        self._upsert(t.observation, rows)

    def put_links(self, rows: Sequence[dict[str, Any]]) -> None:
        """Store links. A newer version replaces the old one; an older version changes nothing."""
        self._upsert(t.link, rows, only_newer="version")

    def withdraw(self, partner: str, references: Iterable[bytes]) -> None:
        """Delete rows, and all rows about subjects, by reference. If the subject is an adult on a
        child's row, the row stays without the adult.
        """
        c = t.observation.c
        for reference in references:
            row_or_child = sa.or_(c.row_reference == reference, c.child_reference == reference)
            alone = sa.and_(c.adult_reference == reference, c.child_reference.is_(None))
            self._tx.execute(
                t.observation.delete().where(c.partner == partner, sa.or_(row_or_child, alone))
            )
            with_child = t.observation.update().where(
                c.partner == partner, c.adult_reference == reference
            )
            self._tx.execute(with_child.values(adult_reference=None))

    def observations(self) -> Iterator[pa.RecordBatch]:
        """All observations, as Arrow batches."""
        yield from self._stream(
            t.observation,
            ("partner", "dataset", "month", "child_reference", "adult_reference", "attributes"),
        )

    def links(self) -> Iterator[pa.RecordBatch]:
        """All links, as Arrow batches."""
        yield from self._stream(t.link, ("partner", "reference", "person", "family"))

    def with_rows(self, datasets: Iterable[str], until: date) -> set[str]:
        """Those of the datasets of which a row up to the month of a day is linked."""
        o, link = t.observation.c, t.link.c
        linked = sa.exists().where(
            link.partner == o.partner,
            link.reference.in_([o.child_reference, o.adult_reference]),
            link.person.is_not(None),
        )
        return {
            name
            for name in datasets
            if self._tx.execute(
                sa.select(sa.literal(1))
                .where(o.dataset == name, o.month <= until.isoformat()[:7], linked)
                .limit(1)
            ).first()
        }

    def note_progress(
        self, partner: str, kind: Literal["needed", "linked"], epoch: int, sequence: int
    ) -> None:
        """Record how far a partner's encodings must be linked for its rows ("needed"), or are
        linked ("linked"). The position never decreases.
        """
        known = self.progress(kind).get(partner)
        if known is None or known < (epoch, sequence):
            row = {"partner": partner, "kind": kind, "epoch": epoch, "sequence": sequence}
            self._upsert(t.progress, [row])

    def progress(self, kind: Literal["needed", "linked"]) -> dict[str, tuple[int, int]]:
        """Epoch and sequence number by partner."""
        rows = self._tx.execute(sa.select(t.progress).where(t.progress.c.kind == kind))
        return {row.partner: (row.epoch, row.sequence) for row in rows}

    def behind(self) -> list[str]:
        """Partners with rows that arrived before their links. A cut now would leave those rows
        out.
        """
        linked = self.progress("linked")
        return sorted(
            partner
            for partner, needed in self.progress("needed").items()
            if linked.get(partner, (0, 0)) < needed
        )

    def note_traces(self, traceparents: Iterable[str], at_ms: int) -> None:
        """Remember the traces of batches for the release that will count them, up to a limit."""
        room = (
            _OPEN_TRACES
            - self._tx.execute(sa.select(sa.func.count()).select_from(t.open_trace)).scalar_one()
        )
        rows = [{"traceparent": traceparent, "at_ms": at_ms} for traceparent in traceparents]
        self._upsert(t.open_trace, rows[: max(0, room)])

    def open_traces(self) -> list[str]:
        """The remembered traces, oldest first."""
        c = t.open_trace.c
        return list(
            self._tx.execute(sa.select(c.traceparent).order_by(c.at_ms, c.traceparent)).scalars()
        )

    def close_traces(self, before_ms: int) -> list[str]:
        """Delete the traces from before this time, and return them."""
        c = t.open_trace.c
        gone = list(
            self._tx.execute(
                sa.select(c.traceparent).where(c.at_ms < before_ms).order_by(c.at_ms)
            ).scalars()
        )
        self._tx.execute(t.open_trace.delete().where(c.at_ms < before_ms))
        return gone

    def parameter_versions(self) -> list[str]:
        """Versions of the match parameters under which links were made."""
        column = t.link.c.parameter_version
        return list(
            self._tx.execute(
                sa.select(column).where(column != "").distinct().order_by(column)
            ).scalars()
        )

    def expire(self, before: Mapping[str, str]) -> dict[str, int]:
        """Delete rows of datasets from before the given month ("YYYY-MM"). Returns the number of
        deleted rows by dataset.
        """
        c = t.observation.c
        gone = {}
        for dataset, month in before.items():
            statement = t.observation.delete().where(c.dataset == dataset, c.month < month)
            gone[dataset] = self._tx.execute(statement).rowcount
        return gone

    def _upsert(
        self, table: sa.Table, rows: Sequence[dict[str, Any]], only_newer: str | None = None
    ) -> None:
        if not rows:
            return
        dialect: Any = postgresql if self._tx.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(table)
        keys = [column.name for column in table.primary_key]
        values = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
        newer = statement.excluded[only_newer] > table.c[only_newer] if only_newer else None
        self._tx.execute(
            statement.on_conflict_do_update(index_elements=keys, set_=values, where=newer), rows
        )

    def _stream(self, table: sa.Table, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        types = {
            "partner": pa.string(),
            "dataset": pa.string(),
            "month": pa.string(),
            "attributes": pa.string(),
        }
        schema = pa.schema([(name, types.get(name, pa.binary())) for name in names])
        result = self._tx.execution_options(stream_results=True).execute(
            sa.select(*(table.c[name] for name in names))
        )
        for chunk in result.partitions(_ROWS_AT_A_TIME):
            columns = list(zip(*chunk, strict=True))
            yield pa.record_batch(
                [
                    pa.array(column, type=field.type)
                    for column, field in zip(columns, schema, strict=True)
                ],
                schema,
            )
