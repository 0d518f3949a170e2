"""Answers and studies as tables of text: what a terminal, a notebook, a report and the explorer show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from childlink_client.answers import Answer, Cell
from childlink_client.studies import Change, Comparison, Inequality, Pathways, Trend
from childlink_client.study import Estimate, Study

# A figure with its interval is shorter than this.
_LONGEST_FIGURE: Final = 28


@dataclass(frozen=True)
class Shown:
    """A cell of a table: a figure as text, or why there is none."""

    text: str
    withheld: bool = False
    why: tuple[str, ...] = ()
    """Rule by rule, where the question asked for it."""


@dataclass(frozen=True)
class Table:
    """Text in rows; the first `labels` columns name the row."""

    header: tuple[str, ...]
    rows: tuple[tuple[Shown, ...], ...]
    labels: int = 1

    @property
    def wordy(self) -> frozenset[int]:
        """Columns of words rather than figures, from 1: those read from the left."""
        return frozenset(
            number
            for number in range(self.labels + 1, len(self.header) + 1)
            if any(len(row[number - 1].text) > _LONGEST_FIGURE for row in self.rows if not row[number - 1].withheld)
        )


def show_count(cell: Cell) -> str:
    """A count, or why there is none."""
    return f"{cell.count:,}" if cell.count is not None else cell.count_withheld


def show_estimate(cell: Cell, kind: str) -> str:
    """A share as a percentage, a mean with one decimal, or why there is none."""
    if cell.estimate is None:
        return cell.estimate_withheld
    return f"{cell.estimate:.1%}" if kind in ("share", "rate") else f"{cell.estimate:.1f}"


def titles(answer: Answer, cell: Cell) -> list[str]:
    """What a cell's categories are called."""
    return [answer.measure.dimensions[n].categories[c] for n, c in zip(answer.by, cell.categories, strict=True)]


def answer_table(answer: Answer) -> Table:
    """Two dimensions of counts make a cross table; otherwise there is one row per cell."""
    kind = answer.estimate
    if len(answer.by) == 2 and not kind:
        return _cross(answer)
    head = [answer.measure.dimensions[name].title for name in answer.by] or ["Group"]
    head += [answer.measure.unit.capitalize(), *([kind.capitalize()] if kind else [])]
    rows = []
    for cell in answer.cells:
        shown = [Shown(text) for text in titles(answer, cell) or ["All"]]
        shown.append(_count(cell))
        if kind:
            shown.append(Shown(show_estimate(cell, kind), cell.estimate is None, cell.explanation[1:]))
        rows.append(tuple(shown))
    return Table(tuple(head), tuple(rows), max(len(answer.by), 1))


def study_table(study: Study) -> Table:
    """A study's figures with their intervals."""
    if isinstance(study, Comparison):
        return _comparison(study)
    if isinstance(study, Change):
        return _change(study)
    if isinstance(study, Pathways):
        return _pathways(study)
    if isinstance(study, Trend):
        return _trend(study)
    assert isinstance(study, Inequality)  # noqa: S101 - there is no other
    first, last = (study.measure.dimensions[study.over].categories[end] for end in study.ends)
    return Table(
        ("Figure", "With 95% interval"),
        (
            (Shown(f"Gap in percentage points: {last} less {first}"), _points(study.gap)),
            (Shown(f"Ratio: {last} to {first}"), _estimate(study.ratio)),
            (Shown("Slope index of inequality, percentage points"), _points(study.slope_index)),
            (Shown("Relative index of inequality"), _estimate(study.relative_index, "{:+.2f}")),
        ),
    )


def make_table(found: Answer | Study) -> Table:
    """The table of whatever was asked."""
    return answer_table(found) if isinstance(found, Answer) else study_table(found)


def _cross(answer: Answer) -> Table:
    down, across = (answer.measure.dimensions[name] for name in answer.by)
    shown = list(dict.fromkeys(cell.categories[1] for cell in answer.cells))
    rows = [
        (Shown(down.categories[row]), *(_count(answer.cell(row, column)) for column in shown))
        for row in dict.fromkeys(cell.categories[0] for cell in answer.cells)
    ]
    return Table((down.title, *(across.categories[column] for column in shown)), tuple(rows))


def _count(cell: Cell) -> Shown:
    return Shown(show_count(cell), cell.count is None, cell.explanation[:1])


def _estimate(estimate: Estimate, style: str = "{:.2f}") -> Shown:
    return Shown(estimate.text(style), estimate.value is None)


def _points(estimate: Estimate) -> Shown:
    """A difference of shares in percentage points: a per cent sign would read as a ratio."""
    return _estimate(estimate.times(100), "{:+.1f}")


def _families(count: int | None, withheld: str) -> Shown:
    return Shown(withheld, True) if count is None else Shown(f"{count:,}")


def _comparison(study: Comparison) -> Table:
    dimension = next(d for d in study.measure.dimensions.values() if set(study.groups) <= set(d.categories))
    rows = [
        (Shown(f"Share, {dimension.categories[group].lower()}"), _estimate(share, "{:.1%}"))
        for group, share in zip(study.groups, study.shares, strict=True)
    ]
    rows += [
        (Shown("Odds ratio, crude"), _estimate(study.crude_odds_ratio)),
        (Shown("Odds ratio, adjusted"), _estimate(study.adjusted_odds_ratio)),
        (Shown("Risk ratio, crude"), _estimate(study.crude_risk_ratio)),
        (Shown("Risk ratio, adjusted"), _estimate(study.adjusted_risk_ratio)),
    ]
    return Table(("Figure", "With 95% interval"), tuple(rows))


def _change(study: Change) -> Table:
    rows = [
        (
            Shown(study.title(row)), _families(row.count, row.count_withheld), _estimate(row.mean, "{:.1f}"),
            _estimate(row.standardised) if row.mean.value is not None else Shown(""),
            Shown("" if row.p_value is None else "<0.001" if row.p_value < 0.001 else f"{row.p_value:.3f}"),
        )
        for row in study.changes
    ]  # fmt: skip
    return Table(
        ("Group", "Both questionnaires", "Mean change, % of scale", "In standard deviations", "p"), tuple(rows)
    )


def _pathways(study: Pathways) -> Table:
    first, following = (study.measure.dimensions[name].categories for name in ("first_service", "next_service"))
    rows = [
        (
            Shown(first[item.first_service]), _families(item.families, item.families_withheld), _estimate(item.went_on, "{:.0%}"),
            Shown(", ".join(f"{following[service]} {families}" for service, families in item.next[:3])),
        )
        for item in study.pathways
    ]  # fmt: skip
    return Table(("First service", "Families", "Went on to another", "Next, of those shown"), tuple(rows))


def _trend(study: Trend) -> Table:
    kind = study.estimate
    header: Sequence[str] = [study.measure.dimensions[name].title for name in study.by] or ["Group"]
    found: dict[tuple[str, ...], list[Shown]] = {}
    for number, point in enumerate(study.points):
        for cell in point.cells:
            row = found.setdefault(cell.categories, [Shown("not there", True)] * len(study.points))
            value = cell.estimate if kind else cell.count
            row[number] = Shown(show_estimate(cell, kind) if kind else show_count(cell), value is None)
    rows = [
        (*(Shown(text) for text in list(study.titles(categories).values()) or ["All"]), *values)
        for categories, values in found.items()
    ]
    return Table((*header, *(point.release.id for point in study.points)), tuple(rows), len(header))
