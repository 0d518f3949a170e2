"""One process at a time in a pilot's folder: its databases and keys are made for one."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from childlink_core.errors import UserError


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold `folder`, which is made if need be. Raises UserError while another process holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    # SQLite's lock works on every system that a pilot runs on, and a process that is killed lets go
    # of it.
    with closing(sqlite3.connect(folder / "lock.sqlite", isolation_level=None, timeout=0)) as db:
        try:
            db.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise UserError(
                f"Another childlink-local works in {folder}.",
                "Wait until it is done, or give this one another `folder`. Nothing was changed.",
            ) from None
        yield
