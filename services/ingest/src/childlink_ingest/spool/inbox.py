"""Receipts and other messages from the hub."""

import time
from collections.abc import Iterable, Sequence

from childlink_core.references import REFERENCE_BYTES

from childlink_ingest.model.items import Half
from childlink_ingest.spool.outbox import Outbox


class Inbox(Outbox):
    """Part of the spool."""

    def inbox_offset(self, topic: str) -> int:
        """The offset from which to read receipts."""
        return int(
            self._one("SELECT coalesce(max(next_offset), 0) FROM inbox WHERE topic = ?", topic)
        )

    def move_inbox(self, topic: str, next_offset: int) -> None:
        """Record that all receipts before this offset were read."""
        self._db.execute("INSERT OR REPLACE INTO inbox VALUES (?, ?)", (topic, next_offset))

    def is_new_receipt(self, sender: str, epoch: int, sequence: int, sealed_at_ms: int = 0) -> bool:
        """Whether a receipt batch is newer than all read from `sender`.

        If so, record it, and by how much its time is ahead of this machine's clock. After a gap,
        all unanswered batches are queued again.
        """
        row = self._db.execute(
            "SELECT epoch, sequence FROM receipt_stream WHERE sender = ?", (sender,)
        ).fetchone()
        if row is not None and (epoch, sequence) <= tuple(row):
            return False
        if row is not None and epoch == row[0] and sequence > row[1] + 1:
            # A receipt is missing. Send the unanswered batches again: a repeated batch gets the
            # same receipt.
            self.send_unanswered_again()
        ahead = max(0, sealed_at_ms - int(time.time() * 1000))
        self._db.execute(
            "INSERT OR REPLACE INTO receipt_stream VALUES (?, ?, ?, ?)",
            (sender, epoch, sequence, ahead),
        )
        return True

    def hub_ahead_s(self) -> float:
        """Seconds by which the newest receipts are ahead of this machine's clock. The clock is at
        least that slow.
        """
        return float(self._one("SELECT coalesce(max(ahead_ms), 0) FROM receipt_stream")) / 1000

    def accept(
        self, half: Half, epoch: int, sequence: int, refused: Iterable[tuple[int, str]]
    ) -> None:
        """Record that a service stored a batch, except for the refused records.

        The bytes of an accepted batch are deleted.
        """
        key = (half, epoch, sequence)
        self._db.execute(
            "UPDATE batch SET state = 'accepted', message = NULL WHERE half = ? AND epoch = ? AND"
            " sequence = ?",
            key,
        )
        self._db.execute(
            "UPDATE item SET state = 'accepted' WHERE half = ? AND epoch = ? AND sequence = ? AND"
            " state = 'waiting'",
            key,
        )
        self._db.executemany(
            "UPDATE item SET state = 'refused', reason = ? WHERE half = ? AND epoch = ? AND"
            " sequence = ? AND place = ? AND state <> 'withdrawn'",
            [(reason, *key, place) for place, reason in refused],
        )

    def refuse(self, half: Half, epoch: int, sequence: int, reason: str) -> None:
        """Record that a service permanently refused a whole batch. An accepted batch stays
        accepted.
        """
        key = (half, epoch, sequence)
        changed = self._db.execute(
            "UPDATE batch SET state = 'refused', reason = ?, message = NULL "
            "WHERE half = ? AND epoch = ? AND sequence = ? AND state IN ('queued', 'sent')",
            (reason, *key),
        ).rowcount
        if changed:
            self._db.execute(
                "UPDATE item SET state = 'refused', reason = ? WHERE half = ? AND epoch = ? AND"
                " sequence = ?",
                (reason, *key),
            )
        self.note_incident(reason)

    def note_own_check(self, request_id: bytes, references: Sequence[bytes]) -> None:
        """Record a request of the linker about some of the site's people. Repeated requests are
        ignored.
        """
        self._db.execute(
            "INSERT OR IGNORE INTO own_check (request_id, link_references) VALUES (?, ?)",
            (request_id, b"".join(references)),
        )

    def own_checks(self) -> dict[int, tuple[bytes, list[bytes]]]:
        """Open requests by number: request id, and link references."""
        return {
            number: (
                request_id,
                [
                    joined[at : at + REFERENCE_BYTES]
                    for at in range(0, len(joined), REFERENCE_BYTES)
                ],
            )
            for number, request_id, joined in self._all("SELECT * FROM own_check ORDER BY number")
        }

    def forget_own_check(self, number: int) -> None:
        """Delete an answered request."""
        self._db.execute("DELETE FROM own_check WHERE number = ?", (number,))

    def note_incident(self, reason: str) -> None:
        """Count a refusal, for `status`."""
        self._db.execute(
            "INSERT INTO incident VALUES (?, 1, ?) ON CONFLICT DO UPDATE SET count = count + 1,"
            " last_at = excluded.last_at",
            (reason, time.time()),
        )

    def incidents(self) -> list[tuple[str, int]]:
        """Reasons for which a service refused messages on this site's topics, with counts."""
        return [
            tuple(row)
            for row in self._db.execute("SELECT reason, count FROM incident ORDER BY reason")
        ]
