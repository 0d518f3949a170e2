"""Charts of studies: points with their intervals, and lines over releases."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from childlink_client.charts import COLOURS, Point, blank, draw_lines, finish
from childlink_client.studies import Change, Comparison, Inequality, Pathways, Trend
from childlink_client.study import Estimate, Study
from childlink_client.tables import show_count, show_estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_QUIET: Final = "#555555"


def draw_study(study: Study, *, narrow: bool = False) -> "Figure":
    """The chart of a study."""
    if isinstance(study, Trend):
        return _trend(study, narrow=narrow)
    if isinstance(study, Comparison):
        ratios = [
            ("Odds ratio, crude", study.crude_odds_ratio), ("Odds ratio, adjusted", study.adjusted_odds_ratio),
            ("Risk ratio, crude", study.crude_risk_ratio), ("Risk ratio, adjusted", study.adjusted_risk_ratio),
        ]  # fmt: skip
        dimension = next(d for d in study.measure.dimensions.values() if set(study.groups) <= set(d.categories))
        of, against = (dimension.categories[group].lower() for group in study.groups)
        return _intervals(study, f"Ratio, {of} to {against}", ratios, 1.0, "{:.2f}", narrow=narrow)
    if isinstance(study, Change):
        changes = [(study.title(row), row.mean) for row in study.changes]
        return _intervals(study, "Mean change, % of the scale", changes, 0.0, "{:+.1f}", narrow=narrow)
    if isinstance(study, Pathways):
        names = study.measure.dimensions["first_service"].categories
        shares = [(names[item.first_service], item.went_on.times(100)) for item in study.pathways]
        return _intervals(study, "Went on to another service, %", shares, None, "{:.0f}%", narrow=narrow)
    assert isinstance(study, Inequality)  # noqa: S101 - there is no other
    points = [("Gap", study.gap.times(100)), ("Slope index of inequality", study.slope_index.times(100))]
    return _intervals(study, "Percentage points", points, 0.0, "{:+.1f}", narrow=narrow)


def _intervals(
    study: Study, axis: str, rows: Sequence[tuple[str, Estimate]], neutral: float | None, style: str, *, narrow: bool
) -> "Figure":
    """One point with its interval per row; `neutral` is where there is no difference."""
    figure, axes = blank(study.measure.title, study.citation(), len(rows) * 1.6, narrow=narrow)
    if neutral is not None:
        axes.axvline(neutral, color=_QUIET, linewidth=1, linestyle="--")
    if neutral == 1.0:
        axes.set_xscale("log")
        _whole_ticks(axes, [estimate for _, estimate in rows])
    for y, (_, estimate) in enumerate(rows):
        if estimate.value is None:
            axes.annotate(
                "withheld", (neutral or 0.0, y), xytext=(6, 0), textcoords="offset points", va="center", fontsize=8,
                style="italic", color=_QUIET,
            )  # fmt: skip
            continue
        if estimate.low is not None and estimate.high is not None:
            axes.plot((estimate.low, estimate.high), (y, y), color=COLOURS[0], linewidth=2)
        axes.plot(estimate.value, y, "o", color=COLOURS[0])
        axes.annotate(
            style.format(estimate.value), (estimate.value, y), xytext=(0, 6), textcoords="offset points", ha="center",
            fontsize=8,
        )  # fmt: skip
    finish(axes, [name for name, _ in rows], narrow=narrow)
    if neutral is None:
        axes.set_xlim(left=0)
    axes.set_xlabel(axis, loc="left")
    return figure


def _whole_ticks(axes: Any, found: Sequence[Estimate]) -> None:
    """Plain numbers on a logarithmic axis of ratios."""
    ends = [end for item in found for end in (item.low, item.high, item.value) if end] or [1.0]
    low, high = min([*ends, 0.9]) * 0.95, max([*ends, 1.1]) * 1.05
    candidates = [0.1, 0.2, 0.25, 0.33, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 10]
    ticks = [tick for tick in candidates if low <= tick <= high]
    axes.set_xlim(low, high)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)


def _trend(study: Trend, *, narrow: bool) -> "Figure":
    kind = study.estimate
    lines: dict[str, list[Point]] = {}
    for point in study.points:
        for cell in point.cells:
            value = cell.estimate if kind else cell.count
            scaled = value * 100 if value is not None and kind in ("share", "rate") else value
            text = show_estimate(cell, kind) if kind else show_count(cell)
            name = ", ".join(study.titles(cell.categories).values())
            lines.setdefault(name, []).append((point.release.id, scaled, text))
    axis = {"share": "Share, %", "rate": "Share of the population, %", "mean": "Mean"}.get(
        kind, study.measure.unit.capitalize()
    )
    return draw_lines(study.measure.title, axis, lines, study.citation(), narrow=narrow)
