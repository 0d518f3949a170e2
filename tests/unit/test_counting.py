"""What the measures count, for a handful of people described in this file."""

import fcntl
import json
import shutil
import tempfile
from datetime import date

import pyarrow as pa
import pytest
from childlink_analytics.answering.question import Question, answer
from childlink_analytics.releasing.counting.counting import open_counter
from childlink_analytics.releasing.counting.denominators import parse_denominators
from childlink_analytics.releasing.release.cut import (
    CutPlan,
    count,
    count_attendances,
    cut_release,
    protect,
)
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.cubes import link_cells
from childlink_analytics.shared.purposes import parse_purposes
from childlink_analytics.shared.release_files import read_release
from childlink_catalogue.catalogue import Catalogue, all_datasets, bundled, catalogue
from childlink_catalogue.errors import CatalogueError

from tests.attacks.answers.world import partnership

UNTIL = date(2024, 6, 30)
DOMAINS = ("communication", "gross_motor", "fine_motor", "problem_solving", "personal_social")


class Lives:
    """Rows as the store keeps them: one partner, all people linked."""

    def __init__(self):
        self.rows, self.people = [], {}

    def row(self, dataset, month, child="", adult="", family="", **attributes):
        for who in (child, adult):
            if who:
                self.people[who] = family or f"family of {who}"
        reference = [who.encode().ljust(16, b".") if who else None for who in (child, adult)]
        self.rows.append(("p", dataset, month, *reference, json.dumps(attributes)))

    def came(self, month, service, child="", adult="", family="", **attributes):
        self.row(
            "attendance",
            month,
            child,
            adult,
            family,
            service=service,
            session_date=month,
            **attributes,
        )

    def batches(self):
        names = ("partner", "dataset", "month", "child_reference", "adult_reference", "attributes")
        types = [pa.string()] * 3 + [pa.binary()] * 2 + [pa.string()]
        columns = list(zip(*self.rows, strict=True)) if self.rows else [[] for _ in names]
        arrays = [pa.array(column, type=kind) for column, kind in zip(columns, types, strict=True)]
        observations = pa.record_batch(arrays, names=list(names))
        who = sorted(self.people)
        links = pa.record_batch(
            [
                pa.array(["p"] * len(who), pa.string()),
                *(
                    pa.array([v and v.encode().ljust(16, b".") for v in values], pa.binary())
                    for values in (who, who, [self.people[name] or None for name in who])
                ),
            ],
            names=["partner", "reference", "person", "family"],
        )
        return [observations], [links]


def counted(lives, measure_id, until=UNTIL):
    measure = catalogue(until)[measure_id]
    with open_counter(*lives.batches(), until) as counter:
        return count([measure], counter).counts


@pytest.fixture
def three():
    """Ann came to two services in two quarters, Ben to one service once, Cat long ago and again
    later.
    """
    lives = Lives()
    lives.came("2024-01", "oral_health", "ann", residence="area", imd_quintile="1")
    lives.came("2024-04", "pairs", "ann", residence="area", imd_quintile="1")
    lives.came("2024-04", "pairs", "ben", residence="borough", imd_quintile="3")
    lives.came("2015-02", "oral_health", "cat", residence="area")
    lives.came("2024-05", "oral_health", "cat", residence="area")
    lives.came("2024-09", "pairs", "dan", residence="area")
    return lives


def test_a_child_of_two_services_is_one_child_and_is_in_both(three):
    cells = counted(three, "reach_children")
    assert cells[()] == 3, "Dan came after the release's last day"
    assert cells[("service", "oral_health"),] == 2
    assert cells[("service", "pairs"),] == 2
    assert cells[("residence", "area"),] == 2
    assert cells[("residence", "area"), ("service", "pairs")] == 1


def test_what_overlaps_is_tied_by_covers_and_not_by_sums(three):
    with open_counter(*three.batches(), UNTIL) as counter:
        linked = count([catalogue(UNTIL)["reach_children"]], counter)
    unions = [parts for union, parts in linked.covers if union == ()]
    assert any(("service", "pairs") in part for parts in unions for part in parts)
    assert not any(
        part[0][0] == "service" for margin, parts in linked.sums if margin == () for part in parts
    )
    for union, parts in linked.covers:
        assert (
            max(linked.counts[part] for part in parts)
            <= linked.counts[union]
            <= sum(linked.counts[p] for p in parts)
        )


