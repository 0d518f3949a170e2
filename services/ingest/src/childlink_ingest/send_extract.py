"""The use case of `run`: one extract, from rows to sealed batches in the spool. All of it is queued, or nothing."""

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, cast

from childlink.wire.v1 import encoded_pb2, observation_pb2
from childlink.wire.v1 import envelope_pb2 as wire
from childlink_core import envelope, topics
from childlink_core.capsule import CapsuleSealer
from childlink_core.datasets import Attribute, Dataset
from childlink_core.directory import Directory
from childlink_core.keys import SigningKey
from childlink_core.profiles import Profile
from childlink_core.references import ReferenceKeys

from childlink_ingest.encode import Encoder, is_linkable
from childlink_ingest.errors import ExtractError
from childlink_ingest.mapping import Mapping, map_row
from childlink_ingest.readers import Record
from childlink_ingest.rows import Identity, Rejection, Role, Row
from childlink_ingest.split import Observation, Subject, split
from childlink_ingest.spool import Half, Spool, StagedItem

BATCH_BYTES: Final = 128 * 1024
_ROWS_AT_A_TIME: Final = 5_000
_REMEMBERED_SUBJECTS: Final = 200_000
_NO_FACET: Final = b""


@dataclass(frozen=True)
class Site:
    """What a site needs to turn rows into sealed batches."""

    partner: str
    directory: Directory
    signing_key: SigningKey
    references: ReferenceKeys
    encoder: Encoder


def send_extract(
    name: str,
    records: Iterable[Record | Rejection],
    mapping: Mapping,
    site: Site,
    spool: Spool,
    today: date,
    progress: Callable[[int], None] = lambda _rows: None,
) -> int:
    """Stage every good row, note every bad one, and queue what is new or changed. Returns the run's id."""
    with spool.transaction():
        run_id = spool.start_run(name, mapping.dataset.name)
        rows_read = 0
        notes: Counter[str] = Counter()
        seen: dict[bytes, bytes] = {}

        def staged_ids(ids: Sequence[str]) -> set[str]:
            by_reference = {site.references.row(mapping.dataset.name, row_id): row_id for row_id in ids}
            return {by_reference[reference] for reference in spool.staged("observations", list(by_reference))}

        for chunk in _chunks(records, _ROWS_AT_A_TIME):
            rows, rejections = map_rows(chunk, mapping, site.encoder.profile, today)
            rows, repeats = without_repeats(rows, mapping, staged_ids)
            spool.reject(run_id, [*rejections, *repeats])
            notes.update(note for row in rows for note in row.notes)
            halves = [split(row, mapping, site.references) for row in rows]
            stage_subjects(halves, site.encoder, spool, seen)
            spool.stage(stage_observation(observation, mapping.dataset) for *_, observation in halves)
            spool.stage_rows(_items_of_rows(rows, halves))
            rows_read += len(chunk)
            progress(rows_read)
        if not rows_read:
            raise ExtractError(f"{name} has a header and no rows.", "Export it again.")
        queue_encodings(spool, site)
        queue_observations(spool, site, mapping.dataset)
        spool.finish_run(run_id, rows_read, notes.items())
    return run_id


def map_rows(
    records: Sequence[Record | Rejection], mapping: Mapping, profile: Profile, today: date
) -> tuple[list[Row], list[Rejection]]:
    """Canonical rows, and the rows that stay behind."""
    rows: list[Row] = []
    rejections: list[Rejection] = []
    for record in records:
        mapped = record if isinstance(record, Rejection) else map_row(mapping, record.number, record.values, today)
        if isinstance(mapped, Row):
            mapped = without_unlinkable(mapped, profile)
        if isinstance(mapped, Row):
            rows.append(mapped)
        else:
            rejections.append(mapped)
    return rows, rejections


def without_unlinkable(row: Row, profile: Profile) -> Row | Rejection:
    """The row without a person of whom too little is known to link them; a rejection when nobody is left."""
    mother = row.adult if row.relation == "mother" else None
    people: dict[str, tuple[Identity | None, Identity | None]] = {
        "child": (row.child, mother),
        "adult": (row.adult, None),
    }
    lost = [
        role
        for role, (identity, its_mother) in people.items()
        if identity and not is_linkable(Subject(cast("Role", role), identity, b"", b"", b"", None, its_mother), profile)
    ]
    if not lost:
        return row
    if all(role in lost for role, (identity, _) in people.items() if identity):
        return Rejection(
            row.number,
            f"{lost[0]}_...",
            "says too little of the person to link them",
            "An NHS number that passes its check, or a surname and a date of birth, is needed.",
        )
    notes = tuple(f"{role} left out: says too little to link them" for role in lost)
    return replace(
        row,
        child=None if "child" in lost else row.child,
        adult=None if "adult" in lost else row.adult,
        relation=None,
        notes=row.notes + notes,
    )


def without_repeats(
    rows: Sequence[Row], mapping: Mapping, seen: Callable[[Sequence[str]], set[str]]
) -> tuple[list[Row], list[Rejection]]:
    """Rows whose id no earlier row of the extract has; the others would overwrite it. `seen` tells which ids were used."""
    used = seen([row.row_id for row in rows])
    kept, repeats = [], []
    column = " + ".join(mapping.columns["row_id"].columns)
    for row in rows:
        if row.row_id in used:
            remedy = "Row ids are unique in an extract; name several columns for row_id if no one column is."
            repeats.append(Rejection(row.number, column, "repeats the row id of an earlier row", remedy))
        else:
            used.add(row.row_id)
            kept.append(row)
    return kept, repeats


