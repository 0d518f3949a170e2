"""The use case of a cut: count, protect, attack, publish. Nothing unprotected is kept, and all of it appears at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from childlink_analytics import disclosure
from childlink_analytics.attack import AttackReport, attack
from childlink_analytics.counting import Counter
from childlink_analytics.cubes import LinkedCells, link_cells, measure_cells
from childlink_analytics.errors import CatalogueError, ProtectionError
from childlink_analytics.measures import Measure
from childlink_analytics.releases import Published, measure_content, release_ids, write_release
from childlink_analytics.rounding import round_cells


@dataclass(frozen=True)
class Protected:
    """A population's measures, protected together, and what the attack on them found."""

    population: str
    published: list[Published]
    cells: int
    largest_error: int
    mean_error: float
    withheld: int
    attack: AttackReport


@dataclass(frozen=True)
class Cut:
    """What a cut did."""

    path: Path
    populations: list[Protected]


def cut_release(
    release_id: str,
    data_until: str,
    counter: Counter,
    measures: Mapping[str, Measure],
    secret: bytes,
    folder: Path,
    progress: Callable[[str], None] = lambda _population: None,
    facts: Mapping[str, Any] | None = None,
) -> Cut:
    """Count, protect and attack every measure, then write the release. Raises before anything is written."""
    by_population: dict[str, list[Measure]] = {}
    for measure in measures.values():
        by_population.setdefault(measure.population, []).append(measure)
    done = []
    for population, together in by_population.items():
        progress(", ".join(measure.id for measure in together))
        done.append(protect(population, together, count(together, counter), secret, release_id))
    published = sorted((item for population in done for item in population.published), key=lambda item: item.measure.id)
    content = {"measures": [measure_content(item) for item in published], "policy": disclosure.POLICY_ID}
    manifest = {
        "number": len(release_ids(folder)) + 1,
        "data_until": data_until,
        "policy_id": disclosure.POLICY_ID,
        "policy_text": disclosure.POLICY_TEXT,
        **(facts or {}),
        "datasets": {name: _rounded(rows) for name, rows in counter.rows_by_dataset().items()},
        "cells": sum(item.cells for item in done),
        "cells_withheld": sum(item.withheld for item in done),
        "largest_error": max((item.largest_error for item in done), default=0),
        "attack_failures": sum(len(item.attack.too_tight) for item in done),
    }
    return Cut(write_release(folder, release_id, content, manifest), done)


def count(measures: Sequence[Measure], counter: Counter) -> LinkedCells:
    """All linked cells of a population's measures."""
    try:
        return link_cells((m, cube, counter.inner_cells(m, cube)) for m in measures for cube in m.cubes)
    except ValueError as error:
        raise CatalogueError(f"{error}.", "Each dimension must place everyone in exactly one category.") from None


def protect(
    population: str, measures: Sequence[Measure], linked: LinkedCells, secret: bytes, release_id: str
) -> Protected:
    """Round the cells and let the attacker try. Raises ProtectionError when it succeeds."""
    protected = round_cells(linked, secret, f"{release_id} {population}")
    report = attack(linked, protected)
    if report.too_tight:
        raise ProtectionError(
            f"{population}: an attacker bounds {len(report.too_tight)} small counts to less than {disclosure.NARROWEST_INTERVAL} apart.",
            "Use fewer dimensions or a coarser level.",
        )
    errors = [abs(protected[cell] - count) for cell, count in linked.counts.items()]
    withheld = sum(1 for value in protected.values() if disclosure.show_count(value).withheld)
    published = [Published(measure, measure_cells(measure, protected)) for measure in measures]
    return Protected(population, published, len(errors), max(errors), sum(errors) / len(errors), withheld, report)


def _rounded(rows: int) -> int | None:
    rounded = round(rows / disclosure.BASE) * disclosure.BASE
    return rounded if rounded >= disclosure.FEWEST_SHOWN else None
