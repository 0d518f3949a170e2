"""A synthetic partnership as the store holds it, written straight to Arrow batches, and releases of
it, built and served by the real code.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
from childlink_analytics.answering.metrics import ServingMetrics
from childlink_analytics.answering.service import Access, serve
from childlink_analytics.releasing.counting.counting import open_counter
from childlink_analytics.releasing.counting.public_tables import Tables
from childlink_analytics.releasing.protection.attack import PriorRelease
from childlink_analytics.releasing.release.cut import Cut, CutPlan, cut_release
from childlink_analytics.settings import ServingSettings
from childlink_catalogue.catalogue import Catalogue, bundled, catalogue, current
from childlink_catalogue.datasets import Field
from childlink_catalogue.measures import Measure
from childlink_client import Client

UNTIL = date(2024, 12, 31)
SERVICES = list(Catalogue(bundled()).services)
DOMAINS = ("communication", "gross_motor", "fine_motor", "problem_solving", "personal_social")
_ETHNICITIES = ("asian", "black", "mixed", "white", "other")


@dataclass(frozen=True)
class Row:
    """One observation. `person` is the number of a child or, with adult=True, of an adult."""

    partner: str
    dataset: str
    month: str
    person: int
    attributes: Mapping[str, object]
    family: int
    adult: bool = False


@dataclass(frozen=True)
class World:
    """Everything that partners have sent."""

    rows: list[Row] = field(default_factory=list)

    def with_rows(self, rows: Sequence[Row]) -> "World":
        """The same with more rows."""
        return World([*self.rows, *rows])

    def without(self, persons: set[int]) -> "World":
        """The same without some people, as if they had withdrawn."""
        return World([row for row in self.rows if row.person not in persons])

    @property
    def children(self) -> list[int]:
        """All children that partners sent."""
        return sorted({row.person for row in self.rows if not row.adult})

    def batches(self) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        """Observations and links, as the store gives them when a release is built."""
        columns: list[list[object]] = [[], [], [], [], [], []]
        people = {}
        for row in self.rows:
            reference = reference_of(row.person, row.adult)
            people[row.partner, reference] = reference_of(row.family, None)
            values = (
                row.partner,
                row.dataset,
                row.month,
                None if row.adult else reference,
                reference if row.adult else None,
                json.dumps(row.attributes, sort_keys=True, separators=(",", ":")),
            )
            for column, value in zip(columns, values, strict=True):
                column.append(value)
        observations = pa.record_batch(
            [
                pa.array(c, type=pa.binary() if at in (3, 4) else pa.string())
                for at, c in enumerate(columns)
            ],
            ["partner", "dataset", "month", "child_reference", "adult_reference", "attributes"],
        )
        links = pa.record_batch(
            [
                pa.array([partner for partner, _ in people], type=pa.string()),
                *(
                    pa.array([reference for _, reference in people], type=pa.binary())
                    for _ in range(2)
                ),
                pa.array(list(people.values()), type=pa.binary()),
            ],
            ["partner", "reference", "person", "family"],
        )
        return observations, links


def reference_of(number: int, adult: bool | None) -> bytes:
    """The reference of a child, an adult, or (None) a family."""
    return (b"f" if adult is None else b"a" if adult else b"c") + number.to_bytes(15, "big")


def partnership(seed: int, children: int, first: int = 1) -> World:
    """A partnership in which small cells are common: rare services, rare groups, most outcomes
    reached.
    """
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for number in range(first, first + children):
        rows += child_rows(number, rng)
    return World(rows)


def rich(world: World) -> World:
    """The same with values in every field, and with every questionnaire. They follow from the
    person, so nothing else changes.
    """
    every = current().datasets
    rows = []
    for row in world.rows:
        dataset = every[row.dataset]
        more: dict[str, object] = {}
        for at, item in enumerate(dataset.fields):
            chance = (row.person * 7 + at * 13 + int(row.month[5:7]) + len(row.dataset)) % 29
            if item.name in row.attributes or item.type == "month" or chance == 0:
                continue
            if item.derive == "birth_year":
                more[item.name] = 2019 + row.person % 3
            elif item.codes:
                more[item.name] = item.codes[chance % len(item.codes)]
            elif item.type == "flag":
                more[item.name] = chance % 3 == 0
        rows.append(replace(row, attributes={**row.attributes, **more}))
    asked = every["questionnaire"].field("instrument").codes
    scales = [(code, current().instruments[code]) for code in asked]
    for number in world.children:
        if number % 3 == 0:
            continue
        code, item = scales[number % len(scales)]
        low, high = item.range
        for when, share in (
            ("pre", (number * 37 % 101) / 100),
            ("post", (number * 53 % 101) / 100),
        ):
            said = {
                "service": SERVICES[number % 4],
                "instrument": code,
                "timepoint": when,
                "score": float(round(low + (high - low) * share)),
            }
            month = f"2022-{1 + number % 9 + 3 * (when == 'post'):02d}"
            rows.append(Row("charity", "questionnaire", month, number, said, number, True))
    return World(rows)


def of_any_catalogue(declared: Catalogue, seed: int, children: int, first: int = 1) -> World:
    """Children with rows of every dataset of a catalogue. Most values are rare, so small cells are
    common.
    """
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for number in range(first, first + children):
        fixed: dict[str, object] = {}
        for dataset in declared.datasets.values():
            for _ in range(int(rng.choice([0, 1, 2, 4], p=[0.2, 0.4, 0.25, 0.15]))):
                said: dict[str, object] = {}
                for item in dataset.fields:
                    if item.type == "month" or (not item.required and rng.random() < 0.05):
                        continue
                    value = _any_value(item, rng)
                    # What is said of a person in several datasets hardly ever changes.
                    said[item.name] = value if item.required else fixed.setdefault(item.name, value)
                month = f"{int(rng.integers(2020, 2025))}-{int(rng.integers(1, 13)):02d}"
                roles = list(dataset.subjects)
                adult = "child" not in roles or (len(roles) > 1 and bool(rng.random() < 0.3))
                rows.append(
                    Row(dataset.name, dataset.name, month, number, said, number // 2, adult)
                )
    return World(rows)


def _any_value(item: Field, rng: np.random.Generator) -> object:
    if item.codes:
        weights = 1.0 / (np.arange(len(item.codes)) + 1.0) ** 1.5
        return str(rng.choice(item.codes, p=weights / weights.sum()))
    if item.type == "flag":
        return bool(rng.random() < 0.85)
    low, high = item.range or (0, 10)
    return int(rng.integers(int(low), int(high) + 1))


def child_rows(number: int, rng: np.random.Generator) -> list[Row]:
    """All records of one child and the child's mother."""
    home: dict[str, object] = {
        "sex": str(rng.choice(["female", "male"])),
        "ethnicity": str(rng.choice(_ETHNICITIES, p=[0.07, 0.22, 0.08, 0.6, 0.03])),
        "imd_quintile": int(rng.choice([1, 2, 3, 4, 5], p=[0.42, 0.31, 0.17, 0.07, 0.03])),
        "residence": str(rng.choice(["area", "borough", "outside"], p=[0.75, 0.19, 0.06])),
    }
    home = {name: value for name, value in home.items() if rng.random() > 0.02}
    born = 2019 * 12 + int(rng.integers(0, 30))
    rows = []

    def add(
        partner: str,
        dataset: str,
        month: int,
        attributes: Mapping[str, object],
        adult: bool = False,
    ) -> None:
        at = f"{month // 12}-{month % 12 + 1:02d}"
        rows.append(
            Row(
                partner,
                dataset,
                at,
                number,
                attributes,
                number // 2 if number % 5 else number,
                adult,
            )
        )

    popular = np.array([1.0 / (at + 1.5) for at in range(len(SERVICES))])
    used = rng.choice(
        SERVICES,
        size=int(rng.choice([0, 1, 2, 3, 5], p=[0.2, 0.5, 0.2, 0.07, 0.03])),
        replace=False,
        p=popular / popular.sum(),
    )
    for service in used:
        for session in range(1 + int(rng.poisson(1.4))):
            month = born + int(rng.integers(2, 40)) + session
            for adult in (False, True) if rng.random() < 0.8 else (False,):
                add("charity", "attendance", month, {"service": str(service), **home}, adult)
    if rng.random() < 0.75:
        domains = {name: bool(rng.random() < 0.9) for name in DOMAINS}
        add(
            "trust",
            "asq3",
            born + 27,
            {**domains, "universal_plus": bool(rng.random() < 0.15), **home},
        )
    if rng.random() < 0.6:
        eal = bool(rng.random() < 0.3)
        good = bool(rng.random() < 0.7)
        add(
            "council",
            "eyfs",
            born + 60,
            {"good_level_of_development": good, "english_additional_language": eal, **home},
        )
        status = str(
            rng.choice(
                ["underweight", "healthy", "overweight", "very_overweight"],
                p=[0.01, 0.77, 0.12, 0.1],
            )
        )
        add("council", "ncmp", born + 58, {"weight_status": status, **home})
    add(
        "trust",
        "maternity",
        born,
        {"birth_weight": int(rng.normal(3350, 500)), "gestation": int(rng.normal(39, 2)), **home},
    )
    if rng.random() < 0.7:
        add("gp", "immunisation", born + 24, {"up_to_date": bool(rng.random() < 0.88)})
        add(
            "trust",
            "six_week_review",
            born + 2,
            {"feeding": str(rng.choice(["breast", "mixed", "formula"])), **home},
        )
    if len(used) and rng.random() < 0.4:
        instrument, low, high = [("core10", 0, 40), ("hle_index", 0, 49), ("mors_warmth", 0, 35)][
            int(rng.integers(3))
        ]
        service = "pairs" if instrument == "core10" else "making_it_real"
        before = rng.normal(0.5, 0.15)
        for timepoint, at in (("pre", before), ("post", before + rng.normal(0.1, 0.15))):
            score = float(np.clip(round(low + (high - low) * at), low, high))
            add(
                "charity",
                "questionnaire",
                born + 20 + 3 * (timepoint == "post"),
                {
                    "service": service,
                    "instrument": instrument,
                    "timepoint": timepoint,
                    "score": score,
                },
                True,
            )
    return rows


