"""Streams the result of one read-only query with SQLAlchemy. The extract is a file with the query.

The database URL is secret, because it may contain a password. It is read from a file and never
shown in an error.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from childlink_ingest.errors import ExtractError
from childlink_ingest.readers.record import Source, as_text

_ROWS_AT_A_TIME = 5_000
_READ_ONLY = {
    "postgresql": "SET TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = ON",
    "mysql": "SET TRANSACTION READ ONLY",
}


_ASIDES: Final = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\[[^\]]*\]|`[^`]*`", re.DOTALL
)


@contextmanager
def open_sql(
    path: Path, source: Source
) -> Iterator[tuple[list[str], Iterator[tuple[int, list[str]]]]]:
    """Yield the column names and the numbered rows (from 1).

    The transaction is read-only and always rolled back. Raises ExtractError.
    """
    query = _query(path)
    if source.url_file is None:
        raise ExtractError(
            f"{path.name} is a query, but no database is set.",
            "Set `source_url_file` in the settings.",
        )
    try:
        engine = sa.create_engine(source.url_file.read_text(encoding="utf-8").strip())
    except OSError as error:
        raise ExtractError(
            f"{source.url_file} cannot be read: {error.strerror}.", "Check `source_url_file`."
        ) from None
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ImportError, ValueError) as error:
        raise ExtractError(
            f"{source.url_file} does not contain the URL of a database that can be read here"
            f" ({type(error).__name__}).",
            "Write one line such as postgresql+psycopg://reader@host/name or mssql+pyodbc://...,"
            " and install its driver.",
        ) from None
    try:
        with engine.connect() as connection:
            if statement := _READ_ONLY.get(engine.dialect.name):
                connection.execute(sa.text(statement))
            result = connection.execution_options(
                stream_results=True, max_row_buffer=_ROWS_AT_A_TIME
            ).execute(sa.text(query))
            yield list(result.keys()), _rows(result)
            connection.rollback()
    except sa.exc.SQLAlchemyError as error:
        # The driver's message may contain values, so only the error's type is shown.
        kind = type(getattr(error, "orig", None) or error).__name__
        raise ExtractError(
            f"The query {path.name} failed ({kind}).",
            "Run it in the database's own tool to see the cause.",
        ) from None
    finally:
        engine.dispose()


def _rows(result: "sa.CursorResult[tuple[object, ...]]") -> Iterator[tuple[int, list[str]]]:
    number = 0
    for chunk in result.partitions(_ROWS_AT_A_TIME):
        for row in chunk:
            number += 1
            yield number, [as_text(value) for value in row]


def _query(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig").strip().rstrip(";").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ExtractError(
            f"{path} cannot be read ({type(error).__name__}).", "Write the query in UTF-8."
        ) from None
    bare = _without_comments_and_strings(text)
    first = bare.split(None, 1)[0].lower() if bare.strip() else ""
    if first not in ("select", "with") or ";" in bare.strip().rstrip(";"):
        raise ExtractError(
            f"{path.name} is not one SELECT statement.",
            "Write one query that begins with SELECT or WITH. Comments are allowed.",
        )
    return text


def _without_comments_and_strings(text: str) -> str:
    """The statement with comments, strings and quoted names left out.

    >>> _without_comments_and_strings("-- one; two\\nSELECT ';' AS [a;b] /* ; */ FROM t").split()
    ['SELECT', 'AS', 'FROM', 't']
    """
    return _ASIDES.sub(" ", text)
