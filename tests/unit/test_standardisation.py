"""Shares of groups as if all were mixed alike: what is weighted by what, and what is withheld."""

import itertools
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from childlink_analytics.answering.standardisation import standardise
from childlink_analytics.errors import QuestionError
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.release_files import Published, Release
from childlink_catalogue.catalogue import catalogue

MEASURE = catalogue()["asq3_by_family_engaged"]
FIFTHS = ("1", "2", "3", "4", "5")


def release(groups, rounding_sd=2.0, **more):
    """`groups`: for each group, by fifth, the children at or above and below the level."""
    cells = defaultdict(int)
    for name, fifths in groups.items():
        for fifth, counts in zip(FIFTHS, fifths, strict=False):
            for level, number in zip(("expected", "below"), counts, strict=True):
                named = (("engaged", name), ("imd_quintile", fifth), ("level", level))
                for kept in itertools.product((True, False), repeat=3):
                    cells[tuple(itertools.compress(named, kept))] += number
    item = Published(MEASURE, dict(cells), rounding_sd=rounding_sd, **more)
    return Release("r1", 1, {}, {MEASURE.id: item})


def asked(groups, **more):
    return standardise(release(groups, **more), MEASURE.id, "engaged", "imd_quintile")


def test_a_groups_share_in_each_stratum_is_weighted_by_how_many_of_all_people_are_in_it():
    # In each fifth both groups fare alike: .5 and .8. The engaged are poorer.
    found = asked({"engaged": [(400, 400), (160, 40)], "not_engaged": [(100, 100), (640, 160)]})
    engaged, others = found.rows
    assert [round(row.crude.value, 3) for row in found.rows] == [0.56, 0.74]
    assert engaged.standardised.value == pytest.approx(0.65)
    assert others.standardised.value == pytest.approx(0.65)
    assert (engaged.count.value, others.count.value) == (1000, 1000)
    assert "2 of 6 strata are large enough" in found.notes[1]
    assert "hold 100% of all people" in found.notes[1]


def test_its_interval_is_that_of_a_weighted_sum_of_binomial_shares():
    """Breslow & Day (1987), chapter 2: each stratum's variance by its weight squared."""
    found = asked(
        {"engaged": [(400, 400), (160, 40)], "not_engaged": [(100, 100), (640, 160)]},
        rounding_sd=0.0,
    )
    variance = 0.5**2 * (0.5 * 0.5 / 800 + 0.8 * 0.2 / 200)
    high = found.rows[0].standardised.high
    assert high == pytest.approx(0.65 + 1.96 * np.sqrt(variance), abs=1e-4)


def test_the_interval_covers_the_truth_in_95_of_100_worlds():
    rng = np.random.default_rng(11)
    levels, covered, worlds = (0.4, 0.55, 0.7, 0.75, 0.9), 0, 400
    sizes = {"engaged": (300, 200, 150, 120, 100), "not_engaged": (80, 100, 150, 200, 300)}
    weights = np.add(*sizes.values()) / np.add(*sizes.values()).sum()

    def rounded(count):
        return 5 * round(count / 5)

    for _ in range(worlds):
        drawn = {
            name: [
                (rounded(n), rounded(size - n))
                for n, size in zip(rng.binomial(of, levels), of, strict=True)
            ]
            for name, of in sizes.items()
        }
        row = asked(drawn, rounding_sd=5 / 12**0.5).rows[0].standardised
        covered += row.low <= float(weights @ levels) <= row.high
    assert 0.92 <= covered / worlds <= 0.98


def test_a_stratum_that_is_too_small_in_one_group_counts_for_no_group():
    found = asked(
        {
            "engaged": [(400, 400), (160, 40), (10, 0)],
            "not_engaged": [(100, 100), (640, 160), (60, 60)],
        }
    )
    assert "2 of 6 strata are large enough" in found.notes[1]
    assert "94% of all people" in found.notes[1]
    assert found.rows[0].standardised.value == pytest.approx(0.65)


def test_a_group_that_is_too_small_takes_no_strata_away_from_the_others():
    found = asked({"engaged": [(400, 400), (160, 40)], "not_engaged": [(15, 15), (640, 160)]})
    small = asked({"engaged": [(400, 400), (160, 40)], "not_engaged": [(15, 5), (5, 5)]})
    assert found.rows[1].standardised.value is not None
    assert small.rows[1].standardised.withheld == "its strata are too small"
    assert small.rows[0].standardised.value == pytest.approx(0.5 * 820 / 1030 + 0.8 * 210 / 1030)


def test_where_the_size_of_a_stratum_is_withheld_nothing_is_standardised():
    groups = {"engaged": [(400, 400), (160, 40)], "not_engaged": [(100, 100), (640, 160)]}
    held = release(groups, policy=disclosure.SUPPRESSED).measures[MEASURE.id]
    hidden = (("imd_quintile", "2"), ("level", "below"))
    held = replace(held, cells={**held.cells, hidden: disclosure.HIDDEN})
    found = standardise(
        Release("r1", 1, {}, {MEASURE.id: held}), MEASURE.id, "engaged", "imd_quintile"
    )
    assert {row.standardised.withheld for row in found.rows} == {
        "the size of a stratum is withheld"
    }


def test_people_of_no_recorded_group_are_left_out_and_the_answer_says_so():
    found = standardise(
        release({"engaged": [(400, 400)], "not_engaged": [(100, 100)]}),
        MEASURE.id,
        "imd_quintile",
        "engaged",
    )
    assert found.rows[-1].standardised.withheld == "people of no recorded group are left out"


def test_what_is_not_collected_is_said():
    groups = {"engaged": [(400, 400), (160, 40)], "not_engaged": [(100, 100), (640, 160)]}
    nothing = asked(groups, collected=False)
    assert {row.standardised.withheld for row in nothing.rows} == {"not collected"}
    assert {row.count.withheld for row in nothing.rows} == {"not_collected"}


@pytest.mark.parametrize(
    ("by", "standard", "says"),
    [
        ("engaged", "engaged", "both the groups and the strata"),
        ("engaged", "", "two dimensions are needed"),
        ("", "imd_quintile", "two dimensions are needed"),
        ("level", "imd_quintile", "the share is of level"),
        ("imd_quintile", "ethnicity", "not published by"),
        ("engaged", "no_such", "no_such"),
    ],
)
def test_a_question_that_cannot_be_answered_says_what_can(by, standard, says):
    groups = {"engaged": [(400, 400), (160, 40)], "not_engaged": [(100, 100), (640, 160)]}
    with pytest.raises(QuestionError, match=says):
        standardise(release(groups), MEASURE.id, by, standard)


def test_only_a_share_can_be_standardised():
    reach = catalogue()["reach_children"]
    held = Release("r1", 1, {}, {reach.id: Published(reach, {})})
    with pytest.raises(QuestionError, match="has no share"):
        standardise(held, reach.id, "residence", "imd_quintile")
