"""How complete a release's data is: what is told of rows, and why figures changed."""

import pytest
from childlink_analytics.shared.completeness import (
    about,
    between,
    completeness,
    data_notes,
    few,
    since,
    since_notes,
)

SECRET = b"s" * 32
QUARTERS = between("2023-Q1", "2024-Q2")


def test_rows_are_told_in_hundreds_and_are_right_on_average():
    told = [about(150, SECRET, f"cell {at}") for at in range(2_000)]
    assert set(told) == {100, 200}
    assert sum(told) / len(told) == pytest.approx(150, abs=5)
    assert about(150, SECRET, "a cell") == about(150, SECRET, "a cell")


def test_a_quarter_with_a_few_rows_looks_like_one_without_any_97_times_in_a_hundred():
    rows = {("asq3", "trust", "2023-Q1"): 400, ("asq3", "trust", "2023-Q2"): 0}
    assert "2023-Q2" not in completeness(rows, SECRET)["asq3"]["trust"]
    told = [about(3, SECRET, f"cell {at}") for at in range(2_000)]
    assert set(told) == {0, 100}
    assert told.count(100) / len(told) == pytest.approx(0.03, abs=0.015)


def test_a_quarter_without_rows_between_others_with_many_is_a_gap():
    assert few({"2023-Q3": 400, "2023-Q4": 300, "2024-Q2": 500}) == ["2024-Q1"]
    assert few({}) == []


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (dict.fromkeys(QUARTERS, 400), "trust, 2023-Q1 to 2024-Q2."),
        (
            {quarter: 400 for quarter in QUARTERS if quarter != "2023-Q3"},
            "trust, 2023-Q1 to 2024-Q2 (few in 2023-Q3).",
        ),
        (
            {"2023-Q1": 400, "2023-Q4": 400, "2024-Q2": 400},
            "trust, 2023-Q1 to 2024-Q2 (few in 2023-Q2 and 2 other quarters).",
        ),
        # A usual quarter of a small dataset is near a hundred: that is no gap.
        ({"2023-Q1": 100, "2023-Q3": 200}, "trust, 2023-Q1 to 2023-Q3."),
        # What comes once a year has no gaps.
        ({"2020-Q3": 900, "2021-Q3": 900, "2022-Q3": 900}, "trust, 2020-Q3 to 2022-Q3."),
        ({}, "trust, few in each quarter."),
    ],
)
def test_an_answer_says_whose_rows_it_rests_on_and_where_there_are_few(rows, says):
    facts = {"completeness": {"asq3": {"trust": rows}}}
    assert data_notes(facts, ["asq3"]) == [f"Rows of asq3: {says}"]


def test_many_datasets_are_counted_and_a_release_that_does_not_know_says_nothing():
    facts = {"completeness": {name: {} for name in "abc"}}
    assert data_notes(facts, list("abc")) == [
        "Its rows are of 3 datasets. `describe` tells how complete each is."
    ]
    assert data_notes({}, ["asq3"]) == []


def manifest(rows, **more):
    return {
        "release_id": "2024-Q1",
        "data_until": "2024-03-31",
        "parameter_version": "a",
        "policy_id": "p",
        "catalogue": {"id": "leap", "version": 3},
        "completeness": {"asq3": {"trust": rows}},
    } | more


def test_rows_that_came_late_are_told_and_new_quarters_are_not_late():
    before = manifest({"2023-Q4": 400})
    now = manifest({"2023-Q4": 700, "2024-Q1": 500, "2024-Q2": 500}, data_until="2024-06-30")
    named = since(before, now)
    assert named == {"release": "2024-Q1", "late": {"asq3": 800}, "gone": {}}
    assert since_notes(named) == [
        "Rows of quarters that 2024-Q1 had too came late: about 800 of asq3."
    ]
    assert since_notes(named, {"eyfs"}) == []


def test_late_rows_of_one_partner_do_not_hide_that_anothers_are_gone():
    before = manifest({}, completeness={"asq3": {"a": {"2023-Q4": 500}, "b": {"2023-Q4": 300}}})
    now = manifest({}, completeness={"asq3": {"a": {"2023-Q4": 900}}})
    named = since(before, now)
    assert (named["late"], named["gone"]) == ({"asq3": 400}, {"asq3": 300})
    assert "are gone: about 300 of asq3" in " ".join(since_notes(named))


def test_other_parameters_another_policy_and_another_catalogue_are_told():
    same = {"2023-Q4": 400}
    now = manifest(
        same, parameter_version="b", policy_id="q", catalogue={"id": "leap", "version": 4}
    )
    said = " ".join(since_notes(since(manifest(same), now)))
    assert "other match parameters: b, before it a." in said
    assert "another policy: q, before it p." in said
    assert "definitions may differ: leap 4, before it leap 3." in said


def test_where_nothing_differs_nothing_is_said():
    same = manifest({"2023-Q4": 400})
    assert since_notes(since(same, same)) == []
    assert since_notes({}) == []
    old = {"release_id": "r1", "data_until": "2023-12-31"}
    assert since_notes(since(old, manifest({}))) == []
