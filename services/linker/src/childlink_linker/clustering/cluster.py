"""Decides which subjects are one person, by clustering each component with one deterministic rule.
Rule: plain values.

The method is agglomerative clustering. To compare two clusters, it takes the best agreement in each
field across all pairs of their records. So a record joins a person if it fits any known version of
them, such as before or after a change of name.

Evidence against a match still counts:

* NHS numbers are compared between clusters. If two clusters have different numbers, the penalty
  grows with the number of partners that hold those numbers, even if the best-fitting records have
  none.
* If most pairs of records of two clusters look like twins, the clusters are not joined, however
  well one pair fits.
* A subject that fits two different people equally well joins neither. An example is a newborn's
  record that fits both twins.
* If no other record fits, less evidence is enough.

Ties are broken by the subjects' keys, never by the order of arrival. The partition is a pure
function of records and parameters.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from childlink_linker.matching.parameters import Thresholds
from childlink_linker.matching.weights import NOT_COMPARED, Weighed

Key = TypeVar("Key", bound=Hashable)

Weigh = Callable[[NDArray[np.int8]], tuple[Weighed, Weighed]]
"""From codes (pairs, fields) to the weight of each pair, and to its weight without the NHS
numbers.
"""

# If a subject fits two different people with weights this close, in bits, it joins neither and a
# data steward decides.
AMBIGUITY_MARGIN: Final = 2.0
# The penalty for two different NHS numbers counts once for each partner that holds the less
# supported number, up to this limit.
MOST_WITNESSES: Final = 3
# From so many bits on, two records are surely one person by name (negative), or surely twins
# (positive). Three bits are odds of 8 to 1.
SURELY: Final = 3.0
# Two records of one number are held together by the number alone if, without it, one person is less
# than so many bits more likely than twins.
BY_NUMBER_ALONE: Final = 4.0
# If one pair of two clusters is surely one person by name, the clusters are kept apart only if more
# than this share of their pairs looks like twins. Otherwise more than half is enough.
MOST_LIKE_TWINS_OF_ONE: Final = 0.75
# A source that holds one of two twins holds the other with three chances in four.
BITS_OF_A_MISSING_TWIN: Final = 2.0
SAME: Final = 1
DIFFERENT: Final = 2
_DECIDED: Final = 1_000.0


@dataclass(frozen=True)
class Numbers:
    """NHS numbers of n subjects."""

    held: Sequence[Mapping[int, float]]
    """Numbers of each subject, with how much each counts: less than 1 if it was not traced. Most
    have one or none.
    """
    sources: Sequence[Hashable]
    """The source of each subject. Several records of one source count as one witness."""
    disagree: float
    """Weight of two different numbers, in bits; negative."""


@dataclass(frozen=True)
class Evidence:
    """Evidence between n subjects, as symmetric arrays."""

    codes: NDArray[np.int8]
    """The best agreement in each field over all pairs of their records: (n, n, fields). 1 is best,
    0 is not compared.
    """
    weigh: Weigh
    forbidden: NDArray[np.bool_]
    """Hard evidence that they are different people."""
    same_source: NDArray[np.float64]
    """Weight for coming from one source, which rarely holds a person twice. Negative, or 0."""
    compared: NDArray[np.int64]
    """Number of pairs of their records that were compared by name."""
    like_twins: NDArray[np.int64]
    """Number of those pairs that look like brothers, sisters or twins."""
    decided: NDArray[np.int8]
    """A data steward's decision: 0 for none, SAME, or DIFFERENT."""
    numbers: Numbers
    one_number: NDArray[np.bool_]
    """They share an NHS number. If they are not one person, a data steward must look."""
    twin_field: int | None = None
    """The field that marks a twin whom only a name distinguishes from the co-twin."""
    flags: Sequence[int] = ()
    """Fields that say how much the others count: 1 or 0. Clusters have one if all their pairs
    have.
    """

    @classmethod
    def of(cls, size: int, weights: Mapping[tuple[int, int], float]) -> "Evidence":
        """Evidence with one field and one pair of records for each two subjects. A missing pair is
        unknown; a pair with negative weight looks like twins.
        """
        ranked = sorted(set(weights.values()), reverse=True)
        codes, like_twins = (
            np.zeros((size, size, 1), dtype=np.int8),
            np.zeros((size, size), dtype=np.int64),
        )
        for (a, b), weight in weights.items():
            codes[a, b] = codes[b, a] = ranked.index(weight) + 1
            like_twins[a, b] = like_twins[b, a] = weight < 0
        bits = np.array([-np.inf, *ranked])
        unknown = Numbers([{}] * size, [0] * size, 0.0)
        never, nothing = np.zeros((size, size), dtype=bool), np.zeros((size, size))
        return cls(
            codes,
            lambda c: (Weighed(found := bits[c[:, 0]], -10.0 * found, found < 0),) * 2,
            never,
            nothing,
            (codes[:, :, 0] > 0).astype(np.int64),
            like_twins,
            np.zeros((size, size), dtype=np.int8),
            unknown,
            never,
        )


