"""The spool: what ingest remembers on its own disk (SQLite). References, digests, sealed batches; never an identifier.

It is the outbox between encoding and Kafka, the place where receipts come back to, and the account of every row: an *item* is
the newest version of a subject's encoding or of a row's observation, with the batch it went in and what became of it.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any, Final

from childlink_core import envelope
from childlink_core.reasons import EXPLANATIONS
from childlink_core.references import REFERENCE_BYTES

from childlink_ingest.errors import SpoolError
from childlink_ingest.items import DELETED, Half, StagedItem, Tombstone
from childlink_ingest.packing import bucket_range, has_role
from childlink_ingest.rows import Rejection
from childlink_ingest.spool_past import SCHEMA as PAST_SCHEMA
from childlink_ingest.spool_past import Past
from childlink_ingest.stage import ItemNumbers, Stage, open_stage

_VERSION: Final = 3
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS stream (half TEXT PRIMARY KEY, epoch INTEGER NOT NULL, next_sequence INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS run (
  run_id INTEGER PRIMARY KEY, extract TEXT NOT NULL, dataset TEXT NOT NULL, started_at REAL NOT NULL,
  rows_read INTEGER NOT NULL DEFAULT 0, feed TEXT NOT NULL DEFAULT '', kind TEXT NOT NULL DEFAULT 'run'
);
CREATE TABLE IF NOT EXISTS rejection (
  run_id INTEGER NOT NULL, row_number INTEGER NOT NULL, column_name TEXT NOT NULL, reason TEXT NOT NULL, remedy TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS note (run_id INTEGER NOT NULL, text TEXT NOT NULL, rows INTEGER NOT NULL, PRIMARY KEY (run_id, text));
CREATE TABLE IF NOT EXISTS held (run_id INTEGER NOT NULL, why TEXT NOT NULL, rows INTEGER NOT NULL, PRIMARY KEY (run_id, why));
CREATE TABLE IF NOT EXISTS item (
  item_id INTEGER PRIMARY KEY, half TEXT NOT NULL, reference BLOB NOT NULL, facet BLOB NOT NULL, digest BLOB NOT NULL,
  epoch INTEGER, sequence INTEGER, place INTEGER, state TEXT NOT NULL DEFAULT 'waiting', reason TEXT NOT NULL DEFAULT '',
  feed TEXT NOT NULL DEFAULT '', about BLOB, also BLOB, sent_run INTEGER, seen_run INTEGER,
  UNIQUE (half, reference, facet)
);
CREATE TABLE IF NOT EXISTS subject (
  link_reference BLOB PRIMARY KEY, analytics_reference BLOB NOT NULL, nhs_key BLOB
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS withdrawn_subject (link_reference BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS run_row (
  run_id INTEGER NOT NULL, row_number INTEGER NOT NULL, observation INTEGER, child INTEGER, adult INTEGER,
  PRIMARY KEY (run_id, row_number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS withdrawal (
  run_id INTEGER NOT NULL, half TEXT NOT NULL, reference BLOB NOT NULL, facet BLOB, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS withdrawal_run ON withdrawal (run_id);
CREATE TABLE IF NOT EXISTS batch (
  half TEXT NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, message BLOB, bytes INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'queued', reason TEXT NOT NULL DEFAULT '', digest BLOB, PRIMARY KEY (half, epoch, sequence)
);
CREATE INDEX IF NOT EXISTS batch_state ON batch (state);
CREATE TABLE IF NOT EXISTS inbox (topic TEXT PRIMARY KEY, next_offset INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS receipt_stream (
  sender TEXT PRIMARY KEY, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, ahead_ms INTEGER NOT NULL DEFAULT 0
);
CREATE VIEW IF NOT EXISTS row_state AS
  SELECT r.run_id, r.row_number, o.state AS o, coalesce(c.state, 'accepted') AS c, coalesce(a.state, 'accepted') AS a,
         o.reason AS why_o, c.reason AS why_c, a.reason AS why_a
  FROM run_row r JOIN item o ON o.item_id = r.observation
  LEFT JOIN item c ON c.item_id = r.child LEFT JOIN item a ON a.item_id = r.adult;
CREATE TABLE IF NOT EXISTS own_check (number INTEGER PRIMARY KEY, request_id BLOB NOT NULL UNIQUE, link_references BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS incident (reason TEXT PRIMARY KEY, count INTEGER NOT NULL, last_at REAL NOT NULL);
"""
# Kept apart, because a first run makes them at its end: cheaper over rows that are there than kept up row by row.
_INDEXES: Final = {
    "item_batch": "item (half, epoch, sequence)",
    "item_about": "item (about) WHERE about IS NOT NULL",
    "item_also": "item (also) WHERE also IS NOT NULL",
    "subject_nhs": "subject (nhs_key) WHERE nhs_key IS NOT NULL",
}
# What the run being read takes back: only in the run's own transaction, emptied before it commits.
_STAGE: Final = """
DROP TABLE IF EXISTS staged_item;
DROP TABLE IF EXISTS staged_row;
CREATE TABLE IF NOT EXISTS staged_withdrawal (
  half TEXT NOT NULL, reference BLOB NOT NULL, facet BLOB NOT NULL, PRIMARY KEY (half, reference, facet)
) WITHOUT ROWID;
"""
_RUNS_KEPT: Final = 50


