"""Bulk reads and writes within one transaction, on PostgreSQL and SQLite. Adapter of SQLAlchemy."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

_LOCK: Final = 0x6368_6C6B
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


class BulkRows:
    """Many rows at a time, within one transaction."""

    def __init__(self, tx: sa.Connection) -> None:
        self.tx = tx

    def lock(self) -> None:
        """Wait until no other linker process is changing the store. The lock is held until the
        transaction ends.
        """
        if self.tx.dialect.name == "postgresql":
            self.tx.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})

    def next_id(self, column: "sa.Column[int]") -> Iterator[int]:
        """Unused ids of a table, ascending. Call `lock` first."""
        return itertools.count((self.tx.execute(sa.select(sa.func.max(column))).scalar() or 0) + 1)

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

    def delete_in(self, column: "sa.Column[Any]", values: Iterable[Any]) -> None:
        """Delete rows whose `column` has one of the values."""
        wanted = sorted(set(values))
        if wanted:
            self.tx.execute(column.table.delete().where(self._is_any(column, wanted)))

    def update_many(
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

    def rows_in(
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
        self.list_wanted(wanted)
        return column.in_(sa.text("SELECT value FROM temp.wanted"))

    def list_wanted(self, wanted: list[Any]) -> None:
        self.tx.exec_driver_sql(
            "CREATE TEMP TABLE IF NOT EXISTS wanted (value PRIMARY KEY) WITHOUT ROWID"
        )
        self.tx.exec_driver_sql("DELETE FROM temp.wanted")
        self.tx.exec_driver_sql(
            "INSERT INTO temp.wanted VALUES (?)", [(value,) for value in wanted]
        )

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
