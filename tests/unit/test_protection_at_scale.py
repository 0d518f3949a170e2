"""Large populations are rounded in blocks, and attacked with fewer solutions. Both give what the
plain way gives.
"""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from childlink_analytics.releasing.counting.counting import open_counter
from childlink_analytics.releasing.protection import attack as audit
from childlink_analytics.releasing.protection import rounding
from childlink_analytics.releasing.protection.attack import attack
from childlink_analytics.releasing.release.cut import count
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.cubes import LinkedCells
from childlink_catalogue.catalogue import catalogue

from tests.attacks.answers.world import UNTIL, partnership
from tests.support.exact_attack import width_of


@pytest.fixture(scope="module")
def linked():
    """Children reached, by many pairs of dimensions: 800 linked cells."""
    measures = catalogue(UNTIL)
    base = measures["reach_children"]
    names = ["residence", "imd_quintile", "ethnicity", "sex", "priority"]
    cubes = [*itertools.combinations(names, 2), *(("service", name) for name in names)]
    cubes += [("residence", "imd_quintile", "ethnicity")]
    dimensions = {**base.dimensions}
    measure = replace(
        base,
        cubes=tuple(cubes),
        dimensions={name: dimensions[name] for cube in cubes for name in cube},
    )
    observations, links = partnership(5, 900).batches()
    with open_counter([observations], [links], UNTIL) as counter:
        return count([measure], counter)


def holds(linked: LinkedCells, protected):
    """Whether every relation between cells holds for the protected counts."""
    sums = all(
        protected[margin] == sum(protected[part] for part in parts) for margin, parts in linked.sums
    )
    covers = all(
        max(protected[part] for part in parts)
        <= protected[union]
        <= sum(protected[part] for part in parts)
        for union, parts in linked.covers
    )
    return sums and covers and all(protected[a] <= protected[b] for a, b in linked.nested)


@pytest.mark.parametrize("largest", [40, 300, 10_000])
def test_rounding_in_blocks_keeps_every_relation_and_the_policy(linked, largest, monkeypatch):
    monkeypatch.setattr(rounding, "LARGEST_BLOCK", largest)
    protected = rounding.round_cells(linked, b"secret", "r")
    assert protected.keys() == linked.counts.keys()
    assert holds(linked, protected)
    for cell, true in linked.counts.items():
        assert protected[cell] in disclosure.allowed_counts(true)
    assert protected == rounding.round_cells(linked, b"secret", "r"), "same inputs, same figures"
    assert attack(linked, protected).too_tight == []


def test_rounding_in_blocks_keeps_what_did_not_change(linked, monkeypatch):
    monkeypatch.setattr(rounding, "LARGEST_BLOCK", 40)
    before = rounding.round_cells(linked, b"secret", "r1")
    after = rounding.round_cells(linked, b"secret", "r2", before)
    assert after == before


def test_tables_that_do_not_fit_their_margins_are_rounded_together(linked, monkeypatch):
    monkeypatch.setattr(rounding, "LARGEST_BLOCK", 40)
    plain, calls = rounding._round, []

    def stubborn(linked, lines, block, fixed, *rest):
        calls.append(len(block))
        # The third table fits nothing that was fixed before.
        return None if len(calls) == 3 else plain(linked, lines, block, fixed, *rest)

    monkeypatch.setattr(rounding, "_round", stubborn)
    protected = rounding.round_cells(linked, b"secret", "r")
    assert calls[3] > calls[2], "the rest at once"
    assert holds(linked, protected)


def test_blocks_hold_every_cell_once_and_margins_come_first(linked):
    blocks = rounding.blocks_of(linked)
    cells = [cell for block in blocks for cell in block]
    assert sorted(cells) == sorted(linked.counts)
    assert all(len(cell) <= 1 for cell in blocks[0])


def each_by_itself(linked, protected, wanted, possible):
    """The plain way: two solutions for each cell, and whole numbers where they are close."""
    index = {cell: at for at, cell in enumerate(sorted(linked.counts))}
    bounds = {cell: possible(count) for cell, count in protected.items()}
    return [
        cell
        for cell in sorted(wanted)
        if width_of(
            rounding.load(audit.programme_of(linked, bounds, whole=True), 20.0), index[cell]
        )
        < disclosure.NARROWEST_INTERVAL
    ]


def test_the_shorter_attack_finds_what_an_attack_on_each_cell_finds():
    """Counts that are rounded without a thought: some can be worked out."""
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(25):
        inner = rng.poisson(4, size=(4, 3)) * (rng.random((4, 3)) < 0.6)
        counts = {
            (("a", str(i)), ("b", str(j))): int(inner[i, j])
            for i, j in itertools.product(range(4), range(3))
        }
        sums = []
        for i in range(4):
            parts = [(("a", str(i)), ("b", str(j))) for j in range(3)]
            counts[("a", str(i)),] = sum(counts[part] for part in parts)
            sums.append(((("a", str(i)),), parts))
        for j in range(3):
            parts = [(("a", str(i)), ("b", str(j))) for i in range(4)]
            counts[("b", str(j)),] = sum(counts[part] for part in parts)
            sums.append(((("b", str(j)),), parts))
        counts[()] = int(inner.sum())
        sums.append(((), [(("a", str(i)),) for i in range(4)]))
        linked = LinkedCells(counts, sums)
        # An additive table of exact counts, and intervals as of the NHS's rule.
        protected = dict(counts)
        possible = lambda n: (n, n) if n == 0 or n > 7 else (1, 7)  # noqa: E731
        wanted = {
            cell: disclosure.NARROWEST_INTERVAL
            for cell, n in counts.items()
            if n in disclosure.SMALL
        }
        bounds = {cell: possible(count) for cell, count in protected.items()}
        report = audit._bound(linked, bounds, wanted)
        plain = each_by_itself(linked, protected, wanted, possible)
        assert sorted(report.too_tight) == sorted(plain)
        found += len(plain)
    assert found > 50, "otherwise this shows little"
