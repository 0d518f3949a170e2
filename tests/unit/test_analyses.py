"""What an analysis calculates from a release's cells. It shows nothing that a question would
withhold, and uses no count that is withheld.
"""

from dataclasses import replace

import pytest
from childlink.analytics.v1 import analytics_pb2 as pb
from childlink_analytics.answering import analyses as study
from childlink_analytics.answering import messages
from childlink_analytics.answering.question import Question, answer
from childlink_analytics.errors import QuestionError
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.release_files import Published, Release
from childlink_catalogue.catalogue import catalogue
from childlink_client.analyses.change import Change
from childlink_client.analyses.pathways import Pathways
from childlink_client.analyses.trend import Trend, TrendPoint
from childlink_client.answers import Answer
from childlink_client.values import Cell, Measure
from childlink_client.values import Release as CitedRelease

MEASURES = catalogue()
FACTS = {"data_until": "2024-12-31", "policy_id": disclosure.ROUNDED, "content_sha256": "0" * 64}


def release(measure, cells, number=1, **published):
    """A release of one measure with these protected cells."""
    counts = {tuple(sorted(cell.items())): count for cell, count in cells}
    return Release(
        f"r{number}", number, FACTS, {measure.id: Published(measure, counts, **published)}
    )


def cell_counts(of, **dimensions):
    """Cells of one dimension, and their sum."""
    [(name, counts)] = dimensions.items()
    return [({**of, name: category}, count) for category, count in counts.items()]


def pathways_of(first, *, policy=disclosure.ROUNDED, **following):
    measure = MEASURES["pathways"]
    services = measure.dimensions["first_service"].categories
    place = {"first_service": next(iter(services))}
    cells = [(place, first), *cell_counts(place, next_service=following)]
    found = release(measure, cells, policy=policy)
    return study.pathways(found, place["first_service"])[1][0]


def test_a_share_of_those_who_went_on_is_no_sum_of_small_cells():
    one, other = [
        name
        for name in MEASURES["pathways"].dimensions["next_service"].categories
        if name != "none"
    ][:2]
    assert pathways_of(110, none=100, **{one: 5, other: 5}).went_on.value is None
    assert pathways_of(130, none=100, **{one: 30}).went_on.value == pytest.approx(30 / 130)


def test_a_count_that_the_second_policy_hides_counts_as_unknown_and_not_as_none():
    one, other = [
        name
        for name in MEASURES["pathways"].dimensions["next_service"].categories
        if name != "none"
    ][:2]
    found = pathways_of(
        190, policy=disclosure.SUPPRESSED, none=100, **{one: 30, other: disclosure.HIDDEN}
    )
    assert found.went_on.withheld == "a count that it needs is withheld"


def comparison(hidden):
    """Five equal strata. In some of them, one group's count without the outcome is withheld."""
    measure = next(item for item in MEASURES.values() if item.compare and item.share)
    rule, (name, (part, *_), (rest, *_)) = measure.compare, measure.share
    strata = list(measure.dimensions[rule.strata].categories)[:5]
    cells = []
    for side, counts in ((rule.of, (60, 30)), (rule.against, (45, 60))):
        for outcome, count in zip((part, rest), counts, strict=True):
            cells.append(({rule.dimension: side, name: outcome}, count * len(strata)))
            for number, stratum in enumerate(strata):
                hides = number < hidden and side == rule.of and outcome == rest
                cells.append(
                    (
                        {rule.dimension: side, rule.strata: stratum, name: outcome},
                        disclosure.HIDDEN if hides else count,
                    )
                )
    return study.compare(release(measure, cells, policy=disclosure.SUPPRESSED), measure.id)


def test_a_stratum_with_a_hidden_count_is_left_out_of_an_adjusted_ratio():
    whole, some = comparison(0), comparison(2)
    assert (whole.strata_used, some.strata_used) == (5, 3)
    assert some.adjusted_odds_ratio.value == pytest.approx(whole.adjusted_odds_ratio.value)


def test_a_trend_leaves_out_the_releases_that_cannot_answer_and_says_why_when_none_can():
    measure = MEASURES["reach_children"]
    later = dict(measure.dimensions["quarter"].categories) | {"2031-Q1": "2031 Q1"}
    newer = replace(
        measure,
        dimensions=measure.dimensions
        | {"quarter": replace(measure.dimensions["quarter"], categories=later)},
    )
    old, new = (
        release(measure, [({"quarter": "2031-Q1"}, 40)]),
        release(newer, [({"quarter": "2031-Q1"}, 40)], 2),
    )
    points, _ = study.trend([old, new], Question("reach_children", (), {"quarter": ("2031-Q1",)}))
    assert [item.release_id for item, _ in points] == ["r2"]
    with pytest.raises(QuestionError, match="no category"):
        study.trend([old, new], Question("reach_children", (), {"quarter": ("1900-Q1",)}))


