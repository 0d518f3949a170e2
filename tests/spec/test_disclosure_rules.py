"""What an analyst can see about a group of people (counts, percentages, means, changes, ratios and
adjusted figures), and when each figure is withheld.

Every figure is calculated from protected counts only: "<10", or a multiple of 5. "Protected" in a
table is the count in the release.
"""

import pytest
from childlink_analytics.answering.analyses import change, compare, inequality, pathways
from childlink_analytics.answering.estimates import Estimate
from childlink_analytics.answering.question import Question, answer
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.disclosure import HIDDEN, ROUNDED, SUPPRESSED
from childlink_analytics.shared.release_files import Published, Release
from childlink_catalogue.catalogue import catalogue

CATALOGUE = catalogue()


def release(measure, groups, policy=ROUNDED, **published):
    """A release of one measure, from the protected counts of its smallest groups and their sums."""
    cells: dict = {}
    for group, protected in groups.items():
        named = tuple(sorted(group))
        # A count is part of every margin of its group.
        for kept in range(2 ** len(named)):
            cell = tuple(item for at, item in enumerate(named) if kept >> at & 1)
            before = cells.get(cell, 0)
            cells[cell] = HIDDEN if HIDDEN in (before, protected) else before + protected
    return Release(
        "r1", 1, {}, {measure: Published(CATALOGUE[measure], cells, policy=policy, **published)}
    )


def shown(figure):
    """What an analyst reads: the figure, or the reason why there is none."""
    if isinstance(figure, Estimate):
        return figure.withheld if figure.value is None else round(figure.value, 2)
    return disclosure.RULES[f"estimate {figure.withheld}"] if figure.withheld else figure.value


def percentage_of(figure):
    """The same for a share."""
    return shown(figure) if figure.withheld else f"{figure.value:.0%}"


def as_shown(count):
    """The same for a count."""
    return {"small": "<10", "suppressed": "c"}.get(count.withheld, count.value)


UNDER_20 = "withheld, because the group is under 20."
ALL_OR_NONE = (
    "withheld, because nearly all or nearly none of the group are counted. The figure would"
    " reveal something about everyone in the group."
)
COUNT_WITHHELD = "withheld, because the count is withheld."
NO_PUBLIC_COUNT = "not given, because there is no public count of the group's population."


def of_adults(protected, policy=ROUNDED):
    """The only cell of a table of adults, with the symbol of the reason if it is withheld."""
    made = release("reach_adults", {(("residence", "area"),): protected}, policy)
    [cell] = answer(made, Question("reach_adults", ("residence",), {"residence": ("area",)})).cells
    return as_shown(cell.count)


@pytest.mark.parametrize(
    ("people", "may_be_shown_as"),
    [
        (0, ["<10"]),
        (1, ["<10"]),
        (7, ["<10"]),
        (8, ["<10", 10, 15]),
        (12, ["<10", 10, 15, 20]),
        (23, [15, 20, 25, 30]),
        (100, [95, 100, 105]),
    ],
)
def test_a_count_is_shown_as_a_multiple_of_5_and_1_to_7_only_as_under_10(people, may_be_shown_as):
    """One of the two values is drawn once, when the release is built, so that tables add up."""
    assert {of_adults(count) for count in disclosure.allowed_counts(people)} == set(may_be_shown_as)


@pytest.mark.parametrize(
    ("shown_as", "protected", "truly_at_least", "truly_at_most"),
    [("<10", [0, 5], 0, 14), ("10", [10], 8, 19), ("25", [25], 16, 34), ("100", [100], 91, 109)],
)
def test_a_shown_count_is_never_truly_of_1_to_7_and_off_by_at_most_9(
    shown_as, protected, truly_at_least, truly_at_most
):
    """For a reader who knows the rounding rule."""
    assert {str(of_adults(count)) for count in protected} == {shown_as}
    ends = [disclosure.possible_counts(count) for count in protected]
    assert (min(low for low, _ in ends), max(high for _, high in ends)) == (
        truly_at_least,
        truly_at_most,
    )


