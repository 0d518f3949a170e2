"""Which subjects are one person: clusters of a component, by one deterministic rule. Rule: plain values.

Agglomerative clustering with average linkage over all informative pairs of records, so that a person is judged by all of its
records and one good pair cannot chain two people. Ties are broken by the subjects' keys, never by arrival: the partition is
a pure function of records and parameters.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

# A subject that would join either of two different people with nearly the same weight joins neither: a person decides.
AMBIGUITY_MARGIN: Final = 2.0
_NEVER: Final = float("-inf")


@dataclass(frozen=True)
class PairEvidence:
    """What is known of two subjects: sum of the weights of their informative record pairs, how many, and hard evidence."""

    total: float
    pairs: int
    forbidden: bool = False


@dataclass(frozen=True)
class Partition(Generic[Key]):
    """Clusters of subjects, and the pairs of clusters that a person should look at (by their least keys)."""

    clusters: list[list[Key]]
    doubtful: list[tuple[Key, Key, float]]


def cluster(
    subjects: Sequence[Key], evidence: Mapping[tuple[Key, Key], PairEvidence], link: float, review: float
) -> Partition[Key]:
    """Partition a component. `evidence` has each pair once, as (smaller key, larger key); a pair left out is unknown.

    >>> close, far = PairEvidence(10.0, 1), PairEvidence(-8.0, 1)
    >>> cluster(["a", "b", "c"], {("a", "b"): close, ("b", "c"): close, ("a", "c"): far}, 4.0, -3.0).clusters
    [['a', 'b'], ['c']]
    """
    order = sorted(subjects)  # type: ignore[type-var]
    members: dict[int, list[Key]] = {index: [key] for index, key in enumerate(order)}
    number = {key: index for index, key in enumerate(order)}
    between = {(number[a], number[b]): item for (a, b), item in evidence.items()}
    while True:
        best = _best_pair(between, link)
        if best is None:
            break
        a, b = best
        if _is_ambiguous(a, b, between, link, review):
            item = between[a, b]
            between[a, b] = PairEvidence(item.total, item.pairs, forbidden=True)
            continue
        members[a] += members.pop(b)
        _merge_evidence(between, a, b)
    doubtful = [
        (members[a][0], members[b][0], _score(item))
        for (a, b), item in sorted(between.items())
        if item.pairs and item.total / item.pairs >= review
    ]
    return Partition([sorted(keys) for _, keys in sorted(members.items())], doubtful)  # type: ignore[type-var]


def _score(item: PairEvidence) -> float:
    return _NEVER if item.forbidden or not item.pairs else item.total / item.pairs


def _best_pair(between: Mapping[tuple[int, int], PairEvidence], link: float) -> tuple[int, int] | None:
    """The pair with the greatest weight at or above `link`; of equal ones, the one with the least keys."""
    scored = [(-round(_score(item), 6), pair) for pair, item in between.items() if _score(item) >= link]
    return min(scored)[1] if scored else None


def _is_ambiguous(a: int, b: int, between: Mapping[tuple[int, int], PairEvidence], link: float, review: float) -> bool:
    """Whether a or b would as well join a third cluster that is surely not the other one."""
    here = _score(between[a, b])
    neighbours = {c for pair in between for c in pair} - {a, b}
    for c in neighbours:
        to_a, to_b = _pair(between, a, c), _pair(between, b, c)
        for rival, other in ((to_a, to_b), (to_b, to_a)):
            if rival is None or _score(rival) < max(link, here - AMBIGUITY_MARGIN):
                continue
            if other is not None and _score(other) < review:
                return True
    return False


def _pair(between: Mapping[tuple[int, int], PairEvidence], a: int, b: int) -> PairEvidence | None:
    return between.get((min(a, b), max(a, b)))


def _merge_evidence(between: dict[tuple[int, int], PairEvidence], kept: int, gone: int) -> None:
    between.pop((kept, gone))
    for pair in [pair for pair in between if gone in pair]:
        item = between.pop(pair)
        other = pair[0] if pair[1] == gone else pair[1]
        key = (min(kept, other), max(kept, other))
        had = between.get(key, PairEvidence(0.0, 0))
        between[key] = PairEvidence(had.total + item.total, had.pairs + item.pairs, had.forbidden or item.forbidden)


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
