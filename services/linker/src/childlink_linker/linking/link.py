"""The use case of linking: stores new, changed and withdrawn records, re-clusters the components
that they touch, and returns what changed.

Runs inside the micro-batch's transaction. Start reading at `link`.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core.ids import new_id
from childlink_core.profiles import Profile

from childlink_linker.clustering.cluster import name_clusters
from childlink_linker.clustering.evidence import columns, verdicts_of
from childlink_linker.clustering.partition import is_edge, partition
from childlink_linker.clustering.shared_ids import shared_ids
from childlink_linker.linking.affected_component import reach
from childlink_linker.linking.source_verification import take_answers
from childlink_linker.linking.update_families import regroup_families
from childlink_linker.matching.blocking import keys, pairs_of
from childlink_linker.matching.comparison import PairWeights, compare
from childlink_linker.matching.encodings import from_rows
from childlink_linker.matching.parameters import Parameters
from childlink_linker.records import (
    Arrival,
    Arrivals,
    Outcome,
    StoredRecord,
    StoredSubject,
    Withdrawal,
)
from childlink_linker.store import tables as t
from childlink_linker.store.events import event
from childlink_linker.store.store import Store


def link(store: Store, arrivals: Arrivals, profile: Profile, parameters: Parameters) -> Outcome:
    """Store arrivals and return every subject whose link changed."""
    store.lock()
    take_answers(store, arrivals.answers)
    withdrawn = _withdraw(store, arrivals.withdrawn)
    changed, left, relatives = _store_records(store, arrivals, profile)
    touched = {record.subject_id for record in changed} | left | withdrawn.neighbours
    weights = _find_edges(store, changed, profile, parameters)
    component = reach(store, touched)
    deferred = _deferred(store, arrivals, component, profile)
    assigned, persons, merges, splits = recluster(store, component, profile, parameters)
    # A changed record may declare other carers than before, even if its person stays the same. The
    # families of old and new carers are updated.
    placed_again = {record.subject_id for record in changed} | relatives | withdrawn.relatives
    persons |= {s.person_id for s in store.subjects(placed_again).values() if s.person_id}
    refamilied = regroup_families(store, persons | withdrawn.persons)
    outcome = outcome_of(store, assigned, refamilied, merges, splits)
    return Outcome(
        [*withdrawn.subjects, *outcome.linked], len(changed), merges, splits, weights, deferred
    )


def _deferred(
    store: Store, arrivals: Arrivals, component: Sequence[StoredRecord], profile: Profile
) -> list[tuple[int, int]]:
    """Places of arrivals whose subject is not linked, because its own records contradict each
    other.
    """
    shared = shared_ids(component, profile)
    keys = {subject.key for subject in store.subjects(shared).values()} if shared else set()
    return [arrival.place for arrival in arrivals.records if arrival.key in keys]


def outcome_of(
    store: Store,
    assigned: Mapping[int, StoredSubject],
    refamilied: Mapping[int, StoredSubject],
    merges: int,
    splits: int,
) -> Outcome:
    """Combine the changes: subjects with a new person, whose link version is already raised, and
    subjects with only a new family.
    """
    moved_family = [subject for key, subject in refamilied.items() if key not in assigned]
    for subject in moved_family:
        subject.link_version += 1
    store.update_subjects(moved_family)
    return Outcome([*assigned.values(), *moved_family], 0, merges, splits, np.zeros(0))


@dataclass(frozen=True)
class _Withdrawn:
    subjects: list[StoredSubject]
    neighbours: set[int]
    relatives: set[int]
    persons: set[str]


def _withdraw(store: Store, withdrawals: Sequence[Withdrawal]) -> _Withdrawn:
    """Delete withdrawn records, and subjects without remaining records. Returns the subjects to
    link again because they were linked with them.
    """
    whole = {(item.partner, item.reference) for item in withdrawals if item.facet is None}
    named = {(item.partner, item.reference, item.facet) for item in withdrawals}
    known = store.subjects_by_key([(item.partner, item.reference) for item in withdrawals])
    if not known:
        return _Withdrawn([], set(), set(), set())
    key_of = {subject.subject_id: subject.key for subject in known.values()}
    held = store.records_of_subjects(key_of)
    taken = [
        r
        for r in held
        if key_of[r.subject_id] in whole or (*key_of[r.subject_id], r.facet) in named
    ]
    taken_ids = {r.record_id for r in taken}
    kept_ids = {r.subject_id for r in held if r.record_id not in taken_ids}
    gone = [subject for subject in known.values() if subject.subject_id not in kept_ids]
    gone_ids = {subject.subject_id for subject in gone}
    records = [record.record_id for record in taken]
    neighbours = (_subjects_beside(store, records) | set(key_of)) - gone_ids
    persons = {s.person_id for s in known.values() if s.person_id}
    still_there = [
        s for s in store.subjects_of_persons(persons).values() if s.subject_id not in gone_ids
    ]
    store.delete_in(t.person.c.person_id, persons - {s.person_id for s in still_there})
    neighbours |= {s.subject_id for s in still_there}
    relatives = _relatives(store, taken) | {row.child_subject_id for row in store.children_of(gone)}
    store.delete_records(records)
    store.delete_in(t.subject.c.subject_id, gone_ids)
    for end in (
        t.decision.c.smaller_subject_id,
        t.decision.c.larger_subject_id,
        t.own_check.c.subject_id,
    ):
        store.delete_in(end, gone_ids)
    store.replace_review_pairs(gone_ids, [])
    store.insert(t.event, [event("withdrawn", s.subject_id, None, s.person_id) for s in gone])
    for subject in gone:
        subject.person_id = None
        subject.link_version += 1
    store.note_gone(max((subject.link_version for subject in gone), default=0))
    return _Withdrawn(gone, neighbours, relatives - gone_ids, persons)


def _subjects_beside(store: Store, records: Sequence[int]) -> set[int]:
    """Subjects with an edge to one of the records."""
    around = {record_id for pair in store.neighbours(records) for record_id in pair} - set(records)
    return {record.subject_id for record in store.records(around)}


def _relatives(store: Store, records: Sequence[StoredRecord]) -> set[int]:
    """Adult subjects that these records declare as parents or carers."""
    ids = {record.record_id for record in records}
    declared = store.carers_of({record.subject_id for record in records})
    adults = [(row.partner, row.adult_reference) for row in declared if row.record_id in ids]
    return {subject.subject_id for subject in store.subjects_by_key(adults).values()}


def _store_records(
    store: Store, arrivals: Arrivals, profile: Profile
) -> tuple[list[StoredRecord], set[int], set[int]]:
    """Store new and changed records. A repeated record changes nothing. A changed record replaces
    the old one.

    Returns the stored records and two sets of subjects to process again: subjects with an edge to a
    replaced record, and adults that a replaced record declared as parents or carers.
    """
    newest = {(a.partner, a.link_reference, a.facet): a for a in arrivals.records}
    known = store.subjects_by_key([(partner, reference) for partner, reference, _ in newest])
    old = {
        (r.subject_id, r.facet): r
        for r in store.records_of_subjects(s.subject_id for s in known.values())
    }
    subject_ids, record_ids = store.next_id(t.subject.c.subject_id), store.next_record_id()
    capsule_ids = store.next_id(t.capsule_key.c.capsule_key_id)
    capsule_id_of: dict[int, int] = {}
    new_subjects: list[StoredSubject] = []
    # A subject that returns after a withdrawal must get a greater version than its withdrawal had.
    version = max(time.time_ns() // 1_000_000, store.gone_version())
    stale: list[StoredRecord] = []
    written: list[tuple[StoredRecord, Arrival]] = []
    for (partner, reference, facet), arrival in newest.items():
        subject = known.get((partner, reference))
        before = old.get((subject.subject_id, facet)) if subject else None
        if before is not None and (before.digest, before.key_version) == (
            arrival.digest,
            arrival.key_version,
        ):
            continue
        if arrival.capsule_key not in capsule_id_of:
            capsule_id_of[arrival.capsule_key] = next(capsule_ids)
        if subject is None:
            subject = StoredSubject(
                next(subject_ids),
                partner,
                reference,
                arrival.role,
                None,
                version,
                arrival.capsule,
                capsule_id_of[arrival.capsule_key],
            )
            known[partner, reference] = subject
            new_subjects.append(subject)
        if before is not None:
            stale.append(before)
        row = StoredRecord(
            next(record_ids),
            subject.subject_id,
            facet,
            arrival.key_version,
            arrival.digest,
            arrival.row,
        )
        written.append((row, arrival))
    superseded = [record.record_id for record in stale]
    left, relatives = _subjects_beside(store, superseded), _relatives(store, stale)
    store.delete_records(superseded)
    store.insert(
        t.capsule_key,
        [
            {
                "capsule_key_id": stored,
                "partner": arrivals.capsule_keys[index][0],
                "sealed_key": arrivals.capsule_keys[index][1],
            }
            for index, stored in capsule_id_of.items()
        ],
    )
    store.insert(t.subject, [vars(subject) for subject in new_subjects])
    store.insert_records([row for row, _ in written])
    if written:
        found, at = keys(from_rows((row.encoding for row, _ in written), profile), profile)
        store.insert_keys(found, np.array([row.record_id for row, _ in written])[at])
    store.insert(
        t.carer,
        [
            {
                "record_id": row.record_id,
                "child_subject_id": row.subject_id,
                "partner": arrival.partner,
                "adult_reference": reference,
                "relation": relation,
            }
            for row, arrival in written
            for reference, relation in dict.fromkeys(arrival.carers)
        ],
    )
    return [row for row, _ in written], left, relatives


def _find_edges(
    store: Store, changed: Sequence[StoredRecord], profile: Profile, parameters: Parameters
) -> np.ndarray:
    """Compare each changed record with all records that share a key, and store the pairs that are
    edges. Returns the weights of all compared pairs.
    """
    rows, pairs = candidate_pairs(store, changed, profile)
    if not len(pairs):
        return np.zeros(0)
    result = compare(columns(rows, profile), pairs[:, 0], pairs[:, 1], profile, parameters)
    store.insert_edges(*edges_of(rows, pairs, result, parameters))
    return result.weight


def edges_of(
    rows: Sequence[StoredRecord], pairs: np.ndarray, result: PairWeights, parameters: Parameters
) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of record ids that are edges (smaller id first), and their weights."""
    keep = is_edge(result, parameters)
    ids = np.array([row.record_id for row in rows], dtype=np.int64)
    return np.sort(ids[pairs[keep]].reshape(-1, 2), axis=1), result.weight[keep]


