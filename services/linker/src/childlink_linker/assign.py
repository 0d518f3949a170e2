"""Which subjects are one person: clusters of a component, by one deterministic rule. Rule: plain values.

Agglomerative clustering. Two clusters are as close as their subjects are, on average, to the best of the other cluster
(the greater of the two directions), unless all their pairs together speak against it. So a record joins a person whom it
fits in one of the shapes that the person is known in (before and after a change of name, say), but one good pair cannot chain
two people who have several records each. Two rules look at clusters, because no pair of records can show it:

* NHS numbers count between clusters: two clusters known by different numbers are further apart the more partners hold those
  numbers, even if the records that fit best have none;
* a record without names (a newborn's) fits a twin as well as the child: once a person has records with names, only those and
  the NHS number decide about a record that has names.

Ties are broken by the subjects' keys, never by arrival: the partition is a pure function of records and parameters.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Key = TypeVar("Key", bound=Hashable)

# A subject that would join either of two different people with nearly the same weight joins neither: a person decides.
AMBIGUITY_MARGIN: Final = 2.0
# Clusters whose pairs have on average less than this are not joined, however well one pair fits.
CONTRADICTION: Final = -4.0
# Two different NHS numbers count once for each partner that holds the less known of them, and no more often than this.
MOST_WITNESSES: Final = 3


@dataclass(frozen=True)
class Numbers:
    """NHS numbers of n subjects."""

    held: Sequence[frozenset[int]]
    """Those of each subject; most have one or none."""
    sources: Sequence[Hashable]
    """Who says so: several records of one source are no second witness."""
    disagree: float
    """Weight of two different numbers, in bits; negative."""


@dataclass(frozen=True)
class Evidence:
    """What is known between n subjects, as symmetric n x n arrays."""

    total: NDArray[np.float64]
    """Sum of the weights of the informative pairs of their records."""
    pairs: NDArray[np.int64]
    """How many informative pairs of records they have; 0 where nothing could be compared."""
    forbidden: NDArray[np.bool_]
    """Hard evidence that they are different people."""
    relief: NDArray[np.float64]
    """What `total` would gain if different NHS numbers were left out of it."""
    named: NDArray[np.bool_]
    """The two were compared by names, or by one NHS number."""
    relatives: NDArray[np.bool_]
    """The two look like brothers, sisters or twins rather than one person."""
    numbers: Numbers

    @classmethod
    def of(cls, size: int, weights: Mapping[tuple[int, int], float]) -> "Evidence":
        """One pair of records between each two subjects; a pair left out is unknown."""
        total, pairs = np.zeros((size, size)), np.zeros((size, size), dtype=np.int64)
        for (a, b), weight in weights.items():
            total[a, b] = total[b, a] = weight
            pairs[a, b] = pairs[b, a] = 1
        unknown = Numbers([frozenset()] * size, [0] * size, 0.0)
        never, nothing = np.zeros((size, size), dtype=bool), np.zeros((size, size))
        return cls(total, pairs, never, nothing, pairs > 0, (pairs > 0) & (total < 0), unknown)


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
    n = len(keys)
    known = evidence.pairs > 0
    weight = np.where(known, evidence.total / np.maximum(evidence.pairs, 1), -np.inf)
    one_number = len(frozenset().union(*evidence.numbers.held)) <= 1
    if n == 1 or (
        one_number and bool((np.where(evidence.forbidden, -np.inf, weight)[~np.eye(n, dtype=bool)] >= link).all())
    ):
        return Partition([list(keys)], [])
    relieved = np.where(known, (evidence.total + evidence.relief) / np.maximum(evidence.pairs, 1), -np.inf)
    state = _State(relieved, known, evidence)
    members: dict[int, list[Key]] = {index: [key] for index, key in enumerate(keys)}
    held = np.zeros((n, n), dtype=bool)
    while True:
        mean = state.mean()
        score: NDArray[np.float64] = np.where(state.forbidden | (mean < CONTRADICTION), -np.inf, state.score())
        score = score.round(6)
        # The greatest weight; of equal ones, the pair with the least keys (argmax takes the first).
        open_pairs = np.where(np.triu(~held, k=1), score, -np.inf)
        a, b = divmod(int(np.argmax(open_pairs)), n)
        if open_pairs[a, b] < link:
            break
        if _is_ambiguous(score, state.apart(review), a, b, link):
            held[a, b] = True
            continue
        members[a] += members.pop(b)
        state.merge(a, b)
        # What held a pair back may have changed with the merge.
        held[[a, b], :] = held[:, [a, b]] = False
    score = state.score()
    doubtful = [
        (members[a][0], members[b][0], round(float(score[a, b]), 6))
        for a, b in np.argwhere(np.triu(score >= review, k=1)).tolist()
    ]
    return Partition([sorted(group) for _, group in sorted(members.items())], doubtful)  # type: ignore[type-var]


class _State:
    """Clusters on their way, as n x n arrays; a merged cluster's row and column are empty."""

    def __init__(self, weight: NDArray[np.float64], known: NDArray[np.bool_], evidence: Evidence) -> None:
        n = len(weight)
        self.forbidden = evidence.forbidden.copy()
        self._total, self._pairs = evidence.total.copy(), evidence.pairs.copy()
        self._relatives = evidence.relatives.astype(np.int64)
        # best[c, x]: the weight of subject x with the best of cluster c; owns[c, x]: x is in c.
        self._best, self._owns = weight.copy(), np.eye(n)
        self._best_named = np.where(evidence.named, weight, -np.inf)
        # fit[c, d], fitted[c, d]: sum and number, over the subjects of d, of their weights with the best of c; the same over
        # those pairs alone that were compared by names.
        self._fit, self._fitted = np.where(known, weight, 0.0), known.astype(float)
        by_name = known & evidence.named
        self._fit_named, self._fitted_named = np.where(by_name, weight, 0.0), by_name.astype(float)
        # Who vouches for each NHS number of a cluster, and the weight of two clusters' numbers against each other.
        numbers = evidence.numbers
        self._disagree = numbers.disagree
        self._witnesses: list[dict[int, set[Hashable]]] = [
            {number: {source} for number in held} for held, source in zip(numbers.held, numbers.sources, strict=True)
        ]
        self._conflict = np.zeros((n, n))
        self._numbered = {index for index in range(n) if self._witnesses[index]}
        for index in self._numbered:
            self._set_conflicts(index)

    def _set_conflicts(self, a: int) -> None:
        mine = self._witnesses[a]
        for b in self._numbered:
            theirs = self._witnesses[b]
            bits = 0.0
            if b != a and not (mine.keys() & theirs.keys()):
                support = min(max(map(len, mine.values())), max(map(len, theirs.values())))
                bits = self._disagree * min(support, MOST_WITNESSES)
            self._conflict[a, b] = self._conflict[b, a] = bits

    def score(self) -> NDArray[np.float64]:
        """How close each two clusters are."""
        by_name = self._fitted_named > 0
        fit, fitted = np.where(by_name, self._fit_named, self._fit), np.where(by_name, self._fitted_named, self._fitted)
        one_way = np.where(fitted > 0, fit / np.maximum(fitted, 1), -np.inf)
        return np.maximum(one_way, one_way.T) + self._conflict

    def mean(self) -> NDArray[np.float64]:
        """Average weight over all informative pairs of records of each two clusters."""
        return np.where(self._pairs > 0, self._total / np.maximum(self._pairs, 1), -np.inf)

    def apart(self, review: float) -> NDArray[np.bool_]:
        """Which clusters are surely two people: they look like twins, or have two NHS numbers. What a record lacks, or that
        its family has moved and changed its name, is no such sign."""
        return self.forbidden | ((self._relatives > 0) & (self.mean() < review)) | (self._conflict < 0)

    def merge(self, a: int, b: int) -> None:
        """Put cluster b into a."""
        for array in (self._total, self._pairs, self._relatives):
            array[a] += array[b]
            array[:, a] = array[a]
            array[b] = array[:, b] = array[a, a] = 0
        self.forbidden[a] |= self.forbidden[b]
        self.forbidden[:, a] = self.forbidden[a]
        self._owns[a] += self._owns[b]
        self._owns[b] = 0
        self._best[a] = np.maximum(self._best[a], self._best[b])
        self._best_named[a] = np.maximum(self._best_named[a], self._best_named[b])
        for best, fit, fitted in (
            (self._best[a], self._fit, self._fitted),
            (self._best_named[a], self._fit_named, self._fitted_named),
        ):
            known = np.isfinite(best)
            for array, values in ((fit, np.where(known, best, 0.0)), (fitted, known.astype(float))):
                array[:, a] += array[:, b]
                array[:, b] = array[b] = 0
                array[a] = self._owns @ values
                array[a, a] = 0
        for number, sources in self._witnesses[b].items():
            self._witnesses[a].setdefault(number, set()).update(sources)
        self._numbered.discard(b)
        self._conflict[b] = self._conflict[:, b] = 0.0
        if self._witnesses[a]:
            self._numbered.add(a)
            self._set_conflicts(a)


def _is_ambiguous(score: NDArray[np.float64], apart: NDArray[np.bool_], a: int, b: int, link: float) -> bool:
    """Whether a or b would as well join a third cluster that is surely not the other one."""
    least = max(link, score[a, b] - AMBIGUITY_MARGIN)
    for one, other in ((a, b), (b, a)):
        rivals = (score[one] >= least) & apart[other]
        rivals[[a, b]] = False
        if rivals.any():
            return True
    return False


def name_clusters(
    clusters: Sequence[Sequence[Key]], current: Mapping[Key, str], ages: Mapping[str, int]
) -> list[str | None]:
    """Which identifier each cluster keeps; None where it needs a new one.

    A merge keeps the older identifier; a split keeps it for the larger part (of equal parts, for the one with the least
    key). `ages` orders identifiers, oldest first.

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
        candidates = [
            (-count, min(clusters[index]), index)  # type: ignore[type-var]
            for index, count in holders[identifier].items()
            if names[index] is None
        ]
        if candidates:
            names[min(candidates)[2]] = identifier
    return names
