"""The second disclosure policy: suppression protects small counts, and suppresses no more than
necessary. Oracle: tau-Argus (pytauargus).
"""

import math
import os
import random
from pathlib import Path

import pytest
from childlink_analytics.releasing.protection.attack import attack
from childlink_analytics.releasing.protection.suppression import suppress_cells, suppressed
from childlink_analytics.releasing.release.cut import protect
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.cubes import link_cells
from pytauargus import protect as tau_argus

from tests.unit.test_disclosure import measure


def table(seed, rows, columns):
    """A table with a few small counts and no zeros (zeros are shown, so they are known)."""
    chance = random.Random(seed)
    inner = {
        (f"a{a}", f"b{b}"): chance.choice([2, 3, 5, 7, 9, 12, 15, 20, 30, 45, 60])
        for a in range(rows)
        for b in range(columns)
    }
    declared = measure([("a", "b")], {"a": rows, "b": columns})
    return declared, inner, link_cells([(declared, ("a", "b"), inner)])


def known_exactly(count):
    """What an intruder can conclude from the exact counts that are shown, knowing that suppressed
    counts are not zero.
    """
    return (1, 10**6) if count == disclosure.HIDDEN else (count, count)


def withheld_by_tau_argus(inner, folder):
    people = {"a": [], "b": [], "n": []}
    for (a, b), count in inner.items():
        people["a"] += [a] * count
        people["b"] += [b] * count
        people["n"] += [1] * count
    before = Path.cwd()
    # tau-Argus writes its logs to the current folder.
    os.chdir(folder)
    try:
        found = tau_argus(
            people,
            ["a", "b"],
            response="n",
            safety_rules="FREQ(8,100)",
            suppress="OPT(1)",
            workdir=str(folder),
        )
    finally:
        os.chdir(before)
    return {
        tuple(sorted((name, row[name]) for name in "ab" if row[name] != "Total"))
        for row in found.tables[0].rows
        if row["status"] in ("U", "M")
    }


CASES = [(seed, 4, 5) for seed in range(6)] + [(seed, 7, 6) for seed in range(6, 10)]


@pytest.mark.parametrize(("seed", "rows", "columns"), CASES)
def test_nobody_who_knows_all_other_counts_exactly_bounds_a_small_one(seed, rows, columns):
    _, _, linked = table(seed, rows, columns)
    hidden = suppressed(linked)
    exact = {
        cell: disclosure.HIDDEN if cell in hidden else count
        for cell, count in linked.counts.items()
    }
    report = attack(linked, exact, possible=known_exactly)
    assert report.attacked > 0
    assert report.too_tight == []


@pytest.mark.parametrize(("seed", "rows", "columns"), CASES)
def test_tau_argus_withholds_about_as_many_cells(seed, rows, columns, tmp_path):
    _, inner, linked = table(seed, rows, columns)
    theirs, ours = withheld_by_tau_argus(inner, tmp_path), suppressed(linked)
    primary = {cell for cell, count in linked.counts.items() if count in disclosure.SMALL}
    assert primary <= theirs
    assert primary <= ours
    assert len(ours) <= math.ceil(1.5 * len(theirs)) + 1


def test_what_tau_argus_withholds_passes_the_same_attacker(tmp_path):
    """Otherwise our audit would demand more than is usual in the field, and the first test would
    prove little.
    """
    _, inner, linked = table(1, 4, 5)
    theirs = withheld_by_tau_argus(inner, tmp_path)
    exact = {
        cell: disclosure.HIDDEN if cell in theirs else count
        for cell, count in linked.counts.items()
    }
    assert (
        attack(
            linked,
            exact,
            possible=lambda count: (0, 10**6) if count == disclosure.HIDDEN else (count, count),
        ).narrowest
        >= 3
    )


def test_hiding_the_small_counts_alone_does_not_hide_them():
    _, _, linked = table(1, 4, 5)
    alone = {
        cell: disclosure.HIDDEN if n in disclosure.SMALL else n for cell, n in linked.counts.items()
    }
    assert attack(linked, alone, possible=known_exactly).too_tight


def test_what_is_shown_is_rounded_to_the_nearest_five_and_zero_is_zero():
    declared = measure([("a", "b")], {"a": 2, "b": 2})
    inner = {("a0", "b0"): 0, ("a0", "b1"): 22, ("a1", "b0"): 48, ("a1", "b1"): 63}
    protected = suppress_cells(link_cells([(declared, ("a", "b"), inner)]))
    assert protected[("a", "a0"), ("b", "b0")] == 0
    assert protected[("a", "a0"), ("b", "b1")] == 20
    assert protected[("a", "a1"), ("b", "b0")] == 50
    shown = disclosure.show_count(disclosure.group([0], disclosure.SUPPRESSED))
    assert (shown.value, shown.withheld) == (0, "")


def test_a_cut_under_the_second_policy_is_attacked_and_says_what_is_withheld():
    declared, _, linked = table(2, 4, 5)
    done = protect("p", [declared], linked, b"", "r", policy=disclosure.SUPPRESSED)
    assert done.attack.too_tight == []
    assert done.withheld == len(suppressed(linked))
    assert done.largest_error <= 2
    assert done.published[0].policy == disclosure.SUPPRESSED


def test_a_sum_with_a_withheld_cell_is_withheld():
    counted = disclosure.group([20, disclosure.HIDDEN], disclosure.SUPPRESSED)
    assert disclosure.show_count(counted).withheld == "suppressed"