@dataclass
class Hub:
    """A folder of releases, and what building a release needs to know about earlier ones."""

    folder: Path
    secret: bytes = b"a secret of the releases"
    measures: Mapping[str, Measure] = field(default_factory=lambda: catalogue(UNTIL))
    tables: Tables = field(default_factory=dict)
    cuts: list[Cut] = field(default_factory=list)
    answered: ClassVar[list[ServingMetrics]] = []
    """What the servers of all hubs counted."""

    def cut(self, world: World, release_id: str) -> Cut:
        """Build and publish a release of what the partners have sent, through the same use case as
        in production.
        """
        observations, links = world.batches()
        earlier = [{item.population: item.cells for item in cut.populations} for cut in self.cuts]
        plan = CutPlan(
            release_id,
            len(self.cuts) + 1,
            UNTIL.isoformat(),
            self.measures,
            {},
            earlier,
            tables=self.tables,
        )
        with open_counter([observations], [links], UNTIL) as counter:
            self.cuts.append(cut_release(plan, counter, self.secret, self.folder))
        return self.cuts[-1]

    def truth(self, release: int = -1) -> dict[str, PriorRelease]:
        """True and protected cells by population: for scoring only."""
        return {item.population: item.cells for item in self.cuts[release].populations}

    @classmethod
    def questions(cls) -> int:
        """Number of questions that servers have answered over gRPC, as the servers count them."""
        return sum(
            int(sample.value)
            for metrics in cls.answered
            for family in metrics.calls.collect()
            for sample in family.samples
            if sample.name.endswith("_total")
            and sample.labels["method"] not in ("DescribeRelease", "ListReleases")
        )

    @contextmanager
    def analyst(self) -> Iterator[Client]:
        """An analyst's connection to a real server of the releases."""
        settings = ServingSettings(releases=self.folder, address="127.0.0.1:0")
        self.answered.append(ServingMetrics())
        server, port = serve(settings, self.answered[-1], Access(None))
        try:
            with Client(f"127.0.0.1:{port}") as client:
                yield client
        finally:
            server.stop(grace=0).wait()


def counts_of(world: World, measures: Mapping[str, Measure]) -> dict[str, dict[object, int]]:
    """True cells of some rows alone, by population: what the partner that sent the rows knows about
    them.
    """
    from childlink_analytics.releasing.release.cut import count

    by_population: dict[str, list[Measure]] = {}
    for measure in measures.values():
        by_population.setdefault(measure.population, []).append(measure)
    observations, links = world.batches()
    with open_counter([observations], [links], UNTIL) as counter:
        return {
            name: dict(count(together, counter).counts) for name, together in by_population.items()
        }


def moved(world: World, persons: set[int], **attributes: object) -> World:
    """The same with changed attributes of some people."""
    return World(
        [
            (
                replace(row, attributes={**row.attributes, **attributes})
                if row.person in persons
                else row
            )
            for row in world.rows
        ]
    )
