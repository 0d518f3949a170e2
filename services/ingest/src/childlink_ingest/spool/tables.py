"""The spool's tables (SQLite), and the migration of older files."""

import sqlite3
from pathlib import Path
from typing import Final

from childlink_core import envelope

from childlink_ingest.errors import SpoolError
from childlink_ingest.spool.past import SCHEMA as PAST_SCHEMA

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
"""  # noqa: E501
# Separate, because a first run creates them at its end. That is cheaper than updating them row by
# row.
INDEXES: Final = {
    "item_batch": "item (half, epoch, sequence)",
    "item_about": "item (about) WHERE about IS NOT NULL",
    "item_also": "item (also) WHERE also IS NOT NULL",
    "subject_nhs": "subject (nhs_key) WHERE nhs_key IS NOT NULL",
}
# Withdrawals of the current run. Only used in the run's own transaction, and emptied before it
# commits.
_STAGE: Final = """
DROP TABLE IF EXISTS staged_item;
DROP TABLE IF EXISTS staged_row;
CREATE TABLE IF NOT EXISTS staged_withdrawal (
  half TEXT NOT NULL, reference BLOB NOT NULL, facet BLOB NOT NULL, PRIMARY KEY (half, reference, facet)
) WITHOUT ROWID;
"""  # noqa: E501


def prepare(db: sqlite3.Connection, path: Path) -> None:
    """Create the tables, or migrate those of the previous version. Raises SpoolError if that is
    impossible.
    """
    db.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA"
        " cache_size = -65536;"
    )
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if (
        version == 0
        and db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'row_item'").fetchone()[0]
    ):
        raise SpoolError(
            f"The spool {path} was written by childlink 0.1.",
            "Send the remaining batches with that version, move the file away, then run again. A"
            " new"
            " spool sends everything again.",
        )
    if version not in (0, 2, _VERSION):
        raise SpoolError(
            f"The spool {path} was written by a newer childlink.", "Install that version."
        )
    if version == 2:
        _digest_batches(db)
    db.executescript(_SCHEMA + PAST_SCHEMA + _STAGE)
    if version != _VERSION:
        # This pragma writes even an unchanged value. A command that only reads would have to wait
        # for a run that is being staged.
        db.execute(f"PRAGMA user_version = {_VERSION}")
    make_indexes(db)


def _digest_batches(db: sqlite3.Connection) -> None:
    """Migrate version 2 to 3. Batches without bytes get no digest: they are already answered."""
    db.create_function("sha256", 1, envelope.digest, deterministic=True)
    db.executescript(
        "BEGIN; ALTER TABLE batch ADD COLUMN digest BLOB; UPDATE batch SET digest = sha256(message)"
        " WHERE message IS NOT NULL; PRAGMA user_version = 3; COMMIT"
    )


def make_indexes(db: sqlite3.Connection) -> None:
    """Create the missing indexes."""
    for name, columns in INDEXES.items():
        db.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {columns}")
