"""Recovery when the spool and a service no longer agree on what was sent.

Either the spool does not know everything (it was restored from a backup, or newly made), or a
service was restored and lost what it had acknowledged.
"""

import time
from dataclasses import dataclass
from typing import Final

from childlink_core.reasons import HUB_RESTORED, RESTORED

from childlink_ingest.model.items import Half, Tombstone
from childlink_ingest.spool.part import Part

HALVES: Final[tuple[Half, ...]] = ("encodings", "observations")
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS lost_past (
  at REAL NOT NULL, known_until REAL NOT NULL, given_up INTEGER NOT NULL, confirmed_at REAL
);
"""


@dataclass(frozen=True)
class LostPast:
    """A past that the spool has no record of."""

    at: float
    """When the spool detected it, in Unix seconds."""
    known_until: float
    """Start of the newest recorded run, in Unix seconds; 0 if there is none."""
    given_up: int
    """Batches sealed under sequence numbers that had been used before. They were never read."""
    confirmed: bool
    """Whether a person confirmed that the lost withdrawals are repeated."""


class Past(Part):
    """Part of the spool."""

    def begin_anew(self, greatest_epoch: int) -> None:
        """Start a new epoch, because a service has read batches of this site that the spool does
        not know.

        Give up all unanswered batches, mark all items as not sent, and use an epoch greater than
        every known one. Runs wait until a person confirms the withdrawals.
        """
        given_up = self._give_up(RESTORED, greatest_epoch, "queued", "sent")
        [until] = self._db.execute("SELECT coalesce(max(started_at), 0) FROM run").fetchone()
        self._db.execute(
            "INSERT INTO lost_past VALUES (?, ?, ?, NULL)", (time.time(), until, given_up)
        )

    def forget_receipts(self) -> int:
        """Start a new epoch, because a service was restored from a backup and lost batches that it
        had acknowledged.

        Mark all items as not sent: the next run of each feed sends them again. Withdrawals are
        repeated as well, since the service may hold people again who were withdrawn. Returns the
        number of batches that no longer count.
        """
        return self._give_up(HUB_RESTORED, 0, "queued", "sent", "accepted")

    def _give_up(self, reason: str, greatest_epoch: int, *states: str) -> int:
        known = [row[0] for row in self._db.execute("SELECT epoch FROM stream")]
        epoch = max(int(time.time()), greatest_epoch + 1, *(epoch + 1 for epoch in known), 1)
        self._db.executemany(
            "INSERT OR REPLACE INTO stream VALUES (?, ?, 1)", [(half, epoch) for half in HALVES]
        )
        # The services may hold another version of any item, so no item may count as accepted. The
        # next run sends refused items again.
        self._db.execute(
            "UPDATE item SET state = 'refused', reason = ? WHERE state <> 'withdrawn'", (reason,)
        )
        return self._db.executemany(
            "UPDATE batch SET state = 'refused', reason = ?, message = NULL WHERE state = ?",
            [(reason, state) for state in states],
        ).rowcount

    def lost_past(self) -> LostPast | None:
        """The newest lost past; None if the spool knows everything."""
        row = self._db.execute(
            "SELECT * FROM lost_past ORDER BY at DESC, rowid DESC LIMIT 1"
        ).fetchone()
        return LostPast(row[0], row[1], row[2], row[3] is not None) if row else None

    def confirm_past(self) -> None:
        """Record that the withdrawals of the lost past are repeated. Runs may continue."""
        self._db.execute(
            "UPDATE lost_past SET confirmed_at = ? WHERE confirmed_at IS NULL", (time.time(),)
        )

    def take_lost_withdrawals(self) -> list[Tombstone]:
        """Take the withdrawals whose batch was given up.

        They are removed from the accounts of their runs, and count for the run that repeats them.
        """
        given_up = (
            "SELECT half, epoch, sequence FROM batch WHERE state = 'refused' AND reason IN (?, ?)"
        )
        lost = f"FROM withdrawal WHERE (half, epoch, sequence) IN ({given_up})"
        rows = self._db.execute(
            f"SELECT half, reference, coalesce(facet, x'') {lost}", (RESTORED, HUB_RESTORED)
        ).fetchall()
        self._db.execute(f"DELETE {lost}", (RESTORED, HUB_RESTORED))
        return [Tombstone(*row) for row in rows]