@pytest.mark.parametrize(
    ("protected_parts", "sum_is_shown_as"),
    [([10], 10), ([5, 5], "<10"), ([5, 5, 5], "<10"), ([20, 5], 25)],
)
def test_a_sum_of_groups_is_shown_only_where_it_cannot_truly_be_of_1_to_7(
    protected_parts, sum_is_shown_as
):
    places = ("area", "borough", "outside")[: len(protected_parts)]
    parts = {
        (("residence", place),): count for place, count in zip(places, protected_parts, strict=True)
    }
    [cell] = answer(
        release("reach_adults", parts), Question("reach_adults", (), {"residence": places})
    ).cells
    assert as_shown(cell.count) == sum_is_shown_as


@pytest.mark.parametrize(("people", "shown_as"), [(0, 0), (8, 10), (12, 10), (13, 15), (98, 100)])
def test_under_the_second_policy_a_count_that_is_not_withheld_is_the_nearest_multiple_of_5(
    people, shown_as
):
    assert of_adults(disclosure.nearest(people), SUPPRESSED) == shown_as


def test_under_the_second_policy_a_small_count_and_those_that_protect_it_have_one_sign():
    assert of_adults(HIDDEN, SUPPRESSED) == "c"


@pytest.mark.parametrize(
    ("attendances", "children", "most_by_one_child", "withheld"),
    [
        (40, 12, 10, False),
        (40, 7, 10, True),
        (40, 12, 21, True),
        (40, 12, 20, False),
        (0, 0, 0, False),
    ],
)
def test_attendances_are_withheld_where_1_to_7_children_make_them_or_one_makes_more_than_half(
    attendances, children, most_by_one_child, withheld
):
    assert disclosure.unsafe_attendances(attendances, children, most_by_one_child) is withheld


@pytest.mark.parametrize(
    ("protected_with", "protected_without", "percentage"),
    [
        (40, 10, "80%"),
        (10, 10, "50%"),
        (5, 10, UNDER_20),
        (5, 45, ALL_OR_NONE),
        (45, 5, ALL_OR_NONE),
        (50, 0, ALL_OR_NONE),
        (0, 50, ALL_OR_NONE),
    ],
)
def test_a_percentage_is_withheld_of_fewer_than_20_and_where_nearly_all_or_nearly_none_have_the_outcome(  # noqa: E501
    protected_with, protected_without, percentage
):
    """If all children of a group were below the expected level, the figure would reveal it about
    each of them.
    """
    groups = {
        (("imd_quintile", "1"), ("level", "expected")): protected_with,
        (("imd_quintile", "1"), ("level", "below")): protected_without,
    }
    asked = Question("asq3_overall", ("imd_quintile",), {"imd_quintile": ("1",)})
    [cell] = answer(release("asq3_overall", groups), asked).cells
    assert percentage_of(cell.estimate) == percentage


def test_a_percentage_is_withheld_under_the_second_policy_where_a_count_that_it_is_made_from_is():
    groups = {
        (("imd_quintile", "1"), ("level", "expected")): 40,
        (("imd_quintile", "1"), ("level", "below")): HIDDEN,
    }
    asked = Question("asq3_overall", ("imd_quintile",), {"imd_quintile": ("1",)})
    [cell] = answer(release("asq3_overall", groups, SUPPRESSED), asked).cells
    assert shown(cell.estimate) == "withheld, because a count that it needs is withheld."


@pytest.mark.parametrize(
    ("protected", "children_who_live_there", "percentage"),
    [
        (30, 300, "10%"),
        (30, None, NO_PUBLIC_COUNT),
        (30, 25, NO_PUBLIC_COUNT),
        (5, 300, COUNT_WITHHELD),
        (0, 15, UNDER_20),
    ],
)
def test_a_share_of_the_population_needs_a_public_count_of_at_least_20_and_a_count_that_is_shown(
    protected, children_who_live_there, percentage
):
    cell = (("residence", "area"),)
    # Another group has a public count, so that shares are given at all.
    public = {(("residence", "borough"),): 900} | (
        {cell: children_who_live_there} if children_who_live_there is not None else {}
    )
    made = release("reach_children", {cell: protected}, population=public)
    [found] = answer(
        made, Question("reach_children", ("residence",), {"residence": ("area",)})
    ).cells
    assert percentage_of(found.estimate) == percentage


