"""The loop of a service: read a micro-batch, check, open, handle and answer it.

All steps run in one database transaction.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

import sqlalchemy as sa
import structlog
from childlink.wire.v1 import envelope_pb2 as wire
from childlink.wire.v1 import receipt_pb2 as receipts_wire
from childlink_core import envelope, reasons, telemetry, topics
from childlink_core.directory import Directory
from childlink_core.errors import BatchRefusedError
from childlink_core.keys import OpeningKey, SigningKey
from childlink_core.streams import Position, Verdict, expected, judge

from childlink_bus.ports import BusError, Message, Publisher, Subscriber
from childlink_bus.stream_state import OffsetConflictError, StreamState
from childlink_bus.topic_leases import TopicLeases

log = structlog.get_logger()

_RETRY_AFTER_S: Final = 3.0
_CLAIMS_EVERY_S: Final = 2.0


@dataclass(frozen=True)
class TopicPolicy:
    """The sender of an incoming topic, the kind of its payloads, and whether the sender gets
    receipts.
    """

    sender: str
    kind: "wire.PayloadKind"
    receipted: bool = True


@dataclass(frozen=True)
class OpenedBatch:
    """A batch that is verified, opened and next in its stream."""

    sender: str
    topic: str
    payload: bytes
    traceparent: str = ""
    """Trace context of the sender, if it traces."""


@dataclass(frozen=True)
class Result:
    """A handler's result for a batch: records accepted, records refused, or why all are refused."""

    accepted: int = 0
    refused: tuple[tuple[int, str], ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Outgoing:
    """A payload for the processor to send."""

    topic: str
    reader: str
    kind: "wire.PayloadKind"
    payload: bytes


@dataclass(frozen=True)
class Handled:
    """A handler's answer: one result per batch, and what to send."""

    results: list[Result]
    outgoing: list[Outgoing] = field(default_factory=list)


ReadUpTo = Mapping[str, tuple[int, int]]
"""Last (epoch, sequence) read, by sender."""


class Handler(Protocol):
    """Processes batches. Called inside the transaction that also moves the offsets."""

    def __call__(
        self, tx: sa.Connection, batches: Sequence[OpenedBatch], read: ReadUpTo
    ) -> Handled:
        """Store the content of the batches, and refuse what is wrong with them.

        Raise only if the service itself is broken.
        """


class Observer(Protocol):
    """Receives the events of the processor, for a service's metrics."""

    def batch(self, sender: str, outcome: str, reason: str) -> None:
        """A batch was accepted, refused or a duplicate."""

    def batch_settled(self, sender: str, age_s: float) -> None:
        """A batch was processed this many seconds after its sender sealed it."""

    def records_done(self, sender: str, accepted: int, refused: Sequence[str]) -> None:
        """Records were accepted, or refused for these reasons."""

    def dead_letters(self, count: int) -> None:
        """Messages were sent to the dead-letter topic."""

    def stepped(self) -> None:
        """The loop came round: it read something, or nothing was there."""

    def log_lost(self, topic: str) -> None:
        """The broker's log ends before the last offset read. The topic is read from its
        beginning.
        """


class _MisplacedError(BatchRefusedError):
    """A verified batch that is not the next in its stream, with the receipt that says so."""

    def __init__(self, receipt: receipts_wire.Receipt) -> None:
        super().__init__(receipt.reason)
        self.receipt = receipt


@dataclass
class _Work:
    """A message while its micro-batch is processed."""

    message: Message
    header: wire.Header
    digest: bytes
    opened: OpenedBatch | None = None
    receipt: receipts_wire.Receipt | None = None


@dataclass(frozen=True)
class StreamProcessor:
    """One service's loop. `step` handles one micro-batch; call it repeatedly."""

    service: str
    engine: sa.Engine
    stream_state: StreamState
    publisher: Publisher
    sources: Mapping[str, TopicPolicy]
    directory: Directory
    signing_key: SigningKey
    opening_keys: tuple[OpeningKey, ...]
    handler: Handler
    observer: Observer
    connect: Callable[[Mapping[str, int]], Subscriber]
    dead_letters_an_hour: int = 200
    """Dead letters allowed per topic and hour. With more, the topic is suspended until an operator
    resumes it.
    """

    def subscribe(self, topics: Collection[str] | None = None) -> Subscriber:
        """Subscribe to some topics (or all), from the offsets in the database."""
        with self.engine.connect() as tx:
            wanted = (
                set(self.sources if topics is None else topics)
                - self.stream_state.suspended(tx).keys()
            )
            positions = self.stream_state.positions(tx, sorted(wanted))
        return self.connect(positions)

    def step(self, subscriber: Subscriber, timeout_s: float = 1.0) -> int:
        """Read and handle one micro-batch, and send the results. Returns the number of messages
        read.

        Raises OffsetConflictError if another process read the same topics. Then subscribe again.
        """
        messages = subscriber.poll(timeout_s)
        for topic, lost in subscriber.rewound().items():
            with self.engine.begin() as tx:
                self.stream_state.rewind(tx, topic, lost)
            self.observer.log_lost(topic)
            log.warning(
                "the broker's log ends before the last offset read; reading from its beginning",
                topic=topic,
                offset=lost,
            )
        if messages:
            with self.engine.begin() as tx:
                suspended = self.stream_state.suspended(tx)
                messages = [message for message in messages if message.topic not in suspended]
                self.stream_state.advance(tx, messages)
                self._work_through(tx, messages)
        self.stream_state.flush(self.engine, self.publisher)
        return len(messages)

    def run(self, stopped: Callable[[], bool], on_idle: Callable[[Subscriber], None]) -> None:
        """Run steps until `stopped`, on the topics that no other process of the service has leased.

        `on_idle` is called after each step, for lag and other gauges.
        """
        with closing(TopicLeases(self.engine, list(self.sources))) as claims:
            mine = self._readable(claims)
            subscriber, asked_at = self.subscribe(mine), time.monotonic()
            try:
                while not stopped():
                    lost = False
                    try:
                        self.step(subscriber)
                    except OffsetConflictError:
                        lost = True
                    if time.monotonic() - asked_at > _CLAIMS_EVERY_S:
                        now, asked_at = self._readable(claims), time.monotonic()
                        lost, mine = lost or now != mine, now
                    if lost:
                        subscriber.close()
                        subscriber = self.subscribe(mine)
                    self.observer.stepped()
                    on_idle(subscriber)
            finally:
                subscriber.close()

    def _readable(self, claims: TopicLeases) -> frozenset[str]:
        with self.engine.connect() as tx:
            return claims.refresh() - self.stream_state.suspended(tx).keys()

    def republish(self, tx: sa.Connection, topic: str, outgoing: Sequence[Outgoing]) -> int:
        """Start a new epoch of a topic with these payloads. Returns their number."""
        self.stream_state.start_epoch(tx, topic)
        self.send(tx, outgoing)
        return len(outgoing)

    def send(self, tx: sa.Connection, outgoing: Sequence[Outgoing]) -> None:
        """Seal, sign and queue payloads. `StreamState.flush` sends them after the commit."""
        for item in outgoing:
            self._send(tx, item)

    def _work_through(self, tx: sa.Connection, messages: Sequence[Message]) -> None:
        positions: dict[tuple[str, str], Position] = {}
        answers: list[tuple[str, receipts_wire.Receipt]] = []
        dead: list[tuple[Message, str]] = []
        works: list[_Work] = []
        for message in messages:
            try:
                work = self._admit(tx, message, positions, works, answers)
            except BatchRefusedError as refusal:
                sender = self.sources[message.topic].sender
                self.observer.batch(sender, "refused", refusal.reason)
                log.warning(
                    "batch refused",
                    topic=message.topic,
                    offset=message.offset,
                    reason=refusal.reason,
                )
                dead.append((message, refusal.reason))
                # Send the refusal to the owner of the topic. An unverified message cannot be
                # trusted to name its sender.
                stranger = _refusal_of_stranger(message.topic, refusal.reason)
                answers.append(
                    (sender, refusal.receipt if isinstance(refusal, _MisplacedError) else stranger)
                )
                continue
            if work is not None:
                works.append(work)
        opened = [work.opened for work in works if work.opened]
        read = {sender: (at.epoch, at.next_sequence - 1) for (sender, _), at in positions.items()}
        traces = [work.header.traceparent for work in works]
        with telemetry.span("micro-batch", *traces, service=self.service, count=len(works)):
            handled = self.handler(tx, opened, read) if read else Handled([])
            results = iter(handled.results)
            for work in works:
                result = next(results) if work.opened else None
                receipt = work.receipt or self._receipt(
                    work.header, work.digest, result or Result()
                )
                self._settle(tx, work, receipt, answers)
                if receipt.reason:
                    dead.append((work.message, receipt.reason))
            self.send(tx, handled.outgoing)
        for (sender, topic), position in positions.items():
            self.stream_state.move_stream(tx, sender, topic, position)
        self._answer(tx, answers)
        if dead:
            self.stream_state.put(
                tx, [(topics.dead_letters(self.service), message.value) for message, _ in dead]
            )
            self.observer.dead_letters(len(dead))
            counted = [(message.topic, reason) for message, reason in dead]
            for topic in self.stream_state.note_dead_letters(
                tx, counted, self.dead_letters_an_hour
            ):
                of_topic = Counter(reason for at, reason in counted if at == topic)
                log.error(
                    "topic suspended: too many messages refused for good",
                    topic=topic,
                    reason=of_topic.most_common(1)[0][0],
                )

    def _admit(
        self,
        tx: sa.Connection,
        message: Message,
        positions: dict[tuple[str, str], Position],
        works: Sequence[_Work],
        answers: list[tuple[str, receipts_wire.Receipt]],
    ) -> _Work | None:
        """Verify a message, check its place in its stream, and open it.

        Returns None for a duplicate or after a gap: both get an answer but change nothing. A batch
        that is next but cannot be opened is returned with its refusal as receipt, because it has
        used up its sequence number. Raises BatchRefusedError.
        """
        header, batch = envelope.verify(message.value, message.topic, self.service, self.directory)
        source = self.sources[message.topic]
        if header.sender != source.sender:
            raise BatchRefusedError(reasons.WRONG_TOPIC)
        stream = (header.sender, header.topic)
        position = positions.get(stream) or self.stream_state.stream(tx, *stream)
        digest = envelope.digest(message.value)
        known = self.stream_state.known_batch(tx, *stream, header.epoch, header.sequence)
        pending = {(w.header.topic, w.header.epoch, w.header.sequence): w.digest for w in works}
        known_digest = (
            known[0] if known else pending.get((header.topic, header.epoch, header.sequence))
        )
        verdict = judge(position, header.epoch, header.sequence, digest, known_digest)
        if verdict is Verdict.DUPLICATE:
            self.observer.batch(header.sender, "duplicate", "")
            if known:
                again = receipts_wire.Receipt.FromString(known[1])
                again.batch_digest = digest  # receipts of earlier versions have none
                answers.append((header.sender, again))
            return None
        if verdict is Verdict.GAP:
            self.observer.batch(header.sender, "refused", reasons.GAP)
            receipt = self._receipt(header, digest, Result(reason=reasons.GAP))
            receipt.expected_sequence = expected(position, header.epoch)
            answers.append((header.sender, receipt))
            return None
        if verdict is not Verdict.NEXT:
            # The sender itself signed it. The receipt tells a spool that was restored from a backup
            # how far its stream was read.
            receipt = self._receipt(header, digest, Result(reason=verdict.value))
            receipt.expected_epoch, receipt.expected_sequence = (
                position.epoch,
                position.next_sequence,
            )
            raise _MisplacedError(receipt)
        positions[stream] = position.after(header.epoch, header.sequence)
        work = _Work(message, header, digest)
        try:
            if header.kind != source.kind:
                raise BatchRefusedError(reasons.UNKNOWN_SCHEMA)
            payload = envelope.open_batch(header, batch, self.opening_keys)
            work.opened = OpenedBatch(
                header.sender,
                header.topic,
                payload,
                telemetry.sanitise_traceparent(header.traceparent),
            )
        except BatchRefusedError as refusal:
            work.receipt = self._receipt(header, digest, Result(reason=refusal.reason))
        return work

    def _settle(
        self,
        tx: sa.Connection,
        work: _Work,
        receipt: receipts_wire.Receipt,
        answers: list[tuple[str, receipts_wire.Receipt]],
    ) -> None:
        header = work.header
        outcome = "refused" if receipt.reason else "accepted"
        self.observer.batch(header.sender, outcome, receipt.reason)
        self.observer.records_done(
            header.sender, receipt.accepted, [item.reason for item in receipt.refused]
        )
        # The clocks may differ. If the partner's is ahead, the age would be negative.
        self.observer.batch_settled(
            header.sender, max(0.0, time.time() - header.sealed_at_ms / 1000)
        )
        batch: dict[str, str | int] = {
            "topic": header.topic,
            "epoch": header.epoch,
            "sequence": header.sequence,
        }
        telemetry.mark(
            "batch", header.traceparent, **batch, outcome=outcome, reason=receipt.reason or None
        )
        if receipt.reason:
            log.warning("batch refused", **batch, reason=receipt.reason)
        else:
            log.info(
                "batch accepted", **batch, accepted=receipt.accepted, refused=len(receipt.refused)
            )
        self.stream_state.remember_batch(
            tx,
            header.sender,
            header.topic,
            header.epoch,
            header.sequence,
            work.digest,
            receipt.SerializeToString(),
        )
        answers.append((header.sender, receipt))

    def _receipt(self, header: wire.Header, digest: bytes, result: Result) -> receipts_wire.Receipt:
        return receipts_wire.Receipt(
            topic=header.topic,
            epoch=header.epoch,
            sequence=header.sequence,
            outcome=(
                receipts_wire.OUTCOME_REFUSED if result.reason else receipts_wire.OUTCOME_ACCEPTED
            ),
            reason=result.reason,
            accepted=result.accepted,
            batch_digest=digest,
            refused=[
                receipts_wire.RefusedRecord(index=index, reason=reason)
                for index, reason in result.refused
            ],
        )

    def _answer(
        self, tx: sa.Connection, answers: Sequence[tuple[str, receipts_wire.Receipt]]
    ) -> None:
        by_sender: dict[str, list[receipts_wire.Receipt]] = {}
        receipted = {source.sender for source in self.sources.values() if source.receipted}
        for sender, receipt in answers:
            if sender in receipted:
                by_sender.setdefault(sender, []).append(receipt)
        for sender, items in by_sender.items():
            payload = receipts_wire.ReceiptBatch(receipts=items).SerializeToString()
            self._send(
                tx, Outgoing(topics.receipts(sender), sender, wire.PAYLOAD_KIND_RECEIPT, payload)
            )

    def _send(self, tx: sa.Connection, outgoing: Outgoing) -> None:
        epoch, sequence = self.stream_state.next_sequence(tx, outgoing.topic)
        address = envelope.Address(outgoing.topic, outgoing.kind, epoch, sequence)
        reader = self.directory.seal_key(outgoing.reader)
        self.stream_state.put(
            tx,
            [(outgoing.topic, envelope.seal(outgoing.payload, address, reader, self.signing_key))],
        )


def _refusal_of_stranger(topic: str, reason: str) -> receipts_wire.Receipt:
    return receipts_wire.Receipt(topic=topic, outcome=receipts_wire.OUTCOME_REFUSED, reason=reason)


def run_until_stopped(
    processor: StreamProcessor,
    stop: threading.Event,
    observe: Callable[[Subscriber], None],
    observe_store: Callable[[], None],
    say: Callable[[str], None],
    every_s: float,
) -> None:
    """Read until `stop`, and again after each error of the broker. `observe` sets the gauges, every
    few seconds; `observe_store` those that need no broker, while there is none.
    """
    observed_at = 0.0

    def observe_now_and_then(subscriber: Subscriber) -> None:
        nonlocal observed_at
        if time.monotonic() - observed_at > every_s:
            observe(subscriber)
            observed_at = time.monotonic()

    while not stop.is_set():
        try:
            processor.run(stop.is_set, observe_now_and_then)
        except BusError as error:
            say(error.render())
            processor.observer.stepped()
            # The gauges show what waits for an unavailable broker, unless the database is
            # unavailable.
            with suppress(sa.exc.SQLAlchemyError):
                observe_store()
            stop.wait(_RETRY_AFTER_S)
