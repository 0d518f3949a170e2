"""The database connection that all parts of the spool share."""

import sqlite3
from pathlib import Path
from typing import Any


class Part:
    """Part of the spool."""

    _db: sqlite3.Connection
    _path: Path

    def _one(self, query: str, *values: object) -> Any:
        return self._db.execute(query, values).fetchone()[0]

    def _all(self, query: str, *values: object) -> list[Any]:
        return [tuple(row) for row in self._db.execute(query, values)]
