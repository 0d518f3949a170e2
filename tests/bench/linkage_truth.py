"""Scores identifiers against the truth. Pure functions on plain values: `found` and `true` are the
groups of records, by key.

Every key of the truth counts. A record that a system does not place is alone.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from tests.bench.linkage_data import Key, Person

Groups = Mapping[Key, Hashable]
FEWEST_PAIRS_OF_A_GROUP = 100


@dataclass(frozen=True)
class Pairs:
    """Numbers of pairs of records: correctly linked, linked, and true."""

    right: int
    linked: int
    true: int

    def __sub__(self, other: "Pairs") -> "Pairs":
        return Pairs(self.right - other.right, self.linked - other.linked, self.true - other.true)

    @property
    def precision(self) -> float:
        """Share of linked pairs that are right; 1 if none is linked."""
        return self.right / self.linked if self.linked else 1.0

    @property
    def recall(self) -> float:
        """Share of true pairs that are linked; 1 if there are none."""
        return self.right / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return harmonic(self.precision, self.recall)


def harmonic(a: float, b: float) -> float:
    """Harmonic mean; 0 where both are 0."""
    return 2 * a * b / (a + b) if a + b else 0.0


def pairwise(keys: Iterable[Key], found: Groups, true: Groups) -> Pairs:
    """Pairs among `keys`.

    >>> a, b, c = ("p", "a", "child"), ("p", "b", "child"), ("q", "c", "child")
    >>> pairwise([a, b, c], {a: 1, b: 1, c: 1}, {a: "x", b: "x", c: "y"})
    Pairs(right=1, linked=3, true=1)
    """
    wanted = list(keys)
    return Pairs(
        _pairs((_found(found, key), true[key]) for key in wanted),
        _pairs(_found(found, key) for key in wanted),
        _pairs(true[key] for key in wanted),
    )


def bcubed(keys: Iterable[Key], found: Groups, true: Groups) -> tuple[float, float]:
    """B-cubed precision and recall (Bagga & Baldwin 1998): for each record, the share of its group
    that is correct.
    """
    wanted = [(_found(found, key), true[key]) for key in keys]
    if not wanted:
        return 1.0, 1.0
    together = Counter(wanted)
    of_found, of_true = (
        Counter(group for group, _ in wanted),
        Counter(person for _, person in wanted),
    )
    precision = sum(n * n / of_found[group] for (group, _), n in together.items())
    recall = sum(n * n / of_true[person] for (_, person), n in together.items())
    return precision / len(wanted), recall / len(wanted)


def across(keys: Collection[Key], found: Groups, true: Groups) -> Pairs:
    """Pairs of records of different partners."""
    return pairwise(keys, found, true) - _sum(
        pairwise([k for k in keys if k[0] == partner], found, true)
        for partner in {key[0] for key in keys}
    )


def false_merges(
    keys: Collection[Key], found: Groups, people: Mapping[Key, Person]
) -> dict[str, tuple[int, int]]:
    """For twins (one mother, one date of birth) and for other siblings: the pairs of people wrongly
    under one identifier, and the number of such pairs among the recorded.
    """
    children_of: dict[str, set[Person]] = defaultdict(set)
    people_of: dict[Hashable, set[Person]] = defaultdict(set)
    for key in keys:
        if people[key].mother:
            children_of[people[key].mother].add(people[key])
            people_of[_found(found, key)].add(people[key])
    pairs = {
        frozenset(pair) for children in children_of.values() for pair in combinations(children, 2)
    }
    merged = {
        frozenset(pair) for together in people_of.values() for pair in combinations(together, 2)
    }
    result = {}
    for name, twins in (("twin", True), ("sibling", False)):
        of_kind = {pair for pair in pairs if (len({person.born for person in pair}) == 1) == twins}
        result[name] = (len(merged & of_kind), len(of_kind))
    return result


def recall_by(
    group_of: Callable[[Person], str],
    keys: Collection[Key],
    found: Groups,
    people: Mapping[Key, Person],
) -> dict[str, float]:
    """Recall in each group of people with enough true pairs."""
    true = {key: people[key].person for key in keys}
    members: dict[str, list[Key]] = defaultdict(list)
    for key in keys:
        members[group_of(people[key])].append(key)
    pairs = {name: pairwise(of_group, found, true) for name, of_group in members.items() if name}
    return {
        name: item.recall
        for name, item in sorted(pairs.items())
        if item.true >= FEWEST_PAIRS_OF_A_GROUP
    }


def summary(
    keys: Collection[Key], found: Groups, people: Mapping[Key, Person], numbered: Collection[Key]
) -> dict[str, object]:
    """All measurements of one role. `numbered` are the records with an NHS number."""
    true = {key: people[key].person for key in keys}
    everything = pairwise(keys, found, true)
    with_number = pairwise([key for key in keys if key in numbered], found, true)
    without = pairwise([key for key in keys if key not in numbered], found, true)
    some = everything - with_number
    b_precision, b_recall = bcubed(keys, found, true)
    result: dict[str, object] = {
        "records": len(keys),
        "people": len(set(true.values())),
        "true_pairs": everything.true,
        "false_pairs": everything.linked - everything.right,
        "missed_pairs": everything.true - everything.right,
        "precision": everything.precision,
        "recall": everything.recall,
        "f1": everything.f1,
        "b3_precision": b_precision,
        "b3_recall": b_recall,
        "b3_f1": harmonic(b_precision, b_recall),
        "cross_partner_recall": across(keys, found, true).recall,
        "recall_some_without_number": some.recall,
        "pairs_some_without_number": some.true,
        "recall_both_without_number": without.recall,
        "precision_both_without_number": without.precision,
        "pairs_both_without_number": without.true,
    }
    for kind, (merged, pairs) in false_merges(keys, found, people).items():
        if pairs:
            result[f"{kind}_false_merge"] = merged / pairs
            result[f"{kind}_pairs"] = pairs
    for name in ("ethnicity", "imd_quintile", "name_tradition", "relation"):
        by_group = recall_by(lambda person, name=name: getattr(person, name), keys, found, people)
        if by_group:
            result[f"recall_by_{name}"] = by_group
            result[f"gap_{name}"] = max(by_group.values()) - min(by_group.values())
    return result


def _found(found: Groups, key: Key) -> Hashable:
    return found.get(key, ("alone", key))


def _pairs(groups: Iterable[Hashable]) -> int:
    return sum(n * (n - 1) // 2 for n in Counter(groups).values())


def _sum(items: Iterable[Pairs]) -> Pairs:
    right = linked = true = 0
    for item in items:
        right, linked, true = right + item.right, linked + item.linked, true + item.true
    return Pairs(right, linked, true)
