"""The use case of a cut: count, protect, attack and write. A release holds only protected counts,
and is written completely or not at all.
"""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import structlog
from childlink_catalogue.errors import CatalogueError
from childlink_catalogue.measures import Measure

from childlink_analytics.errors import ProtectionError
from childlink_analytics.releasing.counting.counting import Counter
from childlink_analytics.releasing.counting.denominators import Denominators
from childlink_analytics.releasing.counting.public_tables import Tables
from childlink_analytics.releasing.protection.attack import (
    AttackReport,
    PriorRelease,
    attack,
    attack_as_partner,
)
from childlink_analytics.releasing.protection.rounding import round_cells
from childlink_analytics.releasing.protection.suppression import suppress_cells
from childlink_analytics.releasing.release.coarsening import coarsened
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.completeness import about_all, completeness, since
from childlink_analytics.shared.cubes import (
    Cell,
    LinkedCells,
    cell_of,
    inner_of,
    link_cells,
    measure_cells,
)
from childlink_analytics.shared.release_files import Published, measure_content, write_release

log = structlog.get_logger()
_ATTEMPTS: Final = 4
# Intervals allow for at least this much rounding error. A release's own root mean square error is
# nearly always less, so this value reveals nothing about it.
_LEAST_SD: Final = 2.0
Before = Mapping[str, PriorRelease]
"""An earlier release: its cells by population."""


@dataclass(frozen=True)
class CutPlan:
    """The inputs of a cut, besides the data."""

    release_id: str
    number: int
    data_until: str
    measures: Mapping[str, Measure]
    denominators: Denominators = field(default_factory=dict)
    earlier: Sequence[Before] = ()
    """Releases that analysts may have seen, oldest first."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Further facts for the manifest."""
    before: Mapping[str, Any] = field(default_factory=dict)
    """The manifest of the release before."""
    policy: str = disclosure.ROUNDED
    tables: Tables = field(default_factory=dict)
    """What stands beside the linked figures, and is published as it is."""


@dataclass(frozen=True)
class Protected:
    """A population's measures, protected together, and the attack's result."""

    population: str
    published: list[Published]
    cells: PriorRelease
    largest_error: int
    mean_error: float
    withheld: int
    attack: AttackReport


@dataclass(frozen=True)
class CountedPopulation:
    """The measures of one population with their true counts."""

    measures: list[Measure]
    linked: LinkedCells
    earlier: Sequence[PriorRelease] = ()
    unsafe: Mapping[Cell, int] = field(default_factory=dict)
    """Cells that reveal too much besides small counts, with the width that an attacker's interval
    must have for each.
    """
    own: Sequence[Mapping[Cell, int]] = ()
    """For each partner, the cells of the people it knows."""


Dropped = dict[str, str]
"""A breakdown that could not be protected: the measure's id and title, and the dimensions."""
Outcome = tuple[Protected | None, list[Dropped]]
"""What is published of a population, and what could not be protected."""


@dataclass(frozen=True)
class Cut:
    """The result of a cut."""

    path: Path
    content_sha256: str
    populations: list[Protected]
    not_protected: Sequence[Dropped] = ()


def cut_release(
    plan: CutPlan,
    counter: Counter,
    secret: bytes,
    folder: Path,
    progress: Callable[[str], None] = lambda _population: None,
) -> Cut:
    """Count, protect and attack every measure, then write the release. If a step fails, raises an
    error before anything is written.
    """
    measures, left_out = publishable(plan.measures, plan.policy)
    rows = counter.rows_by_dataset()
    collected = {name: item for name, item in measures.items() if _is_collected(item, rows)}
    outcomes = protect_all(collected, plan, counter, secret, progress)
    done = [item for item, _ in outcomes if item]
    if collected and not done:
        raise ProtectionError(
            f"Nothing of {plan.release_id} can be protected.",
            "Use fewer dimensions or coarser levels.",
        )
    counted = [item for population in done for item in population.published]
    # Nothing is counted of what nobody sends: an answer says that it is not collected.
    missing = [Published(m, {}) for name, m in measures.items() if name not in collected]
    published = [_with_context(item, rows, plan.denominators) for item in [*counted, *missing]]
    published = sorted([*published, *_tables(plan.tables)], key=lambda item: item.measure.id)
    content = {"policy": plan.policy, "measures": [measure_content(item) for item in published]}
    manifest = {
        "number": plan.number,
        "data_until": plan.data_until,
        "policy_id": plan.policy,
        "policy_text": disclosure.POLICIES[plan.policy],
        **plan.facts,
        "datasets": {name: about_all(count, secret, name) for name, count in rows.items()},
        "completeness": completeness(counter.rows_by_quarter(), secret),
        "cells": sum(len(item.cells.counts) for item in done),
        "cells_withheld": sum(item.withheld for item in done),
        # The policy's value. The actual largest error and the number of small true counts would
        # help an attacker. For example, knowing that no count moved by more than 5 gives tighter
        # bounds, and a partner that adds children could see which count stops being small.
        "largest_error": disclosure.LARGEST_ERROR,
        "left_out": left_out,
        "not_protected": [item for _, dropped in outcomes for item in dropped],
        "attack_failures": sum(len(item.attack.too_tight) for item in done),
        "changes": changes(done, plan),
    }
    manifest["since"] = since(plan.before, manifest) if plan.before else {}
    path, digest = write_release(folder, plan.release_id, content, manifest)
    return Cut(path, digest, done, manifest["not_protected"])


