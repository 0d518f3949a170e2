"""Planted effects, asked back: the error that linkage and protection add. Prints one JSON line per
figure and seed.

The same lives are counted four times: under their true persons and under the linker's, exactly and
as a release protects them. The linker's persons come from `linkage_childlink`: extracts with the
usual errors (or another setting of `linkage_data`), through the code of ingest, encoder and linker.

    make bench-truth
    python -m tests.bench.bench_truth [children] [--seeds 1 2 3 4 5]
        [--setting nhs-x0.5-errors-x2]
"""

import argparse
import json
import math
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest import mock

import pyarrow as pa
from childlink_analytics.answering.analyses import change, compare
from childlink_analytics.answering.estimates import Estimate
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.cubes import measure_cells
from childlink_analytics.shared.release_files import Published, Release
from childlink_catalogue.catalogue import catalogue
from childlink_local.synth.lives import IMPROVEMENT_PERCENT, ODDS_RATIOS, Lives

from tests.attacks.answers.world import UNTIL, Hub, Row, World, reference_of
from tests.bench import linkage_childlink, linkage_data

MEASURES = {
    name: catalogue(UNTIL)[name]
    for name in (
        *(f"asq3_{name}" for name in ODDS_RATIOS),
        *(f"change_{name}" for name in IMPROVEMENT_PERCENT),
        "reach_children",
    )
}

# An exact count has only one possible true value: itself.
_UNROUNDED = mock.patch.object(disclosure, "possible_counts", lambda count: (count, count))


WAYS = ("exact", "protected", "linked", "linked_protected")
"""True persons, counted exactly and protected; the linker's persons, counted exactly and
protected.
"""
CHARITY, TRUST = "early-years-charity", "community-health"


@dataclass(frozen=True)
class Found:
    """A planted figure, and the result of each way of counting."""

    figure: str
    planted: float
    values: dict[str, float]
    covers: dict[str, bool]
    """Whether the interval contains the planted value. For a count: whether it is the true count
    or, if protected, within the rounding.
    """


@dataclass(frozen=True)
class LinkedWorld(World):
    """What partners have sent, under the persons that a linker found."""

    persons: Mapping[tuple[str, bytes], bytes] = field(default_factory=dict)

    def batches(self) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        """Rows of records that ingest rejects have no link and belong to no person."""
        observations, links = super().batches()
        linked = [
            row for row in links.to_pylist() if (row["partner"], row["reference"]) in self.persons
        ]
        for row in linked:
            row["person"] = self.persons[row["partner"], row["reference"]]
        return observations, pa.RecordBatch.from_pylist(linked, schema=links.schema)


def linked_persons(population: linkage_data.Population) -> dict[tuple[str, bytes], bytes]:
    """The linker's person of everybody with a record at a partner, by partner and the world's
    reference.
    """
    linked = linkage_childlink.run(population)
    try:
        found = linked.persons()
    finally:
        linked.close()
    return {
        (
            key[0],
            reference_of(int(population.truth[key].person[1:]), key[2] == "adult"),
        ): person.encode()
        for key, person in found.items()
    }


def world_of(lives: Lives) -> World:
    """What partners would send, with every person under their true number."""
    rows: list[Row] = []
    home = {}
    for family in lives.families:
        for child in family.children:
            home[child.person] = {
                "sex": "female" if child.sex.startswith("f") else "male",
                "ethnicity": family.ethnicity,
            } | _place(family)
    for item in lives.attendances:
        at, attributes = f"{item.day:%Y-%m}", {"service": item.service, **_place(item.family)}
        if item.child:
            rows.append(
                Row(
                    CHARITY,
                    "attendance",
                    at,
                    item.child.person,
                    attributes | home[item.child.person],
                    item.family.family,
                )
            )
        if item.adult:
            rows.append(
                Row(
                    CHARITY,
                    "attendance",
                    at,
                    item.adult.person,
                    attributes,
                    item.family.family,
                    adult=True,
                )
            )
    for review in lives.reviews:
        attributes = {
            **review.domains,
            "universal_plus": review.family.need,
            **home[review.child.person],
        }
        rows.append(
            Row(
                TRUST,
                "asq3",
                f"{review.day:%Y-%m}",
                review.child.person,
                attributes,
                review.family.family,
            )
        )
    for form in lives.questionnaires:
        said = {
            "service": form.service,
            "instrument": form.instrument,
            "timepoint": form.timepoint,
            "score": form.score,
        }
        rows.append(
            Row(
                CHARITY,
                "questionnaire",
                f"{form.day:%Y-%m}",
                form.adult.person,
                said,
                form.family.family,
                adult=True,
            )
        )
    return World(rows)


