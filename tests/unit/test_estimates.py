"""Estimates agree with statsmodels, scipy and worked examples. If there is no valid estimate, the
answer says so.
"""

import math

import numpy as np
import pytest
from childlink_analytics.answering import estimates
from childlink_analytics.answering.analyses import compare, inequality
from childlink_analytics.errors import QuestionError
from childlink_analytics.releasing.counting.confounders import strata
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.release_files import Published, Release
from childlink_catalogue.catalogue import catalogue
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable, Table2x2

# Five strata of (engaged with the outcome, engaged without, not engaged with, not engaged without).
STRATA = [
    (120, 30, 200, 90),
    (80, 25, 150, 80),
    (60, 40, 70, 75),
    (200, 20, 90, 20),
    (45, 15, 30, 22),
]
TABLES = [np.array([[a, b], [c, d]], dtype=float) for a, b, c, d in STRATA]
STACKED = np.concatenate(TABLES)


def test_the_adjusted_odds_ratio_is_mantel_haenszels_and_its_interval_is_close_to_robins_breslow_and_greenlands():  # noqa: E501
    theirs = StratifiedTable(TABLES)
    assert estimates.odds_ratio(STACKED) == pytest.approx(theirs.oddsratio_pooled, rel=1e-12)
    ours = estimates.interval(estimates.odds_ratio, STACKED, 0.0, ratio=True)
    low, high = theirs.oddsratio_pooled_confint()
    assert (math.log(ours.low), math.log(ours.high)) == pytest.approx(
        (math.log(low), math.log(high)), abs=0.01
    )


def test_the_adjusted_risk_ratio_is_mantel_haenszels():
    assert estimates.risk_ratio(STACKED) == pytest.approx(
        StratifiedTable(TABLES).riskratio_pooled, rel=1e-12
    )


@pytest.mark.parametrize("table", TABLES)
def test_crude_ratios_and_their_intervals_are_those_of_a_two_by_two_table(table):
    theirs = Table2x2(table)
    for figure, value, ends in (
        (estimates.odds_ratio, theirs.oddsratio, theirs.oddsratio_confint()),
        (estimates.risk_ratio, theirs.riskratio, theirs.riskratio_confint()),
    ):
        ours = estimates.interval(figure, table, 0.0, ratio=True)
        assert (ours.value, ours.low, ours.high) == pytest.approx((value, *ends), rel=1e-3)


def test_rounding_widens_an_interval_and_moves_no_figure():
    without, with_rounding = (
        estimates.interval(estimates.odds_ratio, STACKED, sd, ratio=True) for sd in (0.0, 3.0)
    )
    assert with_rounding.value == without.value
    assert with_rounding.low < without.low < without.high < with_rounding.high


def test_intervals_with_rounding_cover_the_truth_19_times_in_20():
    rng = np.random.default_rng(1)
    chances = np.array([0.8, 0.72])
    true = math.log(0.8 / 0.2 / (0.72 / 0.28))
    hits = 0
    for _ in range(1_500):
        with_outcome = rng.binomial(300, chances)
        exact = np.column_stack([with_outcome, 300 - with_outcome]).astype(float)
        found = estimates.interval(
            estimates.odds_ratio, exact + rng.normal(0, 2.0, (2, 2)), 2.0, ratio=True
        )
        hits += math.log(found.low) <= true <= math.log(found.high)
    assert 0.935 < hits / 1_500 < 0.97


def test_the_interval_of_a_share_is_wilsons_and_that_of_a_mean_is_students():
    from statsmodels.stats.proportion import proportion_confint

    for part, rest in ((360, 140), (12, 18), (3, 97), (50, 0)):
        low, high = proportion_confint(part, part + rest, method="wilson")
        assert estimates.of_share(part, rest, 0.0, 0.0) == pytest.approx((low, high), abs=1e-9)
    middles, counts = [5.0, 15.0, 25.0], [4, 9, 7]
    scores = np.repeat(middles, counts)
    expected = stats.t.interval(0.95, 19, scores.mean(), stats.sem(scores))
    assert estimates.of_mean(middles, counts, 0.0) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("truth", [0.1, 0.3, 0.72, 0.95])
