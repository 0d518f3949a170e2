"""Two groups side by side: what is compared, with which interval, and what is never shown."""

import pytest
from childlink_analytics.answering.contrasts import contrast
from childlink_analytics.errors import QuestionError
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.release_files import Published, Release
from childlink_catalogue.catalogue import catalogue, current

MEASURES, TABLES = catalogue(), current().tables()
REACH, SHARE = MEASURES["reach_children"], MEASURES["asq3_places_over_time"]
AREA, BOROUGH = {"residence": ("area",)}, {"residence": ("borough",)}


def release(*published):
    return Release("r1", 1, {}, {item.measure.id: item for item in published})


def counted(measure, *cells, **more):
    return Published(measure, {tuple(sorted(cell.items())): n for cell, n in cells}, **more)


def reached(area, borough):
    cells = (
        ({}, area + borough),
        ({"residence": "area"}, area),
        ({"residence": "borough"}, borough),
    )
    return release(counted(REACH, *cells, rounding_sd=2.0))


def levels(**shares):
    """Children at and below the expected level, by place and year: (expected, below)."""
    cells = []
    for place, years in shares.items():
        for year, (expected, below) in years.items():
            where = {"residence": place, "financial_year": year}
            cells += [
                (where, expected + below),
                ({**where, "level": "expected"}, expected),
                ({**where, "level": "below"}, below),
            ]
    return release(counted(SHARE, *cells, rounding_sd=2.0))


def test_two_counts_give_their_difference_and_ratio_with_byar_s_intervals():
    [row] = contrast(reached(300, 100), "reach_children", "", AREA, BOROUGH).rows
    assert (row.difference.value, row.ratio.value) == (200, 3.0)
    assert row.difference.low < 200 - 1.96 * 20 < row.difference.high
    # For large counts nearly the interval on the logarithmic scale: exp(1.96 sqrt(1/300 + 1/100)).
    assert row.ratio.low == pytest.approx(3.0 / 1.254, rel=0.03)
    assert row.ratio.high == pytest.approx(3.0 * 1.254, rel=0.03)


def test_a_contrast_needs_two_different_groups_that_a_measure_is_published_by():
    with pytest.raises(QuestionError, match="both groups are the same"):
        contrast(reached(300, 100), "reach_children", "", AREA, AREA)
    with pytest.raises(QuestionError, match="has no category"):
        contrast(reached(300, 100), "reach_children", "", AREA, {"residence": ("moon",)})
    with pytest.raises(QuestionError, match="both the breakdown and a group"):
        contrast(reached(300, 100), "reach_children", "residence", AREA, BOROUGH)


def test_a_withheld_count_leaves_no_difference_and_no_ratio():
    [row] = contrast(reached(300, 5), "reach_children", "", AREA, BOROUGH).rows
    assert row.against.count.value is None
    assert row.difference.value is None
    assert row.ratio.withheld == "a group is too small to be shown"


def test_the_change_of_one_place_beyond_that_of_another_is_a_difference_in_differences():
    found = contrast(
        levels(
            area={"2021/22": (600, 400), "2023/24": (700, 300)},
            borough={"2021/22": (600, 400), "2023/24": (650, 350)},
        ),
        SHARE.id,
        "residence",
        {"financial_year": ("2023/24",)},
        {"financial_year": ("2021/22",)},
    )
    area, borough = found.rows[:2]
    assert found.figure == "share"
    assert (round(area.difference.value, 3), round(borough.difference.value, 3)) == (0.1, 0.05)
    assert area.beyond_first is None
    assert round(borough.beyond_first.value, 3) == -0.05
    # Four independent shares of 1,000 children: 1.96 times the root of their variances.
    reach = 1.96 * (2 * 0.24 / 1000 + 0.21 / 1000 + 0.2275 / 1000) ** 0.5
    assert borough.beyond_first.high - borough.beyond_first.value == pytest.approx(reach, rel=0.05)


def test_pounds_for_each_family_are_a_ratio_and_no_difference():
    money, families = TABLES["service_costs"], MEASURES["reach_families"]
    found = contrast(
        release(
            Published(money, {(): 1_000_000}, rounding_sd=0.0, policy=disclosure.PUBLIC),
            counted(families, ({}, 500), rounding_sd=2.0),
        ),
        money.id,
        "",
        {},
        {},
        families.id,
    )
    [row] = found.rows
    assert row.ratio.value == 2_000
    assert row.ratio.low < 2_000 < row.ratio.high
    assert row.difference.withheld == "the units differ"
    assert "pounds to families" in " ".join(found.notes)


def test_one_who_may_be_in_both_groups_is_said_to_be():
    quarters = ({"visit_quarter": ("2023-Q1",)}, {"visit_quarter": ("2020-Q1",)})
    people = MEASURES["reach_people"]
    cells = [({name: kept}, 100) for group in quarters for name, (kept,) in group.items()]
    found = contrast(release(counted(people, ({}, 150), *cells)), people.id, "", *quarters)
    assert found.rows[0].ratio.value == 1.0
    assert any("may be in both groups" in note for note in found.notes)


def test_a_group_beside_everybody_is_said_to_be_part_of_it():
    found = contrast(reached(300, 100), "reach_children", "", AREA, {})
    assert found.rows[0].ratio.value == 0.75
    assert any("may be in both groups" in note for note in found.notes)