@pytest.mark.parametrize(
    ("protected_with_one_session", "protected_with_2_or_3", "mean"),
    [(20, 20, 1.75), (10, 10, 1.75), (10, 5, UNDER_20), (0, 20, 2.5)],
)
def test_a_mean_is_made_from_the_middles_of_bands_and_withheld_of_fewer_than_20(
    protected_with_one_session, protected_with_2_or_3, mean
):
    groups = {
        (("residence", "area"), ("sessions", "1")): protected_with_one_session,
        (("residence", "area"), ("sessions", "2_to_3")): protected_with_2_or_3,
    }
    asked = Question("sessions_per_child", ("residence",), {"residence": ("area",)})
    [cell] = answer(release("sessions_per_child", groups), asked).cells
    assert shown(cell.estimate) == mean


def test_no_median_is_given_of_anything():
    """A median is one person's own value. Answers give shares, means of bands and rates, and no
    other estimates.
    """
    assert {item.estimate for item in CATALOGUE.values()} == {"", "share", "mean", "rate"}


@pytest.mark.parametrize(
    ("protected_at_0_percent", "protected_at_10_percent", "mean_change", "in_standard_deviations"),
    [
        (20, 20, 5.0, 0.99),
        (10, 10, 5.0, 0.97),
        (10, 5, "fewer than 20 have both questionnaires", "fewer than 20 have both questionnaires"),
        (0, 40, 10.0, "all people are in one band"),
    ],
)
def test_a_change_is_made_from_bands_of_ten_points_and_withheld_of_fewer_than_20(
    protected_at_0_percent, protected_at_10_percent, mean_change, in_standard_deviations
):
    groups = {
        (("band", "0"), ("instrument", "core10")): protected_at_0_percent,
        (("band", "10"), ("instrument", "core10")): protected_at_10_percent,
    }
    [row] = change(release("change_mental_health", groups), "change_mental_health", "")[1]
    assert (shown(row.change.mean), shown(row.change.standardised)) == (
        mean_change,
        in_standard_deviations,
    )


def test_a_change_is_withheld_under_the_second_policy_where_a_band_that_it_is_made_from_is():
    groups = {
        (("band", "0"), ("instrument", "core10")): 40,
        (("band", "10"), ("instrument", "core10")): HIDDEN,
    }
    [row] = change(release("change_mental_health", groups, SUPPRESSED), "change_mental_health", "")[
        1
    ]
    assert shown(row.change.mean) == "a count that it needs is withheld"
    assert row.change.p_value is None


FEW = "a group has fewer than 10 with or without the outcome"


@pytest.mark.parametrize(
    (
        "engaged_with",
        "engaged_without",
        "others_with",
        "others_without",
        "odds_ratio",
        "risk_ratio",
    ),
    [
        (200, 50, 150, 80, 2.13, 1.23),
        (200, 10, 150, 80, 10.67, 1.46),
        (200, 5, 150, 80, FEW, FEW),
        (5, 50, 150, 80, FEW, FEW),
        (200, 50, 150, 0, FEW, FEW),
    ],
)
def test_a_ratio_is_withheld_where_either_group_has_fewer_than_10_with_or_without_the_outcome(
    engaged_with, engaged_without, others_with, others_without, odds_ratio, risk_ratio
):
    found = compare(
        engaged([(engaged_with, engaged_without, others_with, others_without)]),
        "asq3_overall",
    )
    assert (shown(found.crude_odds_ratio), shown(found.crude_risk_ratio)) == (
        odds_ratio,
        risk_ratio,
    )


def engaged(strata):
    """A release that compares engaged children with others, stratum by stratum."""
    groups = {}
    for number, counts in enumerate(strata, start=1):
        sides = [
            (side, level) for side in ("engaged", "not_engaged") for level in ("expected", "below")
        ]
        for (side, level), protected in zip(sides, counts, strict=True):
            groups[("engaged", side), ("level", level), ("stratum", str(number))] = protected
    return release("asq3_overall", groups)


