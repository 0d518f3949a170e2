"""Answers and errors as protobuf messages. This module makes no decisions."""

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final

from childlink.analytics.v1 import analytics_pb2 as pb
from childlink_catalogue.measures import Measure
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from childlink_analytics.answering import analyses as study
from childlink_analytics.answering.contrasts import Contrast
from childlink_analytics.answering.estimates import Estimate
from childlink_analytics.answering.question import Answer, AnswerCell
from childlink_analytics.answering.standardisation import Standardised
from childlink_analytics.errors import QuestionError
from childlink_analytics.shared.change_notes import change_notes
from childlink_analytics.shared.completeness import data_notes, few
from childlink_analytics.shared.disclosure import Shown
from childlink_analytics.shared.release_files import Published, Release

_MOST_NAMED: Final = 3
_WITHHELD: Final = {
    "": pb.WITHHELD_UNSPECIFIED,
    "small": pb.WITHHELD_SMALL,
    "suppressed": pb.WITHHELD_SUPPRESSED,
    "small_base": pb.WITHHELD_SMALL_BASE,
    "all_or_none": pb.WITHHELD_ALL_OR_NONE,
    "not_collected": pb.WITHHELD_NOT_COLLECTED,
    "no_population": pb.WITHHELD_NO_POPULATION,
}

# In bytes. The text stands in an error's headers twice, once percent-encoded: so much fits.
_LONGEST: Final = 500


def _cut(text: str) -> str:
    whole = text.encode()
    if len(whole) <= _LONGEST:
        return text
    return f"{whole[:_LONGEST].decode(errors='ignore')} ..."


def status(error: QuestionError) -> status_pb2.Status:
    """A rich status that names the wrong field and the allowed values, as far as an error of gRPC
    has room: it travels in headers, which hold 8 KiB by default.
    """
    problem = _cut(error.problem)
    allowed = _cut(f"; use one of: {', '.join(error.allowed)}") if error.allowed else ""
    violation = error_details_pb2.BadRequest.FieldViolation(
        field=error.field, description=problem + allowed
    )
    detail = any_pb2.Any()
    detail.Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    code = code_pb2.NOT_FOUND if error.not_found else code_pb2.INVALID_ARGUMENT
    return status_pb2.Status(
        code=code, message=f"{error.field}: {problem}{allowed}", details=[detail]
    )


def summary(release: Release) -> pb.ReleaseSummary:
    """A release in one line."""
    return pb.ReleaseSummary(
        release_id=release.release_id,
        number=release.number,
        data_until=release.manifest["data_until"],
        policy_id=release.manifest["policy_id"],
        content_sha256=release.manifest["content_sha256"],
    )


def description(release: Release, datasets: Collection[str] | None) -> pb.DescribeReleaseResponse:
    """A release as its manifest describes it, limited to these datasets (None: all) and to the
    measures visible to the caller.
    """
    facts = release.manifest
    shown = {
        name: rows
        for name, rows in facts["datasets"].items()
        if datasets is None or name in datasets
    }
    return pb.DescribeReleaseResponse(
        summary=summary(release),
        policy_text=facts["policy_text"],
        datasets=[pb.DatasetCount(dataset=name, rows=rows) for name, rows in sorted(shown.items())],
        measure_ids=list(release.measures),
        cells=facts["cells"],
        cells_withheld=facts["cells_withheld"],
        largest_error=facts["largest_error"],
        attack_failures=facts["attack_failures"],
        parameter_version=facts.get("parameter_version", ""),
        change_notes=change_notes(facts, release.measures, datasets),
        completeness=[
            pb.PartnerRows(
                dataset=dataset,
                partner=partner,
                quarters=[
                    pb.QuarterRows(quarter=quarter, rows=rows)
                    for quarter, rows in sorted(quarters.items())
                ],
                few=few(quarters),
            )
            for dataset, partners in sorted(facts.get("completeness", {}).items())
            if datasets is None or dataset in datasets
            for partner, quarters in sorted(partners.items())
        ],
    )


def notes(release: Release, said: Sequence[str], *used: tuple[str, Collection[str]]) -> list[str]:
    """Notes of an answer, with how complete the data is that it rests on: of each measure (its id),
    and of the dimensions that are used of it and say something false without data of their own.
    """
    datasets: dict[str, None] = {}
    for measure_id, names in used:
        found = release.measures[measure_id].measure
        datasets |= dict.fromkeys(found.datasets)
        for name in names:
            datasets |= dict.fromkeys(found.dimension_needs.get(name, ()))
    return [*said, *data_notes(release.manifest, datasets)]


@lru_cache(maxsize=1_000)
def measure(published: Published) -> pb.Measure:
    """A measure's declaration. Cached, because every answer includes it."""
    item: Measure = published.measure
    rule = item.compare
    return pb.Measure(
        measure_id=item.id,
        title=item.title,
        description=item.description,
        unit=item.unit,
        estimate="" if item.population_of and not published.population else item.estimate,
        dimensions=[
            pb.Dimension(
                dimension_id=dimension.id,
                title=dimension.title,
                categories=[
                    pb.Category(category_id=key, title=title)
                    for key, title in dimension.categories.items()
                ],
                overlapping=dimension.overlapping,
                within=dimension.within,
                ordered=dimension.ordered,
                time=dimension.period is not None,
            )
            for dimension in item.dimensions.values()
        ],
        cubes=[pb.Cube(dimension_ids=cube) for cube in item.cubes],
        compares=[rule.of, rule.against] if rule else [],
        collected=published.collected,
        table=item.table,
        estimate_of=_estimate_of(item),
        share_dimension_id=item.share[0] if item.share else "",
    )


