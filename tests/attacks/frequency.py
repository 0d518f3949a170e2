"""Frequency attack on filters with a public list of names: no plain text of anybody in the store, no key.

In the spirit of Christen, Schnell, Vatsalan and Ranbaduge, "Efficient cryptanalysis of Bloom filters for privacy-preserving record linkage"
(PAKDD 2017): frequent filters are laid beside frequent names; what filters of names with a pair of letters have in common
are the positions of that pair; with the positions, filters of rare names are read too, and the alignment is made again.
The first alignment here uses frequency, number of bits and distances at once (`matching`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from childlink_ingest.encode import features
from childlink_ingest.split import Subject
from numpy.typing import NDArray

from tests.attacks.matching import Floats, Graph, expected, graph_of, match
from tests.attacks.population import Bits, EncodeGroup

_FREQUENT = 80
_ROUNDS = 6


@dataclass(frozen=True)
class Read:
    """Of the people, how many got their given name; and what saying the most frequent name for everybody gets."""

    people: int
    filters: int
    """Different filters among them."""
    right: float
    blind: float


def attack(groups: Sequence[Sequence[Subject]], public: Sequence[Subject], encode: EncodeGroup, name: str) -> Read:
    """Read the field `name` from filters of it alone. All groups are thrown together; each has its key.

    Under one key for everyone (no salt) the filters of a name are equal in all groups.
    """
    truth = [getattr(subject.identity, name) for group in groups for subject in group]
    bits = np.concatenate([encode(group, number) for number, group in enumerate(groups)])
    listed = Counter(getattr(subject.identity, name) for subject in public)
    example = {getattr(subject.identity, name): subject for subject in public}
    packed = np.packbits(bits, axis=1)
    _, firsts, which, seen = np.unique(packed, axis=0, return_index=True, return_inverse=True, return_counts=True)
    patterns = bits[firsts]
    guess = _align(patterns, seen, listed, example, encode)
    names = list(listed)
    for _ in range(_ROUNDS):
        guess = _read(patterns, seen, names, listed, _positions(patterns, seen, guess))
    found = [guess[index] for index in which.ravel()]
    return Read(
        len(truth),
        len(patterns),
        sum(one == other for one, other in zip(found, truth, strict=True)) / len(truth),
        truth.count(listed.most_common(1)[0][0]) / len(truth),
    )


def _align(
    patterns: Bits, seen: NDArray[np.int64], listed: Counter[str], example: Mapping[str, Subject], encode: EncodeGroup
) -> dict[int, str]:
    """The frequent filters beside frequent names."""
    top = np.argsort(-seen, kind="stable")[:_FREQUENT]
    names = [name for name, _ in listed.most_common(_FREQUENT + _FREQUENT // 2)]
    plain, node, edge = expected([example[name] for name in names], encode)
    target = graph_of(patterns[top], node, edge)
    scale = seen.sum() / sum(listed.values())
    plain = _with_frequency(plain, np.array([listed[name] * scale for name in names]))
    found, _ = match(_with_frequency(target, seen[top]), plain, starts=24)
    return {int(filter_): names[person] for filter_, person in zip(top, found, strict=True)}


def _with_frequency(graph: Graph, frequency: Floats | NDArray[np.int64]) -> Graph:
    """Add how often a node occurs; its square root has the same spread for rare and frequent ones (Poisson)."""
    return Graph(np.column_stack([graph.ones, np.sqrt(2.0 * frequency)]), graph.apart)


def _positions(patterns: Bits, seen: NDArray[np.int64], guess: Mapping[int, str]) -> dict[str, NDArray[np.float64]]:
    """For each pair of letters, how sure each bit is one of its: set in (nearly) all filters taken for names that have it."""
    holding: dict[str, list[int]] = {}
    for index, name in guess.items():
        for part in features("bigrams", name):
            holding.setdefault(part, []).append(index)
    everywhere = patterns.mean(axis=0)
    sure = {}
    for part, indexes in holding.items():
        share = patterns[indexes].mean(axis=0)
        sure[part] = np.where((share >= 0.8) & (share > everywhere + 0.1), share, 0.0)
    return sure


def _read(
    patterns: Bits, seen: NDArray[np.int64], names: Sequence[str], listed: Counter[str], sure: Mapping[str, Floats]
) -> dict[int, str]:
    """Each filter's best name: the one whose pairs' positions are all set and explain all bits that are set."""
    width = patterns.shape[1]
    explains = np.zeros((len(names), width))
    unknown = np.zeros(len(names))
    for row, name in enumerate(names):
        parts = features("bigrams", name)
        for part in parts:
            if part in sure:
                np.maximum(explains[row], sure[part], out=explains[row])
            else:
                unknown[row] += 1.0 / len(parts)
    both = patterns.astype(float) @ explains.T
    fit = 2.0 * both / (patterns.sum(axis=1)[:, None] + explains.sum(axis=1)[None, :] + 1e-9)
    fit -= 0.3 * unknown[None, :]
    fit += 0.02 * np.log1p(np.array([listed[name] for name in names]))[None, :]
    return {index: names[int(choice)] for index, choice in enumerate(fit.argmax(axis=1))}
