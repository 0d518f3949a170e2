"""Sealed batches that wait for Kafka or for a receipt."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from childlink_core import envelope

from childlink_ingest.model.items import Half, StagedItem, Tombstone
from childlink_ingest.spool.part import Part


@dataclass(frozen=True)
class QueuedBatch:
    """A sealed batch that Kafka has not accepted yet."""

    half: Half
    epoch: int
    sequence: int
    message: bytes


class Outbox(Part):
    """Part of the spool."""

    def next_sequence(self, half: Half) -> tuple[int, int]:
        """Take the stream's next (epoch, sequence number). A new spool starts a new, greater
        epoch.
        """
        row = self._db.execute(
            "SELECT epoch, next_sequence FROM stream WHERE half = ?", (half,)
        ).fetchone()
        epoch, sequence = row or (int(time.time()), 1)
        self._db.execute(
            "INSERT OR REPLACE INTO stream VALUES (?, ?, ?)", (half, epoch, sequence + 1)
        )
        return epoch, sequence

    def last_sequence(self, half: Half) -> tuple[int, int] | None:
        """The (epoch, sequence number) of the stream's last batch; None if there is none."""
        row = self._db.execute(
            "SELECT epoch, next_sequence - 1 FROM stream WHERE half = ?", (half,)
        ).fetchone()
        return (row[0], row[1]) if row else None

    def is_gone(self, half: Half, epoch: int, sequence: int) -> bool:
        """Whether a batch of the stream's present epoch was answered, so that its bytes are
        deleted.
        """
        row = self._db.execute(
            "SELECT b.message IS NULL FROM batch b JOIN stream s USING (half, epoch) WHERE half = ?"
            " AND epoch = ? AND b.sequence = ?",
            (half, epoch, sequence),
        ).fetchone()
        return bool(row and row[0])

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
        """Queue a sealed batch and record its items."""
        self.queue_message(half, epoch, sequence, message)
        observed = half == "observations"
        self._db.executemany(
            "INSERT INTO item (item_id, half, reference, facet, digest, epoch, sequence, place,"
            " feed, about, also, sent_run, seen_run) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (item_id) DO UPDATE SET digest = excluded.digest, epoch = excluded.epoch,"
            " sequence = excluded.sequence, place = excluded.place, state = 'waiting', reason = '',"
            " feed = excluded.feed, about = excluded.about, also = excluded.also, sent_run ="
            " excluded.sent_run, seen_run = excluded.seen_run",
            (
                (
                    item_id,
                    half,
                    i.reference,
                    i.facet,
                    i.digest,
                    epoch,
                    sequence,
                    place,
                    feed,
                    i.companion if observed else None,
                    i.also if observed else None,
                    run_id,
                    run_id,
                )
                for place, (item_id, i) in enumerate(items)
            ),
        )
        if not observed:
            # Withdrawals by local id or NHS number find a subject through this table.
            self._db.executemany(
                "INSERT INTO subject VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET nhs_key ="
                " coalesce(excluded.nhs_key, nhs_key)",
                ((i.reference, i.companion, i.also) for _, i in items),
            )

    def queue_withdrawal(
        self,
        run_id: int,
        half: Half,
        epoch: int,
        sequence: int,
        message: bytes,
        tombstones: Sequence[Tombstone],
    ) -> None:
        """Queue a sealed batch of tombstones, and mark the withdrawn items."""
        self.queue_message(half, epoch, sequence, message)
        self._db.executemany(
            "INSERT INTO withdrawal VALUES (?, ?, ?, ?, ?, ?)",
            ((run_id, half, t.reference, t.facet, epoch, sequence) for t in tombstones),
        )
        self._db.executemany(
            "UPDATE item SET state = 'withdrawn', reason = '' WHERE half = ? AND (reference = ? OR"
            " about = ?) AND (? = x'' OR facet = ?)",
            ((half, t.reference, t.reference, t.facet, t.facet) for t in tombstones),
        )
        # Analytics removes the other person from a row and keeps the row. If that person returns,
        # the row must be sent again.
        if half == "observations":
            self._db.executemany(
                "UPDATE item SET digest = x'' WHERE also = ?", ((t.reference,) for t in tombstones)
            )

    def queue_message(self, half: Half, epoch: int, sequence: int, message: bytes) -> None:
        """Queue a sealed batch."""
        self._db.execute(
            "INSERT INTO batch (half, epoch, sequence, message, bytes, digest) VALUES (?, ?, ?, ?,"
            " ?, ?)",
            (half, epoch, sequence, message, len(message), envelope.digest(message)),
        )

    def queued(self, limit: int) -> list[QueuedBatch]:
        """The next batches for Kafka, in the order of each stream."""
        rows = self._db.execute(
            "SELECT half, epoch, sequence, message FROM batch WHERE state = 'queued' ORDER BY half,"
            " epoch, sequence LIMIT ?",
            (limit,),
        )
        return [QueuedBatch(*row) for row in rows]

    def mark_sent(self, batches: Iterable[QueuedBatch]) -> None:
        """Record that Kafka accepted these batches."""
        self._db.executemany(
            "UPDATE batch SET state = 'sent' WHERE half = ? AND epoch = ? AND sequence = ? AND"
            " state = 'queued'",
            [(b.half, b.epoch, b.sequence) for b in batches],
        )

    def unanswered_bytes(self) -> int:
        """Bytes that were sent and have no receipt yet."""
        return int(self._one("SELECT coalesce(sum(bytes), 0) FROM batch WHERE state = 'sent'"))

    def count_batches(self, *states: str) -> int:
        """The number of batches in any of these states."""
        marks = ",".join("?" * len(states))
        return int(self._one(f"SELECT count(*) FROM batch WHERE state IN ({marks})", *states))  # noqa: S608 - marks only

    def sealed(self, half: Half, epoch: int, sequence: int, digest: bytes) -> bool:
        """Whether this spool sealed a batch.

        An empty digest (from an earlier version of a service or a spool) matches any batch.
        """
        row = self._db.execute(
            "SELECT digest FROM batch WHERE half = ? AND epoch = ? AND sequence = ?",
            (half, epoch, sequence),
        ).fetchone()
        return row is not None and (not digest or row[0] is None or row[0] == digest)

    def is_unanswered(self, half: Half, epoch: int, sequence: int) -> bool:
        """Whether a batch has no receipt yet."""
        key = (half, epoch, sequence)
        return bool(
            self._one(
                "SELECT count(*) FROM batch WHERE half = ? AND epoch = ? AND sequence = ? AND state"
                " IN ('queued', 'sent')",
                *key,
            )
        )

    def send_again_from(self, half: Half, epoch: int, sequence: int) -> None:
        """Queue a batch that a service missed, and all later ones, again (go-back-N)."""
        self._db.execute(
            "UPDATE batch SET state = 'queued' WHERE half = ? AND epoch = ? AND sequence >= ? AND"
            " state = 'sent'",
            (half, epoch, sequence),
        )

    def send_unanswered_again(self) -> None:
        """Queue every batch without a receipt again, because receipts or the broker's log were
        lost.

        A service that has already read a batch repeats its receipt.
        """
        self._db.execute("UPDATE batch SET state = 'queued' WHERE state = 'sent'")
