"""A small partnership: hand-written people, encoded and sealed by the real code."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from childlink.wire.v1 import encoded_pb2, receipt_pb2
from childlink.wire.v1 import envelope_pb2 as wire
from childlink_bus.database import migrate, open_database
from childlink_bus.memory import MemoryBroker
from childlink_bus.stream_processor import StreamProcessor, TopicPolicy
from childlink_core import envelope, topics
from childlink_core.capsule import CapsuleSealer
from childlink_core.directory import Directory
from childlink_core.keys import OpeningKey, SecretKey, SigningKey
from childlink_core.profiles import get_profile
from childlink_core.references import ReferenceKeys
from childlink_ingest.model.rows import Identity, Precision, Relation, Role
from childlink_ingest.pseudonymise.encoder import Encoder
from childlink_ingest.pseudonymise.split import Subject
from childlink_ingest.standardise import normalise
from childlink_linker.linking.handler import LinkHandler
from childlink_linker.linking.intake import TokenHasher
from childlink_linker.matching.parameters import load_parameters
from childlink_linker.metrics import LinkerMetrics
from childlink_linker.review.workflow import ReviewWorkflow
from childlink_linker.store import tables
from childlink_linker.store.vault import Vault

VAULT = Vault(b"v" * 32)
LINKAGE = SecretKey("partnership", 1, b"L" * 32)
NHS = [
    "9990000018",
    "9990000026",
    "9990000034",
    "9990000042",
    "9990000050",
    "9990000069",
    "9990000077",
    "9990000085",
]
"""NHS numbers from the test range with a valid check digit."""


@dataclass
class Partnership:
    """Partners' keys, and the sequence numbers of what they send."""

    directory: Directory
    signing: Mapping[str, SigningKey]
    opening: Mapping[str, OpeningKey]
    epoch: int = 1
    sequences: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def subject(
        self,
        partner: str,
        person_id: str,
        role: Role = "child",
        *,
        nhs: str = "",
        given: str = "",
        surname: str = "",
        born: date | None = None,
        sex: str = "",
        postcode: str = "",
        birth_order: int | None = None,
        date_approximate: bool = False,
        known_as: str = "",
        date_precision: Precision = "day",
        number_untraced: bool = False,
        carer: "tuple[Subject, Relation] | None" = None,
        parent_of: "tuple[Subject, Relation] | None" = None,
        one_id_each: bool = True,
        dataset: str = "asq3",
    ) -> Subject:
        """A subject, normalised as ingest does it."""
        keys = ReferenceKeys.of(SecretKey(partner, 1, partner.encode().ljust(32, b".")))
        identity = Identity(
            person_id,
            normalise.nhs_number(nhs),
            normalise.given_name(given),
            normalise.surname(surname),
            born,
            normalise.sex(sex),
            normalise.postcode(postcode),
            birth_order,
            date_approximate,
            normalise.given_name(known_as),
            date_precision,
            number_untraced,
        )
        return Subject(
            role,
            identity,
            keys.link("ids", person_id, role),
            keys.analytics("ids", person_id, role),
            keys.facet(f"{partner} {dataset}"),
            (carer[0].link_reference, carer[1]) if carer else None,
            carer[0].identity if carer and carer[1] == "mother" else None,
            parent_of[0].identity if parent_of else None,
            parent_of[1] if parent_of else None,
            one_id_each,
        )

    def encoded_batch(
        self, partner: str, subjects: Sequence[Subject], withdrawn: Sequence[bytes] = ()
    ) -> encoded_pb2.EncodedBatch:
        """The payload of a batch."""
        profile = get_profile()
        sealer = CapsuleSealer(partner, self.directory.seal_key(topics.ANALYTICS))
        records = Encoder(profile, LINKAGE).encode(subjects)
        for record, subject in zip(records, subjects, strict=True):
            record.capsule = sealer.seal(subject.analytics_reference)
        return encoded_pb2.EncodedBatch(
            profile_id=profile.id,
            profile_fingerprint=profile.fingerprint,
            key_version=1,
            sealed_capsule_key=sealer.sealed_key,
            records=records,
            tombstones=[encoded_pb2.Tombstone(reference=reference) for reference in withdrawn],
        )

    def seal(
        self,
        partner: str,
        topic: str,
        reader: str,
        kind: "wire.PayloadKind",
        payload: bytes,
        sequence: int | None = None,
    ) -> bytes:
        """A sealed and signed message: the next of its stream unless `sequence` is given."""
        if sequence is None:
            self.sequences[topic] += 1
            sequence = self.sequences[topic]
        address = envelope.Address(topic, kind, self.epoch, sequence)
        return envelope.seal(
            payload, address, self.directory.seal_key(reader), self.signing[partner]
        )

    def message(
        self,
        partner: str,
        subjects: Sequence[Subject],
        withdrawn: Sequence[bytes] = (),
        **options: Any,
    ) -> bytes:
        """A sealed batch of encodings, as a partner sends it."""
        payload = self.encoded_batch(partner, subjects, withdrawn).SerializeToString()
        return self.seal(
            partner,
            topics.encodings(partner),
            topics.LINKER,
            wire.PAYLOAD_KIND_ENCODED,
            payload,
            **options,
        )


