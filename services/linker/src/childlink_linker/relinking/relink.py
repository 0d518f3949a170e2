"""The use cases of `estimate` and `relink`: estimate parameters from all encodings, and re-cluster
all records under new parameters.
"""

from collections.abc import Iterator

import numpy as np
from childlink_core.profiles import Profile

from childlink_linker.clustering.evidence import columns
from childlink_linker.linking.affected_component import reach
from childlink_linker.linking.link import candidate_pairs, edges_of, outcome_of, recluster
from childlink_linker.linking.update_families import regroup_families
from childlink_linker.matching.blocking import keys, pairs_of, pairs_of_one_date
from childlink_linker.matching.comparison import compare
from childlink_linker.matching.estimate import Estimated, estimate
from childlink_linker.matching.parameters import Parameters
from childlink_linker.records import Outcome, StoredRecord, StoredSubject
from childlink_linker.store.store import Store

_RECORDS_AT_A_TIME = 20_000
# More candidate pairs than this add nothing to an estimate.
_MOST_PAIRS = 3_000_000


def estimate_parameters(
    store: Store, profile: Profile, prior: Parameters, version: str
) -> Estimated:
    """Estimate parameters from the pairs in the store that share a key or a date of birth. Reads
    records until there are a few million pairs.
    """
    rows: list[StoredRecord] = []
    pairs = np.zeros((0, 2), dtype=np.int64)
    for chunk in _chunks(store):
        rows += chunk
        encodings = columns(rows, profile)
        pairs = np.unique(
            np.concatenate([pairs_of(*keys(encodings, profile)), pairs_of_one_date(encodings)]),
            axis=0,
        )
        if len(pairs) > _MOST_PAIRS:
            break
    subject_of = np.array([row.subject_id for row in rows])
    pairs = pairs[subject_of[pairs[:, 0]] != subject_of[pairs[:, 1]]]
    return estimate(columns(rows, profile), pairs[:, 0], pairs[:, 1], profile, prior, version)


def edges_anew(
    store: Store, profile: Profile, parameters: Parameters, after: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Every edge with at least one record above id `after`, once: pairs of record ids, and weights.
    Changes nothing.
    """
    for chunk in _chunks(store, after):
        last_of_chunk = max(row.record_id for row in chunk)
        rows, pairs = candidate_pairs(store, chunk, profile)
        ids = np.array([row.record_id for row in rows], dtype=np.int64)
        # Pairs with records of later chunks are found with those chunks.
        pairs = pairs[(ids[pairs] <= last_of_chunk).all(axis=1)]
        result = compare(columns(rows, profile), pairs[:, 0], pairs[:, 1], profile, parameters)
        yield edges_of(rows, pairs, result, parameters)


def relink(store: Store, profile: Profile, parameters: Parameters) -> Outcome:
    """Compare all candidate pairs again and re-cluster all records. `name_clusters` decides which
    identifiers are kept.
    """
    store.lock()
    store.delete_edges()
    for ends, weights in edges_anew(store, profile, parameters):
        store.insert_edges(ends, weights)
    moved: dict[int, StoredSubject] = {}
    persons: set[str] = set()
    merges = splits = 0
    done: set[int] = set()
    for chunk in _chunks(store):
        component = reach(store, {row.subject_id for row in chunk} - done)
        done |= {record.subject_id for record in component}
        assigned, touched, merged, split = recluster(store, component, profile, parameters)
        moved |= assigned
        persons |= touched
        merges, splits = merges + merged, splits + split
    return outcome_of(store, moved, regroup_families(store, persons), merges, splits)


def _chunks(store: Store, after: int = 0) -> Iterator[list[StoredRecord]]:
    while chunk := store.records_after(after, _RECORDS_AT_A_TIME):
        yield chunk
        after = chunk[-1].record_id
