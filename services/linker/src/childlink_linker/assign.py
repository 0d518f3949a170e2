"""Which subjects are one person: clusters of a component, by one deterministic rule. Rule: plain values.

Agglomerative clustering with average linkage over all informative pairs of records, so that a person is judged by all of its
records and one good pair cannot chain two people. Ties are broken by the subjects' keys, never by arrival: the partition is
a pure function of records and parameters.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Key = TypeVar("Key", bound=Hashable)

# A subject that would join either of two different people with nearly the same weight joins neither: a person decides.
AMBIGUITY_MARGIN: Final = 2.0


@dataclass(frozen=True)
class Evidence:
    """What is known between n subjects, as symmetric n x n arrays."""

    total: NDArray[np.float64]
    """Sum of the weights of the informative pairs of their records."""
    pairs: NDArray[np.int64]
    """How many informative pairs of records they have; 0 where nothing could be compared."""
    forbidden: NDArray[np.bool_]
    """Hard evidence that they are different people."""

    @classmethod
    def of(cls, size: int, weights: Mapping[tuple[int, int], float]) -> "Evidence":
        """One pair of records between each two subjects; a pair left out is unknown."""
        total, pairs = np.zeros((size, size)), np.zeros((size, size), dtype=np.int64)
        for (a, b), weight in weights.items():
            total[a, b] = total[b, a] = weight
            pairs[a, b] = pairs[b, a] = 1
        return cls(total, pairs, np.zeros((size, size), dtype=bool))


@dataclass(frozen=True)
class Partition(Generic[Key]):
    """Clusters of subjects, and the pairs of clusters that a person should look at (by their least keys)."""

    clusters: list[list[Key]]
    doubtful: list[tuple[Key, Key, float]]


def cluster(keys: Sequence[Key], evidence: Evidence, link: float, review: float) -> Partition[Key]:
    """Partition a component. `keys` are in order, and so are the rows of `evidence`.

    >>> cluster(["a", "b"], Evidence.of(2, {(0, 1): 10.0}), 4.0, -1.0).clusters
    [['a', 'b']]

    b would join a as well as c, who are surely two people: a person decides.

    >>> cluster(["a", "b", "c"], Evidence.of(3, {(0, 1): 10.0, (1, 2): 10.0, (0, 2): -8.0}), 4.0, -1.0)
    Partition(clusters=[['a'], ['b'], ['c']], doubtful=[('a', 'b', 10.0), ('b', 'c', 10.0)])
    """
    off_diagonal = ~np.eye(len(keys), dtype=bool)
    if len(keys) == 1 or bool((_mean(evidence)[off_diagonal] >= link).all()):
        return Partition([list(keys)], [])
    total, pairs, forbidden = evidence.total.copy(), evidence.pairs.copy(), evidence.forbidden.copy()
    members: dict[int, list[Key]] = {index: [key] for index, key in enumerate(keys)}
    held = np.zeros_like(forbidden)
    while True:
        mean = np.round(_mean(Evidence(total, pairs, forbidden)), 6)
        # The greatest weight; of equal ones, the pair with the least keys (argmax takes the first).
        open_pairs = np.where(np.triu(~held, k=1), mean, -np.inf)
        a, b = divmod(int(np.argmax(open_pairs)), len(keys))
        if open_pairs[a, b] < link:
            break
        if _is_ambiguous(mean, pairs, a, b, link, review):
            held[a, b] = True
            continue
        members[a] += members.pop(b)
        for array in (total, pairs):
            array[a] += array[b]
            array[:, a] = array[a]
            array[b] = array[:, b] = array[a, a] = 0
        forbidden[a] |= forbidden[b]
        forbidden[:, a] = forbidden[a]
        # What held a pair back may have changed with the merge.
        held[[a, b], :] = held[:, [a, b]] = False
    return Partition([sorted(group) for _, group in sorted(members.items())], _doubtful(members, total, pairs, review))  # type: ignore[type-var]


def _mean(evidence: Evidence) -> NDArray[np.float64]:
    """Average weight of each two clusters; -inf where unknown or forbidden."""
    known = (evidence.pairs > 0) & ~evidence.forbidden
    return np.where(known, evidence.total / np.maximum(evidence.pairs, 1), -np.inf)


def _is_ambiguous(
    mean: NDArray[np.float64], pairs: NDArray[np.int64], a: int, b: int, link: float, review: float
) -> bool:
    """Whether a or b would as well join a third cluster that is surely not the other one."""
    least = max(link, mean[a, b] - AMBIGUITY_MARGIN)
    for one, other in ((a, b), (b, a)):
        rivals = (mean[one] >= least) & (pairs[other] > 0) & (mean[other] < review)
        rivals[[a, b]] = False
        if rivals.any():
            return True
    return False


def _doubtful(
    members: Mapping[int, list[Key]], total: NDArray[np.float64], pairs: NDArray[np.int64], review: float
) -> list[tuple[Key, Key, float]]:
    mean = np.where(pairs > 0, total / np.maximum(pairs, 1), -np.inf)
    at = np.argwhere(np.triu(mean >= review, k=1)).tolist()
    return [(members[a][0], members[b][0], round(float(mean[a, b]), 6)) for a, b in at]


def name_clusters(
    clusters: Sequence[Sequence[Key]], current: Mapping[Key, str], ages: Mapping[str, int]
) -> list[str | None]:
    """Which identifier each cluster keeps; None where it needs a new one.

    A merge keeps the older identifier; a split keeps it for the larger part. `ages` orders identifiers, oldest first.

    >>> name_clusters([["a", "b", "c"]], {"a": "C2", "b": "C1"}, {"C1": 1, "C2": 2})
    ['C1']
    >>> name_clusters([["a"], ["b", "c"]], {"a": "C1", "b": "C1", "c": "C1"}, {"C1": 1})
    [None, 'C1']
    """
    names: list[str | None] = [None] * len(clusters)
    holders: dict[str, dict[int, int]] = {}
    for index, keys in enumerate(clusters):
        for name in (current.get(key) for key in keys):
            if name is not None:
                counts = holders.setdefault(name, {})
                counts[index] = counts.get(index, 0) + 1
    for identifier in sorted(holders, key=lambda name: (ages[name], name)):
        candidates = [(-count, index) for index, count in holders[identifier].items() if names[index] is None]
        if candidates:
            names[min(candidates)[1]] = identifier
    return names