def protect_all(
    measures: Mapping[str, Measure],
    plan: CutPlan,
    counter: Counter,
    secret: bytes,
    progress: Callable[[str], None] = lambda _population: None,
) -> list[Outcome]:
    """Count and protect the measures, population by population. Counting takes one population after
    the other; protection takes as many at a time as there are processors.
    """
    by_population: dict[str, list[Measure]] = {}
    for measure in measures.values():
        by_population.setdefault(measure.population, []).append(measure)
    # A population with categories that are all people of other populations comes before these,
    # which take its protected values. The other way round, theirs might leave it no room.
    tied = {view for measure in measures.values() for *_, view in measure.equals}
    first = [item for item in by_population.values() if any(m.equals for m in item)]
    later = [item for item in by_population.values() if item not in first]
    first.sort(key=lambda item: item[0].view in tied)
    outcomes: list[Outcome] = []

    def start(together: Sequence[Measure], after: Sequence[Protected]) -> Future[Outcome]:
        counted = count_population(together, plan, counter)

        def work() -> Outcome:
            progress(", ".join(measure.id for measure in together))
            return protect_as_far_as_possible(counted, plan, secret, after)

        return pool.submit(work)

    with ThreadPoolExecutor(max_workers=min(len(by_population) or 1, os.cpu_count() or 1)) as pool:
        for together in first:
            outcomes.append(start(together, _protected(outcomes)).result())
        begun = [start(together, _protected(outcomes)) for together in later]
        outcomes += [one.result() for one in begun]
    return outcomes


def _protected(outcomes: Sequence[Outcome]) -> list[Protected]:
    return [item for item, _ in outcomes if item]


def publishable(
    measures: Mapping[str, Measure], policy: str
) -> tuple[dict[str, Measure], list[str]]:
    """The measures that a policy can publish, and the ids of those from which it leaves something
    out.

    Suppression hides cells of each population by itself. A count with two names could be hidden
    under one and shown under the other, so only the first is published.
    """
    if policy != disclosure.SUPPRESSED:
        return dict(measures), []
    kept, left_out = {}, []
    for name, measure in measures.items():
        twice = {column for column, *_ in measure.equals}
        cubes = tuple(
            cube
            for cube in measure.cubes
            if not twice & {measure.columns.get(dimension, dimension) for dimension in cube}
        )
        if len(cubes) < len(measure.cubes):
            left_out.append(name)
        if cubes:
            shown = {dimension for cube in cubes for dimension in cube}
            dimensions = {n: item for n, item in measure.dimensions.items() if n in shown}
            kept[name] = replace(measure, cubes=cubes, dimensions=dimensions)
    return kept, left_out


def count_population(
    together: Sequence[Measure], plan: CutPlan, counter: Counter
) -> CountedPopulation:
    """Count the measures of one population, and what each partner knows of it."""
    population = together[0].population
    earlier = [release[population] for release in plan.earlier if population in release]
    if together[0].unit == "attendances":
        linked, unsafe = count_attendances(together, counter)
        return CountedPopulation(list(together), linked, earlier, unsafe)
    linked = count(together, counter)
    own = [count(together, counter, name).counts for name in counter.partners(together[0])]
    return CountedPopulation(list(together), linked, earlier, {}, own)


