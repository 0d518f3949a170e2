"""What a spool does when it learns that it does not know all that its site has sent: it was put
back from a backup, or made anew.
"""

import time
from dataclasses import dataclass
from typing import Final

from childlink_core.reasons import RESTORED

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
    """A past that the spool does not know."""

    at: float
    """When it noticed, Unix seconds."""
    known_until: float
    """When the newest run that it knows of began; 0 without one."""
    given_up: int
    """Batches that were sealed under numbers that had been used before, and so were never read."""
    confirmed: bool
    """Somebody has said that the withdrawals of that past are repeated."""


class Past(Part):
    """Part of the spool."""

    def begin_anew(self, greatest_epoch: int) -> None:
        """A service has read, under this site's name, what the spool does not know. Give up what is
        not answered, count everything as not sent, and go on in an epoch beyond every known one;
        runs wait until somebody has seen to the withdrawals.
        """
        known = [row[0] for row in self._db.execute("SELECT epoch FROM stream")]
        epoch = max(int(time.time()), greatest_epoch + 1, *(epoch + 1 for epoch in known), 1)
        self._db.executemany(
            "INSERT OR REPLACE INTO stream VALUES (?, ?, 1)", [(half, epoch) for half in HALVES]
        )
        # The services may hold a newer version of any of them, so no account may call them
        # accepted; the next run sends what is refused.
        self._db.execute(
            "UPDATE item SET state = 'refused', reason = ? WHERE state <> 'withdrawn'", (RESTORED,)
        )
        given_up = self._db.execute(
            "UPDATE batch SET state = 'refused', reason = ?, message = NULL WHERE state IN"
            " ('queued', 'sent')",
            (RESTORED,),
        ).rowcount
        [until] = self._db.execute("SELECT coalesce(max(started_at), 0) FROM run").fetchone()
        self._db.execute(
            "INSERT INTO lost_past VALUES (?, ?, ?, NULL)", (time.time(), until, given_up)
        )

    def lost_past(self) -> LostPast | None:
        """The newest past that the spool found itself not to know; None if it knows everything."""
        row = self._db.execute(
            "SELECT * FROM lost_past ORDER BY at DESC, rowid DESC LIMIT 1"
        ).fetchone()
        return LostPast(row[0], row[1], row[2], row[3] is not None) if row else None

    def confirm_past(self) -> None:
        """The withdrawals of the lost past are repeated: runs may go on."""
        self._db.execute(
            "UPDATE lost_past SET confirmed_at = ? WHERE confirmed_at IS NULL", (time.time(),)
        )

    def take_lost_withdrawals(self) -> list[Tombstone]:
        """Withdrawals whose batch was given up, off the accounts of their runs: they go onto that
        of the run that repeats them.
        """
        given_up = "SELECT half, epoch, sequence FROM batch WHERE state = 'refused' AND reason = ?"
        lost = f"FROM withdrawal WHERE (half, epoch, sequence) IN ({given_up})"
        rows = self._db.execute(
            f"SELECT half, reference, coalesce(facet, x'') {lost}", (RESTORED,)
        ).fetchall()
        self._db.execute(f"DELETE {lost}", (RESTORED,))
        return [Tombstone(*row) for row in rows]
