"""Runs in the spool: a run is staged and queued in one transaction.

Every row is linked to its items.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from itertools import repeat
from typing import Any, Final

from childlink_ingest.model.items import Half, StagedItem
from childlink_ingest.model.rows import Rejection
from childlink_ingest.spool.packing import bucket_range, has_role
from childlink_ingest.spool.part import Part
from childlink_ingest.spool.stage import ItemNumbers, Stage, open_stage
from childlink_ingest.spool.tables import INDEXES, make_indexes

_RUNS_KEPT: Final = 50


class Runs(Part):
    """Part of the spool."""

    @contextmanager
    def bulk(self) -> Iterator[None]:
        """Inside a run's transaction: if nothing was sent before, create the indexes at the end."""
        first = self._one("SELECT NOT EXISTS (SELECT 1 FROM item)")
        for name in INDEXES if first else ():
            self._db.execute(f"DROP INDEX IF EXISTS {name}")
        yield
        make_indexes(self._db)

    def start_run(self, extract: str, dataset: str, feed: str = "", kind: str = "run") -> int:
        """Start to stage a run. Returns its id."""
        cursor = self._db.execute(
            "INSERT INTO run (extract, dataset, started_at, feed, kind) VALUES (?, ?, ?, ?, ?)",
            (extract, dataset, time.time(), feed, kind),
        )
        return int(cursor.lastrowid or 0)

    def reject(self, run_id: int, rejections: Iterable[Rejection]) -> None:
        """Record rejected rows."""
        self._db.executemany(
            "INSERT INTO rejection VALUES (?, ?, ?, ?, ?)",
            ((run_id, r.row_number, r.column, r.reason, r.remedy) for r in rejections),
        )

    def keep(self, run_id: int, references: Iterable[bytes]) -> None:
        """Mark rejected rows as present. They and their people do not count as missing from a
        snapshot.
        """
        about: set[bytes] = set()
        for reference in references:
            about.update(
                known
                for row in self._db.execute(
                    "UPDATE item SET seen_run = ? WHERE half = 'observations' AND reference = ?"
                    " RETURNING about, also",
                    (run_id, reference),
                )
                for known in row
                if known is not None
            )
        if about:
            self._db.execute(
                "CREATE TEMP TABLE IF NOT EXISTS kept (analytics_reference BLOB PRIMARY KEY)"
                " WITHOUT ROWID"
            )
            self._db.execute("DELETE FROM temp.kept")
            self._db.executemany(
                "INSERT INTO temp.kept VALUES (?)", ((reference,) for reference in about)
            )
            self._db.execute(
                "UPDATE item SET seen_run = ? WHERE half = 'encodings' AND feed = (SELECT feed FROM"
                " run WHERE run_id = ?) AND reference IN (SELECT link_reference FROM subject WHERE"
                " analytics_reference IN (SELECT analytics_reference FROM temp.kept))",
                (run_id, run_id),
            )

    def stage(self) -> AbstractContextManager[Stage]:
        """Open the stage for the run's items. Use it only inside the run's transaction, which
        excludes other runs.
        """
        return open_stage(self._path)

    def changed(
        self, stage: Stage, half: Half, run_id: int, numbers: ItemNumbers
    ) -> Iterator[tuple[int, StagedItem]]:
        """Yield staged items that are new or changed, or were refused or withdrawn before, with
        their ids.

        They come in the order of their references, which reveals nothing. Unchanged items are
        marked as seen. Process encodings first: they store their ids in `numbers`. Observations
        then link the run's rows to both.
        """
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
                if (
                    before is not None
                    and before[1] == item.digest
                    and before[2] not in ("refused", "withdrawn")
                ):
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
            "SELECT reference, facet, item_id, digest, state FROM item WHERE half = ? AND reference"
            " >= ? AND reference < ?",
            (half, least, beyond),
        )
        return {
            (reference, facet): (item_id, digest, state)
            for reference, facet, item_id, digest, state in rows
        }

    def _tie_rows(
        self, run_id: int, rows: Any, observations: Mapping[bytes, int], encodings: ItemNumbers
    ) -> None:
        rows.sort(order="number")
        of_rows = [observations[reference.tobytes()] for reference in rows["observation"]]
        child, adult = (
            encodings.of(rows[role]) * has_role(rows, role) for role in ("child", "adult")
        )
        self._db.executemany(
            "INSERT INTO run_row VALUES (?, ?, ?, nullif(?, 0), nullif(?, 0))",
            zip(
                repeat(run_id),
                rows["number"].tolist(),
                of_rows,
                child.tolist(),
                adult.tolist(),
                strict=False,
            ),
        )

    def mark_seen(self, stage: Stage, run_id: int) -> None:
        """Mark every staged item as seen, before `gone` is called."""
        for half in ("encodings", "observations"):
            for bucket, items in stage.items(half):
                known = self._known(half, bucket)
                seen = [
                    (run_id, known[key][0])
                    for i in items
                    if (key := (i.reference, i.facet)) in known
                ]
                self._db.executemany("UPDATE item SET seen_run = ? WHERE item_id = ?", seen)

    def finish_run(
        self,
        run_id: int,
        rows_read: int,
        notes: Iterable[tuple[str, int]],
        held: Iterable[tuple[str, int]] = (),
    ) -> None:
        """Store the run's counts, and delete the rows of old runs."""
        self._db.execute("DELETE FROM staged_withdrawal")
        self._db.execute("UPDATE run SET rows_read = ? WHERE run_id = ?", (rows_read, run_id))
        self._db.executemany(
            "INSERT INTO note VALUES (?, ?, ?)", ((run_id, text, count) for text, count in notes)
        )
        self._db.executemany(
            "INSERT INTO held VALUES (?, ?, ?)", ((run_id, why, count) for why, count in held)
        )
        # The newest run of each feed is always kept, because it shows what is sent of the feed.
        old = "run_id <= ? AND run_id NOT IN (SELECT max(run_id) FROM run GROUP BY feed)"
        for table in ("run_row", "rejection"):
            self._db.execute(f"DELETE FROM {table} WHERE {old}", (run_id - _RUNS_KEPT,))  # noqa: S608 - our own names

    def run_exists(self, run_id: int) -> bool:
        """Whether a run with this id exists."""
        return bool(self._one("SELECT count(*) FROM run WHERE run_id = ?", run_id))

    def runs(self, last: int = 20) -> list[int]:
        """Ids of the newest runs, newest first."""
        return [
            row[0]
            for row in self._db.execute(
                "SELECT run_id FROM run ORDER BY run_id DESC LIMIT ?", (last,)
            )
        ]
