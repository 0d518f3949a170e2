"""Bar charts of answers (matplotlib). Withheld cells are marked, never drawn as zero."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from childlink_client.answers import Answer, Cell
from childlink_client.errors import ClientError
from childlink_client.render import show_count, show_estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe & Ito (2008): distinguishable with colour-vision deficiencies.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
_MOST_DIMENSIONS = 2
_TOO_MANY = "A chart shows at most two dimensions. Break down by fewer, or filter with `where`."
# More bars side by side than this have their labels turned, so that they do not overlap.
_MOST_LEVEL_LABELS = 3


def save_chart(answer: Answer, path: Path) -> None:
    """Write a bar chart; grouped bars for two dimensions."""
    check_chart(answer.by, path)
    draw(answer).savefig(path, dpi=150, bbox_inches="tight")


def draw(answer: Answer) -> "Figure":
    """A bar chart; grouped bars for two dimensions."""
    if len(answer.by) > _MOST_DIMENSIONS:
        raise ClientError(_TOO_MANY)
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ClientError("matplotlib is not installed: pip install 'childlink-client[plot]'.") from None
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    groups = list(dict.fromkeys(cell.categories[:1] for cell in answer.cells))
    series = list(dict.fromkeys(cell.categories[1:] for cell in answer.cells))
    width = 0.8 / len(series)
    for number, part in enumerate(series):
        for position, group in enumerate(groups):
            cell = next((c for c in answer.cells if c.categories == group + part), None)
            if cell is not None:
                label = _title(answer, 1, part) if position == 0 else None
                _bar(
                    axes,
                    answer,
                    cell,
                    position + (number - (len(series) - 1) / 2) * width,
                    width,
                    _COLOURS[number % len(_COLOURS)],
                    label,
                    upright=len(series) > _MOST_LEVEL_LABELS,
                )
    axes.set_xticks(
        range(len(groups)),
        [_title(answer, 0, group) or "All" for group in groups],
        rotation=20 if len(groups) > 4 else 0,
    )
    estimate = answer.measure.estimate
    axes.set_ylabel(
        {"share": "Share, %", "mean": "Mean", "rate": "Share of the population, %"}.get(
            estimate, answer.measure.unit.capitalize()
        )
    )
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(answer.measure.title, loc="left")
    if answer.by:
        axes.set_xlabel(answer.measure.dimensions[answer.by[0]].title)
    if len(answer.by) == _MOST_DIMENSIONS:
        axes.legend(title=answer.measure.dimensions[answer.by[1]].title, frameon=False)
    figure.text(0.01, -0.01, answer.citation(), fontsize=7, va="top")
    return figure


def check_chart(by: Sequence[str], path: Path) -> None:
    """Raise ClientError when a question cannot be drawn to this file."""
    if len(by) > _MOST_DIMENSIONS:
        raise ClientError(_TOO_MANY)
    if path.suffix not in (".png", ".svg"):
        raise ClientError(f"{path.name}: a chart is written as .png or .svg.")


def _bar(
    axes: Any, answer: Answer, cell: Cell, x: float, width: float, colour: str, label: str | None, *, upright: bool
) -> None:
    estimate = answer.measure.estimate
    value = cell.estimate if estimate else cell.count
    text = show_estimate(cell, estimate) if estimate else show_count(cell)
    height = 0.0 if value is None else value * 100 if estimate in ("share", "rate") else float(value)
    axes.bar(x, height, width * 0.95, color=colour, label=label)
    axes.annotate(text, (x, height), xytext=(0, 2), textcoords="offset points", ha="center", va="bottom", fontsize=7,
                  rotation=90 if upright or value is None else 0, color="#444444")  # fmt: skip


def _title(answer: Answer, position: int, category: tuple[str, ...]) -> str:
    return answer.measure.dimensions[answer.by[position]].categories[category[0]] if category else ""