@dataclass(frozen=True)
class Partition(Generic[Key]):
    """Clusters of subjects, and the pairs of clusters for a data steward to review. A pair is named
    by the least keys of its clusters.
    """

    clusters: list[list[Key]]
    doubtful: list[tuple[Key, Key, float]]


def cluster(keys: Sequence[Key], evidence: Evidence, at: Thresholds) -> Partition[Key]:
    """Partition a component. `keys` are in order, and so are the rows of `evidence`.

    >>> at = Thresholds(link=4.0, alone=1.0, review=-1.0)
    >>> cluster(["a", "b"], Evidence.of(2, {(0, 1): 10.0}), at).clusters
    [['a', 'b']]

    Weaker evidence is enough if no other record fits:

    >>> cluster(["a", "b"], Evidence.of(2, {(0, 1): 2.0}), at).clusters
    [['a', 'b']]
    >>> cluster(["a", "b", "c"], Evidence.of(3, {(0, 1): 2.0, (0, 2): 0.0}), at).clusters
    [['a'], ['b'], ['c']]

    b fits both a and c, who are surely two people, so a data steward decides:

    >>> weights = {(0, 1): 10.0, (1, 2): 10.0, (0, 2): -8.0}
    >>> cluster(["a", "b", "c"], Evidence.of(3, weights), at)
    Partition(clusters=[['a'], ['b'], ['c']], doubtful=[('a', 'b', 10.0), ('b', 'c', 10.0)])
    """
    n = len(keys)
    state = _State(evidence)
    members: dict[int, list[Key]] = {index: [key] for index, key in enumerate(keys)}
    held = np.zeros((n, n), dtype=bool)
    while True:
        # The greatest weight. Of equal weights, the pair with the least keys: argmax takes the
        # first.
        open_pairs = np.where(np.triu(~held, k=1), state.score(), -np.inf)
        if open_pairs.max() < at.link:
            open_pairs[~state.is_alone(at.link, at.review)] = -np.inf
            if open_pairs.max() < at.alone:
                break
        a, b = divmod(int(np.argmax(open_pairs)), n)
        if state.is_ambiguous(a, b, at.link, at.review):
            held[a, b] = True
            continue
        members[a] += members.pop(b)
        state.merge(a, b)
        # The merge may have removed the reason for holding a pair back.
        held[[a, b], :] = held[:, [a, b]] = False
    score = state.score(barred=True)
    # A pair with hard evidence against it is not in doubt, unless it shares an NHS number. Then one
    # of the two has the other's number.
    asked = ((score >= at.review) & ~state.forbidden) | (state.one_number & np.isfinite(score))
    doubtful = [
        (members[a][0], members[b][0], round(float(score[a, b]), 6))
        for a, b in np.argwhere(np.triu(asked, k=1)).tolist()
    ]
    return Partition(list(members.values()), doubtful)


