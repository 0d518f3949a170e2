"""Receipts, and what else the hub tells a site."""

import time
from collections.abc import Iterable, Sequence

from childlink_core.references import REFERENCE_BYTES

from childlink_ingest.model.items import Half
from childlink_ingest.spool.outbox import Outbox


class Inbox(Outbox):
    """Part of the spool."""

    def inbox_offset(self, topic: str) -> int:
        """Where to read receipts on."""
        return int(
            self._one("SELECT coalesce(max(next_offset), 0) FROM inbox WHERE topic = ?", topic)
        )

    def move_inbox(self, topic: str, next_offset: int) -> None:
        """Receipts before this offset were read."""
        self._db.execute("INSERT OR REPLACE INTO inbox VALUES (?, ?)", (topic, next_offset))

    def is_new_receipt(self, sender: str, epoch: int, sequence: int, sealed_at_ms: int = 0) -> bool:
        """Whether a receipt batch comes after every one read from `sender`; if so, note it, and
        whether it is from the future. After a gap, what is not answered is sent again.
        """
        row = self._db.execute(
            "SELECT epoch, sequence FROM receipt_stream WHERE sender = ?", (sender,)
        ).fetchone()
        if row is not None and (epoch, sequence) <= tuple(row):
            return False
        if row is not None and epoch == row[0] and sequence > row[1] + 1:
            # A receipt is missing. Whatever it was for is asked again: sent twice, a batch gets the
            # same receipt.
            self.send_unanswered_again()
        ahead = max(0, sealed_at_ms - int(time.time() * 1000))
        self._db.execute(
            "INSERT OR REPLACE INTO receipt_stream VALUES (?, ?, ?, ?)",
            (sender, epoch, sequence, ahead),
        )
        return True

    def hub_ahead_s(self) -> float:
        """By how much the newest receipts lie in this machine's future: its clock is slow by at
        least that.
        """
        return float(self._one("SELECT coalesce(max(ahead_ms), 0) FROM receipt_stream")) / 1000

    def accept(
        self, half: Half, epoch: int, sequence: int, refused: Iterable[tuple[int, str]]
    ) -> None:
        """A service stored a batch, except for the records listed. An accepted batch needs its
        bytes no longer.
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
        """A service refused a whole batch for good. One that it had accepted before stays
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
        """The linker asks about some of the site's own people; the same request twice is one."""
        self._db.execute(
            "INSERT OR IGNORE INTO own_check (request_id, link_references) VALUES (?, ?)",
            (request_id, b"".join(references)),
        )

    def own_checks(self) -> dict[int, tuple[bytes, list[bytes]]]:
        """Open requests by number: their id, and the link references that they are about."""
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
        """A request is answered."""
        self._db.execute("DELETE FROM own_check WHERE number = ?", (number,))

    def note_incident(self, reason: str) -> None:
        """Count something refused, for `status`."""
        self._db.execute(
            "INSERT INTO incident VALUES (?, 1, ?) ON CONFLICT DO UPDATE SET count = count + 1,"
            " last_at = excluded.last_at",
            (reason, time.time()),
        )

    def incidents(self) -> list[tuple[str, int]]:
        """Reasons for which a service refused something on our topics, and how often."""
        return [
            tuple(row)
            for row in self._db.execute("SELECT reason, count FROM incident ORDER BY reason")
        ]
