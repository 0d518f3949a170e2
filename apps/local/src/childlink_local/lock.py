"""A lock on a pilot's folder. Its databases and keys allow only one process at a time."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from childlink_core.errors import UserError


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold `folder`, creating it if necessary. Raises UserError while another process holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    # SQLite's lock works on every system that a pilot runs on. The system releases it when a
    # process is killed.
    with closing(sqlite3.connect(folder / "lock.sqlite", isolation_level=None, timeout=0)) as db:
        try:
            db.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise UserError(
                f"Another childlink-local process is using {folder}.",
                "Wait until it has finished, or use another `folder`. Nothing was changed.",
            ) from None
        yield
