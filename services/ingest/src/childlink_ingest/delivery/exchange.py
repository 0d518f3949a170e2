"""Sends sealed batches from the spool to Kafka, and stores receipts from Kafka in the spool."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from childlink.wire.v1 import envelope_pb2 as wire
from childlink.wire.v1 import receipt_pb2
from childlink_bus.ports import Message, Publisher, Subscriber
from childlink_core import envelope, reasons, telemetry, topics
from childlink_core.directory import Directory
from childlink_core.errors import BatchRefusedError
from childlink_core.keys import OpeningKey
from childlink_core.references import REFERENCE_BYTES
from google.protobuf.message import DecodeError

from childlink_ingest.model.items import Half
from childlink_ingest.spool import Spool

log = structlog.get_logger()

_BATCHES_AT_A_TIME: Final = 128
_CATCH_UP_S: Final = 60.0


@dataclass(frozen=True)
class Exchange:
    """A site's exchange with the hub.

    `window_bytes` limits the bytes that are sent but not answered; 0 means no limit.
    """

    partner: str
    spool: Spool
    directory: Directory
    opening_key: OpeningKey
    publisher: Publisher
    window_bytes: int = 0
    on_log_lost: Callable[[str], None] = lambda _topic: None

    def send(self) -> int:
        """Send queued batches as far as the window allows. Returns the number that Kafka
        accepted.
        """
        sent = 0
        while not self.window_bytes or self.spool.unanswered_bytes() < self.window_bytes:
            batches = self.spool.queued(_BATCHES_AT_A_TIME if not self.window_bytes else 4)
            if not batches:
                break
            self.publisher.publish([(self._topic(batch.half), batch.message) for batch in batches])
            with self.spool.transaction():
                self.spool.mark_sent(batches)
            for batch in batches:
                telemetry.mark(
                    "sent", envelope.traceparent(batch.message), topic=self._topic(batch.half)
                )
            sent += len(batches)
        return sent

    def catch_up(self, subscriber: Subscriber) -> None:
        """Read the waiting receipts before sending. They show whether this spool is older than what
        was read.
        """
        until = time.monotonic() + _CATCH_UP_S
        while (
            self.receive(subscriber, 0.2) or any(subscriber.lag().values())
        ) and time.monotonic() < until:
            pass

    def receive(self, subscriber: Subscriber, timeout_s: float) -> int:
        """Read receipts once. Returns the number of messages read."""
        messages = subscriber.poll(timeout_s)
        for topic, lost in subscriber.rewound().items():
            # Receipts are lost, and perhaps the batches, too. A batch that is sent again is either
            # read now or answered with the same receipt.
            with self.spool.transaction():
                self.spool.move_inbox(topic, 0)
                self.spool.send_unanswered_again()
            self.on_log_lost(topic)
            log.warning(
                "the broker's log ends before the last offset read; reading from its beginning",
                topic=topic,
                offset=lost,
            )
        if messages:
            with self.spool.transaction():
                for message in messages:
                    self._read(message)
                self.spool.move_inbox(messages[-1].topic, messages[-1].offset + 1)
        return len(messages)

    def run(
        self,
        subscriber: Subscriber,
        done: Callable[[], bool],
        progress: Callable[[], None] = lambda: None,
    ) -> None:
        """Send and receive until `done`."""
        self.catch_up(subscriber)
        while not done():
            self.send()
            self.receive(subscriber, timeout_s=0.2)
            progress()

    def settled(self) -> bool:
        """Whether every batch was sent and answered."""
        return self.spool.count_batches("queued", "sent") == 0

    def _topic(self, half: Half) -> str:
        return (
            topics.encodings(self.partner)
            if half == "encodings"
            else topics.observations(self.partner)
        )

    def _read(self, message: Message) -> None:
        try:
            header, batch = envelope.verify(
                message.value, message.topic, self.partner, self.directory
            )
            if header.sender not in topics.SERVICES or header.kind != wire.PAYLOAD_KIND_RECEIPT:
                raise BatchRefusedError(reasons.UNKNOWN_SENDER)
            if not self.spool.is_new_receipt(
                header.sender, header.epoch, header.sequence, header.sealed_at_ms
            ):
                return
            payload = envelope.open_batch(header, batch, (self.opening_key,))
            content = receipt_pb2.ReceiptBatch.FromString(payload)
        except (BatchRefusedError, DecodeError) as refusal:
            reason = refusal.reason if isinstance(refusal, BatchRefusedError) else reasons.MALFORMED
            log.warning(
                "receipt refused", topic=message.topic, offset=message.offset, reason=reason
            )
            self.spool.note_incident(reason)
            return
        self._apply(header.sender, content.receipts)
        for check in content.checks if header.sender == topics.LINKER else ():
            references = [r for r in check.link_references if len(r) == REFERENCE_BYTES]
            if len(check.request_id) == REFERENCE_BYTES and references:
                self.spool.note_own_check(check.request_id, references)

    def _apply(self, sender: str, receipts: Sequence[receipt_pb2.Receipt]) -> None:
        for receipt in receipts:
            half = self._half(sender, receipt.topic)
            if half is None or (receipt.epoch and not self._answers_ours(half, receipt)):
                continue
            if receipt.outcome == receipt_pb2.OUTCOME_ACCEPTED:
                refused = [(item.index, item.reason) for item in receipt.refused]
                self.spool.accept(half, receipt.epoch, receipt.sequence, refused)
            elif receipt.reason == reasons.GAP and self.spool.is_gone(
                half, receipt.epoch, receipt.expected_sequence
            ):
                given_up = self.spool.forget_receipts()
                log.error(
                    "a service has lost batches that it had acknowledged; starting a new epoch",
                    topic=receipt.topic,
                    epoch=receipt.epoch,
                    sequence=receipt.expected_sequence,
                    batches=given_up,
                )
            elif receipt.reason == reasons.GAP:
                self.spool.send_again_from(half, receipt.epoch, receipt.expected_sequence)
            else:
                self.spool.refuse(half, receipt.epoch, receipt.sequence, receipt.reason)

    def _answers_ours(self, half: Half, receipt: receipt_pb2.Receipt) -> bool:
        """Whether a receipt answers a batch of this spool.

        If it does not, or if another batch was read in its place, the spool was restored from a
        backup or newly made. The spool then starts a new epoch.
        """
        place = (half, receipt.epoch, receipt.sequence)
        ours = self.spool.sealed(*place, receipt.batch_digest)
        overtaken = receipt.reason in (
            reasons.REPLAY,
            reasons.OLD_EPOCH,
        ) and self.spool.is_unanswered(*place)
        if ours and not overtaken:
            return True
        last = self.spool.last_sequence(half)
        if last is None or receipt.epoch >= last[0] or self.spool.lost_past() is None:
            self.spool.begin_anew(max(receipt.epoch, receipt.expected_epoch))
            log.error(
                "a service has read a batch that this spool does not know; starting a new epoch",
                topic=receipt.topic,
                epoch=receipt.epoch,
                sequence=receipt.sequence,
            )
        return False

    def _half(self, sender: str, topic: str) -> Half | None:
        """The half that a service's receipt is about; None if the service does not read that
        topic.
        """
        halves: dict[tuple[str, str], Half] = {
            (topics.LINKER, topics.encodings(self.partner)): "encodings",
            (topics.ANALYTICS, topics.observations(self.partner)): "observations",
        }
        return halves.get((sender, topic))
