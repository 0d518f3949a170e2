"""The spool: what ingest remembers on its own disk (SQLite). References, digests, sealed batches; never an identifier.

It is the outbox between encoding and Kafka, the place where receipts come back to, and the account of every row: an *item* is
the newest version of a subject's encoding or of a row's observation, with the batch it went in and what became of it.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from childlink_core.reasons import EXPLANATIONS

from childlink_ingest.errors import SpoolError
from childlink_ingest.rows import Rejection

Half = Literal["encodings", "observations"]
HALVES: Final[tuple[Half, Half]] = ("encodings", "observations")

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS stream (half TEXT PRIMARY KEY, epoch INTEGER NOT NULL, next_sequence INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS run (
  run_id INTEGER PRIMARY KEY, extract TEXT NOT NULL, dataset TEXT NOT NULL, started_at REAL NOT NULL,
  rows_read INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS rejection (
  run_id INTEGER NOT NULL, row_number INTEGER NOT NULL, column_name TEXT NOT NULL, reason TEXT NOT NULL, remedy TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS note (run_id INTEGER NOT NULL, text TEXT NOT NULL, rows INTEGER NOT NULL, PRIMARY KEY (run_id, text));
CREATE TABLE IF NOT EXISTS item (
  item_id INTEGER PRIMARY KEY, half TEXT NOT NULL, reference BLOB NOT NULL, facet BLOB NOT NULL, digest BLOB NOT NULL,
  epoch INTEGER, sequence INTEGER, place INTEGER, state TEXT NOT NULL DEFAULT 'waiting', reason TEXT NOT NULL DEFAULT '',
  UNIQUE (half, reference, facet)
);
CREATE INDEX IF NOT EXISTS item_batch ON item (half, epoch, sequence);
CREATE TABLE IF NOT EXISTS row_item (run_id INTEGER NOT NULL, row_number INTEGER NOT NULL, item_id INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS row_item_run ON row_item (run_id, row_number);
CREATE TABLE IF NOT EXISTS batch (
  half TEXT NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, message BLOB, bytes INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'queued', reason TEXT NOT NULL DEFAULT '', PRIMARY KEY (half, epoch, sequence)
);
CREATE INDEX IF NOT EXISTS batch_state ON batch (state);
CREATE TABLE IF NOT EXISTS inbox (topic TEXT PRIMARY KEY, next_offset INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS receipt_stream (sender TEXT PRIMARY KEY, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS incident (reason TEXT PRIMARY KEY, count INTEGER NOT NULL, last_at REAL NOT NULL);
"""
# Rows of the run that is being read: only in the run's own transaction, emptied before it commits.
_STAGE: Final = """
CREATE TABLE IF NOT EXISTS staged_item (
  half TEXT NOT NULL, reference BLOB NOT NULL, facet BLOB NOT NULL, digest BLOB NOT NULL, payload BLOB NOT NULL,
  capsule_reference BLOB, PRIMARY KEY (half, reference, facet)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS staged_row (row_number INTEGER NOT NULL, half TEXT NOT NULL, reference BLOB NOT NULL, facet BLOB NOT NULL);
"""


@dataclass(frozen=True)
class StagedItem:
    """An encoding or observation, ready to be batched."""

    half: Half
    reference: bytes
    facet: bytes
    digest: bytes
    payload: bytes
    capsule_reference: bytes | None = None


@dataclass(frozen=True)
class QueuedBatch:
    """A sealed batch that Kafka has not taken yet."""

    half: Half
    epoch: int
    sequence: int
    message: bytes


@dataclass(frozen=True)
class RunReport:
    """Every row of one run accounted for: read = rejected + accepted + refused + waiting."""

    run_id: int
    extract: str
    dataset: str
    rows_read: int
    rejected: int
    accepted: int
    refused: int
    waiting: int
    rejections: list[tuple[str, str, str, int]]
    """Column, reason, remedy, how many rows."""
    refusals: list[tuple[str, int]]
    """Reason, how many rows."""
    notes: list[tuple[str, int]]
    """What was taken as missing, how many rows."""