def candidate_pairs(
    store: Store, changed: Sequence[StoredRecord], profile: Profile
) -> tuple[list[StoredRecord], np.ndarray]:
    """The changed records and all records that share a key with one of them, and the pairs to
    compare. Each pair occurs once.
    """
    wanted, _ = keys(columns(changed, profile), profile)
    held, record_ids = store.holders(wanted)
    pairs = pairs_of(held, record_ids)
    fresh = np.array([row.record_id for row in changed], dtype=np.int64)
    pairs = pairs[np.isin(pairs, fresh).any(axis=1)]
    others = np.setdiff1d(pairs, fresh)
    rows = [*changed, *store.records(others.tolist())]
    ids = np.array([row.record_id for row in rows], dtype=np.int64)
    order = np.argsort(ids)
    pairs = np.sort(order[np.searchsorted(ids, pairs, sorter=order)], axis=1)
    subject_of = np.array([row.subject_id for row in rows], dtype=np.int64)
    return rows, pairs[subject_of[pairs[:, 0]] != subject_of[pairs[:, 1]]]


def recluster(
    store: Store, records: Sequence[StoredRecord], profile: Profile, parameters: Parameters
) -> tuple[dict[int, StoredSubject], set[str], int, int]:
    """Partition the components again and name the clusters. Returns the subjects whose person
    changed, the persons that gained or lost a subject, and the numbers of merges and splits.
    """
    subjects = store.subjects({record.subject_id for record in records})
    found = partition(
        subjects,
        records,
        store.neighbours(record.record_id for record in records),
        verdicts_of(store.decisions_of(subjects)),
        profile,
        parameters,
    )
    store.replace_review_pairs(subjects, found.doubtful)
    current = {
        subject.subject_id: subject.person_id for subject in subjects.values() if subject.person_id
    }
    ages = {person_id: row.age for person_id, row in store.persons(current.values()).items()}
    return _rename(
        store, found.clusters, name_clusters(found.clusters, current, ages), subjects, current
    )