class _State:
    """Clusters during merging. The row and column of a merged cluster are empty."""

    def __init__(self, evidence: Evidence) -> None:
        n = len(evidence.codes)
        self._weigh = evidence.weigh
        self._codes = np.where(evidence.codes == 0, NOT_COMPARED, evidence.codes)
        self._flags = list(evidence.flags)
        self.forbidden = evidence.forbidden.copy()
        self._same_source = evidence.same_source.copy()
        self._compared, self._like_twins = evidence.compared.copy(), evidence.like_twins.copy()
        self._decided = evidence.decided.copy()
        self.one_number = evidence.one_number.copy()
        self._twin_field = evidence.twin_field
        self._bits, self._kinship, self._bits_but_number, self._kinship_but_number = np.full(
            (4, n, n), -np.inf
        )
        self._somebody_else = np.zeros((n, n), dtype=bool)
        rows, columns = np.triu_indices(n, k=1)
        self._weigh_pairs(rows, columns)
        self._sources = [{source} for source in evidence.numbers.sources]
        # The sources that support each NHS number of a cluster, and the penalty between the numbers
        # of two clusters.
        numbers = evidence.numbers
        self._disagree = numbers.disagree
        self._witnesses: list[dict[int, dict[Hashable, float]]] = [
            {number: {source: counts} for number, counts in held.items()}
            for held, source in zip(numbers.held, numbers.sources, strict=True)
        ]
        self._conflict = np.zeros((n, n))
        self._numbered = {index for index in range(n) if self._witnesses[index]}
        for index in self._numbered:
            self._set_conflicts(index)

    def _weigh_pairs(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> None:
        codes = self._codes[rows, columns]
        weighed, but_number = self._weigh(np.where(codes == NOT_COMPARED, 0, codes).astype(np.int8))
        for array, values in (
            (self._bits, weighed.bits),
            (self._kinship, weighed.kinship),
            (self._somebody_else, weighed.somebody_else),
            (self._bits_but_number, but_number.bits),
            (self._kinship_but_number, but_number.kinship),
        ):
            array[rows, columns] = array[columns, rows] = values

    def _set_conflicts(self, a: int) -> None:
        mine = self._witnesses[a]
        for b in self._numbered:
            theirs = self._witnesses[b]
            bits = 0.0
            if b != a and not (mine.keys() & theirs.keys()):
                support = min(_support(mine), _support(theirs))
                bits = self._disagree * min(support, MOST_WITNESSES)
            self._conflict[a, b] = self._conflict[b, a] = bits

    def score(self, *, barred: bool = False) -> NDArray[np.float64]:
        """The weight of each pair of clusters. -inf where they may not be joined; `barred` keeps
        the weights of such pairs.
        """
        score: NDArray[np.float64] = (self._bits + self._same_source + self._conflict).round(6)
        if not barred:
            # One source that gives two ids and two numbers says twice that there are two people.
            two_of_a_source = (self._conflict < 0) & (self._same_source < 0)
            score[self.forbidden | self._is_twins() | two_of_a_source] = -np.inf
        # A data steward's decision overrides all evidence. Of two decisions, the one that keeps
        # people apart wins.
        score[self._decided == SAME] = _DECIDED
        score[self._decided == DIFFERENT] = -np.inf
        return score

    def is_alone(self, link: float, review: float) -> NDArray[np.bool_]:
        """Which pairs of clusters have no rival: neither fits any other cluster.

        Two different NHS numbers, two ids of one source, or different given names are signs of
        two people. So is all that twins have in common. But each further source that
        holds one child and no twin makes a twin less likely.
        """
        fits = (self.score() >= review).sum(axis=1)
        sources = np.array([len(held) for held in self._sources])
        witnesses = np.minimum(np.maximum(sources[:, None], sources[None, :]), MOST_WITNESSES)
        twins = self._kinship - BITS_OF_A_MISSING_TWIN * (witnesses - 1)
        somebody_else = (self._conflict < 0) | (self._same_source < 0) | self._somebody_else
        somebody_else |= twins > -link
        alone: NDArray[np.bool_] = (fits[:, None] <= 1) & (fits[None, :] <= 1) & ~somebody_else
        return alone

    def _is_twins(self) -> NDArray[np.bool_]:
        """Which clusters are not joined because most of their pairs look like twins. Where one pair
        is surely one person by name, nearly all others have to.
        """
        sure = self._kinship <= -SURELY
        most = np.where(sure, MOST_LIKE_TWINS_OF_ONE, 0.5) * self._compared
        twins: NDArray[np.bool_] = self._like_twins > most
        return twins

    def is_ambiguous(self, a: int, b: int, link: float, review: float) -> bool:
        """Whether a or b fits a third cluster (a rival) about as well, and the rival is surely a
        different person.

        "Surely different" means that they look like twins, have different NHS numbers, or have
        other hard evidence or a decision against them. Missing fields, or a family that moved and
        changed its name, are not enough. "About as well" means that the rival's weight is nearly as
        high, or that only the NHS number favours this pair and all other fields favour the rival.
        """
        if self._decided[a, b] == SAME:
            return False
        score = self.score()
        apart = (
            self.forbidden
            | ((self._kinship >= SURELY) & (self._bits < review))
            | (self._conflict < 0)
            | (self._decided == DIFFERENT)
        )
        least = max(link, score[a, b] - AMBIGUITY_MARGIN)
        rest = self._bits_but_number
        number_alone = self.one_number[a, b] and self._kinship_but_number[a, b] > -BY_NUMBER_ALONE
        for one, other in ((a, b), (b, a)):
            by_all_else = (
                number_alone & (score[one] >= link) & (rest[one] > rest[a, b] + AMBIGUITY_MARGIN)
            )
            rivals = ((score[one] >= least) | by_all_else) & apart[other]
            rivals[[a, b]] = False
            if rivals.any():
                return True
        return False

    def merge(self, a: int, b: int) -> None:
        """Merge cluster b into a."""
        settled = self._twins_settled_by(a, b)
        for sums in (self._compared, self._like_twins):
            sums[a] += sums[b]
            sums[:, a] = sums[a]
            sums[b] = sums[:, b] = sums[a, a] = 0
        for flags in (self.forbidden, self.one_number):
            flags[a] |= flags[b]
            flags[:, a] = flags[a]
        self._sources[a] = self._sources[a] | self._sources[b]
        self.one_number[b] = self.one_number[:, b] = self.one_number[a, a] = False
        self._decided[a] = np.maximum(self._decided[a], self._decided[b])
        self._decided[:, a] = self._decided[a]
        self._decided[b] = self._decided[:, b] = self._decided[a, a] = 0
        self._same_source[a] = np.minimum(self._same_source[a], self._same_source[b])
        self._same_source[:, a] = self._same_source[a]
        weaker = self._flags_of_both(a, b)
        self._codes[a] = np.minimum(self._codes[a], self._codes[b])
        self._codes[a][:, self._flags] = weaker
        self._codes[:, a] = self._codes[a]
        self._codes[b] = self._codes[:, b] = NOT_COMPARED
        others = np.flatnonzero(np.isfinite(self._bits[a]) | np.isfinite(self._bits[b]))
        for bits in (self._bits, self._kinship, self._bits_but_number, self._kinship_but_number):
            bits[b] = bits[:, b] = -np.inf
        others = others[(others != a) & (others != b)]
        if len(others):
            self._weigh_pairs(np.full(len(others), a), others)
        for number, sources in self._witnesses[b].items():
            held = self._witnesses[a].setdefault(number, {})
            for source, counts in sources.items():
                held[source] = max(held.get(source, 0.0), counts)
        self._numbered.discard(b)
        self._conflict[b] = self._conflict[:, b] = 0.0
        if self._witnesses[a]:
            self._numbered.add(a)
            self._set_conflicts(a)
        for twin in settled:
            self._codes[twin, :, self._twin_field] = self._codes[:, twin, self._twin_field] = (
                NOT_COMPARED
            )
            others = np.flatnonzero(np.isfinite(self._bits[twin]))
            if len(others):
                self._weigh_pairs(np.full(len(others), twin), others)

    def _flags_of_both(self, a: int, b: int) -> NDArray[np.int8]:
        """The flags of two clusters that become one, towards every other cluster."""
        one, other = self._codes[a][:, self._flags], self._codes[b][:, self._flags]
        # Who was not compared with one of the two has the flags of the other.
        for mine, theirs, codes in ((one, other, self._codes[a]), (other, one, self._codes[b])):
            nothing = (codes == NOT_COMPARED).all(axis=1)
            mine[nothing] = theirs[nothing]
        both: NDArray[np.int8] = np.maximum(one, other)
        return both

    def _twins_settled_by(self, a: int, b: int) -> list[int]:
        """Other clusters whose co-twin gets a name by this merge. They are then no longer
        ambiguous.
        """
        if self._twin_field is None or self._codes[a, b, self._twin_field] == NOT_COMPARED:
            return []
        return [
            int(c) for c in np.flatnonzero(self.forbidden[a] | self.forbidden[b]) if c not in (a, b)
        ]


def _support(numbers: Mapping[int, Mapping[Hashable, float]]) -> float:
    """How well the best supported of some numbers is supported."""
    return max(sum(sources.values()) for sources in numbers.values())


def name_clusters(
    clusters: Sequence[Sequence[Key]], current: Mapping[Key, str], ages: Mapping[str, int]
) -> list[str | None]:
    """Choose the identifier that each cluster keeps. None: it needs a new one.

    A merge keeps the older identifier. A split leaves it with the larger part; if the parts are
    equal, with the part that has the least key. `ages` orders identifiers, oldest first.

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