def _place(family: object) -> dict[str, object]:
    return {name: getattr(family, name) for name in ("residence", "imd_quintile")}


def planted(seed: int, children: int, folder: Path, setting: str = "usual") -> Iterator[Found]:
    """Every planted figure, with extracts of one of linkage_data.SETTINGS."""
    population = linkage_data.synthetic(setting, children, seed)
    lives = population.lives
    assert lives is not None
    true = world_of(lives)
    releases: dict[str, Release] = {}
    releases["exact"], releases["protected"] = _counted(true, folder / "true")
    linked = LinkedWorld(true.rows, linked_persons(population))
    releases["linked"], releases["linked_protected"] = _counted(linked, folder / "linked")
    for name, odds_ratio in ODDS_RATIOS.items():
        found = {way: _odds_ratio(way, releases[way], f"asq3_{name}") for way in WAYS}
        yield _found(f"odds ratio, {name}", odds_ratio, found)
    for name, percent in IMPROVEMENT_PERCENT.items():
        found = {way: _change(way, releases[way], f"change_{name}") for way in WAYS}
        yield _found(f"change, {name}", percent, found)
    reached = {a.child.person: a.family.residence for a in lives.attendances if a.child}
    for place in ("area", "borough", "outside"):
        count = sum(1 for residence in reached.values() if residence == place)
        yield _count(f"reach, {place}", count, releases, ("residence", place))
    for service in sorted({a.service for a in lives.attendances}):
        count = len({a.child.person for a in lives.attendances if a.child and a.service == service})
        yield _count(f"service, {service}", count, releases, ("service", service))


def _counted(world: World, folder: Path) -> tuple[Release, Release]:
    """A world's measures, exact and protected."""
    exact: dict[str, Published] = {}
    protected: dict[str, Published] = {}
    for population in Hub(folder, measures=MEASURES).cut(world, "r1").populations:
        for item in population.published:
            protected[item.measure.id] = item
            true = measure_cells(item.measure, population.cells.counts)
            exact[item.measure.id] = replace(item, cells=true, rounding_sd=0.0)
    return Release("r", 1, {}, exact), Release("r", 1, {}, protected)


def _odds_ratio(way: str, release: Release, measure: str) -> Estimate:
    with nullcontext() if way.endswith("protected") else _UNROUNDED:
        return compare(release, measure).adjusted_odds_ratio


def _change(way: str, release: Release, measure: str) -> Estimate:
    with nullcontext() if way.endswith("protected") else _UNROUNDED:
        return change(release, measure, "")[1][0].change.mean


def _found(figure: str, truth: float, found: Mapping[str, Estimate]) -> Found:
    covers = {
        way: item.low is not None and item.high is not None and item.low <= truth <= item.high
        for way, item in found.items()
    }
    values = {way: math.nan if item.value is None else item.value for way, item in found.items()}
    return Found(figure, truth, values, covers)


def _count(
    figure: str, truth: int, releases: Mapping[str, Release], cell: tuple[str, str]
) -> Found:
    values = {way: releases[way].measures["reach_children"].cells[(cell,)] for way in WAYS}
    covers = {
        way: abs(value - truth) <= (disclosure.LARGEST_ERROR if way.endswith("protected") else 0)
        for way, value in values.items()
    }
    return Found(figure, truth, dict(values), covers)


def main() -> None:
    """Print a line for each figure and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("children", type=int, nargs="?", default=14_028)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3, 4, 5])
    parser.add_argument("--setting", choices=linkage_data.SETTINGS, default="usual")
    options = parser.parse_args()
    about = {"bench": "truth", "children": options.children, "setting": options.setting}
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as folder:
            for found in planted(seed, options.children, Path(folder), options.setting):
                values = {way: round(value, 3) for way, value in found.values.items()}
                covers = {f"{way}_covers": covered for way, covered in found.covers.items()}
                line = {"figure": found.figure, "planted": found.planted, **values, **covers}
                print(json.dumps({**about, "seed": seed, **line}), flush=True)


if __name__ == "__main__":
    main()