@pytest.mark.parametrize(
    ("engaged_in_the_second_stratum", "strata_used"),
    [((40, 20), 2), ((10, 10), 2), ((10, 5), 1), ((0, 0), 1)],
)
def test_an_adjusted_ratio_leaves_out_strata_where_a_side_is_under_20(
    engaged_in_the_second_stratum, strata_used
):
    """The answer says how many of the five strata were large enough."""
    found = compare(
        engaged([(200, 50, 150, 80), (*engaged_in_the_second_stratum, 60, 40)]), "asq3_overall"
    )
    assert found.strata_used == strata_used
    assert found.adjusted_odds_ratio.value is not None


def test_an_adjusted_ratio_is_withheld_where_every_stratum_is_too_small():
    found = compare(engaged([(10, 5, 10, 5)] * 5), "asq3_overall")
    assert shown(found.crude_odds_ratio) == 1.0
    assert shown(found.adjusted_odds_ratio) == "every stratum is too small"


def test_of_the_model_that_adjusts_only_fifths_of_its_score_are_published():
    """No coefficients and no individual scores: the model is fitted when a release is built,
    without the outcome, and is then discarded.
    """
    measure = CATALOGUE["asq3_overall"]
    assert list(measure.dimensions["stratum"].categories) == ["1", "2", "3", "4", "5"]
    assert [cube for cube in measure.cubes if "stratum" in cube] == [
        ("engaged", "level", "stratum")
    ]


def test_an_interval_allows_for_the_rounding_as_well_as_for_chance():
    by_rounding = {}
    for rounding_sd in (0.0, 3.0):
        made = release(
            "asq3_overall",
            {
                (("engaged", side), ("level", level)): protected
                for side, level, protected in (
                    ("engaged", "expected", 200),
                    ("engaged", "below", 50),
                    ("not_engaged", "expected", 150),
                    ("not_engaged", "below", 80),
                )
            },
            rounding_sd=rounding_sd,
        )
        by_rounding[rounding_sd] = compare(made, "asq3_overall").crude_odds_ratio
    assert (
        by_rounding[3.0].low < by_rounding[0.0].low < by_rounding[0.0].high < by_rounding[3.0].high
    )


@pytest.mark.parametrize(
    ("least_deprived_with", "least_deprived_without", "gap", "slope_index"),
    [(70, 30, 0.2, 0.25), (90, 10, 0.4, 0.45), (95, 5, FEW, FEW)],
)
def test_inequality_is_withheld_where_any_fifth_has_fewer_than_10_with_or_without_the_outcome(
    least_deprived_with, least_deprived_without, gap, slope_index
):
    fifths = [(50, 50), (55, 45), (60, 40), (65, 35), (least_deprived_with, least_deprived_without)]
    groups = {
        (("imd_quintile", str(number)), ("level", level)): protected
        for number, counts in enumerate(fifths, start=1)
        for level, protected in zip(("expected", "below"), counts, strict=True)
    }
    found = inequality(release("asq3_overall", groups), "asq3_overall", "imd_quintile")
    assert (shown(found.gap), shown(found.slope_index)) == (gap, slope_index)


@pytest.mark.parametrize(
    ("protected_next_baby_steps", "protected_next_pairs", "listed"),
    [(20, 10, ["baby_steps", "pairs"]), (20, 5, ["baby_steps"]), (5, 0, [])],
)
def test_a_pathway_lists_only_the_next_services_that_10_or_more_families_went_to(
    protected_next_baby_steps, protected_next_pairs, listed
):
    groups = {
        (("first_service", "oral_health"), ("next_service", name)): protected
        for name, protected in (
            ("baby_steps", protected_next_baby_steps),
            ("pairs", protected_next_pairs),
            ("none", 50),
        )
    }
    [found] = pathways(release("pathways", groups), "oral_health")[1]
    assert [name for name, _ in found.next] == listed
    assert found.others_withheld, "and never says that there are no others"


def test_what_no_partner_sends_is_not_collected_and_not_zero():
    made = release("breastfeeding", {}, collected=False)
    [cell] = answer(made, Question("breastfeeding")).cells
    assert (cell.count.withheld, shown(cell.estimate)) == ("not_collected", "not collected.")
