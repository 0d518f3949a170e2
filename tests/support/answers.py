"""A real answering process over synthetic releases of the whole catalogue. It shows what a client
sees, without a partnership behind it.

The cells are only rounded. Protection is tested where releases are built.
"""

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from childlink_analytics.answering.app import build_access
from childlink_analytics.answering.metrics import ServingMetrics
from childlink_analytics.answering.service import serve
from childlink_analytics.settings import ServingSettings
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.release_files import Published, measure_content, write_release
from childlink_catalogue.catalogue import Catalogue, bundled, catalogue
from childlink_catalogue.dimensions import Dimension
from childlink_catalogue.measures import Measure

PEOPLE = 3_000
NOT_COLLECTED = "breastfeeding"


def publish(
    folder: Path,
    release_id: str,
    number: int,
    data_until: str,
    *,
    people: int = PEOPLE,
    seed: int = 1,
    tables: bool = False,
) -> None:
    """Write a release with `people` synthetic people; with `tables`, also what stands beside."""
    draw, until = random.Random(seed), date.fromisoformat(data_until)
    beside = Catalogue(bundled()).tables(until) if tables else {}
    published = [_count(measure, people, draw) for measure in (catalogue(until) | beside).values()]
    content = {
        "policy": disclosure.ROUNDED,
        "measures": [measure_content(item) for item in published],
    }
    manifest = {
        "number": number,
        "data_until": data_until,
        "policy_id": disclosure.ROUNDED,
        "policy_text": disclosure.POLICIES[disclosure.ROUNDED],
        "datasets": {"attendance": 12_345, "asq3": None},
        "cells": sum(len(item.cells) for item in published),
        "cells_withheld": 321,
        "largest_error": 4,
        "attacked": 236,
        "attack_failures": 0,
        "parameter_version": "prior-2026d",
        "changes": {
            "first": number == 1,
            "new_measures": ["preterm"],
            "cells_of_the_population_that_moved": {},
        },
    }
    write_release(folder, release_id, content, manifest)


@contextmanager
def answering(folder: Path, **settings: Any) -> Iterator[str]:
    """Serve a folder of releases on a free loopback port. Yields its address."""
    chosen = ServingSettings(releases=folder, address="127.0.0.1:0", **settings)
    server, port = serve(chosen, ServingMetrics(), build_access(chosen))
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(grace=0).wait()


def _count(measure: Measure, people: int, draw: random.Random) -> Published:
    collected = measure.id != NOT_COLLECTED
    cells: Counter[tuple[tuple[str, str], ...]] = Counter()
    subsets = {
        tuple(sorted(names))
        for cube in measure.cubes
        for size in range(len(cube) + 1)
        for names in itertools.combinations(cube, size)
    }
    for _ in range(people if collected else 0):
        person = {name: _draw(dimension, draw) for name, dimension in measure.dimensions.items()}
        if measure.share:
            # Children who engaged do better, and so do less deprived children.
            name, of, against = measure.share
            better = 0.08 * (person.get("engaged") == "engaged") + 0.03 * "1 2 3 4 5".find(
                person.get("imd_quintile", "3")
            )
            person[name] = (
                draw.choice(of) if draw.random() < 0.55 + better else draw.choice(against)
            )
        cells.update(tuple((name, person[name]) for name in names) for names in subsets)
    return Published(
        measure, {cell: 5 * round(count / 5) for cell, count in cells.items()}, collected
    )


def _draw(dimension: Dimension, draw: random.Random) -> str:
    names = list(dimension.categories)
    weights = [0.01 if name == "not_recorded" else 10 / (3 + at) for at, name in enumerate(names)]
    if dimension.id == "band":
        weights = [10 / (1 + abs(at - len(names) / 2 - 1)) for at in range(len(names))]
    return draw.choices(names, weights)[0]