@pytest.mark.parametrize("people", [60, 250, 2_000])
def test_the_interval_of_a_rounded_share_covers_the_truth_19_times_in_20(truth, people):
    """Counts are moved to a multiple of five at most nine away, as a release does."""
    rng = np.random.default_rng(people)
    covered = 0
    for _ in range(600):
        part = int(rng.binomial(people, truth))
        shown = [5 * max(0, round((n + rng.normal(0.0, 2.5)) / 5)) for n in (part, people - part)]
        low, high = estimates.of_share(*shown, 3.0, 3.0)
        covered += low <= truth <= high
    assert covered / 600 >= 0.93


def test_a_share_of_a_population_has_a_narrower_interval_the_more_people_there_are():
    widths = [
        high - low for low, high in (estimates.of_rate(n / 4, n, 3.0) for n in (60, 600, 6_000))
    ]
    assert widths == sorted(widths, reverse=True)


def test_a_change_is_that_of_a_paired_t_test():
    middles, counts = [-15.0, -5.0, 5.0, 15.0, 25.0, 35.0], [5, 20, 45, 60, 30, 10]
    theirs = stats.ttest_1samp(np.repeat(middles, counts), 0.0)
    ends = theirs.confidence_interval(0.95)
    ours = estimates.change(middles, counts, 0.0)
    assert (ours.mean.value, ours.mean.low, ours.mean.high) == pytest.approx(
        (np.repeat(middles, counts).mean(), ends.low, ends.high)
    )
    assert ours.p_value == pytest.approx(theirs.pvalue)
    everyone = np.repeat(middles, counts)
    assert ours.standardised.value == pytest.approx(everyone.mean() / everyone.std(ddof=1))


def test_the_slope_index_is_that_of_an_example_worked_by_hand():
    """Five equal fifths with shares of 50, 55, 60, 65 and 70%. The line runs from 47.5 to 72.5%,
    which is 25 points; relative to the mean of 60%, 5/12.
    """
    fifths = np.array([[50.0, 50.0], [55.0, 45.0], [60.0, 40.0], [65.0, 35.0], [70.0, 30.0]])
    assert estimates.slope_index(fifths) == pytest.approx(0.25)
    assert estimates.relative_index(fifths) == pytest.approx(0.25 / 0.60)
    assert estimates.gap(fifths) == pytest.approx(0.20)
    assert estimates.share_ratio(fifths) == pytest.approx(1.4)


def test_the_slope_index_of_unequal_groups_is_the_weighted_least_squares_slope_on_mid_ranks():
    import statsmodels.api as sm

    groups = np.array([[300.0, 100.0], [180.0, 40.0], [90.0, 30.0], [200.0, 20.0], [75.0, 5.0]])
    sizes = groups.sum(axis=1)
    ranks = (np.cumsum(sizes) - sizes / 2) / sizes.sum()
    theirs = sm.WLS(groups[:, 0] / sizes, sm.add_constant(ranks), weights=sizes).fit()
    assert estimates.slope_index(groups) == pytest.approx(theirs.params[1])


# Public Health England's R package PHEindicatormethods,
# https://github.com/ukhsa-collaboration/PHEindicatormethods at commit 093fd28 (version 2.1.0):
# tests/testthat/testdata_SII.xlsx, "proportion (e.g. child obesity) - default parameters", records
# 91 to 110. They hold the children measured and obese by decile of deprivation, the most deprived
# first, and the values that its test of phe_sii expects: sii, rii and the 95% limits of sii.
PHE_AREAS = {
    "area1": (
        [34353, 32112, 27715, 25372, 23889, 23260, 23180, 24193, 23609, 24488],
        [7287, 6881, 5656, 4868, 4176, 3876, 3617, 3546, 3314, 2960],
        (-0.10720032333730493, 0.53340153064655071, -0.11220857220984691, -0.1021798062145461),
    ),
    "area2": (
        [36111, 31803, 26681, 24184, 23023, 21506, 22197, 23679, 23271, 23464],
        [4362, 3734, 3032, 2561, 2304, 2024, 1938, 1981, 1856, 1635],
        (-0.0581854710713103, 0.54701284615554346, -0.0621662957088585, -0.0541745477312943),
    ),
}