def test_new_and_returning_children_of_a_quarter(three):
    cells = counted(three, "participants")
    assert cells[("participation", "new"), ("quarter", "2024-Q1")] == 1
    assert cells[("participation", "new"), ("quarter", "2024-Q2")] == 1, "Ben"
    assert cells[("participation", "returning"), ("quarter", "2024-Q2")] == 2, "Ann and Cat"
    assert cells[("participation", "new"), ("quarter", "earlier")] == 1, "Cat"


def test_everybody_is_new_once_and_that_is_known_to_the_protection(three):
    with open_counter(*three.batches(), UNTIL) as counter:
        linked = count([catalogue(UNTIL)["participants"]], counter)
    [parts] = [
        parts
        for margin, parts in linked.sums
        if margin == () and ("participation", "new") in parts[0]
    ]
    assert sum(linked.counts[part] for part in parts) == linked.counts[()] == 3


def test_pathways_tell_the_first_service_and_the_next_other_one(three):
    cells = counted(three, "pathways")
    assert cells[("first_service", "oral_health"), ("next_service", "pairs")] == 1
    assert cells[("first_service", "oral_health"), ("next_service", "none")] == 1
    assert cells[("first_service", "pairs"), ("next_service", "none")] == 1


def test_who_went_nowhere_else_used_one_service_and_that_is_known_to_the_protection(three):
    measures = [catalogue(UNTIL)[name] for name in ("pathways", "services_per_family")]
    with open_counter(*three.batches(), UNTIL) as counter:
        linked = count(measures, counter)
    assert ((("next_service", "none"),), [(("services", "1"),)]) in linked.sums


def test_sessions_are_counted_in_bands(three):
    three.came("2024-04", "pairs", "ben", residence="borough")
    cells = counted(three, "sessions_per_child")
    assert cells[("sessions", "2_to_3"),] == 3
    assert cells[("sessions", "1"),] == 0


def test_the_priority_population_is_the_most_deprived_fifth_or_on_the_enhanced_offer(three):
    three.row("asq3", "2024-05", "ben", universal_plus=True, communication=True)
    cells = counted(three, "reach_children")
    assert cells[("priority", "priority"),] == 2, "Ann by place, Ben by offer"


def test_a_child_above_the_level_in_all_domains_is_so_in_each_and_that_is_known_to_the_protection(
    three,
):
    for child, rest in (("ann", True), ("ben", False)):
        domains = dict.fromkeys(
            ("gross_motor", "fine_motor", "problem_solving", "personal_social"), rest
        )
        three.row("asq3", "2024-05", child, communication=True, **domains)
    measures = [item for item in catalogue(UNTIL).values() if item.view == "asq3_child"]
    with open_counter(*three.batches(), UNTIL) as counter:
        linked = count(measures, counter)
    assert linked.counts[("overall", "expected"),] == 1
    assert linked.counts[("communication", "expected"),] == 2
    assert ((("overall", "expected"),), (("communication", "expected"),)) in linked.nested


@pytest.mark.parametrize(
    ("domains", "level"),
    [
        ({}, None),
        ({"communication": False}, None),
        ({"communication": False, "gross_motor": True, "fine_motor": True}, None),
        (dict.fromkeys(DOMAINS, True), "expected"),
        (dict.fromkeys(DOMAINS, True) | {"fine_motor": False}, "below"),
    ],
)
def test_the_level_in_all_domains_is_not_recorded_unless_every_domain_is(three, domains, level):
    """A missing domain could only lower it. To count those below would bias the share."""
    three.row("asq3", "2024-05", "ann", **domains)
    cells = counted(three, "asq3_overall")
    for possible in ("expected", "below"):
        assert cells.get((("overall", possible),), 0) == (possible == level)


def test_attendances_of_few_or_of_one_who_dominates_are_withheld_and_not_the_rest():
    lives = Lives()
    for number in range(40):
        lives.came("2024-01", "oral_health", f"child {number}")
        lives.came("2024-04", "oral_health", f"child {number}")
        lives.came("2024-04", "pairs", f"child {number}")
    for _ in range(60):
        lives.came("2024-01", "pairs", "child 1")
    measure = catalogue(UNTIL)["attendances"]
    with open_counter(*lives.batches(), UNTIL) as counter:
        linked, unsafe = count_attendances([measure], counter)
    dominated = (("quarter", "2024-Q1"), ("service", "pairs"))
    assert linked.counts[dominated] == 60
    assert dominated in unsafe
    assert (("quarter", "2024-Q1"), ("service", "oral_health")) not in unsafe
    done = protect("p", [measure], linked, b"", "r", policy=disclosure.SUPPRESSED, unsafe=unsafe)
    hidden = {cell for cell, value in done.cells.protected.items() if value == disclosure.HIDDEN}
    assert dominated in hidden
    assert len(hidden) > 1, "otherwise the margins would give it away"
    assert done.attack.too_tight == []


