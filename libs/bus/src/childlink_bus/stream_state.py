"""A service's position in every stream, in its own database (one transaction with its data).

Incoming: the Kafka offset of each topic, the position in each (sender, topic) stream, and the
digest and receipt of each batch. Outgoing: the sequence number of each topic, and a transactional
outbox of sealed messages that Kafka has not accepted yet. After a crash at any point, no batch
takes effect twice and none is lost.
"""

import time
from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from childlink_core.streams import START, Position

from childlink_bus.ports import Message, Publisher

# Older digests are deleted. A resend of such a batch counts as a replay.
_REMEMBERED_BATCHES: Final = 100_000
_HOUR_MS: Final = 60 * 60 * 1000
_DEAD_REMEMBERED_MS: Final = 7 * 24 * _HOUR_MS


class OffsetConflictError(Exception):
    """Another process has read this topic further. Read its offset again."""


class StreamState:
    """The tables (added to a service's own metadata) and their operations."""

    def __init__(self, metadata: sa.MetaData) -> None:
        self.offsets = sa.Table(
            "inbox_offset",
            metadata,
            sa.Column("topic", sa.String(64), primary_key=True),
            sa.Column("next_offset", sa.BigInteger, nullable=False),
        )
        self.streams = sa.Table(
            "inbox_stream",
            metadata,
            sa.Column("sender", sa.String(64), primary_key=True),
            sa.Column("topic", sa.String(64), primary_key=True),
            sa.Column("epoch", sa.BigInteger, nullable=False),
            sa.Column("next_sequence", sa.BigInteger, nullable=False),
        )
        self.batches = sa.Table(
            "inbox_batch",
            metadata,
            sa.Column("sender", sa.String(64), primary_key=True),
            sa.Column("topic", sa.String(64), primary_key=True),
            sa.Column("epoch", sa.BigInteger, primary_key=True),
            sa.Column("sequence", sa.BigInteger, primary_key=True),
            sa.Column("digest", sa.LargeBinary(32), nullable=False),
            sa.Column("receipt", sa.LargeBinary, nullable=False),
        )
        self.sequences = sa.Table(
            "outbox_sequence",
            metadata,
            sa.Column("topic", sa.String(64), primary_key=True),
            sa.Column("epoch", sa.BigInteger, nullable=False),
            sa.Column("next_sequence", sa.BigInteger, nullable=False),
        )
        self.outbox = sa.Table(
            "outbox_message",
            metadata,
            sa.Column(
                "id",
                sa.BigInteger().with_variant(sa.Integer, "sqlite"),
                primary_key=True,
                autoincrement=True,
            ),
            sa.Column("topic", sa.String(64), nullable=False),
            sa.Column("message", sa.LargeBinary, nullable=False),
        )

        # Messages sent to the dead-letter topic, by source topic; and the suspended topics.
        self.dead_letters = sa.Table(
            "dead_letter",
            metadata,
            sa.Column(
                "id",
                sa.BigInteger().with_variant(sa.Integer, "sqlite"),
                primary_key=True,
                autoincrement=True,
            ),
            sa.Column("topic", sa.String(64), nullable=False, index=True),
            sa.Column("reason", sa.String(64), nullable=False),
            sa.Column("at_ms", sa.BigInteger, nullable=False),
        )
        self.suspensions = sa.Table(
            "suspended_topic",
            metadata,
            sa.Column("topic", sa.String(64), primary_key=True),
            sa.Column("at_ms", sa.BigInteger, nullable=False),
            sa.Column("why", sa.String(256), nullable=False),
        )

    def note_dead_letters(
        self, tx: sa.Connection, dead: Sequence[tuple[str, str]], most_an_hour: int
    ) -> list[str]:
        """Count dead letters (topic, reason), and suspend each topic with more than `most_an_hour`.

        So many dead letters mean that something is wrong, which diverting single messages would
        hide. Returns the topics that are suspended now.
        """
        now = int(time.time() * 1000)
        c = self.dead_letters.c
        tx.execute(
            self.dead_letters.insert(),
            [{"topic": t, "reason": why, "at_ms": now} for t, why in dead],
        )
        tx.execute(self.dead_letters.delete().where(c.at_ms < now - _DEAD_REMEMBERED_MS))
        counted = (
            sa.select(c.topic, sa.func.count().label("n"))
            .where(c.at_ms >= now - _HOUR_MS)
            .group_by(c.topic)
        )
        suspended = []
        for topic, count in tx.execute(counted.where(c.topic.in_({topic for topic, _ in dead}))):
            if count > most_an_hour:
                self.suspend(
                    tx, topic, f"{count} messages were permanently refused within one hour"
                )
                suspended.append(topic)
        return suspended

    def suspend(self, tx: sa.Connection, topic: str, why: str) -> None:
        """Stop reading a topic until it is resumed."""
        if topic not in self.suspended(tx):
            tx.execute(
                self.suspensions.insert().values(
                    topic=topic, at_ms=int(time.time() * 1000), why=why[:256]
                )
            )

    def resume(self, tx: sa.Connection, topic: str) -> bool:
        """Read a topic again from where reading stopped, and reset its dead-letter count.

        Returns whether the topic was suspended.
        """
        tx.execute(self.dead_letters.delete().where(self.dead_letters.c.topic == topic))
        return bool(
            tx.execute(self.suspensions.delete().where(self.suspensions.c.topic == topic)).rowcount
        )

    def suspended(self, tx: sa.Connection) -> dict[str, str]:
        """The suspended topics, with the reason of each."""
        return {row.topic: row.why for row in tx.execute(sa.select(self.suspensions))}

    def positions(self, tx: sa.Connection, topics: Sequence[str]) -> dict[str, int]:
        """The next Kafka offset of each topic; 0 if it was never read."""
        stored = {row.topic: row.next_offset for row in tx.execute(sa.select(self.offsets))}
        return {topic: stored.get(topic, 0) for topic in topics}

    def rewind(self, tx: sa.Connection, topic: str, lost: int) -> None:
        """Read a topic from its beginning, because its log no longer reaches the offset `lost`.

        Does nothing if another process has moved the offset since.
        """
        c = self.offsets.c
        tx.execute(
            self.offsets.update()
            .where(c.topic == topic, c.next_offset == lost)
            .values(next_offset=0)
        )

    def advance(self, tx: sa.Connection, messages: Sequence[Message]) -> None:
        """Move the offsets past `messages`.

        Raises OffsetConflictError if another process already did.
        """
        first: dict[str, int] = {}
        last: dict[str, int] = {}
        for message in messages:
            first.setdefault(message.topic, message.offset)
            last[message.topic] = message.offset
        for topic in sorted(first):
            row = tx.execute(
                sa.select(self.offsets).where(self.offsets.c.topic == topic).with_for_update()
            ).first()
            if row is None:
                tx.execute(self.offsets.insert().values(topic=topic, next_offset=last[topic] + 1))
            elif row.next_offset > first[topic]:
                raise OffsetConflictError(topic)
            else:
                tx.execute(
                    self.offsets.update()
                    .where(self.offsets.c.topic == topic)
                    .values(next_offset=last[topic] + 1)
                )

    def stream(self, tx: sa.Connection, sender: str, topic: str) -> Position:
        """The position in the stream (sender, topic)."""
        c = self.streams.c
        row = tx.execute(
            sa.select(c.epoch, c.next_sequence).where(c.sender == sender, c.topic == topic)
        ).first()
        return Position(row.epoch, row.next_sequence) if row else START

    def read_up_to(self, tx: sa.Connection) -> dict[str, tuple[int, int]]:
        """Epoch and sequence number of the last batch read, by sender."""
        rows = tx.execute(
            sa.select(self.streams).order_by(self.streams.c.sender, self.streams.c.topic)
        )
        return {row.sender: (row.epoch, row.next_sequence - 1) for row in rows}

    def move_stream(self, tx: sa.Connection, sender: str, topic: str, position: Position) -> None:
        """Store the position in the stream (sender, topic)."""
        c = self.streams.c
        values = {"epoch": position.epoch, "next_sequence": position.next_sequence}
        if not tx.execute(
            self.streams.update().where(c.sender == sender, c.topic == topic).values(values)
        ).rowcount:
            tx.execute(self.streams.insert().values(sender=sender, topic=topic, **values))

    def known_batch(
        self, tx: sa.Connection, sender: str, topic: str, epoch: int, sequence: int
    ) -> tuple[bytes, bytes] | None:
        """Digest and receipt of a batch, or None if it was not read or is no longer stored."""
        c = self.batches.c
        row = tx.execute(
            sa.select(c.digest, c.receipt).where(
                c.sender == sender, c.topic == topic, c.epoch == epoch, c.sequence == sequence
            )
        ).first()
        return (row.digest, row.receipt) if row else None

    def remember_batch(
        self,
        tx: sa.Connection,
        sender: str,
        topic: str,
        epoch: int,
        sequence: int,
        digest: bytes,
        receipt: bytes,
    ) -> None:
        """Store the digest and receipt of a batch."""
        c = self.batches.c
        tx.execute(
            self.batches.insert().values(
                sender=sender,
                topic=topic,
                epoch=epoch,
                sequence=sequence,
                digest=digest,
                receipt=receipt,
            )
        )
        if sequence % 1000 == 0:
            tx.execute(
                self.batches.delete().where(
                    c.sender == sender,
                    c.topic == topic,
                    c.sequence < sequence - _REMEMBERED_BATCHES,
                )
            )

    def next_sequence(self, tx: sa.Connection, topic: str) -> tuple[int, int]:
        """Take the next (epoch, sequence number) of an outgoing topic."""
        c = self.sequences.c
        row = tx.execute(
            sa.select(c.epoch, c.next_sequence).where(c.topic == topic).with_for_update()
        ).first()
        if row is None:
            epoch = int(time.time())
            tx.execute(self.sequences.insert().values(topic=topic, epoch=epoch, next_sequence=2))
            return epoch, 1
        tx.execute(
            self.sequences.update()
            .where(c.topic == topic)
            .values(next_sequence=row.next_sequence + 1)
        )
        return row.epoch, row.next_sequence

    def start_epoch(self, tx: sa.Connection, topic: str) -> None:
        """Start a new epoch of an outgoing topic, because everything will be sent again."""
        c = self.sequences.c
        row = tx.execute(sa.select(c.epoch).where(c.topic == topic)).first()
        if row is not None:
            epoch = max(int(time.time()), row.epoch + 1)
            tx.execute(
                self.sequences.update().where(c.topic == topic).values(epoch=epoch, next_sequence=1)
            )

    def restored(self, tx: sa.Connection, *, new_broker: bool = False) -> None:
        """Start a new epoch of every outgoing topic, after this database was restored from a
        backup.

        Messages sent since the backup used sequence numbers that would now be used again. Readers
        would take the new messages for old ones. A new broker counts its messages from 0: with
        `new_broker`, every topic is read from its start. The stream positions prevent duplicates.
        """
        now, c = int(time.time()), self.sequences.c
        later = sa.case((c.epoch >= now, c.epoch + 1), else_=now)
        tx.execute(self.sequences.update().values(epoch=later, next_sequence=1))
        if new_broker:
            tx.execute(self.offsets.delete())

    def put(self, tx: sa.Connection, messages: Sequence[tuple[str, bytes]]) -> None:
        """Queue sealed messages for Kafka."""
        if messages:
            tx.execute(
                self.outbox.insert(),
                [{"topic": topic, "message": message} for topic, message in messages],
            )

    def flush(self, engine: sa.Engine, publisher: Publisher, at_a_time: int = 64) -> int:
        """Send the queued messages in order, and delete those that Kafka accepted. Returns their
        number.
        """
        sent = 0
        while True:
            with engine.connect() as tx:
                rows = tx.execute(
                    sa.select(self.outbox).order_by(self.outbox.c.id).limit(at_a_time)
                ).all()
            if not rows:
                return sent
            publisher.publish([(row.topic, row.message) for row in rows])
            with engine.begin() as tx:
                tx.execute(
                    self.outbox.delete().where(self.outbox.c.id.in_([row.id for row in rows]))
                )
            sent += len(rows)