def protect_as_far_as_possible(
    counted: CountedPopulation, plan: CutPlan, secret: bytes, done: Sequence[Protected] = ()
) -> Outcome:
    """Protect a population. If it cannot be protected as declared, cubes are made coarser in the
    catalogue's order until it can. Returns what is published, and what was left out.
    """
    measures, linked = counted.measures, counted.linked
    dropped: list[Dropped] = []
    while True:
        try:
            return (
                protect(
                    measures[0].population,
                    measures,
                    linked,
                    secret,
                    plan.release_id,
                    counted.earlier,
                    disclosure.SUPPRESSED if measures[0].unit == "attendances" else plan.policy,
                    {
                        cell: width
                        for cell, width in counted.unsafe.items()
                        if cell in linked.counts
                    },
                    own=counted.own,
                    tied=tied_cells(linked, measures, done),
                ),
                dropped,
            )
        except ProtectionError as error:
            log.warning("cannot be protected", why=error.problem)
            next_try = coarsened(measures, error.cells)
            if next_try is None:
                dropped += [
                    {"measure": measure.id, "title": measure.title, "by": " x ".join(cube)}
                    for measure in measures
                    for cube in measure.cubes
                ]
                return None, dropped
            measures, (measure, cube) = next_try
            dropped.append({"measure": measure.id, "title": measure.title, "by": " x ".join(cube)})
            linked = link_cells(
                (m, kept, inner_of(m, kept, linked.counts)) for m in measures for kept in m.cubes
            )


def count(measures: Sequence[Measure], counter: Counter, known_to: str = "") -> LinkedCells:
    """All linked cells of a population's measures. With `known_to`, only the people in that
    partner's own rows. Raises CatalogueError.
    """
    try:
        return link_cells(
            (m, cube, counter.inner_cells(m, cube, known_to)) for m in measures for cube in m.cubes
        )
    except ValueError as error:
        raise CatalogueError(
            f"{error}.", "Each dimension must place everyone in exactly one category."
        ) from None


def count_attendances(
    measures: Sequence[Measure], counter: Counter
) -> tuple[LinkedCells, dict[Cell, int]]:
    """All linked cells of a population of attendances. Also the cells that reveal too much about
    the people who attended, with the width that an attacker's interval must have for each.
    """
    found = [(m, cube, counter.attendances(m, cube)) for m in measures for cube in m.cubes]
    linked = link_cells(
        (m, cube, {cell: facts[0] for cell, facts in cells.items() if None not in cell})
        for m, cube, cells in found
    )
    unsafe = {}
    for m, cube, cells in found:
        columns = [m.columns.get(name, name) for name in cube]
        for categories, (total, contributors, largest) in cells.items():
            if disclosure.unsafe_attendances(total, contributors, largest):
                unsafe[cell_of(columns, categories)] = disclosure.interval_of_attendances(total)
    return linked, unsafe


def protect(
    population: str,
    measures: Sequence[Measure],
    linked: LinkedCells,
    secret: bytes,
    release_id: str,
    earlier: Sequence[PriorRelease] = (),
    policy: str = disclosure.ROUNDED,
    unsafe: Mapping[Cell, int] = MappingProxyType({}),
    own: Sequence[Mapping[Cell, int]] = (),
    tied: Mapping[Cell, int] = MappingProxyType({}),
) -> Protected:
    """Round or suppress the cells, then attack them.

    Counts that are unchanged since the previous release keep their protected values. `own` holds,
    for each partner, the cells of the people it knows. `tied` are values of other populations that
    count the same people. Raises ProtectionError if the attack still
    succeeds after several attempts.
    """
    kept = _unchanged(linked.counts, earlier[-1]) if earlier else {}
    more = dict(unsafe)
    high: set[Cell] = set()
    for attempt in range(_ATTEMPTS):
        if policy == disclosure.SUPPRESSED:
            protected = suppress_cells(linked, more)
        else:
            label = f"{release_id} {population} {attempt or ''}".rstrip()
            protected = round_cells(linked, secret, label, kept, high, tied)
        report = attack(linked, protected, earlier, disclosure.possible(policy), unsafe)
        as_partners = [
            attack_as_partner(linked, protected, mine, earlier, disclosure.possible(policy))
            for mine in own
        ]
        found = {cell for item in (report, *as_partners) for cell in item.too_tight}
        if not found:
            break
        kept, high = {}, high | found
        more |= {cell: 2 * more.get(cell, disclosure.NARROWEST_INTERVAL) for cell in found}
    else:
        raise ProtectionError(
            f"{population}: an attacker can bound {len(found)} small counts to an interval"
            f" narrower than {disclosure.NARROWEST_INTERVAL}.",
            "Use fewer dimensions or a coarser level.",
            found,
        )
    shown = {
        cell: count for cell, count in linked.counts.items() if protected[cell] != disclosure.HIDDEN
    }
    errors = [abs(protected[cell] - count) for cell, count in shown.items()] or [0]
    withheld = sum(
        1
        for value in protected.values()
        if disclosure.show_count(disclosure.group([value], policy)).withheld
    )
    rounding_sd = max(
        _LEAST_SD, math.ceil(2.0 * math.sqrt(sum(error**2 for error in errors) / len(errors))) / 2.0
    )
    published = [
        Published(
            measure, measure_cells(measure, protected), rounding_sd=rounding_sd, policy=policy
        )
        for measure in measures
    ]
    report = AttackReport(
        report.attacked + sum(item.attacked for item in as_partners),
        [],
        min(item.narrowest for item in (report, *as_partners)),
    )
    cells = PriorRelease(linked.counts, protected)
    return Protected(
        population, published, cells, max(errors), sum(errors) / len(errors), withheld, report
    )


