"""The measures of childlink 0.2 were SQL inside the package. The same measures, declared in LEAP's
catalogue, count the same people. counts.json holds what the SQL counted, by the cubes of before.
"""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from childlink_analytics.releasing.counting.counting import open_counter
from childlink_analytics.releasing.release.cut import count, count_attendances
from childlink_catalogue.catalogue import Catalogue, bundled

from tests.attacks.answers.world import UNTIL, partnership

BEFORE = json.loads((Path(__file__).parent / "counts.json").read_text())

SCALES = ("epds", "gbo", "mors_invasion", "pai", "prfq_certainty", "prfq_prementalising")
NEW = {
    ("programme", "domestic_abuse_casework"),
    ("programme", "other"),
    *(("instrument", name) for name in (*SCALES, "active_days")),
}
"""Categories that the SQL did not have."""


@pytest.fixture(scope="module")
def counted():
    observations, links = partnership(7, 500).batches()
    declared = Catalogue(bundled())
    found = {}
    with open_counter([observations], [links], UNTIL, declared=declared) as counter:
        for name in BEFORE:
            cubes = tuple(tuple(cube) for cube in BEFORE[name]["cubes"])
            measure = replace(declared.measures(UNTIL)[name], cubes=cubes)
            if measure.unit == "attendances":
                linked, _ = count_attendances([measure], counter)
            else:
                linked = count([measure], counter)
            known = ((c, n) for c, n in linked.counts.items() if not NEW & set(c))
            found[name] = sorted([list(map(list, c)), n] for c, n in known)
    return found


@pytest.mark.parametrize("name", BEFORE)
def test_a_measure_that_is_declared_counts_what_its_sql_counted(counted, name):
    cells, before = counted[name], BEFORE[name]
    one_way = {" ".join(map("=".join, cell)) or "all": n for cell, n in cells if len(cell) <= 1}
    assert one_way == before["one_way"]
    assert len(cells) == before["cells"]
    assert hashlib.sha256(json.dumps(cells).encode()).hexdigest() == before["sha256"]