class Spool:
    """Open with `open_spool`. One process at a time holds it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:  # SQLite rolls back by itself when the disk is full
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # A run: staged, then queued, in one transaction.

    def start_run(self, extract: str, dataset: str) -> int:
        """Begin to stage a run."""
        cursor = self._db.execute(
            "INSERT INTO run (extract, dataset, started_at) VALUES (?, ?, ?)", (extract, dataset, time.time())
        )
        return int(cursor.lastrowid or 0)

    def stage(self, items: Iterable[StagedItem]) -> None:
        """Stage items; of several for one reference the last stays."""
        self._db.executemany(
            "INSERT INTO staged_item VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "digest = excluded.digest, payload = excluded.payload, capsule_reference = excluded.capsule_reference",
            ((i.half, i.reference, i.facet, i.digest, i.payload, i.capsule_reference) for i in items),
        )

    def staged(self, half: Half, references: Sequence[bytes]) -> list[bytes]:
        """Which of these references this run has staged."""
        found: list[bytes] = []
        for at in range(0, len(references), 1000):
            chunk = references[at : at + 1000]
            marks = ",".join("?" * len(chunk))
            query = f"SELECT reference FROM staged_item WHERE half = ? AND reference IN ({marks})"  # noqa: S608 - marks only
            found += [row[0] for row in self._db.execute(query, (half, *chunk))]
        return found

    def stage_rows(self, rows: Iterable[tuple[int, Half, bytes, bytes]]) -> None:
        """Note which items (half, reference, facet) a row number consists of."""
        self._db.executemany("INSERT INTO staged_row VALUES (?, ?, ?, ?)", rows)

    def reject(self, run_id: int, rejections: Iterable[Rejection]) -> None:
        """Note rows that stay behind."""
        self._db.executemany(
            "INSERT INTO rejection VALUES (?, ?, ?, ?, ?)",
            ((run_id, r.row_number, r.column, r.reason, r.remedy) for r in rejections),
        )

    def changed(self, half: Half) -> Iterator[StagedItem]:
        """Staged items that are new, changed, or were refused before; in random order, so that order tells nothing."""
        # A table of its own, because `item` is written while this is read.
        self._db.execute("DROP TABLE IF EXISTS temp.changed")
        self._db.execute(
            "CREATE TEMP TABLE changed AS SELECT s.* FROM staged_item s "
            "LEFT JOIN item i ON (i.half, i.reference, i.facet) = (s.half, s.reference, s.facet) "
            "WHERE s.half = ? AND (i.item_id IS NULL OR i.digest <> s.digest OR i.state = 'refused') ORDER BY random()",
            (half,),
        )
        for row in self._db.execute(
            "SELECT half, reference, facet, digest, payload, capsule_reference FROM temp.changed ORDER BY rowid"
        ):
            yield StagedItem(*row)

    def next_sequence(self, half: Half) -> tuple[int, int]:
        """Take the stream's next (epoch, sequence number). A new spool is a new, greater epoch."""
        row = self._db.execute("SELECT epoch, next_sequence FROM stream WHERE half = ?", (half,)).fetchone()
        epoch, sequence = row or (int(time.time()), 1)
        self._db.execute("INSERT OR REPLACE INTO stream VALUES (?, ?, ?)", (half, epoch, sequence + 1))
        return epoch, sequence

    def queue(self, half: Half, epoch: int, sequence: int, message: bytes, items: Sequence[StagedItem]) -> None:
        """Queue a sealed batch and note what is in it."""
        self._db.execute(
            "INSERT INTO batch (half, epoch, sequence, message, bytes) VALUES (?, ?, ?, ?, ?)",
            (half, epoch, sequence, message, len(message)),
        )
        self._db.executemany(
            "INSERT INTO item (half, reference, facet, digest, epoch, sequence, place) VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET digest = excluded.digest, epoch = excluded.epoch, sequence = excluded.sequence, "
            "place = excluded.place, state = 'waiting', reason = ''",
            ((i.half, i.reference, i.facet, i.digest, epoch, sequence, place) for place, i in enumerate(items)),
        )

    def finish_run(self, run_id: int, rows_read: int, notes: Iterable[tuple[str, int]]) -> None:
        """Tie the run's rows to their items and empty the stage."""
        self._db.execute(
            "INSERT INTO row_item SELECT ?, r.row_number, i.item_id FROM staged_row r "
            "JOIN item i ON (i.half, i.reference, i.facet) = (r.half, r.reference, r.facet)",
            (run_id,),
        )
        self._db.execute("DELETE FROM staged_item")
        self._db.execute("DELETE FROM staged_row")
        self._db.execute("UPDATE run SET rows_read = ? WHERE run_id = ?", (rows_read, run_id))
        self._db.executemany("INSERT INTO note VALUES (?, ?, ?)", ((run_id, text, count) for text, count in notes))

    # Sending.

    def queued(self, limit: int) -> list[QueuedBatch]:
        """The next batches for Kafka, in the order of each stream."""
        rows = self._db.execute(
            "SELECT half, epoch, sequence, message FROM batch WHERE state = 'queued' ORDER BY half, epoch, sequence LIMIT ?",
            (limit,),
        )
        return [QueuedBatch(*row) for row in rows]

    def mark_sent(self, batches: Iterable[QueuedBatch]) -> None:
        """Kafka has taken these."""
        self._db.executemany(
            "UPDATE batch SET state = 'sent' WHERE half = ? AND epoch = ? AND sequence = ? AND state = 'queued'",
            [(b.half, b.epoch, b.sequence) for b in batches],
        )

    def unanswered_bytes(self) -> int:
        """Size of what was sent and has no receipt yet."""
        return int(self._one("SELECT coalesce(sum(bytes), 0) FROM batch WHERE state = 'sent'"))

    def count_batches(self, *states: str) -> int:
        """How many batches are in any of these states."""
        marks = ",".join("?" * len(states))
        return int(self._one(f"SELECT count(*) FROM batch WHERE state IN ({marks})", *states))  # noqa: S608 - marks only

    def oldest_waiting_run_age(self) -> float:
        """Seconds since the start of the oldest run that still has something unanswered; 0 without one."""
        started = self._one(
            "SELECT min(started_at) FROM run WHERE run_id IN (SELECT DISTINCT run_id FROM row_item JOIN item USING (item_id) "
            "WHERE state = 'waiting')"
        )
        return time.time() - started if started else 0.0

    # Receipts.

    def inbox_offset(self, topic: str) -> int:
        """Where to read receipts on."""
        return int(self._one("SELECT coalesce(max(next_offset), 0) FROM inbox WHERE topic = ?", topic))

    def move_inbox(self, topic: str, next_offset: int) -> None:
        """Receipts before this offset were read."""
        self._db.execute("INSERT OR REPLACE INTO inbox VALUES (?, ?)", (topic, next_offset))

    def is_new_receipt(self, sender: str, epoch: int, sequence: int) -> bool:
        """Whether a receipt batch comes after every one read from `sender`; if so, note it."""
        row = self._db.execute("SELECT epoch, sequence FROM receipt_stream WHERE sender = ?", (sender,)).fetchone()
        if row is not None and (epoch, sequence) <= tuple(row):
            return False
        self._db.execute("INSERT OR REPLACE INTO receipt_stream VALUES (?, ?, ?)", (sender, epoch, sequence))
        return True

    def accept(self, half: Half, epoch: int, sequence: int, refused: Iterable[tuple[int, str]]) -> None:
        """A service stored a batch, except for the records listed. An accepted batch needs its bytes no longer."""
        key = (half, epoch, sequence)
        self._db.execute(
            "UPDATE batch SET state = 'accepted', message = NULL WHERE half = ? AND epoch = ? AND sequence = ?", key
        )
        self._db.execute("UPDATE item SET state = 'accepted' WHERE half = ? AND epoch = ? AND sequence = ?", key)
        self._db.executemany(
            "UPDATE item SET state = 'refused', reason = ? WHERE half = ? AND epoch = ? AND sequence = ? AND place = ?",
            [(reason, *key, place) for place, reason in refused],
        )

    def refuse(self, half: Half, epoch: int, sequence: int, reason: str) -> None:
        """A service refused a whole batch for good. One that it had accepted before stays accepted."""
        key = (half, epoch, sequence)
        changed = self._db.execute(
            "UPDATE batch SET state = 'refused', reason = ?, message = NULL "
            "WHERE half = ? AND epoch = ? AND sequence = ? AND state IN ('queued', 'sent')",
            (reason, *key),
        ).rowcount
        if changed:
            self._db.execute(
                "UPDATE item SET state = 'refused', reason = ? WHERE half = ? AND epoch = ? AND sequence = ?",
                (reason, *key),
            )
        self.note_incident(reason)

    def send_again_from(self, half: Half, epoch: int, sequence: int) -> None:
        """A service missed a batch: send it and what follows it again (go-back-N)."""
        self._db.execute(
            "UPDATE batch SET state = 'queued' WHERE half = ? AND epoch = ? AND sequence >= ? AND state = 'sent'",
            (half, epoch, sequence),
        )

    def note_incident(self, reason: str) -> None:
        """Count something refused, for `status`."""
        self._db.execute(
            "INSERT INTO incident VALUES (?, 1, ?) ON CONFLICT DO UPDATE SET count = count + 1, last_at = excluded.last_at",
            (reason, time.time()),
        )

    # Accounts.

    def incidents(self) -> list[tuple[str, int]]:
        """Reasons for which a service refused something on our topics, and how often."""
        return [tuple(row) for row in self._db.execute("SELECT reason, count FROM incident ORDER BY reason")]

    def runs(self, last: int = 20) -> list[int]:
        """Ids of the newest runs, newest first."""
        return [row[0] for row in self._db.execute("SELECT run_id FROM run ORDER BY run_id DESC LIMIT ?", (last,))]

    def report(self, run_id: int) -> RunReport:
        """Account for every row of a run."""
        extract, dataset, read = self._db.execute(
            "SELECT extract, dataset, rows_read FROM run WHERE run_id = ?", (run_id,)
        ).fetchone()
        states = dict(
            self._db.execute(
                "SELECT state, count(*) FROM (SELECT CASE WHEN max(state = 'refused') THEN 'refused' WHEN max(state = 'waiting') "
                "THEN 'waiting' ELSE 'accepted' END AS state FROM row_item JOIN item USING (item_id) WHERE run_id = ? "
                "GROUP BY row_number) GROUP BY state",
                (run_id,),
            ).fetchall()
        )
        return RunReport(
            run_id, extract, dataset, read,
            rejected=int(self._one("SELECT count(*) FROM rejection WHERE run_id = ?", run_id)),
            accepted=states.get("accepted", 0), refused=states.get("refused", 0), waiting=states.get("waiting", 0),
            rejections=self._all(
                "SELECT column_name, reason, remedy, count(*) FROM rejection WHERE run_id = ? GROUP BY 1, 2, 3 ORDER BY 4 DESC", run_id
            ),
            refusals=self._all(
                "SELECT reason, count(DISTINCT row_number) FROM row_item JOIN item USING (item_id) "
                "WHERE run_id = ? AND state = 'refused' GROUP BY reason ORDER BY 2 DESC", run_id
            ),
            notes=self._all("SELECT text, rows FROM note WHERE run_id = ? ORDER BY rows DESC", run_id),
        )  # fmt: skip

    def rejections(self, run_id: int) -> list[Rejection]:
        """Every rejected row of a run, in the order of the file."""
        rows = self._all(
            "SELECT row_number, column_name, reason, remedy FROM rejection WHERE run_id = ? ORDER BY row_number", run_id
        )
        return [Rejection(*row) for row in rows]

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _one(self, query: str, *values: object) -> Any:
        return self._db.execute(query, values).fetchone()[0]

    def _all(self, query: str, *values: object) -> list[Any]:
        return [tuple(row) for row in self._db.execute(query, values)]


@contextmanager
def open_spool(path: Path) -> Iterator[Spool]:
    """Open or create a spool. Raises SpoolError when it cannot be used."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, isolation_level=None, timeout=5)
        db.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;" + _SCHEMA + _STAGE
        )
        if path.exists():
            path.chmod(0o600)
    except (sqlite3.Error, OSError) as error:
        raise SpoolError(
            f"The spool {path} cannot be opened ({error}).", "Check its path, permissions and disk space."
        ) from None
    try:
        yield Spool(db)
    except sqlite3.OperationalError as error:
        raise SpoolError(
            f"The spool {path} could not be written ({error}).",
            "Free disk space, or wait until the other run is done; then run again. Nothing was half sent.",
        ) from None
    finally:
        db.close()


def explain(reason: str) -> str:
    """A refusal code in words."""
    return EXPLANATIONS.get(reason, reason)
