"""Charts (matplotlib): bars that lie, so that long names can be read, and lines over time. Withheld cells are marked, never drawn as zero."""

import base64
import io
import textwrap
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from childlink_client.answers import Answer, Cell
from childlink_client.errors import ClientError
from childlink_client.tables import show_count, show_estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe & Ito (2008): distinguishable with colour-vision deficiencies. Yellow is left to the end: it is faint on white.
COLOURS: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000", "#F0E442")
# Lines differ by more than colour.
_MARKERS: Final = "osD^vPX*"
_EDGE: Final = "#333333"
_QUIET: Final = "#555555"
_MOST_DIMENSIONS: Final = 2
_TOO_MANY: Final = "A chart shows at most two dimensions. Break down by fewer, or filter with `where`."
# Whose categories are points in time.
_TIME: Final = "quarter"

Point = tuple[str, float | None, str]
"""A place on the time axis, a value, and what stands there where it is withheld."""


def draw(answer: Answer, *, narrow: bool = False) -> "Figure":
    """A bar chart, grouped for two dimensions; lines where one of them is time. `narrow`: for a telephone."""
    if len(answer.by) > _MOST_DIMENSIONS:
        raise ClientError(_TOO_MANY)
    if _TIME in answer.by:
        return draw_lines(answer.measure.title, _axis(answer), _over_time(answer), answer.citation(), narrow=narrow)
    groups = list(dict.fromkeys(cell.categories[:1] for cell in answer.cells))
    series = list(dict.fromkeys(cell.categories[1:] for cell in answer.cells))
    figure, axes = blank(answer.measure.title, answer.citation(), len(groups) * (len(series) + 0.6), narrow=narrow)
    height = 0.8 / len(series)
    cells = {cell.categories: cell for cell in answer.cells}
    for number, part in enumerate(series):
        for position, group in enumerate(groups):
            if cell := cells.get(group + part):
                label = _title(answer, 1, part) if position == 0 else None
                y = position + (number - (len(series) - 1) / 2) * height
                _bar(axes, answer, cell, y, height, COLOURS[number % len(COLOURS)], label)
    finish(axes, [_title(answer, 0, group) or "All" for group in groups], narrow=narrow)
    axes.set_xlabel(_axis(answer), loc="left")
    left, right = axes.get_xlim()
    # Room for what is written beside the longest bar.
    axes.set_xlim(min(0.0, left), right + (right - left) * (0.16 if narrow else 0.08))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    if len(answer.by) == _MOST_DIMENSIONS:
        legend(axes, answer.measure.dimensions[answer.by[1]].title, narrow=narrow)
    return figure


