"""The use case of a cut: count, protect, attack, publish. Nothing unprotected is kept, and all of it appears at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from childlink_analytics import disclosure
from childlink_analytics.attack import AttackReport, attack
from childlink_analytics.counting import Counter
from childlink_analytics.cubes import LinkedCells, link_cells
from childlink_analytics.errors import CatalogueError, ProtectionError
from childlink_analytics.measures import Measure
from childlink_analytics.releases import Published, measure_content, release_ids, write_release
from childlink_analytics.rounding import round_cells


@dataclass(frozen=True)
class Protected:
    """A measure, protected, and what its attack found."""

    published: Published
    largest_error: int
    mean_error: float
    withheld: int
    attack: AttackReport


@dataclass(frozen=True)
class Cut:
    """What a cut did."""

    path: Path
    measures: list[Protected]


def cut_release(
    release_id: str,
    data_until: str,
    counter: Counter,
    measures: Mapping[str, Measure],
    secret: bytes,
    folder: Path,
    facts: Mapping[str, Any],
    progress: Callable[[str], None] = lambda _measure: None,
) -> Cut:
    """Count, protect and attack every measure, then write the release. Raises before anything is written."""
    done = []
    for measure in measures.values():
        progress(measure.id)
        done.append(protect(measure, count(measure, counter), secret, release_id))
    content = {"measures": [measure_content(item.published) for item in done], "policy": disclosure.POLICY_ID}
    manifest = {
        **facts,
        "number": len(release_ids(folder)) + 1,
        "data_until": data_until,
        "policy_id": disclosure.POLICY_ID,
        "policy_text": disclosure.POLICY_TEXT,
        "datasets": {name: _rounded(rows) for name, rows in counter.rows_by_dataset().items()},
        "cells": sum(len(item.published.cells) for item in done),
        "cells_withheld": sum(item.withheld for item in done),
        "largest_error": max((item.largest_error for item in done), default=0),
        "attack_failures": sum(len(item.attack.too_tight) for item in done),
    }
    return Cut(write_release(folder, release_id, content, manifest), done)


def count(measure: Measure, counter: Counter) -> LinkedCells:
    """All linked cells of a measure."""
    try:
        return link_cells(measure, counter.inner_cells(measure))
    except ValueError as error:
        raise CatalogueError(f"{error}.", "Each dimension must place everyone in exactly one category.") from None


def protect(measure: Measure, linked: LinkedCells, secret: bytes, release_id: str) -> Protected:
    """Round the cells and let the attacker try. Raises ProtectionError when it succeeds."""
    protected = round_cells(linked, secret, f"{release_id} {measure.id}")
    report = attack(linked, protected)
    if report.too_tight:
        raise ProtectionError(
            f"{measure.id}: an attacker bounds {len(report.too_tight)} small counts to less than {disclosure.NARROWEST_INTERVAL} apart.",
            "Use fewer dimensions or a coarser level.",
        )
    errors = [abs(protected[cell] - count) for cell, count in linked.counts.items()]
    withheld = sum(1 for value in protected.values() if disclosure.show_count(value).withheld)
    return Protected(Published(measure, protected), max(errors), sum(errors) / len(errors), withheld, report)


def _rounded(rows: int) -> int | None:
    rounded = round(rows / disclosure.BASE) * disclosure.BASE
    return rounded if rounded >= disclosure.FEWEST_SHOWN else None
