"""Graph matching: the attacker matches filters with plain text, using only the similarities among
the filters.

Based on the idea, not the code, of Vidanage, Christen, Ranbaduge and Schnell, "A graph matching
attack on privacy-preserving record linkage" (CIKM 2020), and of Schaefer, Armknecht and Heng (ACSAC
2024). The attacker encodes the plain text under keys of their own. The number of bits in a filter,
and the number of bits in which two filters differ, hardly depend on the key. So the attacker looks
for the assignment of filters to people under which these numbers fit best (a quadratic assignment
problem).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from childlink_ingest.pseudonymise.split import Subject
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from tests.attacks.population import Bits, EncodeGroup

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
OWN_KEYS = 12
_QUANTILES = np.linspace(0.0, 1.0, 33)


@dataclass(frozen=True)
class Graph:
    """Nodes with their number of bits, and edges with the number of bits in which two nodes differ.
    Both are in units of the noise between keys.
    """

    ones: Floats
    """(nodes, features): the number of bits. Attacks may add more features of a node."""
    apart: Floats


def counts(bits: Bits) -> tuple[Floats, Floats]:
    """Bits of each filter, and bits in which each pair differs."""
    wide = bits.astype(np.float32)
    common = (wide @ wide.T).astype(np.float64)
    ones = common.diagonal().copy()
    return ones, ones[:, None] + ones[None, :] - 2.0 * common


def expected(
    subjects: Sequence[Subject], encode: EncodeGroup, own_keys: int = OWN_KEYS
) -> tuple[Graph, float, float]:
    """What the attacker expects for these people, and the noise that a key causes, per node and per
    edge.
    """
    made = [counts(encode(subjects, 1_000 + key)) for key in range(own_keys)]
    ones, apart = (np.stack(items) for items in zip(*made, strict=True))
    node = float(np.sqrt(ones.var(axis=0, ddof=1).mean())) or 1.0
    edge = float(np.sqrt(apart.var(axis=0, ddof=1).mean())) or 1.0
    return Graph(ones.mean(axis=0)[:, None] / node, apart.mean(axis=0) / edge), node, edge


def graph_of(bits: Bits, node: float, edge: float) -> Graph:
    """What the attacker sees of the filters, in the same units."""
    ones, apart = counts(bits)
    return Graph(ones[:, None] / node, apart / edge)


def improve(target: Graph, plain: Graph, start: Ints) -> tuple[Ints, float]:
    """The best assignment near `start`, and its misfit."""
    found = _refine(target, plain, start)
    if len(plain.ones) <= 400:
        found = _swap(target, plain, found)
    return found, misfit(target, plain, found)


def match(target: Graph, plain: Graph, seed: int = 0, starts: int = 12) -> tuple[Ints, float]:
    """For each filter, the person that it is assigned to, and the misfit. There may be more people
    than filters.
    """
    rng = np.random.default_rng(seed)
    size, people = len(target.ones), len(plain.ones)
    first = _assign(_node_costs(target, plain))
    best, best_fit = first, np.inf
    tries = starts if size <= 60 else max(1, starts // 12)
    for number in range(tries):
        start = first if number == 0 else _shaken(first, people, rng, number / tries)
        found, fit = improve(target, plain, start)
        if fit < best_fit:
            best, best_fit = found, fit
    return best, best_fit


def _node_costs(target: Graph, plain: Graph) -> Floats:
    """Nodes are similar if they have as many bits and their neighbours are as near (quantiles of a
    row).
    """

    def features(graph: Graph) -> Floats:
        away = ~np.eye(len(graph.ones), dtype=bool)
        rows = [
            np.quantile(row[keep], _QUANTILES) for row, keep in zip(graph.apart, away, strict=True)
        ]
        return np.column_stack([graph.ones, np.array(rows)])

    if len(target.ones) < 3:
        return _node_misfit(target, plain)
    left, right = features(target), features(plain)
    return ((left[:, None, :] - right[None, :, :]) ** 2).sum(axis=2)


def _node_misfit(target: Graph, plain: Graph) -> Floats:
    return ((target.ones[:, None, :] - plain.ones[None, :, :]) ** 2).sum(axis=2)


def _refine(target: Graph, plain: Graph, found: Ints, rounds: int = 40) -> Ints:
    """Compare each filter's edges with each person's, as if the other assignments were right. Then
    assign again, until nothing changes.

    At first only the surest assignments count (seeds), then more and more.
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
    # A filter has no edge with itself, nor does a person. These terms do not count.
    missing = np.zeros_like(costs)
    missing[seeds, :] += right.T**2
    missing[:, found[seeds]] += left**2
    missing[seeds, found[seeds]] = 0.0
    costs -= missing
    typical = costs[np.arange(len(found)), found].mean() / max(1, len(seeds) - 1)
    costs += typical * (missing > 0)
    return costs + _node_misfit(target, plain)


def _swap(target: Graph, plain: Graph, found: Ints) -> Ints:
    """Exchange two people, one of whom may be unassigned, as long as the fit improves."""
    size, people = len(found), len(plain.ones)
    found = _with_the_rest(found, people)
    apart, there = np.zeros((people, people)), np.zeros((people, people))
    apart[:size, :size], there[:size, :size] = target.apart, 1.0 - np.eye(size)
    nodes = np.zeros((people, people))
    nodes[:size] = -_node_misfit(target, plain)
    for _ in range(10 * people):
        permuted = plain.apart[np.ix_(found, found)]
        gain = 2.0 * _exchanged(apart @ permuted, 2.0 * apart * permuted) + _exchanged(
            nodes[:, found], 0.0
        )
        if size < people:
            squared = permuted**2
            gain -= _exchanged(there @ squared, 2.0 * there * squared)
        np.fill_diagonal(gain, 0.0)
        one, other = np.unravel_index(int(gain.argmax()), gain.shape)
        if gain[one, other] <= 1e-9:
            break
        found[[one, other]] = found[[other, one]]
    return found[:size]


def _exchanged(fit: Floats, edge: Floats | float) -> Floats:
    """The change of a sum when two are exchanged, given how well each fits the other's place. The
    edge between them stays.
    """
    own = fit.diagonal()
    return fit + fit.T - own[:, None] - own[None, :] + edge


def misfit(target: Graph, plain: Graph, found: Ints) -> float:
    """Squared differences of all nodes and edges, in units of the noise."""
    edges = ((target.apart - plain.apart[np.ix_(found, found)]) ** 2).sum() / 2
    return float(edges + ((target.ones - plain.ones[found]) ** 2).sum())


def _with_the_rest(found: Ints, people: int) -> Ints:
    return np.concatenate([found, np.setdiff1d(np.arange(people), found)])


def _assign(costs: Floats) -> Ints:
    return linear_sum_assignment(costs)[1].astype(np.int64)


def _shaken(found: Ints, people: int, rng: np.random.Generator, share: float) -> Ints:
    moved = _with_the_rest(found, people)
    which = rng.permutation(people)[: max(2, round(share * people))]
    moved[which] = moved[rng.permutation(which)]
    return moved[: len(found)]
