"""The spool: ingest's own database on disk (SQLite). It holds no identifiers.

It holds references, digests and sealed batches. It is the outbox between encoding and Kafka, stores
receipts, and accounts for every row. An *item* is the newest version of a subject's encoding or a
row's observation, with its batch and its state.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from childlink_ingest.errors import SpoolError
from childlink_ingest.spool.accounts import Accounts, RunReport, explain
from childlink_ingest.spool.inbox import Inbox
from childlink_ingest.spool.outbox import QueuedBatch
from childlink_ingest.spool.past import LostPast
from childlink_ingest.spool.runs import Runs
from childlink_ingest.spool.tables import prepare
from childlink_ingest.spool.withdrawals import Withdrawals

__all__ = ["LostPast", "QueuedBatch", "RunReport", "Spool", "explain", "open_spool"]


class Spool(Runs, Withdrawals, Inbox, Accounts):
    """The spool. Use `open_spool`. Only one process at a time may hold it."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db, self._path = db, path

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block in one transaction."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:  # SQLite rolls back itself if the disk is full
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


@contextmanager
def open_spool(path: Path) -> Iterator[Spool]:
    """Open or create a spool. Raises SpoolError if it cannot be used."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, isolation_level=None, timeout=5)
        prepare(db, path)
        if path.exists():
            path.chmod(0o600)
    except (sqlite3.Error, OSError) as error:
        raise SpoolError(
            f"The spool {path} cannot be opened ({error}).",
            "Check its path, permissions and disk space. No run was sent in part.",
        ) from None
    try:
        yield Spool(db, path)
    except sqlite3.OperationalError as error:
        raise SpoolError(
            f"The spool {path} could not be written ({error}).",
            "Free disk space, or wait until the other run is done, then run again. No run was sent"
            " in part.",
        ) from None
    finally:
        db.close()
