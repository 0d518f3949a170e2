"""Planted truth, asked back: what protection adds, where every link is right (true persons are the links). One JSON line a figure.

Each figure is estimated twice: from exact counts and from the protected counts that a release publishes. Linkage error is not in it yet:
`make bench-linkage` measures that alone.

    make bench-truth            or    python -m tests.bench.bench_truth [children] [--seeds 1 2 3]
"""

import argparse
import json
import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import numpy as np
from childlink_analytics import disclosure
from childlink_analytics.cubes import measure_cells
from childlink_analytics.measures import catalogue
from childlink_analytics.releases import Published, Release
from childlink_analytics.study import change, compare
from childlink_local.synth.lives import IMPROVEMENT_PERCENT, ODDS_RATIOS, Lives, live
from childlink_local.synth.people import People

from tests.attacks.answers.world import UNTIL, Hub, Row, World

MEASURES = {
    name: catalogue(UNTIL)[name]
    for name in (*(f"asq3_{name}" for name in ODDS_RATIOS), *(f"change_{name}" for name in IMPROVEMENT_PERCENT), "reach_children")
}  # fmt: skip

# What an exact count can truly be: itself.
_UNROUNDED = mock.patch.object(disclosure, "possible_counts", lambda count: (count, count))


@dataclass(frozen=True)
class Found:
    """A planted figure, estimated from exact and from protected counts."""

    figure: str
    planted: float
    exact: float
    exact_covers: bool
    protected: float
    protected_covers: bool


def lives_of(seed: int, children: int) -> Lives:
    """People of a synthetic partnership, without files."""
    rng = np.random.default_rng(seed)
    return live(People(rng).families(round(children / 0.7)), children, round(children * 1.087), rng)


def world_of(lives: Lives) -> World:
    """What partners would send, every person under their true number."""
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
                Row("c", "attendance", at, item.child.person, attributes | home[item.child.person], item.family.family)
            )
        if item.adult:
            rows.append(Row("c", "attendance", at, item.adult.person, attributes, item.family.family, adult=True))
    for review in lives.reviews:
        attributes = {**review.domains, "universal_plus": review.family.need, **home[review.child.person]}
        rows.append(Row("t", "asq3", f"{review.day:%Y-%m}", review.child.person, attributes, review.family.family))
    for form in lives.questionnaires:
        said = {
            "service": form.service,
            "instrument": form.instrument,
            "timepoint": form.timepoint,
            "score": form.score,
        }
        rows.append(
            Row("c", "questionnaire", f"{form.day:%Y-%m}", form.adult.person, said, form.family.family, adult=True)
        )
    return World(rows)


def _place(family: object) -> dict[str, object]:
    return {name: getattr(family, name) for name in ("residence", "imd_quintile")}


def planted(seed: int, children: int, folder: Path) -> Iterator[Found]:
    """Every planted figure."""
    lives = lives_of(seed, children)
    hub = Hub(folder, measures=MEASURES)
    cut = hub.cut(world_of(lives), "r1")
    exact: dict[str, Published] = {}
    protected: dict[str, Published] = {}
    for population in cut.populations:
        for item in population.published:
            protected[item.measure.id] = item
            true = measure_cells(item.measure, population.cells.counts)
            exact[item.measure.id] = replace(item, cells=true, rounding_sd=0.0)
    one_release, other_release = (Release("r", 1, {}, measures) for measures in (exact, protected))
    for name, odds_ratio in ODDS_RATIOS.items():
        with _UNROUNDED:
            one = compare(one_release, f"asq3_{name}").adjusted_odds_ratio
        other = compare(other_release, f"asq3_{name}").adjusted_odds_ratio
        yield _found(f"odds ratio, {name}", odds_ratio, one, other)
    for name, percent in IMPROVEMENT_PERCENT.items():
        with _UNROUNDED:
            one = change(one_release, f"change_{name}", "")[1][0].change.mean
        other = change(other_release, f"change_{name}", "")[1][0].change.mean
        yield _found(f"change, {name}", percent, one, other)
    reached = {a.child.person: a.family.residence for a in lives.attendances if a.child}
    for place in ("area", "borough", "outside"):
        count = sum(1 for residence in reached.values() if residence == place)
        counts = [measures["reach_children"].cells[(("residence", place),)] for measures in (exact, protected)]
        yield Found(f"reach, {place}", count, counts[0], counts[0] == count, counts[1], abs(counts[1] - count) <= 9)
    for service in sorted({a.service for a in lives.attendances}):
        count = len({a.child.person for a in lives.attendances if a.child and a.service == service})
        counts = [measures["reach_children"].cells[(("service", service),)] for measures in (exact, protected)]
        yield Found(f"service, {service}", count, counts[0], counts[0] == count, counts[1], abs(counts[1] - count) <= 9)


def _found(figure: str, truth: float, one: object, other: object) -> Found:
    values = [getattr(item, "value", None) or math.nan for item in (one, other)]
    covers = [
        (getattr(item, "low", None) or math.inf) <= truth <= (getattr(item, "high", None) or -math.inf)
        for item in (one, other)
    ]
    return Found(figure, truth, values[0], covers[0], values[1], covers[1])


def main() -> None:
    """Print a line for each figure and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("children", type=int, nargs="?", default=14_028)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    options = parser.parse_args()
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as folder:
            for found in planted(seed, options.children, Path(folder)):
                values = {
                    key: round(value, 3) if isinstance(value, float) else value for key, value in vars(found).items()
                }
                print(json.dumps({"bench": "truth", "seed": seed, "children": options.children, **values}), flush=True)


if __name__ == "__main__":
    main()
