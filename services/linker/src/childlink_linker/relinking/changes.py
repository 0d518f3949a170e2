"""Finds what a new partition would change, as independent changes. Rule: arrays in, changes out.

A change consists of whole components and whole current persons. So nothing outside affects it, and
it affects nothing outside. Its fingerprint covers its records, decisions and persons: while they
stay the same, the rules give the same clusters.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from childlink_linker.clustering.cluster import name_clusters
from childlink_linker.clustering.partition import label_components
from childlink_linker.relinking.repartition import Repartition
from childlink_linker.store.snapshot import Snapshot


@dataclass(frozen=True)
class Change:
    """Subjects with their proposed cluster and their current person."""

    clusters: Mapping[int, int]
    """By subject id. A cluster is named by its least subject."""
    persons: Mapping[int, str]
    fingerprint: bytes

    def parts(self) -> list[list[int]]:
        """The clusters, as subject ids."""
        held = defaultdict(list)
        for subject_id, cluster in sorted(self.clusters.items()):
            held[cluster].append(subject_id)
        return list(held.values())

    def count(self, ages: Mapping[str, int]) -> tuple[int, int]:
        """The numbers of identifiers that would be merged into others, and of new identifiers after
        splits.
        """
        parts = self.parts()
        kept = name_clusters(parts, self.persons, defaultdict(int, ages))
        splits = sum(
            name is None and any(m in self.persons for m in part)
            for part, name in zip(parts, kept, strict=True)
        )
        return len(set(self.persons.values()) - set(kept)), splits


def fingerprint(
    persons: Mapping[int, str],
    records: Iterable[tuple[int, bytes]],
    decisions: Iterable[tuple[int, str]],
) -> bytes:
    """A fingerprint of subjects with their persons, records (id, digest) and decisions in force
    (id, verdict). The order has no effect.
    """
    parts = (sorted(persons.items()), sorted(records), sorted(decisions))
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()


def find_changes(snapshot: Snapshot, new: Repartition) -> list[Change]:
    """All changes. The order has no meaning."""
    _, person = np.unique(snapshot.persons, return_inverse=True)
    person = np.where(
        snapshot.persons == b"", len(person) + np.arange(len(person)), person.reshape(-1)
    )
    moved = _not_one_to_one(person, new.clusters)
    before, after = (
        set(snapshot.doubts),
        {(min(a, b), max(a, b), weight) for a, b, weight in new.doubts},
    )
    doubtful = np.array([pair[:2] for pair in before ^ after], dtype=np.int64).reshape(-1)
    moved[snapshot.places(np.intersect1d(doubtful, snapshot.subjects))] = True
    order = np.argsort(person, kind="stable").astype(np.int32)
    same = np.flatnonzero(np.diff(person[order]) == 0)
    ends = np.concatenate(
        [
            np.stack([order[same], order[same + 1]], axis=1),
            np.stack([np.arange(len(person), dtype=np.int32), new.components], axis=1),
        ]
    )
    group = label_components(len(person), ends)
    wanted = np.isin(group, np.unique(group[moved]))
    return _as_changes(snapshot, new, group, wanted)


def _not_one_to_one(person: NDArray[np.int64], cluster: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Subjects whose person is in several clusters, or whose cluster has several persons."""
    meetings = np.unique(np.stack([person, cluster.astype(np.int64)], axis=1), axis=0)
    several = np.zeros(len(person), dtype=bool)
    for column, own in ((0, person), (1, cluster)):
        values, counts = np.unique(meetings[:, column], return_counts=True)
        several |= np.isin(own, values[counts > 1])
    return several


def _as_changes(
    snapshot: Snapshot, new: Repartition, group: NDArray[np.int32], wanted: NDArray[np.bool_]
) -> list[Change]:
    subjects = snapshot.subjects
    clusters: dict[int, dict[int, int]] = defaultdict(dict)
    persons: dict[int, dict[int, str]] = defaultdict(dict)
    for at in np.flatnonzero(wanted).tolist():
        clusters[group[at]][int(subjects[at])] = int(subjects[new.clusters[at]])
        if name := snapshot.persons[at].decode():
            persons[group[at]][int(subjects[at])] = name
    records: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
    owners = snapshot.places(snapshot.subject_of)
    for at in np.flatnonzero(wanted[owners]).tolist():
        records[group[owners[at]]].append(
            (int(snapshot.records[at]), snapshot.digests[at].tobytes())
        )
    decisions: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for item in snapshot.decisions:
        at = int(snapshot.places(np.array([item.smaller_subject_id]))[0])
        decisions[group[at]].append((item.decision_id, item.verdict))
    return [
        Change(
            clusters[label],
            persons[label],
            fingerprint(persons[label], records[label], decisions.get(label, ())),
        )
        for label in clusters
    ]


def ids_in(changes: Sequence[Change]) -> list[int]:
    """All subjects of the changes."""
    return [subject_id for change in changes for subject_id in change.clusters]
