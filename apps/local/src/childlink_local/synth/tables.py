"""The tables that stand beside the linked figures, made up. Each is a CSV file."""

import itertools
from pathlib import Path
from typing import Final

from childlink_catalogue.catalogue import current

from childlink_local.synth.writing import write_rows

_ONE: Final = {
    "spending": [
        ({"workstream": "services"}, 25_900_000),
        ({"workstream": "sites"}, 4_300_000),
        ({"workstream": "evaluation"}, 2_900_000),
        ({"workstream": "management"}, 4_900_000),
    ],
    "later_costs_avoided": [({"workstream": "services"}, 41_000_000)],
    "sessions_held": [
        ({"activity": "drop_in"}, 1_824),
        ({"activity": "course"}, 1_483),
        ({"activity": "event"}, 299),
        ({"activity": "one_to_one"}, 29),
    ],
    "sessions_to_standard": [({"standard": "yes"}, 64), ({"standard": "no"}, 16)],
    "grant_scheme": [
        ({"scheme_unit": "sessions"}, 214),
        ({"scheme_unit": "children"}, 556),
        ({"scheme_unit": "parents"}, 535),
    ],
    "organisations": [({"organisation": "partner"}, 182), ({"organisation": "grant"}, 14)],
    "settings_taking_part": [
        ({"setting": "nursery_school"}, 7),
        ({"setting": "private_nursery"}, 14),
        ({"setting": "childminder"}, 5),
        ({"setting": "childrens_centre"}, 2),
    ],
    "toothbrushing": [
        ({"setting": "nursery_school"}, 6),
        ({"setting": "private_nursery"}, 11),
        ({"setting": "childrens_centre"}, 5),
    ],
    "toothbrushing_packs": [
        ({"financial_year": "2022/23"}, 2_310),
        ({"financial_year": "2023/24"}, 2_745),
    ],
    "literacy_events": [({"setting": "nursery_school"}, 31), ({"setting": "private_nursery"}, 44)],
    "sites": [({"site_kind": "built"}, 3), ({"site_kind": "improved"}, 8)],
    "services_running": [
        ({"financial_year": "2021/22"}, 15),
        ({"financial_year": "2022/23"}, 15),
        ({"financial_year": "2023/24"}, 14),
    ],
    "staff": [
        ({"staff_event": "in_post", "financial_year": "2022/23"}, 27),
        ({"staff_event": "left", "financial_year": "2022/23"}, 6),
        ({"staff_event": "vacant", "financial_year": "2022/23"}, 3),
        ({"staff_event": "in_post", "financial_year": "2023/24"}, 25),
    ],
    "reach_target": [({"residence": "area"}, 6_000), ({"residence": "borough"}, 4_000)],
    "projected_births": [
        ({"year": "2019"}, 1_150),
        ({"year": "2020"}, 1_120),
        ({"year": "2021"}, 1_100),
    ],
    "residents": [
        ({"characteristic": "minoritised", "has_it": "yes"}, 42_000),
        ({"characteristic": "minoritised", "has_it": "no"}, 18_000),
        ({"characteristic": "born_abroad", "has_it": "yes"}, 24_600),
        ({"characteristic": "born_abroad", "has_it": "no"}, 35_400),
        ({"has_it": "yes"}, 60_000),
        ({"has_it": "no"}, 0),
        ({}, 60_000),
    ],
    "young_children": [
        ({"place": "area"}, 3_250),
        ({"place": "borough"}, 17_200),
        ({"place": "region"}, 553_000),
        ({"place": "england"}, 3_100_000),
        ({}, 3_100_000),
    ],
    "wellbeing_survey": [({"risk": "yes"}, 168), ({"risk": "no"}, 439)],
    "hardship": [
        ({"hardship": "food_parcels", "financial_year": "2021/22"}, 5_573),
        ({"hardship": "food_parcels", "financial_year": "2022/23"}, 15_099),
        ({"hardship": "food_parcels", "financial_year": "2023/24"}, 9_819),
        ({"hardship": "care_entries", "financial_year": "2022/23"}, 118),
        ({"hardship": "care_entries", "financial_year": "2023/24"}, 147),
    ],
    "media": [
        ({"channel": "newsletter"}, 750),
        ({"channel": "web"}, 1_088),
        ({"channel": "social_media"}, 400),
    ],
    "benchmark_asq3": [
        ({"place": "england", "level": "expected"}, 405_000),
        ({"place": "england", "level": "below"}, 101_000),
        ({"place": "region", "level": "expected"}, 71_000),
        ({"place": "region", "level": "below"}, 18_500),
        ({"level": "expected"}, 405_000),
        ({"level": "below"}, 101_000),
        ({"level": "not_recorded"}, 0),
        ({}, 506_000),
    ],
    "benchmark_weight": [
        ({"place": "england", "weight_status": "healthy"}, 430_000),
        ({"place": "england", "weight_status": "overweight"}, 70_000),
        ({"place": "england", "weight_status": "very_overweight"}, 52_000),
        ({"weight_status": "healthy"}, 430_000),
        ({"weight_status": "overweight"}, 70_000),
        ({"weight_status": "very_overweight"}, 52_000),
        ({"weight_status": "underweight"}, 6_000),
        ({"weight_status": "not_recorded"}, 0),
        ({}, 558_000),
    ],
}


def write_tables(folder: Path) -> None:
    """Write a file for each table of the current catalogue for which there are figures."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in current().tables().items():
        cells = _ONE.get(name, [])
        if name == "service_costs":
            services = current().services
            costs = {code: 400_000 + 90_000 * number for number, code in enumerate(services)}
            cells = [({"service": code}, cost) for code, cost in costs.items()]
            cells.append(({}, sum(costs.values())))
        if not cells:
            continue
        columns = list(dict.fromkeys(itertools.chain.from_iterable(cell for cell, _ in cells)))
        unknown = set(columns) - set(table.dimensions)
        assert not unknown, (name, unknown)  # noqa: S101 - the figures are ours
        rows = ([*(cell.get(column, "") for column in columns), str(n)] for cell, n in cells)
        write_rows(folder / f"{name}.csv", [*columns, "value"], rows)