def _estimate_of(item: Measure) -> str:
    if item.share:
        name, of, against = item.share
        titles = item.dimensions[name].categories
        # A long list is shorter by what it leaves out.
        if len(of) <= _MOST_NAMED:
            return " or ".join(titles[category] for category in of)
        return f"not {' or '.join(titles[category] for category in against)}"
    return item.dimensions[item.mean].title if item.mean else ""


def cell(item: AnswerCell, explained: list[str]) -> pb.Cell:
    """One cell."""
    estimate: Shown | None = item.estimate
    return pb.Cell(
        category_ids=item.categories,
        count=int(item.count.value) if item.count.value is not None else None,
        estimate=estimate.value if estimate else None,
        estimate_low=item.interval[0] if item.interval else None,
        estimate_high=item.interval[1] if item.interval else None,
        withheld=_WITHHELD[item.count.withheld],
        estimate_withheld=_WITHHELD[estimate.withheld if estimate else ""],
        explanation=explained,
    )


def response(
    release: Release, result: Answer, names: Collection[str] = (), *, cells: bool = True
) -> pb.QueryResponse:
    """An answer. `names`: the dimensions that it uses."""
    return pb.QueryResponse(
        release=summary(release),
        measure=measure(result.published),
        by=result.by,
        notes=notes(release, result.notes, (result.published.measure.id, names)),
        cells=[cell(item, explained) for item, explained in result.explained()] if cells else [],
    )


def estimate(item: Estimate) -> pb.Estimate:
    """A figure with its interval."""
    return pb.Estimate(value=item.value, low=item.low, high=item.high, withheld=item.withheld)


def comparison(release: Release, found: study.Compared, published: Published) -> pb.CompareResponse:
    """A comparison."""
    rule = found.measure.compare
    return pb.CompareResponse(
        release=summary(release),
        measure=measure(published),
        groups=[rule.of, rule.against] if rule else [],
        shares=[estimate(item) for item in found.shares],
        crude_odds_ratio=estimate(found.crude_odds_ratio),
        adjusted_odds_ratio=estimate(found.adjusted_odds_ratio),
        crude_risk_ratio=estimate(found.crude_risk_ratio),
        adjusted_risk_ratio=estimate(found.adjusted_risk_ratio),
        adjusted_for=rule.adjusted_for if rule else [],
        strata_used=found.strata_used,
        strata=found.strata,
        notes=notes(release, found.notes, (found.measure.id, _compared(found.measure))),
        missed=found.missed,
        corrected_odds_ratio=(
            estimate(found.corrected_odds_ratio) if found.corrected_odds_ratio else None
        ),
        corrected_risk_ratio=(
            estimate(found.corrected_risk_ratio) if found.corrected_risk_ratio else None
        ),
    )


def _compared(found: Measure) -> set[str]:
    """The dimensions of a comparison."""
    return {found.compare.dimension, found.compare.strata} if found.compare else set()


def contrast(
    release: Release, found: Contrast, of: Collection[str], against: Collection[str]
) -> pb.ContrastResponse:
    """Two groups side by side. `of`, `against`: the dimensions that the groups use."""
    return pb.ContrastResponse(
        release=summary(release),
        measure=measure(release.measures[found.measure.id]),
        against_measure=measure(release.measures[found.against.id]),
        figure=found.figure,
        by=found.by,
        rows=[
            pb.ContrastRow(
                category_id=row.category,
                of=cell(row.of, []),
                against=cell(row.against, []),
                difference=estimate(row.difference),
                ratio=estimate(row.ratio),
                beyond_first=estimate(row.beyond_first) if row.beyond_first else None,
            )
            for row in found.rows
        ],
        notes=notes(
            release,
            found.notes,
            (found.measure.id, {found.by, *of}),
            (found.against.id, {found.by, *against}),
        ),
    )


def standardised(release: Release, found: Standardised) -> pb.StandardiseResponse:
    """Shares of groups, as they are and standardised."""
    return pb.StandardiseResponse(
        release=summary(release),
        measure=measure(release.measures[found.measure.id]),
        by=found.by,
        standard=found.standard,
        rows=[
            pb.StandardisedRow(
                category_id=row.category,
                count=int(row.count.value) if row.count.value is not None else None,
                withheld=_WITHHELD[row.count.withheld],
                crude=estimate(row.crude),
                standardised=estimate(row.standardised),
            )
            for row in found.rows
        ],
        notes=notes(release, found.notes, (found.measure.id, {found.by, found.standard})),
    )


def change_row(row: study.ChangeRow) -> pb.ChangeRow:
    """One group's change."""
    return pb.ChangeRow(
        category_id=row.category,
        count=int(row.count.value) if row.count.value is not None else None,
        withheld=_WITHHELD[row.count.withheld],
        mean=estimate(row.change.mean),
        standardised=estimate(row.change.standardised),
        p_value=row.change.p_value,
    )


def pathway(item: study.Pathway) -> pb.Pathway:
    """A first service and what followed."""
    return pb.Pathway(
        first_service=item.first_service,
        families=int(item.families.value) if item.families.value is not None else None,
        withheld=_WITHHELD[item.families.withheld],
        went_on=estimate(item.went_on),
        others_withheld=item.others_withheld,
        next=[
            pb.NextService(service=service, families=families) for service, families in item.next
        ],
    )
