"""How long it takes to protect one population of ever more cubes, and to attack it. The smallest is
also rounded as one programme, and attacked cell by cell, for comparison. Prints JSON lines.

    make bench-protection
"""

import itertools
import json
import time
from dataclasses import replace

from childlink_analytics.releasing.counting.counting import open_counter
from childlink_analytics.releasing.protection import attack as audit
from childlink_analytics.releasing.protection import rounding
from childlink_analytics.releasing.release.cut import count
from childlink_analytics.shared import disclosure
from childlink_catalogue.catalogue import catalogue

from tests.attacks.answers.world import UNTIL, partnership
from tests.support.exact_attack import width_of

ALONE = ["residence", "imd_quintile", "ethnicity", "sex", "priority", "language"]


def cubes(size: int) -> list[tuple[str, ...]]:
    """More cubes of the children reached with each size."""
    found = list(itertools.combinations(ALONE, 2))
    if size >= 2:
        found += [(over, name) for over in ("service", "quarter") for name in ALONE]
    if size >= 3:
        found += list(itertools.combinations(ALONE[:5], 3))
        found += [("service", "residence", name) for name in ALONE[1:5]]
    if size >= 4:
        found += [("service", "imd_quintile", name) for name in ("ethnicity", "sex", "priority")]
        found += [("quarter", "imd_quintile", name) for name in ("ethnicity", "sex")]
        found.append(("residence", "imd_quintile", "ethnicity", "sex"))
    return found


def each_by_itself(linked, protected) -> float:
    """Seconds for two solutions of each small cell, as before blocks."""
    begun = time.perf_counter()
    index = {cell: at for at, cell in enumerate(sorted(linked.counts))}
    bounds = {cell: disclosure.possible_counts(count) for cell, count in protected.items()}
    solver = rounding.load(audit.programme_of(linked, bounds), 60.0)
    for cell, count_ in linked.counts.items():
        if count_ in disclosure.SMALL:
            width_of(solver, index[cell])
    return time.perf_counter() - begun


def main() -> None:
    """Protect and attack each size."""
    measures = catalogue(UNTIL)
    base = measures["reach_children"]
    known = {name: item for m in measures.values() for name, item in m.dimensions.items()}
    observations, links = partnership(1, 3_000).batches()
    with open_counter([observations], [links], UNTIL) as counter:
        for size in (2, 3, 4):
            wanted = tuple(cubes(size))
            names = {name for cube in wanted for name in cube}
            measure = replace(base, cubes=wanted, dimensions={name: known[name] for name in names})
            linked = count([measure], counter)
            begun = time.perf_counter()
            protected = rounding.round_cells(linked, b"s" * 32, "bench")
            rounded = time.perf_counter()
            report = audit.attack(linked, protected)
            attacked = time.perf_counter()
            result = {
                "bench": "protection",
                "cells": len(linked.counts),
                "small": report.attacked,
                "found": len(report.too_tight),
                "narrowest": report.narrowest,
                "round_s": round(rounded - begun, 2),
                "attack_s": round(attacked - rounded, 2),
            }
            if size == 2:
                alone = each_by_itself(linked, protected)
                result["times_each_by_itself"] = round(alone / (attacked - rounded), 1)
            print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