def shown(found, asked):
    """The answer as the client has it."""
    return Answer.of(messages.response(found, answer(found, asked)))


def test_groups_without_a_count_of_the_population_are_told_by_their_counts():
    measure = MEASURES["reach_children"]
    cells = [({"residence": "area"}, 350), ({"residence": "borough"}, 120)]
    found = release(measure, cells, population={(("sex", "female"),): 900})
    said = shown(found, Question("reach_children", ("residence",))).describe()
    assert said.startswith("Most: ")
    assert "350 children" in said


def test_what_is_withheld_for_another_reason_than_size_is_not_called_small():
    measure = next(
        item
        for item in MEASURES.values()
        if item.share and not item.harmless and "residence" in item.dimensions
    )
    name, (part, *_), (rest, *_) = measure.share
    cells = [
        ({"residence": place, name: outcome}, count)
        for place in ("area", "borough")
        for outcome, count in ((part, 300), (rest, 5))
    ]
    asked = Question(measure.id, ("residence",), {"residence": ("area", "borough")})
    said = shown(release(measure, cells), asked).describe()
    assert said == "Every group is withheld: nearly all or none."


def test_a_count_that_a_study_withholds_is_marked_as_it_is_in_an_answer():
    change = next(item for item in MEASURES.values() if item.mean == "band")
    found = release(change, [], collected=False)
    measure, rows, _ = study.change(found, change.id, "")
    wire = pb.ChangeResponse(
        release=messages.summary(found),
        measure=messages.measure(found.measures[measure.id]),
        rows=map(messages.change_row, rows),
    )
    assert Change.of(wire).table().rows[0][1].text == "not collected"
    assert "not collected" in Change.of(wire).describe()
    hidden = release(MEASURES["pathways"], [], collected=False)
    _, pathways, _ = study.pathways(hidden, "")
    told = pb.PathwaysResponse(
        release=messages.summary(hidden),
        measure=messages.measure(hidden.measures["pathways"]),
        pathways=map(messages.pathway, pathways),
    )
    assert {row[1].text for row in Pathways.of(told).table().rows} == {"not collected"}


def test_a_trend_by_the_levels_that_a_share_is_made_of_is_of_counts():
    measure = next(item for item in MEASURES.values() if item.share)
    levels = list(measure.dimensions[measure.share[0]].categories)
    cells = tuple(Cell((level,), 20 * (at + 1), "", None, "") for at, level in enumerate(levels))
    asked = Measure.of(messages.measure(Published(measure, {})))
    points = tuple(
        TrendPoint(CitedRelease(name, 1, "2024-12-31", "p", "0"), cells) for name in ("r1", "r2")
    )
    rows = Trend(asked, (measure.share[0],), points, ()).table().rows
    assert [row[1].text for row in rows] == [str(20 * (at + 1)) for at in range(len(levels))]


def test_a_trend_by_quarter_puts_quarters_of_all_releases_in_order_and_leaves_out_what_is_earlier():
    measure = MEASURES["reach_children"]
    quarters = {"earlier": "Before 2022", "2022-Q1": "January to March 2022", "2022-Q2": "x"}
    newer = replace(
        measure,
        dimensions=measure.dimensions
        | {"quarter": replace(measure.dimensions["quarter"], categories=quarters)},
    )
    points = [
        pb.TrendPoint(
            release=pb.ReleaseSummary(release_id=name, number=1),
            cells=[pb.Cell(category_ids=[quarter], count=20) for quarter in kept],
        )
        for name, kept in (
            ("r1", ("earlier", "2021-Q3", "2021-Q4", "2022-Q1")),
            ("r2", ("earlier", "2022-Q1", "2022-Q2")),
        )
    ]
    said = pb.TrendResponse(measure=messages.measure(Published(newer, {})), by=["quarter"])
    said.points.extend(points)
    rows = Trend.of(said).table().rows
    assert [row[0].text for row in rows] == [
        "July to September 2021",
        "October to December 2021",
        "January to March 2022",
        "x",
    ]
    assert [cell.text for cell in rows[0][1:]] == ["20", "not there"]
