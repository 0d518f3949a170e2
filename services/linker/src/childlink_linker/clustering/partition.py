"""Decides which subjects are one person: records, edges and decisions in, clusters out. The same
rule serves micro-batches, `relink` and Spark.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from childlink_core.profiles import Profile
from numpy.typing import NDArray

from childlink_linker.clustering.cluster import Partition, cluster
from childlink_linker.clustering.evidence import components, find_evidence
from childlink_linker.clustering.shared_ids import shared_ids, without_shared_ids
from childlink_linker.matching.comparison import PairWeights
from childlink_linker.matching.parameters import Parameters
from childlink_linker.matching.weights import AGREE, UNKNOWN, VARIABLES
from childlink_linker.records import StoredRecord, Subject

_NHS: Final = VARIABLES.index("nhs")
_SIMILARITY: Final = VARIABLES.index("similarity")


def is_edge(result: PairWeights, parameters: Parameters) -> NDArray[np.bool_]:
    """Which pairs are edges:

    * pairs at or above the review threshold;
    * pairs with the same NHS number;
    * twins of one source. Whether only a name distinguishes a twin depends on the co-twin's record,
      so the two must be evaluated together. CLKs do not show who has no name.
    """
    keep: NDArray[np.bool_] = (result.weight >= parameters.thresholds.review) & result.informative
    keep |= result.codes[:, _NHS] == AGREE
    without_clk = result.codes[:, _SIMILARITY] == UNKNOWN
    keep |= result.co_twins & result.same_source & result.informative & without_clk
    return keep


def partition(
    subjects: Mapping[int, Subject],
    records: Sequence[StoredRecord],
    edges: Iterable[tuple[int, int]],
    verdicts: Mapping[tuple[int, int], int],
    profile: Profile,
    parameters: Parameters,
) -> Partition[int]:
    """Clusters of subject ids and the doubtful pairs, for whole components: all records of the
    subjects, and all edges between them.
    """
    if shared := shared_ids(records, profile):
        edges, verdicts = without_shared_ids(records, shared, edges, verdicts)
    evidence = find_evidence(records, edges, verdicts, profile, parameters)
    clusters: list[list[int]] = []
    doubtful: list[tuple[int, int, float]] = []
    id_of = {subject.key: subject.subject_id for subject in subjects.values()}
    for members_of, between in components(subjects, evidence, parameters):
        if between is None:
            clusters.append([id_of[key] for key in members_of])
            continue
        found = cluster(members_of, between, parameters.thresholds)
        clusters += [[id_of[key] for key in members] for members in found.clusters]
        doubtful += [(id_of[a], id_of[b], weight) for a, b, weight in found.doubtful]
    return Partition(clusters, doubtful)


def label_components(size: int, ends: NDArray[np.int32]) -> NDArray[np.int32]:
    """Label each node with the least node of its connected component. `ends`: (edges, 2), nodes 0
    to size - 1.

    Uses hooking and halving (Shiloach and Vishkin 1982) on whole arrays. Ten million nodes take
    seconds, and the memory of a few arrays of that size.

    >>> label_components(5, np.array([[3, 1], [4, 3]])).tolist()
    [0, 1, 2, 1, 1]
    """
    labels = np.arange(size, dtype=np.int32)
    one, other = ends[:, 0], ends[:, 1]
    while True:
        a, b = labels[one], labels[other]
        apart = a != b
        if not apart.any():
            return labels
        one, other, a, b = one[apart], other[apart], a[apart], b[apart]
        np.minimum.at(labels, np.maximum(a, b), np.minimum(a, b))
        while not np.array_equal(halved := labels[labels], labels):
            labels = halved
