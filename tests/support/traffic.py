"""Simulated partners that send batches sealed beforehand and check every receipt. They create load
without the cost of ingest.
"""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from childlink.wire.v1 import encoded_pb2, observation_pb2, receipt_pb2
from childlink.wire.v1 import envelope_pb2 as wire
from childlink_bus.kafka import KafkaPublisher, KafkaSubscriber
from childlink_bus.ports import BusError
from childlink_catalogue.catalogue import all_datasets
from childlink_core import envelope, reasons, topics
from childlink_core.capsule import CapsuleSealer
from childlink_core.directory import read_directory
from childlink_core.keys import read_opening_key, read_signing_key
from childlink_core.references import keyed_hash
from childlink_local.workspace import Layout

_EPOCH = 1
_AGAIN_AFTER_S = 20.0
_AT_A_TIME = 32
Place = tuple[str, int]
"""Topic and sequence number of a batch."""


@dataclass(frozen=True)
class Batch:
    """One sealed half (encodings or observations) of some rows."""

    topic: str
    sequence: int
    records: int
    message: bytes


def partners(count: int) -> list[str]:
    """Names of `count` partners. Any two of them have people in common."""
    return [
        f"{kind}{pair}" for pair in range(1, count // 2 + 2) for kind in ("trust-a", "council-b")
    ][:count]


def seal_rows(layout: Layout, payloads: Sequence[tuple[str, bytes]]) -> list[Batch]:
    """Both halves of rows, one record each, for (partner, EncodedBatch) pairs, in their order."""
    directory = read_directory(layout.linker.directory)
    keys = {
        name: read_signing_key(settings.signing_key) for name, settings in layout.ingest.items()
    }
    dataset = all_datasets()["immunisation"]
    sequences: dict[str, int] = {}
    made: list[Batch] = []
    for partner, payload in payloads:
        sequence = sequences[partner] = sequences.get(partner, 0) + 1
        encoded = encoded_pb2.EncodedBatch.FromString(payload)
        sealer = CapsuleSealer(partner, directory.seal_key(topics.ANALYTICS))
        encoded.sealed_capsule_key = sealer.sealed_key
        rows = observation_pb2.ObservationBatch(
            dataset=dataset.name,
            dataset_version=dataset.version,
            fields=["recorded_date"],
            after_encodings=observation_pb2.StreamPosition(epoch=_EPOCH, sequence=sequence),
        )
        for record in encoded.records:
            reference = keyed_hash(b"analytics", record.link_reference.hex())
            record.capsule = sealer.seal(reference)
            rows.observations.add(
                row_reference=keyed_hash(b"row", record.link_reference.hex()),
                child_reference=reference,
                values=[observation_pb2.Value(text="2024-05")],
            )
        for topic, reader, kind, content in (
            (topics.encodings(partner), topics.LINKER, wire.PAYLOAD_KIND_ENCODED, encoded),
            (topics.observations(partner), topics.ANALYTICS, wire.PAYLOAD_KIND_OBSERVATION, rows),
        ):
            address = envelope.Address(topic, kind, _EPOCH, sequence)
            message = envelope.seal(
                content.SerializeToString(), address, directory.seal_key(reader), keys[partner]
            )
            made.append(Batch(topic, sequence, len(encoded.records), message))
    return made


@dataclass
class Account:
    """What was sent, what happened to it, and how long that took."""

    sent: dict[Place, float] = field(default_factory=dict)
    accepted: dict[Place, int] = field(default_factory=dict)
    refused: int = 0
    seconds: list[float] = field(default_factory=list)
    gaps: int = 0
    broken: int = 0
    """Number of times that the broker could not be written to or read."""

    def rows(self) -> dict[str, int]:
        """Accepted records, by half."""
        halves = {"encodings": 0, "observations": 0}
        for (topic, _), accepted in self.accepted.items():
            halves[topic.partition(".")[0]] += accepted
        return halves

    def wait_s(self, share: float) -> float:
        """The waiting time for a receipt that this share of batches did not exceed."""
        waits = sorted(self.seconds)
        return round(waits[int((len(waits) - 1) * share)], 2)


class Traffic:
    """All simulated partners, over two connections."""

    def __init__(self, layout: Layout, batches: Sequence[Batch]) -> None:
        self._layout = layout
        self._settings = next(iter(layout.ingest.values()))
        self._directory = read_directory(layout.linker.directory)
        self._opening = {
            name: read_opening_key(settings.opening_key) for name, settings in layout.ingest.items()
        }
        self._waiting = deque(batches)
        self._unanswered: dict[Place, Batch] = {}
        self._positions = {topics.receipts(name): 0 for name in layout.ingest}
        self._publisher: KafkaPublisher | None = None
        self._subscriber: KafkaSubscriber | None = None
        self._tried_at: dict[Place, float] = {}
        self.account = Account()

    def connect(self) -> None:
        """Connect to all topics beforehand. The single producer asks the broker for each topic at
        its first write and waits. Real partners have two topics each and do not wait for one
        another.
        """
        self._publisher = KafkaPublisher(self._settings)
        for topic in {batch.topic for batch in self._waiting}:
            self._publisher._producer.partitions_for(topic)
        self._subscriber = KafkaSubscriber(self._settings, self._positions, 500)

    @property
    def settled(self) -> bool:
        """Whether everything was sent and has a receipt."""
        return not self._waiting and not self._unanswered

    @property
    def waiting(self) -> int:
        """Number of records, in both halves together, that are not sent yet."""
        return sum(batch.records for batch in self._waiting)

    @property
    def unanswered(self) -> int:
        """Number of sent records without a receipt, in the half where more are waiting."""
        return max(self.unanswered_by_half().values())

    def unanswered_by_half(self) -> dict[str, int]:
        """Number of sent records without a receipt, by half."""
        halves = {"encodings": 0, "observations": 0}
        for batch in self._unanswered.values():
            halves[batch.topic.partition(".")[0]] += batch.records
        return halves

    def send(self, records: int) -> int:
        """Send the next batches, with at least this many records in both halves together. Returns
        the number of records sent.
        """
        taken: list[Batch] = []
        while self._waiting and sum(batch.records for batch in taken) < records:
            taken.append(self._waiting.popleft())
        for batch in taken:
            self._unanswered[batch.topic, batch.sequence] = batch
            self.account.sent[batch.topic, batch.sequence] = time.monotonic()
        self._publish(taken)
        return sum(batch.records for batch in taken)

    def receive(self, timeout_s: float) -> None:
        """Read receipts once, and resend batches that have waited too long for one."""
        try:
            if self._subscriber is None:
                self._subscriber = KafkaSubscriber(self._settings, self._positions, 500)
            messages = self._subscriber.poll(timeout_s)
        except BusError:
            self._break()
            return
        for message in messages:
            self._positions[message.topic] = message.offset + 1
            partner = message.topic.removeprefix("receipts.")
            header, batch = envelope.verify(message.value, message.topic, partner, self._directory)
            payload = envelope.open_batch(header, batch, (self._opening[partner],))
            for receipt in receipt_pb2.ReceiptBatch.FromString(payload).receipts:
                self._note(receipt)
        now = time.monotonic()
        late = [
            place
            for place in self._unanswered
            if now - self._tried_at.get(place, self.account.sent[place]) > _AGAIN_AFTER_S
        ]
        self._again(late)

    def close(self) -> None:
        """Close the Kafka connections."""
        for connection in (self._publisher, self._subscriber):
            if connection:
                connection.close()
        self._publisher = self._subscriber = None

    def _note(self, receipt: receipt_pb2.Receipt) -> None:
        place = (receipt.topic, receipt.sequence)
        if receipt.reason == reasons.GAP:
            self.account.gaps += 1
            behind = [
                p
                for p in self._unanswered
                if p[0] == receipt.topic and p[1] >= receipt.expected_sequence
            ]
            now = time.monotonic()
            # Every batch behind a gap is answered with a gap. A batch that has just been resent
            # need not be sent again.
            self._again([p for p in behind if now - self._tried_at.get(p, 0) > 2])
        elif self._unanswered.pop(place, None):
            self.account.seconds.append(time.monotonic() - self.account.sent[place])
            self.account.accepted[place] = receipt.accepted
            self.account.refused += len(receipt.refused) + (
                receipt.outcome != receipt_pb2.OUTCOME_ACCEPTED
            )

    def _again(self, places: Sequence[Place]) -> None:
        for place in places:
            self._tried_at[place] = time.monotonic()
        self._publish([self._unanswered[place] for place in sorted(places)])

    def _publish(self, batches: Sequence[Batch]) -> None:
        try:
            for at in range(0, len(batches), _AT_A_TIME):
                if self._publisher is None:
                    self._publisher = KafkaPublisher(self._settings)
                self._publisher.publish(
                    [(batch.topic, batch.message) for batch in batches[at : at + _AT_A_TIME]]
                )
        except BusError:
            # A message that Kafka did not take has no receipt and is resent.
            self._break()

    def _break(self) -> None:
        self.account.broken += 1
        try:
            self.close()
        except Exception:
            self._publisher = self._subscriber = None
        time.sleep(0.5)