def stage_subjects(
    halves: Sequence[tuple[Subject | None, Subject | None, Observation]],
    encoder: Encoder,
    spool: Spool,
    seen: dict[bytes, bytes],
) -> None:
    """Encode each subject of a chunk once per distinct identity, and stage the encodings.

    `seen` remembers what was staged last for a reference, so that a child with forty attendances is encoded once.
    """
    latest: dict[bytes, Subject] = {}
    for child, adult, _ in halves:
        latest |= {subject.link_reference: subject for subject in (child, adult) if subject}
    fresh = []
    for reference, subject in latest.items():
        print_of = hashlib.blake2b(repr(subject_content(subject)).encode(), digest_size=16).digest()
        if seen.get(reference) != print_of:
            if len(seen) < _REMEMBERED_SUBJECTS:
                seen[reference] = print_of
            fresh.append(subject)
    spool.stage(
        _staged(
            "encodings",
            subject.link_reference,
            subject.facet,
            record.SerializeToString(deterministic=True),
            subject.analytics_reference,
        )
        for subject, record in zip(fresh, encoder.encode(fresh), strict=True)
    )


def subject_content(subject: Subject) -> tuple[object, ...]:
    """Everything of a subject that decides its encoding."""
    who = subject.identity
    mother = subject.mother
    return (
        who.nhs_number, who.given_name, who.surname, who.date_of_birth, who.sex, who.postcode, who.birth_order, subject.carer,
        (mother.nhs_number, mother.given_name, mother.date_of_birth) if mother else None,
    )  # fmt: skip


def stage_observation(observation: Observation, dataset: Dataset) -> StagedItem:
    """The attribute half, ready to be batched."""
    message = observation_pb2.Observation(
        row_reference=observation.row_reference,
        child_reference=observation.child_reference,
        adult_reference=observation.adult_reference,
        values=[wire_value(observation.attributes.get(field.name)) for field in dataset.fields],
    )
    return _staged("observations", observation.row_reference, _NO_FACET, message.SerializeToString(deterministic=True))


def wire_value(value: Attribute | None) -> observation_pb2.Value:
    """An attribute as it travels; None becomes a value without a kind."""
    match value:
        case None:
            return observation_pb2.Value()
        case bool():
            return observation_pb2.Value(flag=value)
        case int():
            return observation_pb2.Value(integer=value)
        case float():
            return observation_pb2.Value(number=value)
        case str():
            return observation_pb2.Value(text=value)


def queue_encodings(spool: Spool, site: Site) -> None:
    """Batch, seal, sign and queue the encodings that are new or changed; each batch with a capsule key of its own."""
    profile = site.encoder.profile
    for items in _batches(spool.changed("encodings")):
        sealer = CapsuleSealer(site.partner, site.directory.seal_key(topics.ANALYTICS))
        batch = encoded_pb2.EncodedBatch(
            profile_id=profile.id,
            profile_fingerprint=profile.fingerprint,
            key_version=site.encoder.key_version,
            sealed_capsule_key=sealer.sealed_key,
        )
        for item in items:
            record = batch.records.add()
            record.ParseFromString(item.payload)
            record.capsule = sealer.seal(item.capsule_reference or b"")
        _queue(spool, site, "encodings", batch.SerializeToString(), items)


def queue_observations(spool: Spool, site: Site, dataset: Dataset) -> None:
    """Batch, seal, sign and queue the observations that are new or changed."""
    for items in _batches(spool.changed("observations")):
        batch = observation_pb2.ObservationBatch(
            dataset=dataset.name,
            dataset_version=dataset.version,
            fields=[field.name for field in dataset.fields],
            observations=[observation_pb2.Observation.FromString(item.payload) for item in items],
        )
        _queue(spool, site, "observations", batch.SerializeToString(), items)


def _queue(spool: Spool, site: Site, half: Half, payload: bytes, items: Sequence[StagedItem]) -> None:
    reader, kind, topic = {
        "encodings": (topics.LINKER, wire.PAYLOAD_KIND_ENCODED, topics.encodings(site.partner)),
        "observations": (topics.ANALYTICS, wire.PAYLOAD_KIND_OBSERVATION, topics.observations(site.partner)),
    }[half]
    epoch, sequence = spool.next_sequence(half)
    address = envelope.Address(topic, kind, epoch, sequence)
    message = envelope.seal(payload, address, site.directory.seal_key(reader), site.signing_key)
    spool.queue(half, epoch, sequence, message, items)


def _staged(
    half: Half, reference: bytes, facet: bytes, payload: bytes, capsule_reference: bytes | None = None
) -> StagedItem:
    digest = hashlib.blake2b(payload, digest_size=16).digest()
    return StagedItem(half, reference, facet, digest, payload, capsule_reference)


def _items_of_rows(
    rows: Sequence[Row], halves: Sequence[tuple[Subject | None, Subject | None, Observation]]
) -> Iterator[tuple[int, Half, bytes, bytes]]:
    for row, (child, adult, observation) in zip(rows, halves, strict=True):
        yield row.number, "observations", observation.row_reference, _NO_FACET
        for subject in (child, adult):
            if subject:
                yield row.number, "encodings", subject.link_reference, subject.facet


def _batches(items: Iterator[StagedItem]) -> Iterator[list[StagedItem]]:
    batch: list[StagedItem] = []
    size = 0
    for item in items:
        batch.append(item)
        size += len(item.payload)
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _chunks(items: Iterable[Record | Rejection], size: int) -> Iterator[list[Record | Rejection]]:
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk
