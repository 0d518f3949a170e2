"""Bulk reads and writes of the linker's database within one micro-batch's transaction. Adapter of
SQLAlchemy.
"""

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from childlink_linker.records import LARGEST_BLOCK, StoredRecord, StoredSubject
from childlink_linker.store import tables as t
from childlink_linker.store.replay import Event, Identifiers, replay
from childlink_linker.store.vault import Vault

_LOCK: Final = 0x6368_6C6B
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
_COPY_BEGINS: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_ENDS: Final = b"\xff\xff"
# Names of types in PostgreSQL's COPY, where they differ from SQL's.
_COPIED_AS: Final = {
    "bigint": "int8",
    "integer": "int4",
    "smallint": "int2",
    "varchar": "text",
    "float": "float8",
}


class Store:
    """The store, within one transaction."""

    def __init__(self, tx: sa.Connection, vault: Vault) -> None:
        self.tx, self._vault = tx, vault

    def lock(self) -> None:
        """Wait until no other linker process is changing the store. The lock is held until the
        transaction ends.
        """
        if self.tx.dialect.name == "postgresql":
            self.tx.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})

    def next_id(self, column: "sa.Column[int]") -> Iterator[int]:
        """Unused ids of a table, ascending. Call `lock` first."""
        return itertools.count((self.tx.execute(sa.select(sa.func.max(column))).scalar() or 0) + 1)

    def next_record_id(self) -> Iterator[int]:
        """Unused record ids, ascending. An id that a waiting proposal knows is not reused, even if
        its record is gone.
        """
        waiting = sa.select(sa.func.max(t.proposal.c.newest_record_id)).where(
            t.proposal.c.state == "waiting"
        )
        known = self.tx.execute(waiting).scalar() or 0
        return itertools.count(max(known + 1, next(self.next_id(t.record.c.record_id))))

    def subjects_by_key(
        self, keys: Sequence[tuple[str, bytes]]
    ) -> dict[tuple[str, bytes], StoredSubject]:
        """Subjects by (partner, link reference)."""
        wanted = set(keys)
        rows = self._in(
            sa.select(t.subject), t.subject.c.link_reference, [reference for _, reference in wanted]
        )
        found = (StoredSubject(*tuple(row)) for row in rows)
        return {subject.key: subject for subject in found if subject.key in wanted}

    def subjects(self, ids: Iterable[int]) -> dict[int, StoredSubject]:
        """Subjects by id."""
        return {
            row.subject_id: StoredSubject(*tuple(row))
            for row in self._in(sa.select(t.subject), t.subject.c.subject_id, ids)
        }

    def all_subjects(self) -> list[StoredSubject]:
        """Every subject."""
        return [
            StoredSubject(*tuple(row))
            for row in self.tx.execute(sa.select(t.subject).order_by(t.subject.c.subject_id))
        ]

    def subjects_of_persons(self, person_ids: Iterable[str]) -> dict[int, StoredSubject]:
        """Subjects of some persons, by id."""
        return {
            row.subject_id: StoredSubject(*tuple(row))
            for row in self._in(sa.select(t.subject), t.subject.c.person_id, person_ids)
        }

    def records_of_subjects(self, ids: Iterable[int]) -> list[StoredRecord]:
        """All records of some subjects."""
        return [
            self._record(row) for row in self._in(sa.select(t.record), t.record.c.subject_id, ids)
        ]

    def records(self, ids: Iterable[int]) -> list[StoredRecord]:
        """Records by id."""
        return [
            self._record(row) for row in self._in(sa.select(t.record), t.record.c.record_id, ids)
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

    def delete_edges(self) -> None:
        """Delete every edge."""
        self.tx.execute(t.edge.delete())

    def insert_keys(self, keys: NDArray[np.int64], record_ids: NDArray[np.int64]) -> None:
        """Store the blocking keys of records."""
        pairs = np.unique(np.stack([self._vault.blind(keys), record_ids], axis=1), axis=0)
        self.insert_columns(t.block_key, {"key": pairs[:, 0], "record_id": pairs[:, 1]})

    def insert_edges(self, ends: NDArray[np.int64], weights: NDArray[np.float64]) -> None:
        """Write pairs of record ids (pairs, 2), smaller id first, with their match weights."""
        self.insert_columns(
            t.edge, {"smaller": ends[:, 0], "larger": ends[:, 1], "weight": weights}
        )

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
            self._list_wanted(wanted)
            query, parameters = _HOLDERS_SQLITE, {}
        rows = self.tx.execute(
            query, {**parameters, "most": LARGEST_BLOCK + 1, "last": LARGEST_BLOCK}
        ).all()
        found = np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, 2)
        return found[:, 0], found[:, 1]

    def neighbours(self, record_ids: Iterable[int]) -> list[tuple[int, int]]:
        """Edges that touch any of the records."""
        ids = list(record_ids)
        columns = (t.edge.c.smaller, t.edge.c.larger)
        rows = itertools.chain(*(self._in(sa.select(*columns), column, ids) for column in columns))
        return list({(row.smaller, row.larger) for row in rows})

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

    def insert(self, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows. All rows must have the same columns."""
        if rows and self.tx.dialect.name == "postgresql":
            self._copy(table, list(rows[0]), [tuple(row.values()) for row in rows])
        elif rows:
            self.tx.execute(table.insert(), rows)

    def insert_columns(self, table: sa.Table, columns: Mapping[str, NDArray[Any]]) -> None:
        """Insert rows given as columns of 8-byte numbers. This is many times faster than single
        rows.
        """
        if self.tx.dialect.name != "postgresql":
            rows = zip(*(column.tolist() for column in columns.values()), strict=True)
            self.insert(table, [dict(zip(columns, row, strict=True)) for row in rows])
            return
        with self._copying(table, list(columns)) as copy:
            copy.write(_packed(list(columns.values())))

    def _copy(self, table: sa.Table, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows with PostgreSQL's COPY, which is much faster than INSERT."""
        columns = [table.c[name] for name in names]
        types = [
            column.type.compile(self.tx.dialect).partition("(")[0].lower() for column in columns
        ]
        with self._copying(table, names) as copy:
            copy.set_types([_COPIED_AS.get(name, name) for name in types])
            for row in rows:
                copy.write_row(row)

    def _copying(self, table: sa.Table, names: Sequence[str]) -> AbstractContextManager[Any]:
        listed = ", ".join(f'"{name}"' for name in names)
        copy: AbstractContextManager[Any] = self.tx.connection.cursor().copy(
            f"COPY {table.name} ({listed}) FROM STDIN (FORMAT BINARY)"
        )
        return copy

    def _update(
        self, key: "sa.Column[Any]", names: Sequence[str], rows: Sequence[Sequence[Any]]
    ) -> None:
        """Update the columns `names`. The first value of each row is its key."""
        table = key.table
        columns = [key, *(table.c[name] for name in names)]
        if not rows:
            return
        if self.tx.dialect.name == "postgresql":
            arrays = map(_array, columns, zip(*rows, strict=True))
            new = (
                sa.func.unnest(*arrays)
                .table_valued(*(f"b_{column.name}" for column in columns), name="new")
                .render_derived()
            )
            values = {column.name: new.c[f"b_{column.name}"] for column in columns[1:]}
            self.tx.execute(table.update().where(key == new.c[f"b_{key.name}"]).values(values))
            return
        statement = table.update().where(key == sa.bindparam(f"b_{key.name}"))
        bound: dict[str, Any] = {
            column.name: sa.bindparam(f"b_{column.name}") for column in columns[1:]
        }
        parameters = [
            {f"b_{column.name}": value for column, value in zip(columns, row, strict=True)}
            for row in rows
        ]
        self.tx.execute(statement.values(bound), parameters)

    def update_subjects(self, subjects: Sequence[StoredSubject]) -> None:
        """Write the person and link version of subjects."""
        rows = [(s.subject_id, s.person_id, s.link_version) for s in subjects]
        self._update(t.subject.c.subject_id, ("person_id", "link_version"), rows)

    def renew_links(self) -> None:
        """Give every link a version that is greater than all versions given so far, here or in a
        lost store.

        Later subjects also get greater versions, because the lost store may have known and
        withdrawn them.
        """
        now, c = time.time_ns() // 1_000_000, t.subject.c
        later = sa.case((c.link_version >= now, c.link_version + 1), else_=now)
        self.tx.execute(t.subject.update().values(link_version=later))
        self.note_gone(now)

    def gone_version(self) -> int:
        """The greatest link version of any withdrawn subject. 0 if there is none."""
        return self.tx.execute(sa.select(sa.func.max(t.gone_version.c.version))).scalar() or 0

    def note_gone(self, version: int) -> None:
        """Record the link version of a withdrawn subject. Call `lock` first."""
        if version > self.gone_version():
            self.tx.execute(t.gone_version.delete())
            self.tx.execute(t.gone_version.insert().values(version=version))

    def set_families(self, family_of: Mapping[str, str]) -> None:
        """Write the families of persons."""
        self._update(t.person.c.person_id, ("family_id",), list(family_of.items()))

    def move_anchors(self, anchors: Mapping[str, str]) -> None:
        """Move families (by id) to other anchor persons."""
        self._update(t.family.c.family_id, ("anchor_person_id",), list(anchors.items()))

    def delete_in(self, column: "sa.Column[Any]", values: Iterable[Any]) -> None:
        """Delete rows whose `column` has one of the values."""
        wanted = sorted(set(values))
        if wanted:
            self.tx.execute(column.table.delete().where(self._is_any(column, wanted)))

    def persons(self, ids: Iterable[str]) -> dict[str, "sa.Row[Any]"]:
        """Persons by id."""
        return {
            row.person_id: row for row in self._in(sa.select(t.person), t.person.c.person_id, ids)
        }

    def families_by_anchor(self, person_ids: Iterable[str]) -> dict[str, str]:
        """Family ids by anchor person."""
        return {
            row.anchor_person_id: row.family_id
            for row in self._in(sa.select(t.family), t.family.c.anchor_person_id, person_ids)
        }

    def anchors_of_families(self, family_ids: Iterable[str]) -> dict[str, str]:
        """Anchor persons by family id."""
        return {
            row.family_id: row.anchor_person_id
            for row in self._in(sa.select(t.family), t.family.c.family_id, family_ids)
        }

    def carers_of(self, subject_ids: Iterable[int]) -> list["sa.Row[Any]"]:
        """Declared carers of child subjects."""
        return list(self._in(sa.select(t.carer), t.carer.c.child_subject_id, subject_ids))

    def children_of(self, adults: Iterable[StoredSubject]) -> list["sa.Row[Any]"]:
        """Carer declarations that name any of these adult subjects."""
        keys = {subject.key for subject in adults}
        rows = self._in(
            sa.select(t.carer), t.carer.c.adult_reference, [reference for _, reference in keys]
        )
        return [row for row in rows if (row.partner, row.adult_reference) in keys]

    def replace_review_pairs(
        self, subject_ids: Iterable[int], pairs: Sequence[tuple[int, int, float]]
    ) -> None:
        """Replace the doubtful pairs of these subjects by exactly these pairs."""
        ids = list(subject_ids)
        ends = (t.review_pair.c.smaller_subject_id, t.review_pair.c.larger_subject_id)
        since = {
            (row.smaller_subject_id, row.larger_subject_id): row.since_ms
            for row in self.review_queue_of(ids)
        }
        for end in ends:
            self.delete_in(end, ids)
        now = int(time.time() * 1000)
        ordered = [(min(a, b), max(a, b), weight) for a, b, weight in pairs]
        self.insert(
            t.review_pair,
            [
                {
                    "smaller_subject_id": a,
                    "larger_subject_id": b,
                    "weight": weight,
                    "since_ms": since.get((a, b), now),
                }
                for a, b, weight in ordered
            ],
        )

    def review_queue_of(self, subject_ids: Iterable[int]) -> Sequence["sa.Row[Any]"]:
        """Doubtful pairs that involve any of these subjects."""
        ids = list(subject_ids)
        ends = (t.review_pair.c.smaller_subject_id, t.review_pair.c.larger_subject_id)
        rows = {
            tuple(row): row for end in ends for row in self._in(sa.select(t.review_pair), end, ids)
        }
        return list(rows.values())

    def subjects_in_review(self) -> set[int]:
        """Subjects in a doubtful pair."""
        pairs = self.tx.execute(
            sa.select(t.review_pair.c.smaller_subject_id, t.review_pair.c.larger_subject_id)
        )
        return {subject for pair in pairs for subject in pair}

    def review_queue(self) -> Sequence["sa.Row[Any]"]:
        """Every doubtful pair of subjects."""
        return self.tx.execute(sa.select(t.review_pair)).all()

    def decisions_of(self, subject_ids: Iterable[int]) -> Sequence["sa.Row[Any]"]:
        """Decisions in force about any of these subjects, oldest first."""
        ids = list(subject_ids)
        standing = sa.select(t.decision).where(t.decision.c.undone_at_ms.is_(None))
        ends = (t.decision.c.smaller_subject_id, t.decision.c.larger_subject_id)
        rows = {row.decision_id: row for end in ends for row in self._in(standing, end, ids)}
        return [rows[key] for key in sorted(rows)]

    def all_decisions(self) -> Sequence["sa.Row[Any]"]:
        """Every decision, oldest first."""
        return self.tx.execute(sa.select(t.decision).order_by(t.decision.c.decision_id)).all()

    def undo_decision(self, decision_id: int, steward: str, at_ms: int) -> None:
        """Mark a decision as undone."""
        wanted = t.decision.c.decision_id == decision_id
        self.tx.execute(
            t.decision.update().where(wanted).values(undone_at_ms=at_ms, undone_by=steward)
        )

    def own_checks(self, subject_ids: Iterable[int]) -> Sequence["sa.Row[Any]"]:
        """Requests to partners about these subjects, in the order of asking."""
        rows = self._in(sa.select(t.own_check), t.own_check.c.subject_id, subject_ids)
        return sorted(rows, key=lambda row: row.asked_at_ms)

    def some_subjects(self, partner: str, role: int, but: int, most: int) -> list[StoredSubject]:
        """Up to `most` random subjects of a partner with this role, except the subject `but`."""
        c = t.subject.c
        wanted = sa.select(t.subject).where(
            c.partner == partner, c.role == role, c.subject_id != but
        )
        return [
            StoredSubject(*tuple(row))
            for row in self.tx.execute(wanted.order_by(sa.func.random()).limit(most))
        ]

    def answer_own_check(
        self, partner: str, request_id: bytes, link_reference: bytes, outcome: str
    ) -> None:
        """Store a partner's answer if it concerns the subject of the request."""
        c = t.subject.c
        about = sa.select(c.subject_id).where(
            c.partner == partner, c.link_reference == link_reference
        )
        asked = sa.and_(t.own_check.c.request_id == request_id, t.own_check.c.subject_id.in_(about))
        self.tx.execute(t.own_check.update().where(asked).values(outcome=outcome))

    def identifiers(self) -> tuple[Identifiers, Identifiers]:
        """All identifiers, from the tables and from the event log."""
        s, p, f, e = t.subject.c, t.person.c, t.family.c, t.event.c

        def pairs(*columns: "sa.Column[Any]") -> dict[Any, Any]:
            return {
                key: value
                for key, value in self.tx.execute(sa.select(*columns))
                if value is not None
            }

        events = self.tx.execute(
            sa.select(e.kind, e.subject_id, e.person_id, e.family_id).order_by(e.event_id)
        )
        return (
            Identifiers(
                pairs(s.subject_id, s.person_id),
                pairs(p.person_id, p.family_id),
                pairs(f.family_id, f.anchor_person_id),
            ),
            replay(Event(*row) for row in events),
        )

    def datasets_of_persons(self) -> dict[str, int]:
        """Number of datasets (facets) that hold each person."""
        counted = sa.func.count(sa.distinct(t.record.c.facet))
        joined = t.record.join(t.subject, t.subject.c.subject_id == t.record.c.subject_id)
        statement = (
            sa.select(t.subject.c.person_id, counted)
            .select_from(joined)
            .group_by(t.subject.c.person_id)
        )
        return {person: count for person, count in self.tx.execute(statement) if person}

    def capsule_keys(self, ids: Iterable[int]) -> dict[int, tuple[str, bytes]]:
        """Partner and sealed key of capsule keys, by id."""
        rows = self._in(sa.select(t.capsule_key), t.capsule_key.c.capsule_key_id, ids)
        return {row.capsule_key_id: (row.partner, row.sealed_key) for row in rows}

    def _in(
        self, statement: "sa.Select[Any]", column: "sa.Column[Any]", values: Iterable[Any]
    ) -> Sequence[Any]:
        """Rows whose column has one of the values. The number of values is not limited."""
        wanted = sorted(set(values))
        return (
            self.tx.execute(statement.where(self._is_any(column, wanted))).all() if wanted else []
        )

    def _is_any(self, column: "sa.Column[Any]", wanted: list[Any]) -> "sa.ColumnElement[bool]":
        """An SQL condition: column equals any of the values.

        Uses an array, or a temporary table if the database has no arrays. Thousands of bound
        parameters would cost more than the query.
        """
        if self.tx.dialect.name == "postgresql":
            return column == sa.any_(_array(column, wanted))
        self._list_wanted(wanted)
        return column.in_(sa.text("SELECT value FROM temp.wanted"))

    def _list_wanted(self, wanted: list[Any]) -> None:
        self.tx.exec_driver_sql(
            "CREATE TEMP TABLE IF NOT EXISTS wanted (value PRIMARY KEY) WITHOUT ROWID"
        )
        self.tx.exec_driver_sql("DELETE FROM temp.wanted")
        self.tx.exec_driver_sql(
            "INSERT INTO temp.wanted VALUES (?)", [(value,) for value in wanted]
        )


def _array(column: "sa.Column[Any]", values: Sequence[Any]) -> "sa.ColumnElement[Any]":
    """The values of a column as one array literal. For long lists, psycopg needs longer to adapt
    them than the database needs to look them up.
    """
    elements = map(str if isinstance(column.type, sa.Integer) else _element, values)
    return sa.cast(
        sa.literal(f"{{{','.join(elements)}}}", sa.types.NullType()), sa.ARRAY(column.type)
    )


def _element(value: "bytes | str | None") -> str:
    """Format a value as an element of an array literal (PostgreSQL's manual, Array Input and Output
    Syntax).

    >>> print(_element(b"\\x00k"), _element('a"\\\\'), _element(None))
    "\\\\x006b" "a\\"\\\\" NULL
    """
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _packed(columns: Sequence[NDArray[Any]]) -> bytes:
    """Rows of numbers in COPY's binary format (PostgreSQL's manual, COPY, File Formats). Each row
    starts with its number of fields, and each field with its number of bytes.
    """
    layout = [("fields", ">i2")]
    for at, column in enumerate(columns):
        layout += [(f"size {at}", ">i4"), (f"value {at}", column.dtype.newbyteorder(">").str)]
    rows = np.empty(len(columns[0]), dtype=layout)
    rows["fields"] = len(columns)
    for at, column in enumerate(columns):
        rows[f"size {at}"], rows[f"value {at}"] = column.dtype.itemsize, column
    return _COPY_BEGINS + rows.tobytes() + _COPY_ENDS
