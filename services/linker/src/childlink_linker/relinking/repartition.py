"""Partitions all records again without changing the store. It makes two passes over an engine: the
ordinary one here, or Spark (`spark_engine`).

The first pass finds all edges, to see which subjects are in one component. The second clusters the
components with `partition`, many components to a bucket. The engine decides where the work is done.
This module handles ids only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from childlink_core.profiles import Profile
from numpy.typing import NDArray

from childlink_linker.clustering.evidence import verdicts_of
from childlink_linker.clustering.partition import label_components, partition
from childlink_linker.matching.parameters import Parameters
from childlink_linker.relinking.relink import edges_anew
from childlink_linker.store.snapshot import Ids, Snapshot
from childlink_linker.store.store import Store

RECORDS_A_BUCKET: Final = 20_000
Places = NDArray[np.int32]


@dataclass(frozen=True)
class Edges:
    """Pairs of record ids that are edges, smaller id first, and their weights."""

    ends: Ids
    weights: NDArray[np.float64]


@dataclass(frozen=True)
class Clusters:
    """Subjects with the least subject of their cluster, and the doubtful pairs."""

    subjects: Ids
    clusters: Ids
    doubts: Sequence[tuple[int, int, float]]


class Engine(Protocol):
    """Compares records and clusters them."""

    name: str
    snapshot: Snapshot

    def edges(self) -> Iterator[Edges]:
        """Every edge once, in slices. Can be called several times."""

    def clusters(self, buckets: Places) -> Iterator[Clusters]:
        """Cluster all subjects that are in a bucket. `buckets` is indexed by position in the
        snapshot; -1 means no bucket.
        """


@dataclass(frozen=True)
class Repartition:
    """A partition of the snapshot's subjects, by their positions in it."""

    components: Places
    """Equal for subjects that are connected by edges or decisions."""
    clusters: Places
    """Equal for subjects that are one person."""
    doubts: Sequence[tuple[int, int, float]]


def repartition(engine: Engine) -> Repartition:
    """Partition all records again."""
    snapshot = engine.snapshot
    parts = [snapshot.places_of(edges.ends) for edges in engine.edges()]
    decided = np.array(
        [(item.smaller_subject_id, item.larger_subject_id) for item in snapshot.decisions],
        dtype=np.int64,
    ).reshape(-1, 2)
    ends = np.concatenate([snapshot.places(decided), *parts])
    components = label_components(len(snapshot.subjects), ends)
    clusters = np.arange(len(snapshot.subjects), dtype=np.int32)
    doubts: list[tuple[int, int, float]] = []
    for found in engine.clusters(_buckets(snapshot, components)):
        clusters[snapshot.places(found.subjects)] = snapshot.places(found.clusters)
        doubts += found.doubts
    return Repartition(components, clusters, doubts)


def _buckets(snapshot: Snapshot, components: Places) -> Places:
    """Assign whole components to buckets with about the same number of records. A subject without
    others in its component needs no bucket.
    """
    records = np.bincount(snapshot.places(snapshot.subject_of), minlength=len(components))
    of_component = np.bincount(components, weights=records, minlength=len(components))
    shared = np.bincount(components, minlength=len(components)) > 1
    bucket = (np.cumsum(np.where(shared, of_component, 0)) // RECORDS_A_BUCKET).astype(np.int32)
    return np.where(shared, bucket, np.int32(-1))[components]


class OrdinaryEngine:
    """Runs in this process and reads from the store. Suited to stores that one machine can process
    in a night.
    """

    name = "ordinary"

    def __init__(
        self, store: Store, snapshot: Snapshot, profile: Profile, parameters: Parameters
    ) -> None:
        self.snapshot = snapshot
        self._store, self._profile, self._parameters = store, profile, parameters
        self._edges: list[Edges] = []

    def edges(self) -> Iterator[Edges]:
        """See `Engine`."""
        if not self._edges:
            self._edges = [
                Edges(*found) for found in edges_anew(self._store, self._profile, self._parameters)
            ]
        yield from self._edges

    def clusters(self, buckets: Places) -> Iterator[Clusters]:
        """See `Engine`."""
        ends = np.concatenate(
            [np.zeros((0, 2), dtype=np.int64), *(edges.ends for edges in self._edges)]
        )
        bucket_of_edge = buckets[self.snapshot.places_of(ends[:, 0])]
        verdicts = verdicts_of(self.snapshot.decisions)
        for bucket in range(buckets.max(initial=-1) + 1):
            ids = self.snapshot.subjects[buckets == bucket].tolist()
            if ids:
                records, inside = self._store.records_of_subjects(ids), set(ids)
                own = {pair: verdict for pair, verdict in verdicts.items() if pair[0] in inside}
                edges = [(a, b) for a, b in ends[bucket_of_edge == bucket].tolist()]
                found = partition(
                    self._store.subjects(ids), records, edges, own, self._profile, self._parameters
                )
                yield as_columns(found.clusters, found.doubtful)


def as_columns(
    clusters: Sequence[Sequence[int]], doubts: Sequence[tuple[int, int, float]]
) -> Clusters:
    """Clusters of subject ids, as columns."""
    each = [(subject_id, min(members)) for members in clusters for subject_id in members]
    columns = np.array(each, dtype=np.int64).reshape(-1, 2)
    return Clusters(columns[:, 0], columns[:, 1], doubts)
