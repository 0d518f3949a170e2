"""Rows of the datasets that hold referrals, assessments, feedback, health, care, school, needs and
staff, for the children of a world. Written without reading the measures that count them.
"""

import numpy as np
from childlink_catalogue.catalogue import Catalogue
from childlink_catalogue.datasets import Dataset, Field

from tests.attacks.answers.world import Row, World

FIRST_WORKER = 1_000_000
ABOUT_CHILDREN = {
    "referral": (0.5, -2, 30),
    "hospital": (0.4, 1, 40),
    "social_care": (0.35, 2, 60),
    "school_outcome": (0.6, 62, 64),
    "early_education": (0.5, 26, 30),
    "maternity_care": (0.9, 0, 0),
}
"""How likely a child has a row, and between which months of its life."""
ABOUT_ADULTS = {"referral": (0.3, -8, 30), "needs": (0.55, 0, 40)}
CONTACTS = {"antenatal": -2, "new_birth": 0, "six_weeks": 2, "one_year": 12, "two_years": 25}


def with_records(world: World, declared: Catalogue, seed: int = 11) -> World:
    """The same world with rows of these datasets."""
    rng = np.random.default_rng(seed)
    born = {row.person: row for row in world.rows if row.dataset == "maternity"}
    rows: list[Row] = []
    for number, birth in born.items():
        begins = int(birth.month[:4]) * 12 + int(birth.month[5:7]) - 1

        def add(dataset, after, said, *, adult=False, number=number, birth=birth, begins=begins):
            at = begins + after
            month = f"{at // 12}-{at % 12 + 1:02d}"
            if month <= "2024-12":
                rows.append(Row(dataset, dataset, month, number, said, birth.family, adult))

        for dataset, (share, low, high) in ABOUT_CHILDREN.items():
            if rng.random() < share:
                said = any_values(declared.datasets[dataset], rng)
                add(dataset, int(rng.integers(low, high + 1)), said)
        for dataset, (share, low, high) in ABOUT_ADULTS.items():
            if rng.random() < share:
                said = any_values(declared.datasets[dataset], rng)
                add(dataset, int(rng.integers(low, high + 1)), said, adult=True)
        for contact, after in CONTACTS.items():
            if rng.random() < 0.8:
                said = any_values(declared.datasets["health_review"], rng)
                add("health_review", after, {**said, "contact": contact, "in_time": after != 12})
        for _ in range(int(rng.integers(0, 12))):
            said = any_values(declared.datasets["feedback"], rng)
            add("feedback", int(rng.integers(1, 40)), said, adult=True)
        if rng.random() < 0.8:
            assess(declared, "assessment", add, rng, int(rng.integers(20, 50)))
        if rng.random() < 0.4:
            assess(declared, "questionnaire", add, rng, -5, instrument="active_days", adult=True)
    return world.with_rows([*rows, *workers(declared, rng)])


def assess(declared, dataset, add, rng, after, instrument=None, *, adult=False):
    """An assessment before and one after."""
    contract = declared.datasets[dataset]
    fixed = any_values(contract, rng)
    code = instrument or str(rng.choice(contract.field("instrument").codes))
    low, high = declared.instruments[code].range
    before = rng.normal(0.45, 0.18)
    for timepoint, at in (("pre", before), ("post", before + rng.normal(0.1, 0.15))):
        score = float(round(low + (high - low) * min(1.0, max(0.0, at))))
        said = {**any_values(contract, rng), **fixed, "instrument": code}
        if "colour" in said:
            said["colour"] = str(rng.choice(["red", "amber", "green"]))
        add(
            dataset,
            after + 3 * (timepoint == "post"),
            {**said, "timepoint": timepoint, "score": score},
            adult=adult,
        )


def workers(declared: Catalogue, rng: np.random.Generator) -> list[Row]:
    """Practitioners and volunteers, who are no parents of the programme."""
    rows = []
    for number in range(FIRST_WORKER, FIRST_WORKER + 400):
        for _ in range(int(rng.integers(1, 4))):
            month = f"{int(rng.integers(2021, 2025))}-{int(rng.integers(1, 13)):02d}"
            said = any_values(declared.datasets["workforce"], rng)
            rows.append(Row("workforce", "workforce", month, number, said, number, True))
    return rows


def any_values(dataset: Dataset, rng: np.random.Generator) -> dict[str, object]:
    """A value for every field that a person may have, and sometimes none for those that need
    none.
    """
    return {
        item.name: _any_value(item, rng)
        for item in dataset.fields
        if item.type != "month"
        and item.name not in ("sex", "ethnicity", "ethnicity_detail", "birth_year")
        and item.name not in ("imd_quintile", "residence")
        and (item.required or rng.random() > 0.08)
    }


def _any_value(item: Field, rng: np.random.Generator) -> object:
    if item.codes:
        weights = 1.0 / (np.arange(len(item.codes)) + 2.0)
        return str(rng.choice(item.codes, p=weights / weights.sum()))
    if item.type == "flag":
        return bool(rng.random() < 0.4)
    low, high = item.range or (0, 10)
    return int(rng.integers(int(low), min(int(high), 60) + 1))