@pytest.mark.parametrize("area", PHE_AREAS)
def test_the_slope_index_and_its_interval_are_those_that_public_health_england_publishes(area):
    """The package multiplies both sides by the square root of a group's share of the population,
    which is our weight. Its limits are simulated, ours use the delta method.
    """
    measured, obese, (sii, _, low, high) = PHE_AREAS[area]
    deciles = np.column_stack([obese, np.subtract(measured, obese)]).astype(float)
    found = estimates.interval(estimates.slope_index, deciles, 0.0, ratio=False)
    assert found.value == pytest.approx(sii, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((low, high), abs=2e-4)


@pytest.mark.parametrize("area", PHE_AREAS)
def test_public_health_englands_relative_index_follows_from_ours(area):
    """The package divides the upper end of the fitted line by the lower end. We divide the line's
    rise by the mean (Mackenbach and Kunst).
    """
    measured, obese, (_, rii, *_) = PHE_AREAS[area]
    ours = estimates.relative_index(
        np.column_stack([obese, np.subtract(measured, obese)]).astype(float)
    )
    assert (2 + ours) / (2 - ours) == pytest.approx(rii, abs=1e-12)


@pytest.mark.parametrize(
    "counts",
    [
        [[40.0, 0.0], [30.0, 10.0]],
        [[40.0, 10.0], [0.0, 30.0]],
        [[0.0, 0.0], [30.0, 10.0]],
        [[0.0, 0.0], [0.0, 0.0]],
        [[40.0, 0.0], [30.0, 0.0]],
    ],
)
@pytest.mark.parametrize(
    "figure", [estimates.odds_ratio, estimates.risk_ratio, estimates.share_ratio, estimates.gap]
)
def test_separation_and_empty_groups_never_give_a_number_that_is_not_finite(counts, figure):
    found = estimates.interval(figure, np.array(counts), 2.0, ratio=figure is not estimates.gap)
    assert (
        found.withheld
        if found.value is None
        else all(map(math.isfinite, (found.value, found.low, found.high)))
    )


def test_too_few_or_all_alike_have_no_change_or_no_p():
    few = estimates.change([0.0, 10.0], [9, 10], 2.0)
    assert few.mean.value is few.standardised.value is few.p_value is None
    assert "fewer than 20" in few.mean.withheld
    alike = estimates.change([0.0, 10.0], [0, 50], 2.0)
    assert alike.p_value is alike.standardised.value is None
    assert "one band" in alike.standardised.withheld
    assert estimates.change([], [], 2.0).mean.value is None


@pytest.mark.parametrize(
    "shown", [(200, 5, 150, 50), (200, 0, 150, 50), (0, 0, 150, 50), (5, 5, 5, 5)]
)
def test_a_comparison_with_too_few_on_a_side_is_withheld_and_says_so(shown):
    found = compare(release(shown), "asq3_overall")
    for estimate in (
        found.crude_odds_ratio,
        found.crude_risk_ratio,
        found.adjusted_odds_ratio,
        found.adjusted_risk_ratio,
    ):
        assert estimate.value is None
        assert estimate.withheld


def test_a_comparison_with_enough_on_each_side_is_given():
    found = compare(release((200, 50, 150, 80)), "asq3_overall")
    assert found.crude_odds_ratio.value == pytest.approx(200 * 80 / (50 * 150))
    assert found.crude_odds_ratio.value > found.crude_risk_ratio.value > 1


def missed_links_hide(part_of_engaged, counts, rng):
    """The counts if so many of the engaged, whatever their outcome, stand among the others."""
    hidden = rng.binomial(counts[:2], part_of_engaged)
    return (*(counts[:2] - hidden), *(counts[2:] + hidden))


def test_a_ratio_corrected_for_missed_links_is_that_of_all_links():
    """90 of 100 engaged children are seen: (450, 50) became (405, 45), and the rest is added."""
    seen = release((405, 45, 300 + 45, 200 + 5))
    found = compare(seen, "asq3_overall", missed=0.1)
    assert found.crude_odds_ratio.value == pytest.approx(405 * 205 / (45 * 345))
    assert found.corrected_odds_ratio.value == pytest.approx(450 * 200 / (50 * 300))
    assert found.corrected_risk_ratio.value == pytest.approx(0.9 / 0.6)
    assert "10% of the first group" in " ".join(found.notes)


def test_the_corrected_interval_covers_the_planted_effect_in_95_of_100_worlds_and_the_other_not():
    """500 worlds in which 15 of 100 links are missed. The planted odds ratio is 3."""
    rng = np.random.default_rng(3)
    covered = {"adjusted_odds_ratio": 0, "corrected_odds_ratio": 0}
    width = []
    for _ in range(500):
        engaged, others = rng.binomial(2_000, 0.9), rng.binomial(1_000, 0.75)
        true = np.array([engaged, 2_000 - engaged, others, 1_000 - others])
        seen = missed_links_hide(0.15, true, rng)
        found = compare(release(tuple(5 * round(n / 5) for n in seen)), "asq3_overall", 0.15)
        for name in covered:
            ratio = getattr(found, name)
            covered[name] += ratio.low <= 3.0 <= ratio.high
        exact = compare(release(tuple(5 * round(n / 5) for n in true)), "asq3_overall")
        widths = [math.log(r.high / r.low) for r in (ratio, exact.adjusted_odds_ratio)]
        width.append(widths[0] / widths[1])
    assert 0.93 <= covered["corrected_odds_ratio"] / 500 <= 0.97
    assert covered["adjusted_odds_ratio"] / 500 < 0.6
    assert np.median(width) < 1.5


def test_a_stratum_that_is_too_small_for_it_does_not_stop_a_correction():
    """The second stratum has 10 others below the level, and would lose more than it has."""
    counts = np.array([[405, 45], [345, 205], [200, 120], [40, 10]], dtype=float)
    together = counts[0::2].sum(axis=0), counts[1::2].sum(axis=0)
    fixed = estimates.recovered(np.stack(together), 0.1)
    found = estimates.corrected(estimates.odds_ratio, 0.1)(counts)
    change = estimates.odds_ratio(fixed) / estimates.odds_ratio(np.stack(together))
    assert (estimates.recovered(counts, 0.1) < 0).any()
    assert found == pytest.approx(estimates.odds_ratio(counts) * change)
    assert found > estimates.odds_ratio(counts)


def test_without_a_share_of_missed_links_nothing_is_corrected():
    found = compare(release((200, 50, 150, 80)), "asq3_overall")
    assert found.corrected_odds_ratio is found.corrected_risk_ratio is None
    assert "orrected" not in " ".join(found.notes)


def test_more_links_than_the_other_group_has_cannot_be_missed():
    found = compare(release((900, 100, 50, 30)), "asq3_overall", missed=0.3)
    assert "so many cannot be missed: with more than 4.3%" in found.corrected_odds_ratio.withheld
    assert compare(release((900, 100, 50, 30)), "asq3_overall", 0.04).corrected_odds_ratio.value
    assert found.adjusted_odds_ratio.value is not None


@pytest.mark.parametrize("share", [-0.1, 0.5, 2.0, math.nan])
def test_a_share_of_missed_links_is_from_0_to_below_a_half(share):
    with pytest.raises(QuestionError, match=r"from 0 to below 0\.5"):
        compare(release((200, 50, 150, 80)), "asq3_overall", missed=share)


def test_inequality_over_an_empty_group_is_withheld():
    found = inequality(release((200, 50, 150, 80)), "asq3_overall", "imd_quintile")
    assert all(
        e.value is None and e.withheld
        for e in (found.gap, found.ratio, found.slope_index, found.relative_index)
    )


def release(shown):
    """A release with one comparison, all in one stratum, and nothing by deprivation."""
    measure = catalogue()["asq3_overall"]
    sides = [(e, level) for e in ("engaged", "not_engaged") for level in ("expected", "below")]
    cells: dict = {}
    for (engaged, level), count in zip(sides, shown, strict=True):
        for cell in (
            (("engaged", engaged), ("level", level)),
            (("engaged", engaged), ("level", level), ("stratum", "3")),
        ):
            cells[cell] = count
    return Release("r", 1, {}, {"asq3_overall": Published(measure, cells)})


def test_rates_without_a_denominator_are_withheld_and_say_why():
    assert disclosure.show_rate(disclosure.group([50]), None).withheld == "no_population"
    assert disclosure.show_rate(disclosure.group([50]), 0).withheld == "no_population"
    assert disclosure.show_rate(disclosure.group([50]), 40).withheld == "no_population", (
        "more than there are"
    )


def test_strata_of_the_score_stay_finite_under_separation_and_without_anybody():
    assert strata([], [], []) == []
    assert strata([("1",), ("5",)], [0, 0], [10, 10]) == ["3", "3"], "no child came"
    assert strata([("1",), ("5",)], [10, 10], [10, 10]) == ["3", "3"], "all children came"
    separated = strata([("1",), ("5",)], [100, 0], [100, 100])
    assert separated[0] > separated[1]
