"""Handles a micro-batch: intake, linking, and the links for analytics."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from childlink.wire.v1 import encoded_pb2, envelope_pb2, link_pb2, observation_pb2
from childlink_bus.stream_processor import Handled, OpenedBatch, Outgoing, ReadUpTo, Result
from childlink_core import reasons, topics
from childlink_core.profiles import Profile
from childlink_core.references import keyed_hash

from childlink_linker.linking.intake import TokenHasher, read_batches
from childlink_linker.linking.link import link
from childlink_linker.matching.parameters import Parameters
from childlink_linker.metrics import LinkerMetrics
from childlink_linker.records import StoredSubject
from childlink_linker.store import tables
from childlink_linker.store.store import Store
from childlink_linker.store.vault import Vault

_LINKS_PER_BATCH = 600


@dataclass(frozen=True)
class LinkHandler:
    """See `childlink_bus.stream_processor.Handler`."""

    profile: Profile
    parameters: Parameters
    key_versions: frozenset[int]
    hasher: TokenHasher
    vault: Vault
    analytics_id_key: bytes
    metrics: LinkerMetrics

    def __call__(
        self, tx: sa.Connection, batches: Sequence[OpenedBatch], read: ReadUpTo
    ) -> Handled:
        """Link the contents of the batches."""
        arrivals, results = read_batches(batches, self.profile, self.key_versions, self.hasher)
        store = Store(tx, self.vault)
        outcome = link(store, arrivals, self.profile, self.parameters)
        self.metrics.linked(
            outcome.records,
            len(outcome.linked),
            outcome.merges,
            outcome.splits,
            outcome.pair_weights,
        )
        return Handled(
            _with_deferred(results, outcome.deferred), self.links(store, outcome.linked, read)
        )

    def links(
        self, store: Store, subjects: Sequence[StoredSubject], read: ReadUpTo | None = None
    ) -> list[Outgoing]:
        """Link batches for analytics, with re-keyed identifiers. The last one says how far the
        linker has read, even if no link changed.
        """
        families = {
            person: row.family_id
            for person, row in store.persons(s.person_id for s in subjects if s.person_id).items()
        }
        keys = store.capsule_keys({s.capsule_key_id for s in subjects})
        outgoing = []
        last = max(0, len(subjects) - 1) // _LINKS_PER_BATCH * _LINKS_PER_BATCH
        for at in range(0, len(subjects) or bool(read), _LINKS_PER_BATCH):
            chunk = subjects[at : at + _LINKS_PER_BATCH]
            index = {
                key_id: number
                for number, key_id in enumerate(sorted({s.capsule_key_id for s in chunk}))
            }
            batch = link_pb2.LinkBatch(
                capsule_keys=[
                    link_pb2.CapsuleKey(partner=keys[key_id][0], sealed_key=keys[key_id][1])
                    for key_id in index
                ],
                links=[
                    link_pb2.Link(
                        capsule_key=index[s.capsule_key_id],
                        capsule=s.capsule,
                        role=encoded_pb2.Role.Name(s.role),
                        person=self._rekey(s.person_id),
                        family=self._rekey(families.get(s.person_id) if s.person_id else None),
                        version=s.link_version,
                    )
                    for s in chunk
                ],
                parameter_version=self.parameters.version,
                read_up_to=_read_up_to(read or {}) if at == last else (),
            )
            outgoing.append(
                Outgoing(
                    topics.LINKS,
                    topics.ANALYTICS,
                    envelope_pb2.PAYLOAD_KIND_LINK,
                    batch.SerializeToString(),
                )
            )
        return outgoing

    def all_links(self, tx: sa.Connection) -> list[Outgoing]:
        """Link batches for all subjects."""
        store = Store(tx, self.vault)
        return self.links(store, store.all_subjects(), tables.stream_state.read_up_to(tx))

    def _rekey(self, identifier: str | None) -> bytes | None:
        return keyed_hash(self.analytics_id_key, identifier) if identifier else None


def _with_deferred(results: Sequence[Result], deferred: Sequence[tuple[int, int]]) -> list[Result]:
    """The batches' results, with the records that were stored but not linked counted as refused."""
    of_batch: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for batch, index in deferred:
        of_batch[batch].append((index, reasons.SHARED_ID))
    return [
        replace(
            result,
            accepted=result.accepted - len(of_batch[number]),
            refused=tuple(sorted((*result.refused, *of_batch[number]))),
        )
        if number in of_batch
        else result
        for number, result in enumerate(results)
    ]


def _read_up_to(read: ReadUpTo) -> list[link_pb2.ReadUpTo]:
    return [
        link_pb2.ReadUpTo(
            partner=partner, position=observation_pb2.StreamPosition(epoch=epoch, sequence=sequence)
        )
        for partner, (epoch, sequence) in sorted(read.items())
    ]