def test_what_a_child_did_with_somebody_else_s_family_counts_as_its_own_family_s():
    """The child has no known family. A neighbour, who has one, brought it."""
    lives = Lives()
    lives.came("2023-01", "pairs", "ann", "neighbour")
    lives.row("asq3", "2024-01", "ann", **dict.fromkeys(DOMAINS, True))
    lives.people["ann"], lives.people["neighbour"] = "", "another family"
    cells = counted(lives, "asq3_by_family_engaged")
    assert cells[("family_engaged", "engaged"),] == 1
    assert counted(lives, "asq3_overall")[("engaged", "engaged"),] == 1


def test_a_count_with_two_names_is_the_same_under_both_or_is_published_under_one(tmp_path):
    """Who has a row of attendance is who was reached. Two roundings would tell more than one, and
    suppression would show under one name what it hides under the other.
    """
    observations, links = partnership(1, 800).batches()
    names = ("reach_children", "reached_of_known", "linkage_rate")
    measures = {name: catalogue(UNTIL)[name] for name in names}
    done = {}
    for policy in (disclosure.ROUNDED, disclosure.SUPPRESSED):
        with open_counter([observations], [links], UNTIL) as counter:
            plan = CutPlan(policy, 1, "2024-06-30", measures, policy=policy)
            done[policy] = cut_release(plan, counter, b"s", tmp_path)
    cells = {item.population: item.cells.protected for item in done[disclosure.ROUNDED].populations}
    reached, known = cells["reached_child WHERE TRUE"], cells["linked_child WHERE TRUE"]
    both = [cell for cell in known if ("in_attendance", "reached") in cell]
    rest = {cell: tuple(p for p in cell if p[0] != "in_attendance") for cell in both}
    compared = [cell for cell in both if rest[cell] in reached]
    assert len(compared) > 10
    assert all(known[cell] == reached[rest[cell]] for cell in compared)
    release = read_release(tmp_path, disclosure.SUPPRESSED)
    assert release.manifest["left_out"] == ["reached_of_known"]
    assert set(release.measures) == {"reach_children", "linkage_rate"}


def test_nothing_sent_is_not_collected_and_nobody_counted_is_few(three, tmp_path):
    measures = {name: catalogue(UNTIL)[name] for name in ("reach_children", "breastfeeding")}
    with open_counter(*three.batches(), UNTIL) as counter:
        cut_release(CutPlan("r", 1, "2024-06-30", measures), counter, b"s", tmp_path)
    release = read_release(tmp_path, "r")
    assert answer(release, Question("breastfeeding")).cells[0].count.withheld == "not_collected"
    assert answer(release, Question("reach_children")).cells[0].count.withheld == "small"


def test_a_share_of_the_population_is_given_where_there_is_a_count_of_it(tmp_path):
    lives = Lives()
    for number in range(60):
        lives.came(
            "2024-01", "pairs", f"child {number}", residence="area" if number < 40 else "borough"
        )
    measure = catalogue(UNTIL)["reach_children"]
    denominators = parse_denominators(
        "of,residence,population\nchildren,area,400\n", measure.dimensions, "file"
    )
    with open_counter(*lives.batches(), UNTIL) as counter:
        cut_release(
            CutPlan("r", 1, "2024-06-30", {measure.id: measure}, denominators),
            counter,
            b"s",
            tmp_path,
        )
    cells = answer(read_release(tmp_path, "r"), Question("reach_children", ("residence",))).cells
    assert cells[0].estimate.value == pytest.approx(0.1, abs=0.025)
    assert cells[1].estimate.withheld == "no_population"


def test_a_sum_over_services_is_refused_because_people_do_not_sum(three, tmp_path):
    from childlink_analytics.errors import QuestionError

    measure = catalogue(UNTIL)["reach_children"]
    with open_counter(*three.batches(), UNTIL) as counter:
        cut_release(CutPlan("r", 1, "2024-06-30", {measure.id: measure}), counter, b"s", tmp_path)
    release = read_release(tmp_path, "r")
    with pytest.raises(QuestionError, match="do not sum"):
        answer(release, Question("reach_children", (), {"service": ("pairs", "oral_health")}))
    with pytest.raises(QuestionError, match="break down by quarter"):
        measure = catalogue(UNTIL)["participants"]
        with open_counter(*three.batches(), UNTIL) as counter:
            cut_release(
                CutPlan("r2", 2, "2024-06-30", {measure.id: measure}), counter, b"s", tmp_path
            )
        answer(read_release(tmp_path, "r2"), Question("participants", ("participation",)))