class LinkerUnderTest:
    """A linker on an in-memory broker with its own database."""

    def __init__(self, partnership: Partnership, database_url: str, vault: Vault = VAULT) -> None:
        self.partnership = partnership
        self.broker = MemoryBroker()
        self.engine = open_database(database_url)
        migrate(self.engine, "childlink_linker.store")
        self.metrics = LinkerMetrics()
        handler = LinkHandler(
            get_profile(),
            load_parameters(),
            frozenset({1}),
            TokenHasher(b"t" * 32),
            vault,
            b"a" * 32,
            self.metrics,
        )
        directory = partnership.directory
        self.processor = StreamProcessor(
            topics.LINKER,
            self.engine,
            tables.stream_state,
            self.broker.publisher(),
            {
                topics.encodings(p): TopicPolicy(p, wire.PAYLOAD_KIND_ENCODED)
                for p in directory.partners
            },
            directory,
            partnership.signing[topics.LINKER],
            (partnership.opening[topics.LINKER],),
            handler,
            self.metrics,
            self.broker.subscriber,
        )

    def put(self, partner: str, *messages: bytes) -> None:
        """Put messages on a partner's topic."""
        self.broker.topics[topics.encodings(partner)] += messages

    def send(self, partner: str, *subjects: Subject, withdrawn: Sequence[bytes] = ()) -> None:
        """Send subjects in one batch and let the linker read it."""
        self.put(partner, self.partnership.message(partner, subjects, withdrawn))
        self.run()

    def run(self) -> None:
        """Read all waiting messages."""
        subscriber = self.processor.subscribe()
        while self.processor.step(subscriber, 0):
            pass

    def desk(self, views_a_day: int = 1_000) -> ReviewWorkflow:
        """The review service of this linker. Its messages are put on the broker at once."""
        handler = self.processor.handler

        return ReviewWorkflow(
            self.engine,
            VAULT,
            get_profile(),
            load_parameters(),
            b"d" * 32,
            views_a_day,
            handler.links,  # type: ignore[attr-defined]
            self.processor.send,
            lambda: tables.stream_state.flush(self.engine, self.processor.publisher),
        )

    def persons(self, *subjects: Subject) -> list[str | None]:
        """The person of each subject."""
        with self.engine.connect() as tx:
            rows = tx.execute(
                sa.select(tables.subject.c.link_reference, tables.subject.c.person_id)
            )
            found = {row.link_reference: row.person_id for row in rows}
        return [found.get(subject.link_reference) for subject in subjects]

    def families(self, *subjects: Subject) -> list[str | None]:
        """The family of each subject."""
        with self.engine.connect() as tx:
            rows = tx.execute(sa.select(tables.person.c.person_id, tables.person.c.family_id))
            family = {row.person_id: row.family_id for row in rows}
        return [family.get(person) if person else None for person in self.persons(*subjects)]

    def partition(self) -> set[frozenset[bytes]]:
        """Persons as sets of link references: the part that must not depend on the order of
        arrival.
        """
        return self._partition(tables.subject.c.person_id)

    def family_partition(self) -> set[frozenset[bytes]]:
        """Families as sets of link references."""
        return self._partition(tables.person.c.family_id)

    def review_pairs(self) -> int:
        """Number of pairs of subjects that wait for a steward's decision."""
        with self.engine.connect() as tx:
            return int(
                tx.execute(sa.select(sa.func.count()).select_from(tables.review_pair)).scalar() or 0
            )

    def receipts(self, partner: str) -> list[receipt_pb2.Receipt]:
        """Every receipt of a partner, opened with its key."""
        found: list[receipt_pb2.Receipt] = []
        for message in self.broker.topics[topics.receipts(partner)]:
            header, batch = envelope.verify(
                message, topics.receipts(partner), partner, self.partnership.directory
            )
            payload = envelope.open_batch(header, batch, (self.partnership.opening[partner],))
            found += receipt_pb2.ReceiptBatch.FromString(payload).receipts
        return found

    def close(self) -> None:
        """Close the database."""
        self.engine.dispose()

    def _partition(self, column: "sa.Column[Any]") -> set[frozenset[bytes]]:
        groups: dict[str, set[bytes]] = defaultdict(set)
        with self.engine.connect() as tx:
            joined = tables.subject.join(
                tables.person, tables.person.c.person_id == tables.subject.c.person_id
            )
            for reference, name in tx.execute(
                sa.select(tables.subject.c.link_reference, column).select_from(joined)
            ):
                groups[name].add(reference)
        return {frozenset(group) for group in groups.values()}


def open_linker(partnership: Partnership, folder: Path) -> LinkerUnderTest:
    """A linker on SQLite in `folder`."""
    return LinkerUnderTest(partnership, f"sqlite:///{folder / 'linker.sqlite'}")
