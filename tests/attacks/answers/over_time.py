"""The strongest attack on a series of releases: one linear programme over all of them, with all
populations tied to each other, for an attacker who is told by how much every count changed unless
it changed by more than seven. Prints JSON lines.

    python -m tests.attacks.answers.over_time [--children 800] [--releases 12] [--targets 150]
    python -m tests.attacks.answers.over_time --catalogue FOLDER   (all measures of another one)

Between releases, late rows arrive, people withdraw, and two people turn out to be one. After the
fourth release, the catalogue gains a measure and loses a table; after the eighth, it gets the table
back. At the first, the fourth and the twelfth release, small counts are attacked, and small
differences of counts within each other.
"""

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
from childlink_analytics.releasing.protection.attack import PriorRelease, small_differences
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.cubes import LinkedCells, inner_of, link_cells
from childlink_catalogue.catalogue import catalogue, current, use
from childlink_catalogue.measures import Measure

from tests.attacks.answers.bounds import At, Knowledge, public_facts, score
from tests.attacks.answers.world import UNTIL, Hub, World, of_any_catalogue, partnership

MEASURES = (
    "reach_children",
    "linkage_rate",
    "reached_of_known",
    "review_missed",
    "cohort_reached",
    "asq3_overall",
    "asq3_by_family_engaged",
    "asq3_by_mother_engaged",
    "asq3_by_dose",
    "immunisation",
)
ADDED = "asq3_by_birth"
ATTACKED = (1, 4, 12)


def catalogues() -> Iterator[dict[str, Measure]]:
    """The measures of each release."""
    every = catalogue(UNTIL)
    first = {name: every[name] for name in MEASURES}
    fewer = {**first, ADDED: every[ADDED]}
    fewer["reach_children"] = first["reach_children"].with_cubes(first["reach_children"].cubes[1:])
    later = {**first, ADDED: every[ADDED]}
    for number in range(1, 10_000):
        yield first if number <= 4 else fewer if number <= 8 else later


def worlds(make: Callable[[int, int, int], World], children: int, seed: int) -> Iterator[World]:
    """What partners have sent by each release. `make` makes up children (seed, how many, number of
    the first).
    """
    rng = np.random.default_rng(seed)
    world = make(seed, children, 1)
    late = [row for row in world.rows if rng.random() < 0.03]
    world = World([row for row in world.rows if row not in late])
    yield world
    number = 0
    while True:
        number += 1
        arrived, late = late[: len(late) // 4], late[len(late) // 4 :]
        new = make(seed * 100 + number, 6, 50_000 + 100 * number)
        world = world.with_rows([*arrived, *new.rows])
        gone, one, other = (int(person) for person in rng.choice(world.children, 3, replace=False))
        world = world.without({gone})
        # Two people turn out to be one.
        world = World(
            [replace(row, person=one) if row.person == other else row for row in world.rows]
        )
        yield world


def attack(
    hub: Hub,
    most: int,
    largest_error: int = disclosure.LARGEST_ERROR,
) -> dict[str, object]:
    """Attack the newest release with everything published so far."""
    knowledge = Knowledge()
    truth: dict[At, int] = {}
    targets: list[At] = []
    for number, cut in enumerate(hub.cuts, 1):
        cells = {item.population: item.cells for item in cut.populations}
        measures = {item.measure.id: item.measure for p in cut.populations for item in p.published}
        linked = {name: _linked(measures, name, item) for name, item in cells.items()}
        last = number == len(hub.cuts)
        names = {name: f"{name} @ {number}" for name in linked}
        knowledge.add_release(
            {names[name]: item for name, item in linked.items()},
            {names[name]: cells[name].protected for name in linked},
            largest_error,
        )
        knowledge.lines += [
            (low, high, {(names[population], cell): w for (population, cell), w in line.items()})
            for low, high, line in public_facts(linked)
        ]
        for name, item in cells.items():
            truth |= {(names[name], cell): n for cell, n in item.counts.items()}
        if last:
            targets += _targets(knowledge, truth, linked, names)
    for before, after in zip(hub.cuts, hub.cuts[1:], strict=False):
        number = hub.cuts.index(after) + 1
        earlier = {item.population: item.cells.counts for item in before.populations}
        for item in after.populations:
            for cell, n in item.cells.counts.items():
                then = earlier.get(item.population, {}).get(cell)
                if then is not None and abs(n - then) <= disclosure.SMALL[-1]:
                    now = (f"{item.population} @ {number}", cell)
                    past = (f"{item.population} @ {number - 1}", cell)
                    knowledge.lines.append((n - then, n - then, {now: 1.0, past: -1.0}))
    chosen = targets
    if len(targets) > most:
        order = np.random.default_rng(1).permutation(len(targets))[:most]
        chosen = [targets[at] for at in order]
    begun = time.perf_counter()
    claims = knowledge.bound(chosen)
    return {
        "cells": sum(len(item.cells.counts) for item in hub.cuts[-1].populations),
        "variables": len(knowledge.intervals),
        "small": len(targets),
        **asdict(score(claims, lambda at: truth[at])),
        "seconds": round(time.perf_counter() - begun),
    }


def _linked(measures: Mapping[str, Measure], population: str, cells: PriorRelease) -> LinkedCells:
    return link_cells(
        (m, cube, inner_of(m, cube, cells.counts))
        for m in measures.values()
        if m.population == population
        for cube in m.cubes
    )


def _targets(
    knowledge: Knowledge,
    truth: dict[At, int],
    linked: Mapping[str, LinkedCells],
    names: Mapping[str, str],
) -> list[At]:
    """Small counts of the newest release, and small differences, which become counts of their
    own.
    """
    found: list[At] = []
    for name, cells in linked.items():
        found += [(names[name], cell) for cell, n in cells.counts.items() if n in disclosure.SMALL]
        for label, (part, whole) in small_differences(cells).items():
            at = (names[name], label)
            truth[at] = cells.counts[whole] - cells.counts[part]
            knowledge.narrow(at, 0, knowledge.intervals[names[name], whole][1])
            line = {(names[name], whole): 1.0, (names[name], part): -1.0, at: -1.0}
            knowledge.lines.append((0.0, 0.0, line))
            found.append(at)
    return found


def main() -> None:
    """Cut one release after the other, and attack some of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=800)
    parser.add_argument("--releases", type=int, default=12)
    parser.add_argument("--targets", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--catalogue", type=Path)
    said = parser.parse_args()
    make, measures_of = partnership, catalogues()
    if said.catalogue:
        use(said.catalogue)
        make = partial(of_any_catalogue, current())
        measures_of = itertools.repeat(current().measures(UNTIL))
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(Path(folder), measures={})
        series = zip(worlds(make, said.children, said.seed), measures_of, strict=False)
        for number, (world, measures) in zip(range(1, said.releases + 1), series, strict=False):
            hub.measures = measures
            cut = hub.cut(world, f"r{number}")
            if number in ATTACKED:
                line = {
                    "attack": "over time",
                    "catalogue": current().about.id,
                    "children": said.children,
                    "release": number,
                    "not_protected": len(cut.not_protected),
                    **attack(hub, said.targets),
                }
                print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
