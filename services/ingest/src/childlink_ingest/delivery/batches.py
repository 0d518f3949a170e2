"""Collects staged items into batches, then seals, signs and queues them.

Encodings go to the linker, observations to analytics, and tombstones to both.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from childlink.wire.v1 import encoded_pb2, observation_pb2
from childlink.wire.v1 import envelope_pb2 as wire
from childlink_catalogue.datasets import Dataset
from childlink_core import envelope, topics
from childlink_core.capsule import CapsuleSealer
from childlink_core.directory import Directory
from childlink_core.keys import SigningKey
from childlink_core.references import ReferenceKeys

from childlink_ingest.model.items import Half, StagedItem, Tombstone
from childlink_ingest.pseudonymise.encoder import Encoder, varint
from childlink_ingest.spool import Spool

BATCH_BYTES: Final = 128 * 1024
_TOMBSTONES_PER_BATCH: Final = 4_000
# Fields of the wire format. They are appended to serialised messages, because protobuf
# concatenates.
_CAPSULE: Final = encoded_pb2.EncodedRecord.CAPSULE_FIELD_NUMBER
_RECORDS: Final = encoded_pb2.EncodedBatch.RECORDS_FIELD_NUMBER
_OBSERVATIONS: Final = observation_pb2.ObservationBatch.OBSERVATIONS_FIELD_NUMBER


@dataclass(frozen=True)
class SendingContext:
    """Keys, directory and encoders that a site needs to turn rows into sealed batches."""

    partner: str
    directory: Directory
    signing_key: SigningKey
    references: ReferenceKeys
    encoders: tuple[Encoder, ...]

    @property
    def encoder(self) -> Encoder:
        """The encoder with the linkage secret in use."""
        return self.encoders[0]


Numbered = tuple[int, StagedItem]
"""An item, with its id in the spool."""


def queue_encodings(
    spool: Spool, site: SendingContext, run_id: int, feed: str, changed: Iterable[Numbered]
) -> None:
    """Queue the new or changed encodings. Each batch has its own capsule key and one key
    version.
    """
    versions = {
        site.references.facet(feed, encoder.key_version): encoder for encoder in site.encoders
    }
    waiting: dict[bytes, list[Numbered]] = {facet: [] for facet in versions}
    sizes = dict.fromkeys(versions, 0)
    for item_id, item in changed:
        waiting[item.facet].append((item_id, item))
        sizes[item.facet] += len(item.payload)
        if sizes[item.facet] >= BATCH_BYTES:
            _queue_encodings(spool, site, run_id, feed, versions[item.facet], waiting[item.facet])
            waiting[item.facet], sizes[item.facet] = [], 0
    for facet, items in waiting.items():
        if items:
            _queue_encodings(spool, site, run_id, feed, versions[facet], items)


def _queue_encodings(
    spool: Spool,
    site: SendingContext,
    run_id: int,
    feed: str,
    encoder: Encoder,
    items: Sequence[Numbered],
) -> None:
    sealer = CapsuleSealer(site.partner, site.directory.seal_key(topics.ANALYTICS))
    head = encoded_pb2.EncodedBatch(
        profile_id=encoder.profile.id,
        profile_fingerprint=encoder.profile.fingerprint,
        key_version=encoder.key_version,
        sealed_capsule_key=sealer.sealed_key,
    )
    records = (
        _field(_RECORDS, item.payload + _field(_CAPSULE, sealer.seal(item.companion or b"")))
        for _, item in items
    )
    _queue(
        spool, site, run_id, feed, "encodings", head.SerializeToString() + b"".join(records), items
    )


def queue_observations(
    spool: Spool,
    site: SendingContext,
    run_id: int,
    feed: str,
    dataset: Dataset,
    changed: Iterable[Numbered],
) -> None:
    """Queue the new or changed observations."""
    head = observation_pb2.ObservationBatch(
        dataset=dataset.name,
        dataset_version=dataset.version,
        fields=[field.name for field in dataset.fields],
        after_encodings=_after_encodings(spool),
    ).SerializeToString()
    for items in _batches(changed):
        body = b"".join(_field(_OBSERVATIONS, item.payload) for _, item in items)
        _queue(spool, site, run_id, feed, "observations", head + body, items)


def queue_withdrawals(spool: Spool, site: SendingContext, run_id: int) -> None:
    """Queue the staged tombstones."""
    profile = site.encoder.profile
    for half, message in (
        ("encodings", encoded_pb2.EncodedBatch),
        ("observations", observation_pb2.ObservationBatch),
    ):
        staged = spool.withdrawals(half)  # type: ignore[arg-type]
        for at in range(0, len(staged), _TOMBSTONES_PER_BATCH):
            chunk = staged[at : at + _TOMBSTONES_PER_BATCH]
            tombstones = [
                encoded_pb2.Tombstone(reference=t.reference, facet=t.facet or None) for t in chunk
            ]
            batch = message(tombstones=tombstones)
            if isinstance(batch, encoded_pb2.EncodedBatch):
                batch.profile_id, batch.profile_fingerprint = profile.id, profile.fingerprint
                batch.key_version = site.encoder.key_version
            else:
                # Any contract that the hub knows is valid here: a tombstone names a row or a
                # subject, not a dataset.
                batch.dataset, batch.dataset_version = "attendance", 1
                after = _after_encodings(spool)
                if after:
                    batch.after_encodings.CopyFrom(after)
            epoch, sequence, sealed = _seal(spool, site, half, batch.SerializeToString())  # type: ignore[arg-type]
            spool.queue_withdrawal(run_id, half, epoch, sequence, sealed, chunk)  # type: ignore[arg-type]


def _after_encodings(spool: Spool) -> observation_pb2.StreamPosition | None:
    """The position of the last queued batch of encodings; None if there is none."""
    last = spool.last_sequence("encodings")
    return observation_pb2.StreamPosition(epoch=last[0], sequence=last[1]) if last else None


def queue_answers(
    spool: Spool, site: SendingContext, answers: Sequence[encoded_pb2.OwnCheckAnswer]
) -> None:
    """Queue the site's answers about its own rows."""
    profile = site.encoder.profile
    batch = encoded_pb2.EncodedBatch(
        profile_id=profile.id,
        profile_fingerprint=profile.fingerprint,
        key_version=site.encoder.key_version,
        answers=answers,
    )
    epoch, sequence, sealed = _seal(spool, site, "encodings", batch.SerializeToString())
    spool.queue_message("encodings", epoch, sequence, sealed)