def draw_lines(
    title: str, axis: str, lines: Mapping[str, Sequence[Point]], citation: str, *, narrow: bool = False
) -> "Figure":
    """Lines over time, with a gap where a figure is withheld."""
    figure, axes = blank(title, citation, 9, narrow=narrow)
    times = list(dict.fromkeys(point[0] for points in lines.values() for point in points))
    for number, (name, points) in enumerate(lines.items()):
        colour, marker = COLOURS[number % len(COLOURS)], _MARKERS[number % len(_MARKERS)]
        found = {time: value for time, value, _ in points}
        values = [float("nan") if (value := found.get(time)) is None else value for time in times]
        axes.plot(range(len(times)), values, color=colour, marker=marker, label=name or None, clip_on=False)
        for at, (_, value, text) in enumerate(points):
            if value is None and len(lines) == 1:
                axes.annotate(text, (at, 0), rotation=90, ha="center", va="bottom", fontsize=8, color=_QUIET)
    # Not every time is named, so that names do not run into each other.
    step = max(1, -(-len(times) // (5 if narrow else 10)))
    axes.set_xticks(range(0, len(times), step), [textwrap.fill(time, 9) for time in times[::step]])
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlim(-0.3, len(times) - 0.7)
    axes.set_ylabel(axis)
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    axes.grid(axis="y", color="#dddddd")
    axes.set_axisbelow(True)
    if len(lines) > 1:
        legend(axes, "", narrow=narrow)
    return figure


def blank(title: str, citation: str, bars: float, *, narrow: bool) -> tuple["Figure", Any]:
    """A figure with title and citation, tall enough for so many bars."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ClientError("matplotlib is not installed: pip install 'childlink-client[plot]'.") from None
    figure: Any = Figure(figsize=(4.4 if narrow else 8.5, 1.8 + 0.24 * max(bars, 2)), layout="constrained")
    figure.suptitle(textwrap.fill(title, 42 if narrow else 90), x=0.01, ha="left", fontsize=12)
    figure.supxlabel(textwrap.fill(citation, 62 if narrow else 130), x=0.01, ha="left", fontsize=7, color=_QUIET)
    # A notebook shows a figure by itself only once pyplot was imported, which a chart of ours does not need.
    figure._repr_png_ = partial(as_image, figure, "png")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def finish(axes: Any, names: Sequence[str], *, narrow: bool) -> None:
    """Name the rows of a chart, the first on top."""
    axes.set_yticks(range(len(names)), [textwrap.fill(name, 18 if narrow else 34) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def legend(axes: Any, title: str, *, narrow: bool) -> None:
    """A legend above the chart, where it covers nothing."""
    axes.legend(
        title=title or None, loc="lower left", bbox_to_anchor=(0, 1), ncols=1 if narrow else 3, frameon=False,
        alignment="left", fontsize=9, title_fontsize=9,
    )  # fmt: skip


def save(figure: "Figure", path: Path) -> None:
    """Write a chart as PNG or SVG, by the file's ending."""
    figure.savefig(path, dpi=150)


def as_image(figure: "Figure", ending: str) -> bytes:
    """A chart as the bytes of an SVG or PNG file."""
    out = io.BytesIO()
    figure.savefig(out, format=ending, dpi=150)
    return out.getvalue()


def data_url(svg: bytes) -> str:
    """An SVG that stands in the page itself."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"


def check_chart(by: Sequence[str], path: Path) -> None:
    """Raise ClientError when a question cannot be drawn to this file."""
    if len(by) > _MOST_DIMENSIONS:
        raise ClientError(_TOO_MANY)
    if path.suffix not in (".png", ".svg"):
        raise ClientError(f"{path.name}: a chart is written as .png or .svg.")


def _bar(axes: Any, answer: Answer, cell: Cell, y: float, height: float, colour: str, label: str | None) -> None:
    value, text = _value(answer, cell)
    # The edge keeps a pale bar apart from the paper.
    axes.barh(y, value or 0.0, height * 0.92, color=colour, edgecolor=_EDGE, linewidth=0.5, label=label)
    style = {"style": "italic", "color": _QUIET} if value is None else {"color": "#1a1a1a"}
    axes.annotate(text, (value or 0.0, y), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8, **style)


def _value(answer: Answer, cell: Cell) -> tuple[float | None, str]:
    """What is drawn of a cell, and what is written beside it."""
    kind = answer.estimate
    if not kind:
        return cell.count, show_count(cell)
    value = cell.estimate
    return (value * 100 if value is not None and kind in ("share", "rate") else value), show_estimate(cell, kind)


def _over_time(answer: Answer) -> dict[str, list[Point]]:
    lines: dict[str, list[Point]] = {}
    at = answer.by.index(_TIME)
    for cell in answer.cells:
        value, text = _value(answer, cell)
        time = _title(answer, at, (cell.categories[at],))
        name = "" if len(answer.by) == 1 else _title(answer, 1 - at, (cell.categories[1 - at],))
        lines.setdefault(name, []).append((time, value, text))
    return lines


def _axis(answer: Answer) -> str:
    named = {"share": "Share, %", "mean": "Mean", "rate": "Share of the population, %"}
    return named.get(answer.estimate, answer.measure.unit.capitalize())


def _title(answer: Answer, position: int, category: tuple[str, ...]) -> str:
    return answer.measure.dimensions[answer.by[position]].categories[category[0]] if category else ""