def _rename(
    store: Store,
    clusters: Sequence[Sequence[int]],
    names: Sequence[str | None],
    subjects: Mapping[int, StoredSubject],
    current: Mapping[int, str],
) -> tuple[dict[int, StoredSubject], set[str], int, int]:
    ages = store.next_id(t.person.c.age)
    new_persons, events = [], []
    moved: dict[int, StoredSubject] = {}
    kept: set[str] = set()
    for members, name in zip(clusters, names, strict=True):
        role = subjects[members[0]].role
        person_id = name
        if person_id is None:
            person_id = new_id("C" if role == wire.ROLE_CHILD else "A")
            new_persons.append(
                {"person_id": person_id, "role": role, "age": next(ages), "family_id": None}
            )
        kept.add(person_id)
        for subject_id in members:
            if subjects[subject_id].person_id != person_id:
                events.append(
                    event("assigned", subject_id, person_id, subjects[subject_id].person_id)
                )
                subjects[subject_id].person_id = person_id
                subjects[subject_id].link_version += 1
                moved[subject_id] = subjects[subject_id]
    gone = set(current.values()) - kept
    merges = len(gone)
    splits = sum(
        1
        for members, name in zip(clusters, names, strict=True)
        if name is None and any(m in current for m in members)
    )
    store.insert(t.person, new_persons)
    store.insert(t.event, events)
    store.update_subjects(list(moved.values()))
    store.delete_in(t.person.c.person_id, gone)
    gained_or_lost = {s.person_id for s in moved.values() if s.person_id} | {
        current[m] for m in moved if m in current
    }
    return moved, gained_or_lost, merges, splits