STEPS = """
[score_band]
title = "Score"
steps = { first = 0, last = 25, step = 5, whole = true }
after = { not_recorded = "Not recorded" }
"""
SCORES = """
[[population]]
id = "weighed"
title = "Births"
counts = "children"
dataset = "maternity"

[population.variables]
weeks = { attribute = "gestation", steps = "score_band" }

[[measure]]
id = "weeks"
title = "Weeks"
description = "Weeks."
population = "weighed"
columns = { score_band = "weeks" }
cubes = [["score_band", "sex"]]
mean = { dimension = "score_band" }
"""


def test_a_mean_is_of_those_with_a_recorded_value_and_can_be_asked_by_its_own_bands(tmp_path):
    folder = tmp_path / "catalogue"
    shutil.copytree(bundled(), folder)
    with (folder / "dimensions.toml").open("a") as file:
        file.write(STEPS)
    (folder / "measures" / "weeks.toml").write_text(SCORES)
    declared = Catalogue(folder)
    lives = Lives()
    for number in range(60):
        lives.row("maternity", "2024-01", f"c{number}", gestation=20 + number % 5, sex="female")
    for number in range(60, 100):
        lives.row("maternity", "2024-01", f"c{number}", sex="female")
    measure = declared.measures(UNTIL)["weeks"]
    with open_counter(*lives.batches(), UNTIL, declared=declared) as counter:
        cut_release(
            CutPlan("r", 1, "2024-06-30", {"weeks": measure}), counter, b"s", tmp_path / "out"
        )
    release = read_release(tmp_path / "out", "r")
    whole = answer(release, Question("weeks"))
    assert whole.cells[0].estimate.value == pytest.approx(22, abs=0.01)
    assert any("of those with a recorded value" in note for note in whole.notes)
    for by in (("score_band",), ("sex", "score_band")):
        cells = answer(release, Question("weeks", by)).cells
        assert [c.estimate.value for c in cells if c.categories[-1] == "20"][:1] == [22.0]
        assert all(c.estimate.value is None for c in cells if c.categories[-1] == "not_recorded")


def test_an_empty_store_can_be_cut(tmp_path):
    with open_counter(*Lives().batches(), UNTIL) as counter:
        cut_release(CutPlan("r", 1, "2024-06-30", catalogue(UNTIL)), counter, b"s", tmp_path)
    release = read_release(tmp_path, "r")
    assert all(not item.collected for item in release.measures.values() if item.measure.datasets)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("of,residense,population\n", "residense"),
        ("of,residence,population\nchildren,moon,3\n", "line 2"),
        ("of,residence,population\nchildren,area,some\n", "line 2"),
        ("of,residence,population\nchildren,area,3\nchildren,area,4\n", "line 3"),
    ],
)
def test_a_wrong_file_of_denominators_says_where(text, said):
    with pytest.raises(CatalogueError, match=said):
        parse_denominators(text, catalogue()["reach_children"].dimensions, "file")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[purpose]]\nid = "a"\n', "datasets"),
        (
            (
                '[[purpose]]\nid = "a"\ntitle = "A"\nlawful_basis = "b"\ndatasets = ["asq4"]\nuntil'
                " = 2027-01-01\n"
            ),
            "asq4",
        ),
        (
            (
                '[[purpose]]\nid = "a"\ntitle = "A"\nlawful_basis = "b"\ndatasets = []\nuntil ='
                ' "2027-01-01"\n'
            ),
            "quotes",
        ),
        ("[retention_months]\nasq3 = 0\n", "asq3"),
    ],
)
def test_a_wrong_register_of_purposes_says_what_is_wrong(text, said):
    with pytest.raises(CatalogueError, match=said):
        parse_purposes(text, all_datasets(), "register")


def test_link_cells_of_nothing_is_nothing():
    assert link_cells([]).counts == {}


def test_linked_rows_that_a_killed_cut_left_on_disk_are_taken_away_by_the_next_and_those_of_a_living_one_stay(  # noqa: E501
    tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead, living = tmp_path / "childlink-cut-dead", tmp_path / "childlink-cut-living"
    for folder in (dead, living):
        folder.mkdir()
        (folder / "held").touch()
        (folder / "duckdb_temp_storage.tmp").write_text("rows")
    observations, links = partnership(1, 5).batches()
    with (living / "held").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with open_counter([observations], [links], UNTIL):
            assert len(list(tmp_path.iterdir())) == 2, "the living child and this one"
        assert list(tmp_path.iterdir()) == [living]
