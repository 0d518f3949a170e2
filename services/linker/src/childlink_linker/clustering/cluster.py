"""Which subjects are one person: clusters of a component, by one deterministic rule. Rule: plain
values.

Agglomerative clustering. Two clusters are weighed as two people would be who each look like
everything that is known of them: of all pairs of their records, the best agreement counts in each
field. So a record joins a person whom it fits in one of the shapes that the person is known in
(before and after a change of name, say). What speaks against is not forgotten with it:

* NHS numbers count between clusters: two clusters known by different numbers are further apart
  the more partners hold those numbers, even if the records that fit best have none;
* two clusters most of whose records look like twins of each other are not joined, however well
  one pair fits;
* a subject that would join either of two people who are surely two (a newborn's record that fits
  both twins) joins neither.

Ties are broken by the subjects' keys, never by arrival: the partition is a pure function of records
and parameters.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from childlink_linker.matching.weights import Weighed

Key = TypeVar("Key", bound=Hashable)

Weigh = Callable[[NDArray[np.int8]], tuple[Weighed, Weighed]]
"""From codes (pairs, fields) to the weight of each pair, and to what it were without their NHS
numbers.
"""

# A subject that would join either of two different people with nearly the same weight joins
# neither: a person decides.
AMBIGUITY_MARGIN: Final = 2.0
# Two different NHS numbers count once for each partner that holds the less known of them, and no
# more often than this.
MOST_WITNESSES: Final = 3
_NOT_COMPARED: Final = 4
SAME: Final = 1
DIFFERENT: Final = 2
_DECIDED: Final = 1_000.0


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
    """What is known between n subjects, as symmetric arrays."""

    codes: NDArray[np.int8]
    """The best agreement in each field over all pairs of their records, 1 best, 0 not compared: (n,
    n, fields).
    """
    weigh: Weigh
    forbidden: NDArray[np.bool_]
    """Hard evidence that they are different people."""
    same_source: NDArray[np.float64]
    """Weight of coming from one source, which seldom holds a person twice: negative, or 0."""
    compared: NDArray[np.int64]
    """How many pairs of their records were compared by names."""
    like_twins: NDArray[np.int64]
    """How many of those look like brothers, sisters or twins."""
    decided: NDArray[np.int8]
    """What a data steward decided: 0 nothing, SAME, or DIFFERENT."""
    numbers: Numbers
    one_number: NDArray[np.bool_]
    """They have an NHS number in common: if they are not one person, somebody has to look."""
    twin_field: int | None = None
    """The field that says that one of the two is a twin whom only a name would tell from the other.
    """

    @classmethod
    def of(cls, size: int, weights: Mapping[tuple[int, int], float]) -> "Evidence":
        """One field, and one pair of records between each two subjects; a pair left out is unknown,
        a negative one twins.
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
        unknown = Numbers([frozenset()] * size, [0] * size, 0.0)
        never, nothing = np.zeros((size, size), dtype=bool), np.zeros((size, size))
        return cls(
            codes,
            lambda c: (Weighed(bits[c[:, 0]], -bits[c[:, 0]]),) * 2,
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
    """Clusters of subjects, and the pairs of clusters that a person should look at (by their least
    keys).
    """

    clusters: list[list[Key]]
    doubtful: list[tuple[Key, Key, float]]


def cluster(keys: Sequence[Key], evidence: Evidence, link: float, review: float) -> Partition[Key]:
    """Partition a component. `keys` are in order, and so are the rows of `evidence`.

    >>> cluster(["a", "b"], Evidence.of(2, {(0, 1): 10.0}), 4.0, -1.0).clusters
    [['a', 'b']]

    b would join a as well as c, who are surely two people: a person decides.

    >>> cluster(["a", "b", "c"], Evidence.of(3, {(0, 1): 10.0, (1, 2): 10.0, (0, 2): -8.0}), 4.0, -1.0)
    Partition(clusters=[['a'], ['b'], ['c']], doubtful=[('a', 'b', 10.0), ('b', 'c', 10.0)])
    """  # noqa: E501
    n = len(keys)
    state = _State(evidence)
    members: dict[int, list[Key]] = {index: [key] for index, key in enumerate(keys)}
    held = np.zeros((n, n), dtype=bool)
    while True:
        # The greatest weight; of equal ones, the pair with the least keys (argmax takes the first).
        open_pairs = np.where(np.triu(~held, k=1), state.score(), -np.inf)
        a, b = divmod(int(np.argmax(open_pairs)), n)
        if open_pairs[a, b] < link:
            break
        if state.is_ambiguous(a, b, link, review):
            held[a, b] = True
            continue
        members[a] += members.pop(b)
        state.merge(a, b)
        # What held a pair back may have changed with the merge.
        held[[a, b], :] = held[:, [a, b]] = False
    score = state.score(barred=True)
    # Hard evidence that they are two is no doubt, unless they share a number: one of them has the
    # other's.
    asked = ((score >= review) & ~state.forbidden) | (state.one_number & np.isfinite(score))
    doubtful = [
        (members[a][0], members[b][0], round(float(score[a, b]), 6))
        for a, b in np.argwhere(np.triu(asked, k=1)).tolist()
    ]
    return Partition(list(members.values()), doubtful)


class _State:
    """Clusters on their way; a merged cluster's row and column are empty."""

    def __init__(self, evidence: Evidence) -> None:
        n = len(evidence.codes)
        self._weigh = evidence.weigh
        self._codes = np.where(evidence.codes == 0, _NOT_COMPARED, evidence.codes)
        self.forbidden = evidence.forbidden.copy()
        self._same_source = evidence.same_source.copy()
        self._compared, self._like_twins = evidence.compared.copy(), evidence.like_twins.copy()
        self._decided = evidence.decided.copy()
        self.one_number = evidence.one_number.copy()
        self._twin_field = evidence.twin_field
        self._bits, self._kinship, self._bits_but_number, self._kinship_but_number = np.full(
            (4, n, n), -np.inf
        )
        rows, columns = np.triu_indices(n, k=1)
        self._weigh_pairs(rows, columns)
        # Who vouches for each NHS number of a cluster, and the weight of two clusters' numbers
        # against each other.
        numbers = evidence.numbers
        self._disagree = numbers.disagree
        self._witnesses: list[dict[int, set[Hashable]]] = [
            {number: {source} for number in held}
            for held, source in zip(numbers.held, numbers.sources, strict=True)
        ]
        self._conflict = np.zeros((n, n))
        self._numbered = {index for index in range(n) if self._witnesses[index]}
        for index in self._numbered:
            self._set_conflicts(index)

    def _weigh_pairs(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> None:
        codes = self._codes[rows, columns]
        weighed, but_number = self._weigh(
            np.where(codes == _NOT_COMPARED, 0, codes).astype(np.int8)
        )
        for array, values in (
            (self._bits, weighed.bits),
            (self._kinship, weighed.kinship),
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
                support = min(max(map(len, mine.values())), max(map(len, theirs.values())))
                bits = self._disagree * min(support, MOST_WITNESSES)
            self._conflict[a, b] = self._conflict[b, a] = bits

    def score(self, *, barred: bool = False) -> NDArray[np.float64]:
        """The weight of each two clusters; -inf where they may not be joined (unless those are
        asked for too).
        """
        score: NDArray[np.float64] = (self._bits + self._same_source + self._conflict).round(6)
        if not barred:
            score[self.forbidden | (2 * self._like_twins > self._compared)] = -np.inf
        # A person's word is above all evidence, and of two words the one that keeps people apart.
        score[self._decided == SAME] = _DECIDED
        score[self._decided == DIFFERENT] = -np.inf
        return score

    def is_ambiguous(self, a: int, b: int, link: float, review: float) -> bool:
        """Whether a or b would as well join a third cluster that is surely not the other one: they
        look like twins, or have two NHS numbers. What a record lacks, or that its family has moved
        and changed its name, is no such sign. As well: nearly as much weighs for it; or a number
        alone makes one person of what might else be twins, and all else fits the rival.
        """
        if self._decided[a, b] == SAME:
            return False
        score = self.score()
        apart = (
            self.forbidden
            | ((self._kinship > 0) & (self._bits < review))
            | (self._conflict < 0)
            | (self._decided == DIFFERENT)
        )
        least = max(link, score[a, b] - AMBIGUITY_MARGIN)
        rest = self._bits_but_number
        number_alone = self.one_number[a, b] and self._kinship_but_number[a, b] > -AMBIGUITY_MARGIN
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
        """Put cluster b into a."""
        settled = self._twins_settled_by(a, b)
        for sums in (self._compared, self._like_twins):
            sums[a] += sums[b]
            sums[:, a] = sums[a]
            sums[b] = sums[:, b] = sums[a, a] = 0
        for flags in (self.forbidden, self.one_number):
            flags[a] |= flags[b]
            flags[:, a] = flags[a]
        self.one_number[b] = self.one_number[:, b] = self.one_number[a, a] = False
        self._decided[a] = np.maximum(self._decided[a], self._decided[b])
        self._decided[:, a] = self._decided[a]
        self._decided[b] = self._decided[:, b] = self._decided[a, a] = 0
        self._same_source[a] = np.minimum(self._same_source[a], self._same_source[b])
        self._same_source[:, a] = self._same_source[a]
        self._codes[a] = np.minimum(self._codes[a], self._codes[b])
        self._codes[:, a] = self._codes[a]
        self._codes[b] = self._codes[:, b] = _NOT_COMPARED
        others = np.flatnonzero(np.isfinite(self._bits[a]) | np.isfinite(self._bits[b]))
        for bits in (self._bits, self._kinship, self._bits_but_number, self._kinship_but_number):
            bits[b] = bits[:, b] = -np.inf
        others = others[(others != a) & (others != b)]
        if len(others):
            self._weigh_pairs(np.full(len(others), a), others)
        for number, sources in self._witnesses[b].items():
            self._witnesses[a].setdefault(number, set()).update(sources)
        self._numbered.discard(b)
        self._conflict[b] = self._conflict[:, b] = 0.0
        if self._witnesses[a]:
            self._numbered.add(a)
            self._set_conflicts(a)
        for twin in settled:
            self._codes[twin, :, self._twin_field] = self._codes[:, twin, self._twin_field] = (
                _NOT_COMPARED
            )
            others = np.flatnonzero(np.isfinite(self._bits[twin]))
            if len(others):
                self._weigh_pairs(np.full(len(others), twin), others)

    def _twins_settled_by(self, a: int, b: int) -> list[int]:
        """Whose co-twin finds its name by this merge: which of the two they are is no question any
        more.
        """
        if self._twin_field is None or self._codes[a, b, self._twin_field] == _NOT_COMPARED:
            return []
        return [
            int(c) for c in np.flatnonzero(self.forbidden[a] | self.forbidden[b]) if c not in (a, b)
        ]


def name_clusters(
    clusters: Sequence[Sequence[Key]], current: Mapping[Key, str], ages: Mapping[str, int]
) -> list[str | None]:
    """Which identifier each cluster keeps; None where it needs a new one.

    A merge keeps the older identifier; a split keeps it for the larger part (of equal parts, for
    the one with the least key). `ages` orders identifiers, oldest first.

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