def tied_cells(
    linked: LinkedCells, measures: Sequence[Measure], done: Sequence[Protected]
) -> dict[Cell, int]:
    """The protected values of cells whose people another population has counted already: the same
    people must not be rounded twice, because two figures together tell more than one.
    """
    known: dict[tuple[str, Cell], int] = {}
    for item in done:
        measure = item.published[0].measure
        if measure.where == "TRUE":
            for cell, value in item.cells.protected.items():
                known |= dict.fromkeys(_names(cell, measure.view, _equals(item)), value)
    view, equals = measures[0].view, [tie for m in measures for tie in m.equals]
    if measures[0].where != "TRUE":
        return {}
    return {
        cell: known[name]
        for cell in linked.counts
        for name in _names(cell, view, equals)
        if name in known
    }


def _equals(item: Protected) -> list[tuple[str, str, str]]:
    return [tie for published in item.published for tie in published.measure.equals]


def _names(cell: Cell, view: str, equals: Sequence[tuple[str, str, str]]) -> list[tuple[str, Cell]]:
    """The populations of which a cell's people are a cell, each with that cell."""
    pairs = set(cell)
    return [(view, cell)] + [
        (other, tuple(pair for pair in cell if pair != (column, category)))
        for column, category, other in dict.fromkeys(equals)
        if (column, category) in pairs
    ]


def changes(done: Sequence[Protected], plan: CutPlan) -> dict[str, Any]:
    """The change notes of a release: what is new, gone or changed since the previous one. They
    reveal nothing beyond the two releases.
    """
    if not plan.earlier:
        return {"first": True}
    before = plan.earlier[-1]
    revised = {}
    for item in done:
        if item.population in before:
            old = before[item.population].protected
            common = [cell for cell in item.cells.protected if cell in old]
            moved = sum(1 for cell in common if item.cells.protected[cell] != old[cell])
            for published in item.published:
                revised[published.measure.id] = {"cells": len(common), "moved": moved}
    new = sorted(
        p.measure.id for item in done if item.population not in before for p in item.published
    )
    return {"first": False, "new_measures": new, "cells_of_the_population_that_moved": revised}


def _unchanged(counts: Mapping[Cell, int], before: PriorRelease) -> dict[Cell, int]:
    return {
        cell: before.protected[cell]
        for cell, count in counts.items()
        if before.counts.get(cell) == count
    }


def _with_context(
    item: Published, rows: Mapping[str, int], denominators: Denominators
) -> Published:
    """Add whether the measure's data was collected, and public counts of its population."""
    measure = item.measure
    return replace(
        item,
        collected=_is_collected(measure, rows),
        not_collected_by=tuple(
            name
            for name, needed in measure.dimension_needs.items()
            if not all(rows.get(dataset) for dataset in needed)
        ),
        population=denominators.get(measure.population_of, {}),
    )


def _is_collected(measure: Measure, rows: Mapping[str, int]) -> bool:
    enough = any if measure.known_in_any else all
    return enough(bool(rows.get(name)) for name in measure.datasets)


def _tables(tables: Tables) -> list[Published]:
    return [
        Published(table, values, collected=bool(values), rounding_sd=0.0, policy=disclosure.PUBLIC)
        for table, values in tables.values()
    ]