@dataclass(frozen=True)
class QueuedBatch:
    """A sealed batch that Kafka has not taken yet."""

    half: Half
    epoch: int
    sequence: int
    message: bytes


@dataclass(frozen=True)
class RunReport:
    """Every row of one run accounted for: read = rejected + permitted out + deleted + accepted + refused + waiting."""

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
    permitted_out: int = 0
    held: list[tuple[str, int]] = field(default_factory=list)
    """Why rows may not be sent, how many rows."""
    deleted: int = 0
    """Rows that the source declares deleted."""
    withdrawn: int = 0
    """Rows, and subjects, withdrawn by this run."""
    withdrawn_proved: int = 0
    """Of them, those that the services have receipted."""
    kind: str = "run"


class Spool(Past):
    """Open with `open_spool`. One process at a time holds it."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db, self._path = db, path

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

    @contextmanager
    def bulk(self) -> Iterator[None]:
        """Inside a run's transaction: if nothing was ever sent, have the indexes made at the end."""
        first = self._one("SELECT NOT EXISTS (SELECT 1 FROM item)")
        for name in _INDEXES if first else ():
            self._db.execute(f"DROP INDEX IF EXISTS {name}")
        yield
        make_indexes(self._db)

    def start_run(self, extract: str, dataset: str, feed: str = "", kind: str = "run") -> int:
        """Begin to stage a run."""
        cursor = self._db.execute(
            "INSERT INTO run (extract, dataset, started_at, feed, kind) VALUES (?, ?, ?, ?, ?)",
            (extract, dataset, time.time(), feed, kind),
        )
        return int(cursor.lastrowid or 0)

    def reject(self, run_id: int, rejections: Iterable[Rejection]) -> None:
        """Note rows that stay behind."""
        self._db.executemany(
            "INSERT INTO rejection VALUES (?, ?, ?, ?, ?)",
            ((run_id, r.row_number, r.column, r.reason, r.remedy) for r in rejections),
        )

    def keep(self, run_id: int, references: Iterable[bytes]) -> None:
        """Rows that are there but were rejected: what was sent of them before is not gone."""
        for reference in references:
            row = self._db.execute(
                "SELECT item_id FROM item WHERE half = 'observations' AND reference = ?", (reference,)
            ).fetchone()
            if row:
                latest = self._db.execute(
                    "SELECT observation, child, adult FROM run_row WHERE observation = ? ORDER BY run_id DESC LIMIT 1",
                    row,
                ).fetchone()
                marked = [(run_id, item) for item in latest or row if item is not None]
                self._db.executemany("UPDATE item SET seen_run = ? WHERE item_id = ?", marked)

    def stage(self) -> AbstractContextManager[Stage]:
        """Where the run's items wait. Inside the run's transaction only, which keeps other runs out."""
        return open_stage(self._path)

    def changed(self, stage: Stage, half: Half, run_id: int, numbers: ItemNumbers) -> Iterator[tuple[int, StagedItem]]:
        """Staged items that are new, changed, were refused or withdrawn before, with their item ids; in the order of their
        references, which tells nothing. Notes what is unchanged as seen. Encodings come first, and leave their ids in
        `numbers`; observations then tie the run's rows to both."""
        next_id = int(self._one("SELECT coalesce(max(item_id), 0) + 1 FROM item"))
        for bucket, items in stage.items(half):
            known = self._known(half, bucket)
            seen: list[tuple[int, int]] = []
            ids: dict[bytes, int] = {}
            for item in items:
                before = known.get((item.reference, item.facet))
                if before is None:
                    item_id, next_id = next_id, next_id + 1
                else:
                    item_id = before[0]
                ids[item.reference] = item_id
                if before is not None and before[1] == item.digest and before[2] not in ("refused", "withdrawn"):
                    seen.append((run_id, item_id))
                else:
                    yield item_id, item
            self._db.executemany("UPDATE item SET seen_run = ? WHERE item_id = ?", seen)
            if half == "encodings":
                numbers.add(list(ids), list(ids.values()))
            else:
                self._tie_rows(run_id, stage.rows(bucket), ids, numbers)

    def _known(self, half: Half, bucket: int) -> dict[tuple[bytes, bytes], tuple[int, bytes, str]]:
        least, beyond = bucket_range(bucket)
        rows = self._db.execute(
            "SELECT reference, facet, item_id, digest, state FROM item WHERE half = ? AND reference >= ? AND reference < ?",
            (half, least, beyond),
        )
        return {(reference, facet): (item_id, digest, state) for reference, facet, item_id, digest, state in rows}

    def _tie_rows(self, run_id: int, rows: Any, observations: Mapping[bytes, int], encodings: ItemNumbers) -> None:
        rows.sort(order="number")
        of_rows = [observations[reference.tobytes()] for reference in rows["observation"]]
        child, adult = (encodings.of(rows[role]) * has_role(rows, role) for role in ("child", "adult"))
        self._db.executemany(
            "INSERT INTO run_row VALUES (?, ?, ?, nullif(?, 0), nullif(?, 0))",
            zip(repeat(run_id), rows["number"].tolist(), of_rows, child.tolist(), adult.tolist(), strict=False),
        )

    # Withdrawals.

    def stage_withdrawals(self, tombstones: Iterable[Tombstone]) -> None:
        """Stage what is to be withdrawn."""
        self._db.executemany("INSERT OR IGNORE INTO staged_withdrawal VALUES (?, ?, ?)", tombstones)

    def withdrawals(self, half: Half) -> list[Tombstone]:
        """What is staged to be withdrawn, in an order that tells nothing."""
        rows = self._db.execute("SELECT * FROM staged_withdrawal WHERE half = ? ORDER BY reference, facet", (half,))
        return [Tombstone(*row) for row in rows]

    def rows_of(self, feed: str | None, analytics_reference: bytes) -> list[Tombstone]:
        """The rows that are out about a subject; of one feed, or of all."""
        return [
            Tombstone("observations", row[0])
            for row in self._db.execute(
                "SELECT reference FROM item WHERE half = 'observations' AND about = ? AND state <> 'withdrawn' AND (? IS NULL OR feed = ?)",
                (analytics_reference, feed, feed),
            )
        ]

    def is_out(self, tombstone: Tombstone) -> bool:
        """Whether anything was sent that this would withdraw, or may have been."""
        if self.lost_past() is not None:
            return True  # for all that is known here
        found = self._one(
            "SELECT count(*) FROM item WHERE half = ? AND state <> 'withdrawn' AND (reference = ? OR about = ? OR also = ?) "
            "AND (? = x'' OR facet = ?)",
            tombstone.half, *([tombstone.reference] * 3), tombstone.facet, tombstone.facet,
        )  # fmt: skip
        return bool(found)

    def subject(self, link_reference: bytes) -> tuple[bytes, bytes] | None:
        """The references of a subject that was sent, or None."""
        query = "SELECT link_reference, analytics_reference FROM subject WHERE link_reference = ?"
        found: tuple[bytes, bytes] | None = self._db.execute(query, (link_reference,)).fetchone()
        return found

    def subjects_with(self, nhs_key: bytes) -> list[tuple[bytes, bytes]]:
        """The references of subjects that were sent with an NHS number, by its keyed hash."""
        return self._all("SELECT link_reference, analytics_reference FROM subject WHERE nhs_key = ?", nhs_key)

    def withdraw_for_good(self, link_references: Iterable[bytes]) -> None:
        """Hold these subjects back in every later run."""
        self._db.executemany("INSERT OR IGNORE INTO withdrawn_subject VALUES (?)", ((r,) for r in link_references))

    def allow_again(self, link_references: Iterable[bytes]) -> int:
        """Undo `withdraw_for_good`. Returns for how many."""
        marks = [(reference,) for reference in link_references]
        return self._db.executemany("DELETE FROM withdrawn_subject WHERE link_reference = ?", marks).rowcount

    def withdrawn_subjects(self) -> frozenset[bytes]:
        """Link references of the subjects that are withdrawn for good."""
        return frozenset(row[0] for row in self._db.execute("SELECT link_reference FROM withdrawn_subject"))

    def gone(self, feed: str, run_id: int) -> tuple[list[Tombstone], int]:
        """What of a feed was not in this run, and how many rows the feed has out: call after `mark_seen`."""
        rows = self._db.execute(
            "SELECT half, reference, facet FROM item WHERE feed = ? AND state <> 'withdrawn' AND coalesce(seen_run, 0) < ?",
            (feed, run_id),
        )
        out = self._one(
            "SELECT count(*) FROM item WHERE half = 'observations' AND feed = ? AND state <> 'withdrawn'", feed
        )
        return [Tombstone(*row) for row in rows], int(out)

    def retired(self, feed: str, facets: Sequence[bytes]) -> tuple[list[Tombstone], int]:
        """Encodings of a feed under a linkage secret that is no longer in use (not of `facets`): those whose subject is out
        under one in use, and how many subjects are not."""
        self._db.execute("CREATE TEMP TABLE IF NOT EXISTS in_use (facet BLOB PRIMARY KEY)")
        self._db.execute("DELETE FROM temp.in_use")
        self._db.executemany("INSERT INTO temp.in_use VALUES (?)", [(facet,) for facet in facets])
        rows = self._all(
            "SELECT old.half, old.reference, old.facet, EXISTS (SELECT 1 FROM item new WHERE new.half = 'encodings' AND "
            "new.reference = old.reference AND new.facet IN (SELECT facet FROM temp.in_use) AND new.state <> 'withdrawn') "
            "FROM item old WHERE old.half = 'encodings' AND old.feed = ? AND old.state <> 'withdrawn' "
            "AND old.facet NOT IN (SELECT facet FROM temp.in_use)",
            feed,
        )
        replaced = [Tombstone(half, reference, facet) for half, reference, facet, out in rows if out]
        return replaced, len(rows) - len(replaced)

    def sent_by(self, run_id: int) -> list[Tombstone]:
        """Everything whose newest version went out with a run."""
        rows = self._db.execute(
            "SELECT half, reference, facet FROM item WHERE sent_run = ? AND state <> 'withdrawn'", (run_id,)
        )
        return [Tombstone(*row) for row in rows]

    def run_exists(self, run_id: int) -> bool:
        """Whether there is such a run."""
        return bool(self._one("SELECT count(*) FROM run WHERE run_id = ?", run_id))

    def queue_withdrawal(
        self, run_id: int, half: Half, epoch: int, sequence: int, message: bytes, tombstones: Sequence[Tombstone]
    ) -> None:
        """Queue a sealed batch of tombstones and mark what they take back."""
        self.queue_message(half, epoch, sequence, message)
        self._db.executemany(
            "INSERT INTO withdrawal VALUES (?, ?, ?, ?, ?, ?)",
            ((run_id, half, t.reference, t.facet, epoch, sequence) for t in tombstones),
        )
        self._db.executemany(
            "UPDATE item SET state = 'withdrawn', reason = '' WHERE half = ? AND (reference = ? OR about = ?) AND (? = x'' OR facet = ?)",
            ((half, t.reference, t.reference, t.facet, t.facet) for t in tombstones),
        )
        # Analytics takes the other person off a row and keeps the row: should they come back, it must go out again.
        if half == "observations":
            self._db.executemany("UPDATE item SET digest = x'' WHERE also = ?", ((t.reference,) for t in tombstones))

    def queue_message(self, half: Half, epoch: int, sequence: int, message: bytes) -> None:
        """Queue a sealed batch."""
        self._db.execute(
            "INSERT INTO batch (half, epoch, sequence, message, bytes, digest) VALUES (?, ?, ?, ?, ?, ?)",
            (half, epoch, sequence, message, len(message), envelope.digest(message)),
        )

    def next_sequence(self, half: Half) -> tuple[int, int]:
        """Take the stream's next (epoch, sequence number). A new spool is a new, greater epoch."""
        row = self._db.execute("SELECT epoch, next_sequence FROM stream WHERE half = ?", (half,)).fetchone()
        epoch, sequence = row or (int(time.time()), 1)
        self._db.execute("INSERT OR REPLACE INTO stream VALUES (?, ?, ?)", (half, epoch, sequence + 1))
        return epoch, sequence

    def last_sequence(self, half: Half) -> tuple[int, int] | None:
        """The (epoch, sequence number) that the stream's last batch has; None before the first."""
        row = self._db.execute("SELECT epoch, next_sequence - 1 FROM stream WHERE half = ?", (half,)).fetchone()
        return (row[0], row[1]) if row else None

    def queue(
        self,
        run_id: int,
        feed: str,
        half: Half,
        epoch: int,
        sequence: int,
        message: bytes,
        items: Sequence[tuple[int, StagedItem]],
    ) -> None:
        """Queue a sealed batch and note what is in it."""
        self.queue_message(half, epoch, sequence, message)
        observed = half == "observations"
        self._db.executemany(
            "INSERT INTO item (item_id, half, reference, facet, digest, epoch, sequence, place, feed, about, also, sent_run, seen_run) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (item_id) DO UPDATE SET digest = excluded.digest, epoch = excluded.epoch, sequence = excluded.sequence, "
            "place = excluded.place, state = 'waiting', reason = '', feed = excluded.feed, about = excluded.about, "
            "also = excluded.also, sent_run = excluded.sent_run, seen_run = excluded.seen_run",
            (
                (
                    item_id, half, i.reference, i.facet, i.digest, epoch, sequence, place, feed,
                    i.companion if observed else None, i.also if observed else None, run_id, run_id,
                )
                for place, (item_id, i) in enumerate(items)
            ),
        )  # fmt: skip
        if not observed:
            # What a withdrawal by local id or NHS number finds a subject by.
            self._db.executemany(
                "INSERT INTO subject VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET nhs_key = coalesce(excluded.nhs_key, nhs_key)",
                ((i.reference, i.companion, i.also) for _, i in items),
            )

    def mark_seen(self, stage: Stage, run_id: int) -> None:
        """Note that everything staged is still there: before `gone` is asked."""
        for half in ("encodings", "observations"):
            for bucket, items in stage.items(half):
                known = self._known(half, bucket)
                seen = [(run_id, known[key][0]) for i in items if (key := (i.reference, i.facet)) in known]
                self._db.executemany("UPDATE item SET seen_run = ? WHERE item_id = ?", seen)

    def finish_run(
        self, run_id: int, rows_read: int, notes: Iterable[tuple[str, int]], held: Iterable[tuple[str, int]] = ()
    ) -> None:
        """Note the run's account, and forget the rows of old runs."""
        self._db.execute("DELETE FROM staged_withdrawal")
        self._db.execute("UPDATE run SET rows_read = ? WHERE run_id = ?", (rows_read, run_id))
        self._db.executemany("INSERT INTO note VALUES (?, ?, ?)", ((run_id, text, count) for text, count in notes))
        self._db.executemany("INSERT INTO held VALUES (?, ?, ?)", ((run_id, why, count) for why, count in held))
        # The newest run of each feed is kept whatever its age: it says what of the feed is out.
        old = "run_id <= ? AND run_id NOT IN (SELECT max(run_id) FROM run GROUP BY feed)"
        for table in ("run_row", "rejection"):
            self._db.execute(f"DELETE FROM {table} WHERE {old}", (run_id - _RUNS_KEPT,))  # noqa: S608 - our own names

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
            "SELECT min(started_at) FROM run WHERE run_id IN (SELECT DISTINCT sent_run FROM item WHERE state = 'waiting')"
        )
        return time.time() - started if started else 0.0

    # Receipts.

    def sealed(self, half: Half, epoch: int, sequence: int, digest: bytes) -> bool:
        """Whether a batch is this spool's own. An empty digest, of a service or a spool of an earlier version, tells nothing."""
        row = self._db.execute(
            "SELECT digest FROM batch WHERE half = ? AND epoch = ? AND sequence = ?", (half, epoch, sequence)
        ).fetchone()
        return row is not None and (not digest or row[0] is None or row[0] == digest)

    def is_unanswered(self, half: Half, epoch: int, sequence: int) -> bool:
        """Whether a batch has no receipt yet."""
        key = (half, epoch, sequence)
        return bool(
            self._one(
                "SELECT count(*) FROM batch WHERE half = ? AND epoch = ? AND sequence = ? AND state IN ('queued', 'sent')",
                *key,
            )
        )

    def inbox_offset(self, topic: str) -> int:
        """Where to read receipts on."""
        return int(self._one("SELECT coalesce(max(next_offset), 0) FROM inbox WHERE topic = ?", topic))

    def move_inbox(self, topic: str, next_offset: int) -> None:
        """Receipts before this offset were read."""
        self._db.execute("INSERT OR REPLACE INTO inbox VALUES (?, ?)", (topic, next_offset))

    def is_new_receipt(self, sender: str, epoch: int, sequence: int, sealed_at_ms: int = 0) -> bool:
        """Whether a receipt batch comes after every one read from `sender`; if so, note it, and whether it is from the future.
        After a gap, what is not answered is sent again."""
        row = self._db.execute("SELECT epoch, sequence FROM receipt_stream WHERE sender = ?", (sender,)).fetchone()
        if row is not None and (epoch, sequence) <= tuple(row):
            return False
        if row is not None and epoch == row[0] and sequence > row[1] + 1:
            # A receipt is missing. Whatever it was for is asked again: sent twice, a batch gets the same receipt.
            self.send_unanswered_again()
        ahead = max(0, sealed_at_ms - int(time.time() * 1000))
        self._db.execute("INSERT OR REPLACE INTO receipt_stream VALUES (?, ?, ?, ?)", (sender, epoch, sequence, ahead))
        return True

    def hub_ahead_s(self) -> float:
        """By how much the newest receipts lie in this machine's future: its clock is slow by at least that."""
        return float(self._one("SELECT coalesce(max(ahead_ms), 0) FROM receipt_stream")) / 1000

    def accept(self, half: Half, epoch: int, sequence: int, refused: Iterable[tuple[int, str]]) -> None:
        """A service stored a batch, except for the records listed. An accepted batch needs its bytes no longer."""
        key = (half, epoch, sequence)
        self._db.execute(
            "UPDATE batch SET state = 'accepted', message = NULL WHERE half = ? AND epoch = ? AND sequence = ?", key
        )
        self._db.execute(
            "UPDATE item SET state = 'accepted' WHERE half = ? AND epoch = ? AND sequence = ? AND state = 'waiting'",
            key,
        )
        self._db.executemany(
            "UPDATE item SET state = 'refused', reason = ? WHERE half = ? AND epoch = ? AND sequence = ? AND place = ? "
            "AND state <> 'withdrawn'",
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

    def send_unanswered_again(self) -> None:
        """Send everything again that has no receipt: its receipts, or the broker's log, were lost. Whoever has read it answers alike."""
        self._db.execute("UPDATE batch SET state = 'queued' WHERE state = 'sent'")

    def note_own_check(self, request_id: bytes, references: Sequence[bytes]) -> None:
        """The linker asks about some of the site's own people; the same request twice is one."""
        self._db.execute(
            "INSERT OR IGNORE INTO own_check (request_id, link_references) VALUES (?, ?)",
            (request_id, b"".join(references)),
        )

    def own_checks(self) -> dict[int, tuple[bytes, list[bytes]]]:
        """Open requests by number: their id, and the link references that they are about."""
        return {
            number: (request_id, [joined[at : at + REFERENCE_BYTES] for at in range(0, len(joined), REFERENCE_BYTES)])
            for number, request_id, joined in self._all("SELECT * FROM own_check ORDER BY number")
        }

    def forget_own_check(self, number: int) -> None:
        """A request is answered."""
        self._db.execute("DELETE FROM own_check WHERE number = ?", (number,))

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
        extract, dataset, read, kind = self._db.execute(
            "SELECT extract, dataset, rows_read, kind FROM run WHERE run_id = ?", (run_id,)
        ).fetchone()
        states, refusals = self._fates(run_id)
        held = self._all("SELECT why, rows FROM held WHERE run_id = ? ORDER BY rows DESC", run_id)
        withdrawn, proved = self._db.execute(
            "SELECT count(*), coalesce(sum(b.state = 'accepted'), 0) FROM withdrawal w JOIN batch b USING (half, epoch, sequence) "
            "WHERE w.run_id = ?",
            (run_id,),
        ).fetchone()
        return RunReport(
            run_id, extract, dataset, read,
            rejected=int(self._one("SELECT count(*) FROM rejection WHERE run_id = ?", run_id)),
            accepted=states.get("accepted", 0), refused=states.get("refused", 0), waiting=states.get("waiting", 0),
            rejections=self._all(
                "SELECT column_name, reason, remedy, count(*) FROM rejection WHERE run_id = ? GROUP BY 1, 2, 3 ORDER BY 4 DESC", run_id
            ),
            refusals=refusals,
            notes=self._all("SELECT text, rows FROM note WHERE run_id = ? ORDER BY rows DESC", run_id),
            held=[(why, count) for why, count in held if why != DELETED],
            permitted_out=sum(count for why, count in held if why != DELETED),
            deleted=sum(count for why, count in held if why == DELETED),
            withdrawn=withdrawn, withdrawn_proved=proved, kind=kind,
        )  # fmt: skip

    def _fates(self, run_id: int) -> tuple[dict[str, int], list[tuple[str, int]]]:
        """How many rows of a run are accepted, waiting or refused; and of the refused, why."""
        newest = (
            self._one("SELECT max(n.run_id) FROM run r JOIN run n USING (feed) WHERE r.run_id = ?", run_id) == run_id
        )
        if newest:
            # What a feed's newest run saw is marked: if all of it has one fate, millions of rows need not be looked at.
            fates = [row[0] for row in self._all("SELECT DISTINCT state FROM item WHERE seen_run = ?", run_id)]
            if fates in (["waiting"], ["accepted"]):
                return {fates[0]: int(self._one("SELECT count(*) FROM run_row WHERE run_id = ?", run_id))}, []
        states = self._all(
            "SELECT CASE WHEN 'refused' IN (o, c, a) THEN 'refused' WHEN 'waiting' IN (o, c, a) THEN 'waiting' "
            "ELSE 'accepted' END AS state, count(*) FROM row_state WHERE run_id = ? GROUP BY 1",
            run_id,
        )
        refusals = self._all(
            "WITH state AS (SELECT * FROM row_state WHERE run_id = ?) SELECT why, count(DISTINCT row_number) FROM ("
            "SELECT row_number, why_o AS why, o AS now FROM state UNION ALL SELECT row_number, why_c, c FROM state "
            "UNION ALL SELECT row_number, why_a, a FROM state) WHERE now = 'refused' GROUP BY why ORDER BY 2 DESC",
            run_id,
        )
        return dict(states), refusals

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
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA cache_size = -65536;"
        )
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0 and db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'row_item'").fetchone()[0]:
            raise SpoolError(
                f"The spool {path} was written by childlink 0.1.",
                "Send what is left in it with that version, move the file away, and run again: a new spool sends everything anew.",
            )
        if version not in (0, 2, _VERSION):
            raise SpoolError(f"The spool {path} was written by a newer childlink.", "Install that version.")
        if version == 2:
            _digest_batches(db)
        db.executescript(_SCHEMA + PAST_SCHEMA + _STAGE + f"PRAGMA user_version = {_VERSION}")
        make_indexes(db)
        if path.exists():
            path.chmod(0o600)
    except (sqlite3.Error, OSError) as error:
        raise SpoolError(
            f"The spool {path} cannot be opened ({error}).",
            "Check its path, permissions and disk space. Nothing was half sent.",
        ) from None
    try:
        yield Spool(db, path)
    except sqlite3.OperationalError as error:
        raise SpoolError(
            f"The spool {path} could not be written ({error}).",
            "Free disk space, or wait until the other run is done; then run again. Nothing was half sent.",
        ) from None
    finally:
        db.close()


def _digest_batches(db: sqlite3.Connection) -> None:
    """Version 2 to 3. Batches whose bytes are gone keep no digest: they are answered."""
    db.create_function("sha256", 1, envelope.digest, deterministic=True)
    db.executescript(
        "BEGIN; ALTER TABLE batch ADD COLUMN digest BLOB; "
        "UPDATE batch SET digest = sha256(message) WHERE message IS NOT NULL; PRAGMA user_version = 3; COMMIT"
    )


def make_indexes(db: sqlite3.Connection) -> None:
    """Make the indexes that are missing."""
    for name, columns in _INDEXES.items():
        db.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {columns}")


def explain(reason: str) -> str:
    """A refusal code in words."""
    return EXPLANATIONS.get(reason, reason)