def _queue(
    spool: Spool,
    site: SendingContext,
    run_id: int,
    feed: str,
    half: Half,
    payload: bytes,
    items: Sequence[Numbered],
) -> None:
    epoch, sequence, message = _seal(spool, site, half, payload)
    spool.queue(run_id, feed, half, epoch, sequence, message, items)


def _seal(spool: Spool, site: SendingContext, half: Half, payload: bytes) -> tuple[int, int, bytes]:
    reader, kind, topic = {
        "encodings": (topics.LINKER, wire.PAYLOAD_KIND_ENCODED, topics.encodings(site.partner)),
        "observations": (
            topics.ANALYTICS,
            wire.PAYLOAD_KIND_OBSERVATION,
            topics.observations(site.partner),
        ),
    }[half]
    epoch, sequence = spool.next_sequence(half)
    address = envelope.Address(topic, kind, epoch, sequence)
    return (
        epoch,
        sequence,
        envelope.seal(payload, address, site.directory.seal_key(reader), site.signing_key),
    )


def _batches(items: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    batch: list[Numbered] = []
    size = 0
    for item in items:
        batch.append(item)
        size += len(item[1].payload)
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _field(number: int, payload: bytes) -> bytes:
    """A length-delimited protobuf field. `number` must be below 16."""
    return _prefix(number, len(payload)) + payload


@lru_cache(maxsize=10_000)
def _prefix(number: int, length: int) -> bytes:
    return bytes((number << 3 | 2,)) + varint(length)


def tombstones_of_subject(link_reference: bytes, analytics_reference: bytes) -> list[Tombstone]:
    """Tombstones that withdraw everything about a subject."""
    return [Tombstone("encodings", link_reference), Tombstone("observations", analytics_reference)]
