"""Graph matching: filters against plain text, with nothing but how alike filters are among themselves.

In the spirit of Vidanage, Christen, Ranbaduge and Schnell, "A graph matching attack on privacy-preserving record linkage"
(CIKM 2020), and of Schaefer, Armknecht and Heng (ACSAC 2024); written from the idea, not from their code. The attacker
encodes his plain text under keys of his own. How many bits a filter has, and in how many two filters differ, hardly depend on the key:
so he looks for the assignment of filters to people under which those numbers fit best (a quadratic assignment problem).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from childlink_ingest.split import Subject
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from tests.attacks.population import Bits, EncodeGroup

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_OWN_KEYS = 12
_QUANTILES = np.linspace(0.0, 1.0, 33)


@dataclass(frozen=True)
class Graph:
    """Nodes with their number of bits, edges with the number of bits in which two differ; in units of the noise between keys."""

    ones: Floats
    apart: Floats


def counts(bits: Bits) -> tuple[Floats, Floats]:
    """Bits of each filter, and bits in which each two differ."""
    wide = bits.astype(np.float32)
    common = (wide @ wide.T).astype(np.float64)
    ones = common.diagonal().copy()
    return ones, ones[:, None] + ones[None, :] - 2.0 * common


def expected(subjects: Sequence[Subject], encode: EncodeGroup, own_keys: int = _OWN_KEYS) -> tuple[Graph, float, float]:
    """What the attacker expects of these people, and the noise that a key makes: of a node, of an edge."""
    made = [counts(encode(subjects, 1_000 + key)) for key in range(own_keys)]
    ones, apart = (np.stack(items) for items in zip(*made, strict=True))
    node = float(np.sqrt(ones.var(axis=0, ddof=1).mean())) or 1.0
    edge = float(np.sqrt(apart.var(axis=0, ddof=1).mean())) or 1.0
    return Graph(ones.mean(axis=0) / node, apart.mean(axis=0) / edge), node, edge


def attack(subjects: Sequence[Subject], bits: Bits, encode: EncodeGroup, seed: int = 0) -> Ints:
    """For each filter, the index of the person whom the attacker takes it for."""
    plain, node, edge = expected(subjects, encode)
    ones, apart = counts(bits)
    return match(Graph(ones / node, apart / edge), plain, seed)


def match(target: Graph, plain: Graph, seed: int = 0, starts: int = 12) -> Ints:
    """The best assignment found. Both graphs are equally large."""
    rng = np.random.default_rng(seed)
    size = len(target.ones)
    first = _assign(_node_costs(target, plain))
    best, best_fit = first, np.inf
    tries = starts if size <= 60 else 1
    for number in range(tries):
        found = first if number == 0 else _shaken(first, rng, number / tries)
        found = _refine(target, plain, found)
        if size <= 400:
            found = _swap(target, plain, found)
        fit = _misfit(target, plain, found)
        if fit < best_fit:
            best, best_fit = found, fit
    return best


def _node_costs(target: Graph, plain: Graph) -> Floats:
    """Nodes are alike when they have as many bits and their neighbours are as near (quantiles of a row)."""

    def features(graph: Graph) -> Floats:
        away = ~np.eye(len(graph.ones), dtype=bool)
        rows = [np.quantile(row[keep], _QUANTILES) for row, keep in zip(graph.apart, away, strict=True)]
        return np.column_stack([graph.ones, np.array(rows)])

    if len(target.ones) < 3:
        return (target.ones[:, None] - plain.ones[None, :]) ** 2
    left, right = features(target), features(plain)
    return ((left[:, None, :] - right[None, :, :]) ** 2).sum(axis=2)


def _refine(target: Graph, plain: Graph, found: Ints, rounds: int = 40) -> Ints:
    """Compare each filter's edges with each person's, as if the others were matched rightly; assign anew, until it stays.

    At first only those who are surest count (seeds), then more and more.
    """
    size = len(found)
    sure = np.ones(size)
    for number in range(rounds):
        share = min(1.0, 0.1 + number / 10) if size > 60 else 1.0
        seeds = np.argsort(-sure, kind="stable")[: max(2, int(share * size))]
        costs = _costs(target, plain, found, seeds)
        again = _assign(costs)
        chosen = costs[np.arange(size), again]
        costs[np.arange(size), again] = np.inf
        sure = costs.min(axis=1) - chosen
        if share == 1.0 and (again == found).all():
            break
        found = again
    return found


def _costs(target: Graph, plain: Graph, found: Ints, seeds: Ints) -> Floats:
    left, right = target.apart[:, seeds], plain.apart[:, found[seeds]]
    costs = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None, :] - 2.0 * left @ right.T
    # A filter has no edge with itself, nor a person with herself: those terms do not count.
    missing = np.zeros_like(costs)
    missing[seeds, :] += right.T**2
    missing[:, found[seeds]] += left**2
    missing[seeds, found[seeds]] = 0.0
    costs -= missing
    typical = costs[np.arange(len(found)), found].mean() / max(1, len(seeds) - 1)
    costs += typical * (missing > 0)
    return costs + (target.ones[:, None] - plain.ones[None, :]) ** 2


def _swap(target: Graph, plain: Graph, found: Ints) -> Ints:
    """Exchange two as long as that makes a better fit."""
    found = found.copy()
    nodes = target.ones[:, None] * plain.ones[None, :]
    for _ in range(10 * len(found)):
        permuted = plain.apart[np.ix_(found, found)]
        fit = target.apart @ permuted
        gain = fit + fit.T - fit.diagonal()[:, None] - fit.diagonal()[None, :] + 2.0 * target.apart * permuted
        node = nodes[:, found]
        gain += node + node.T - node.diagonal()[:, None] - node.diagonal()[None, :]
        np.fill_diagonal(gain, 0.0)
        one, other = np.unravel_index(int(gain.argmax()), gain.shape)
        if gain[one, other] <= 1e-9:
            break
        found[[one, other]] = found[[other, one]]
    return found


def _misfit(target: Graph, plain: Graph, found: Ints) -> float:
    edges = ((target.apart - plain.apart[np.ix_(found, found)]) ** 2).sum() / 2
    return float(edges + ((target.ones - plain.ones[found]) ** 2).sum())


def _assign(costs: Floats) -> Ints:
    return linear_sum_assignment(costs)[1].astype(np.int64)


def _shaken(found: Ints, rng: np.random.Generator, share: float) -> Ints:
    moved = found.copy()
    which = rng.permutation(len(found))[: max(2, round(share * len(found)))]
    moved[which] = moved[rng.permutation(which)]
    return moved


@dataclass(frozen=True)
class Rate:
    """How many of the people were found, beside what guessing within their groups finds on average."""

    people: int
    found: float
    guessed: float

    @property
    def gain(self) -> float:
        """Percentage points above guessing."""
        return 100.0 * (self.found - self.guessed)


def rate_within_groups(
    groups: Sequence[Sequence[Subject]],
    encode: EncodeGroup,
    known: Callable[[Sequence[Subject]], Sequence[Subject]] = lambda group: group,
) -> Rate:
    """Attack each group, whose members the attacker knows (as `known` shows them to him)."""
    right = total = 0
    for number, group in enumerate(groups):
        order = np.random.default_rng(number).permutation(len(group))
        bits = encode([group[index] for index in order], number)
        plain, node, edge = expected(known(group), encode)
        ones, apart = counts(bits)
        right += int((match(Graph(ones / node, apart / edge), plain, number) == order).sum())
        total += len(group)
    return Rate(total, right / total, len(groups) / total)
