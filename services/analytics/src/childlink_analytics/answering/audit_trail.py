"""The trail of questions: who asked what, as a hash chain in the answering process's own SQLite
file. Adapter.

One thread writes waiting entries together after a moment, so that no question waits for the disk.
Waiting entries are written when the process stops. A crash can lose the last moments, which is
better than slow answers: no answer depends on the trail.

SQLite comes with Python. The answering process needs no other database, and cannot reach one.
"""

import json
import queue
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Final

import structlog
from childlink_catalogue.errors import CatalogueError
from childlink_core.audit import NOTHING, Entry, Head, digest_of, next_row, verify

log = structlog.get_logger()
_TOGETHER: Final = 5_000
# Entries of this long are written together. Each writing costs as much as a hundred entries.
_MOMENT_S: Final = 0.1
_SQLITE: Final = "sqlite:///"
_WAIT_S: Final = 30.0
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS audit_entry (
  number INTEGER NOT NULL PRIMARY KEY, at_ms BIGINT NOT NULL, who VARCHAR(128) NOT NULL, action VARCHAR(64) NOT NULL,
  detail TEXT NOT NULL, digest BLOB NOT NULL
)
"""  # noqa: E501
_Waiting = tuple[int, str, str, dict[str, str]]
"""Time in milliseconds, who, what was done, detail."""
_COLUMNS: Final = "number, at_ms, who, action, detail, digest"


class QuestionsTrail:
    """The trail of questions. Close it, or use it in a `with` statement. `url` is `sqlite:///` and
    a path. Raises CatalogueError for any other URL.
    """

    def __init__(self, url: str, key: bytes) -> None:
        if not url.startswith(_SQLITE) or len(url) == len(_SQLITE):
            raise CatalogueError(
                "The trail of questions must be a SQLite file.",
                "Set audit to sqlite:/// and its path, for example sqlite:////srv/trail.sqlite.",
            )
        self._path, self._key = Path(url.removeprefix(_SQLITE)), key
        try:
            with closing(self._open()) as db:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute(_TABLE)
        except sqlite3.Error as error:
            raise CatalogueError(
                f"The trail of questions {self._path} cannot be opened ({error}).",
                "Check the folder and its permissions.",
            ) from None
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._writer = threading.Thread(target=self._write, name="questions trail", daemon=True)
        self._writer.start()

    def append(self, who: str, action: str, **detail: str) -> None:
        """Queue a call to be recorded soon."""
        self._waiting.put((int(time.time() * 1000), who, action, detail))

    def read(self, after: int = 0) -> list[Entry]:
        """The entries after a number, in order."""
        wanted = f"SELECT {_COLUMNS} FROM audit_entry WHERE number > ? ORDER BY number"  # noqa: S608 - constants
        with closing(self._open()) as db:
            return [
                Entry(number, at_ms, who, action, json.loads(detail), digest)
                for number, at_ms, who, action, detail, digest in db.execute(wanted, (after,))
            ]

    def verify(self, noted: Head | None = None) -> Head:
        """Check every entry. Raises AuditBrokenError."""
        rows = f"SELECT {_COLUMNS} FROM audit_entry ORDER BY number"  # noqa: S608 - constants
        with closing(self._open()) as db:
            return verify(((row[:5], row[5]) for row in db.execute(rows)), self._key, noted)

    def close(self) -> None:
        """Write the waiting entries and stop."""
        self._stopping.set()
        self._waiting.put(None)
        self._writer.join()

    def _write(self) -> None:
        while (item := self._waiting.get()) is not None:
            self._stopping.wait(_MOMENT_S)
            together = [item]
            last = False
            while len(together) < _TOGETHER and not self._waiting.empty():
                following = self._waiting.get()
                if following is None:
                    last = True
                    break
                together.append(following)
            try:
                self._append(together)
            except sqlite3.Error as error:
                log.error(
                    "questions not written down",
                    count=len(together),
                    error_type=type(error).__name__,
                )
            if last:
                return

    def _append(self, together: list[_Waiting]) -> None:
        with closing(self._open()) as db, db:
            # One writer at a time: two entries that continue the same entry would break the chain.
            db.execute("BEGIN IMMEDIATE")
            found = db.execute(
                "SELECT number, digest FROM audit_entry ORDER BY number DESC LIMIT 1"
            ).fetchone()
            last = Head(*found) if found else Head(0, NOTHING)
            rows = []
            for at_ms, who, action, detail in together:
                row = next_row(last, at_ms, who, action, detail)
                last = Head(row[0], digest_of(self._key, last.digest, row))
                rows.append((*row, last.digest))
            db.executemany(f"INSERT INTO audit_entry ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", rows)  # noqa: S608

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=_WAIT_S, isolation_level=None)
