"""Charts (matplotlib): horizontal bars, so that long names stay readable, and lines over time.
Withheld cells are marked and never drawn as zero.
"""

import base64
import io
import math
import textwrap
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from childlink_client.errors import ClientError
from childlink_client.shown import Bar, Bars, Chart, Estimate, Intervals, Lines, Map, Point, Shape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe & Ito (2008): distinguishable with colour-vision deficiencies. Yellow comes last because it
# is faint on white.
COLOURS: Final = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#000000",
    "#F0E442",
)
# Cividis: dark to light for every kind of colour vision.
_FROM_DARK: Final = ("#00224E", "#2A3F6D", "#575C6D", "#7D7C78", "#A69D75", "#D3C164", "#FEE838")
# Lines also differ by marker, not by colour alone.
_MARKERS: Final = "osD^vPX*"
_EDGE: Final = "#333333"
_QUIET: Final = "#555555"
# A map is as tall as a chart of so many bars.
_MAP_BARS: Final = 20
# With more areas, their names would cover the map.
_MOST_NAMED: Final = 25
_LARGEST_LATITUDE: Final = 90.0


def draw(chart: Chart, title: str, citation: str, *, narrow: bool = False) -> "Figure":
    """Draw a chart as a figure with its title and citation. `narrow`: for a phone."""
    match chart:
        case Bars():
            return _draw_bars(chart, title, citation, narrow=narrow)
        case Lines():
            return _draw_lines(chart, title, citation, narrow=narrow)
        case Intervals():
            return _draw_intervals(chart, title, citation, narrow=narrow)
        case Map():
            return _draw_map(chart, title, citation, narrow=narrow)


def _draw_bars(chart: Bars, title: str, citation: str, *, narrow: bool) -> "Figure":
    figure, axes = blank(
        title, citation, len(chart.groups) * (len(chart.series) + 0.6), narrow=narrow
    )
    height = 0.8 / len(chart.series)
    for number, (name, bars) in enumerate(chart.series.items()):
        colour, label = _colour(number, len(chart.series), ordered=chart.ordered), name
        for position, bar in enumerate(bars):
            if bar is not None:
                y = position + (number - (len(chart.series) - 1) / 2) * height
                _bar(axes, bar, y, height, colour, label or None)
                label = ""
    finish(axes, chart.groups, narrow=narrow)
    axes.set_xlabel(chart.axis, loc="left")
    left, right = axes.get_xlim()
    # Leave room for the text beside the longest bar.
    axes.set_xlim(min(0.0, left), right + (right - left) * (0.16 if narrow else 0.08))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    if chart.legend:
        legend(axes, chart.legend, narrow=narrow)
    return figure


def _draw_lines(chart: Lines, title: str, citation: str, *, narrow: bool) -> "Figure":
    lines = chart.lines
    figure, axes = blank(title, citation, 9, narrow=narrow)
    times = list(dict.fromkeys(point[0] for points in lines.values() for point in points))
    for number, (name, points) in enumerate(lines.items()):
        colour, marker = COLOURS[number % len(COLOURS)], _MARKERS[number % len(_MARKERS)]
        found = {point[0]: point[1] for point in points}
        values = [float("nan") if (value := found.get(time)) is None else value for time in times]
        axes.plot(
            range(len(times)),
            values,
            color=colour,
            marker=marker,
            label=name or None,
            clip_on=False,
        )
        for at, point in enumerate(points):
            if point.value is None and len(lines) == 1:
                axes.annotate(
                    point.text,
                    (at, 0),
                    rotation=90,
                    ha="center",
                    va="bottom",
                    fontsize=8,
                    color=_QUIET,
                )
            if point.low is not None and point.high is not None:
                where = times.index(point.at)
                axes.plot((where, where), (point.low, point.high), color=colour, alpha=0.5)
    # Label only some times, so that labels do not overlap.
    step = max(1, -(-len(times) // (5 if narrow else 10)))
    axes.set_xticks(range(0, len(times), step), [textwrap.fill(time, 9) for time in times[::step]])
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlim(-0.3, len(times) - 0.7)
    axes.set_ylabel(chart.axis)
    largest = max((value for value in _values(lines) if value), default=0.0)
    # Without a height, an axis of zeros would have a label of -0.
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]) if largest else 0.0)
    if not largest:
        axes.set_ylim(top=1.0)
        axes.set_yticks([0, 1])
    axes.grid(axis="y", color="#dddddd")
    axes.set_axisbelow(True)
    if len(lines) > 1:
        legend(axes, "", narrow=narrow)
    return figure


def _values(lines: Mapping[str, Sequence[Point]]) -> list[float]:
    return [p.value for points in lines.values() for p in points if p.value is not None]


def _draw_intervals(chart: Intervals, title: str, citation: str, *, narrow: bool) -> "Figure":
    rows, neutral, style = chart.rows, chart.neutral, chart.style
    figure, axes = blank(title, citation, len(rows) * 1.6, narrow=narrow)
    if neutral is not None:
        axes.axvline(neutral, color=_QUIET, linewidth=1, linestyle="--")
    if neutral == 1.0:
        axes.set_xscale("log")
        _whole_ticks(axes, [estimate for _, estimate in rows])
    for y, (_, estimate) in enumerate(rows):
        if estimate.value is None:
            axes.annotate(
                "withheld",
                (neutral or 0.0, y),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
                style="italic",
                color=_QUIET,
            )
            continue
        if estimate.low is not None and estimate.high is not None:
            axes.plot((estimate.low, estimate.high), (y, y), color=COLOURS[0], linewidth=2)
        axes.plot(estimate.value, y, "o", color=COLOURS[0])
        axes.annotate(
            style.format(estimate.value),
            (estimate.value, y),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    finish(axes, [name for name, _ in rows], narrow=narrow)
    if neutral is None:
        axes.set_xlim(left=0)
    axes.set_xlabel(chart.axis, loc="left")
    return figure


def _draw_map(chart: Map, title: str, citation: str, *, narrow: bool) -> "Figure":
    if chart.elsewhere:
        citation = f"Not on the map: {', '.join(chart.elsewhere)}. {citation}"
    figure, axes = blank(title, citation, _MAP_BARS, narrow=narrow)
    import numpy as np
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize
    from matplotlib.patches import PathPatch
    from matplotlib.patheffects import withStroke

    found = [bar.value for _, bar, _ in chart.areas if bar.value is not None]
    scale = ScalarMappable(
        Normalize(min(found, default=0.0), max(found, default=1.0)),
        # Dark is much, as on printed maps.
        LinearSegmentedColormap.from_list("areas", _FROM_DARK[::-1]),
    )
    points = [point for *_, shape in chart.areas for rings in shape for point in rings[0]]
    (left, right), (bottom, top) = ((min(ends), max(ends)) for ends in zip(*points, strict=True))
    for name, bar, shape in chart.areas:
        shown = bar.value is not None
        axes.add_patch(
            PathPatch(
                _outline(shape),
                facecolor=scale.to_rgba(np.asarray(bar.value)) if shown else "white",
                edgecolor=_EDGE if shown else _QUIET,
                linewidth=0.6,
                hatch=None if shown else "////",
            )
        )
        if len(chart.areas) <= _MOST_NAMED:
            axes.annotate(
                f"{textwrap.fill(name, 11)}\n{textwrap.fill(bar.text, 11)}",
                _inside(shape),
                ha="center",
                va="center",
                fontsize=5 if narrow else 6.5,
                path_effects=[withStroke(linewidth=2, foreground="white")],
            )
    axes.set(xlim=(left, right), ylim=(bottom, top))
    # A degree of longitude is shorter than one of latitude.
    degrees = max(abs(top), abs(bottom)) <= _LARGEST_LATITUDE
    axes.set_aspect(1 / math.cos(math.radians((top + bottom) / 2)) if degrees else 1)
    axes.margins(0.02)
    axes.set_axis_off()
    bar_axis = figure.colorbar(scale, ax=axes, location="bottom", shrink=0.6, aspect=40, pad=0.02)
    bar_axis.set_label(chart.axis)
    return figure


def _outline(shape: Shape) -> Any:
    """An area as a path. Holes are drawn by winding: outlines one way round, holes the other."""
    from matplotlib.path import Path as Outline

    parts = [
        Outline(ring if (_signed(ring) > 0) == (number == 0) else ring[::-1], closed=True)
        for rings in shape
        for number, ring in enumerate(rings)
    ]
    return Outline.make_compound_path(*parts)


def _signed(ring: Sequence[tuple[float, float]]) -> float:
    """Twice the area of a ring, negative if it runs clockwise (the shoelace formula)."""
    return sum(x * v - u * y for (x, y), (u, v) in zip(ring, (*ring[1:], ring[0]), strict=True))


def _inside(shape: Shape) -> tuple[float, float]:
    """A point inside the largest polygon: the middle of the widest stretch at half its height."""
    rings = max(shape, key=lambda polygon: abs(_signed(polygon[0])))
    ys = [y for _, y in rings[0]]
    middle = (min(ys) + max(ys)) / 2
    crossings = sorted(
        x + (middle - y) / (v - y) * (u - x)
        for ring in rings
        for (x, y), (u, v) in zip(ring, (*ring[1:], ring[0]), strict=True)
        if (y > middle) != (v > middle)
    )
    stretches = list(zip(crossings[::2], crossings[1::2], strict=False))
    if not stretches:
        return rings[0][0]
    left, right = max(stretches, key=lambda ends: ends[1] - ends[0])
    return (left + right) / 2, middle


def _colour(number: int, of: int, *, ordered: bool) -> str:
    """A colour that can be told from the others; of ordered series, from dark to light."""
    if not ordered or of > len(_FROM_DARK):
        return COLOURS[number % len(COLOURS)]
    return _FROM_DARK[round(number * (len(_FROM_DARK) - 1) / max(1, of - 1))]


def _whole_ticks(axes: Any, found: Sequence[Estimate]) -> None:
    """Write plain numbers on a logarithmic axis of ratios."""
    ends = [end for item in found for end in (item.low, item.high, item.value) if end] or [1.0]
    low, high = min([*ends, 0.9]) * 0.95, max([*ends, 1.1]) * 1.05
    candidates = [0.1, 0.2, 0.25, 0.33, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 10]
    ticks = [tick for tick in candidates if low <= tick <= high]
    axes.set_xlim(low, high)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)


def blank(title: str, citation: str, bars: float, *, narrow: bool) -> tuple["Figure", Any]:
    """An empty figure with title and citation, tall enough for this many bars."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ClientError(
            "matplotlib is not installed: pip install 'childlink-client[plot]'."
        ) from None
    figure: Any = Figure(
        figsize=(4.4 if narrow else 8.5, 1.8 + 0.24 * max(bars, 2)), layout="constrained"
    )
    figure.suptitle(textwrap.fill(title, 42 if narrow else 90), x=0.01, ha="left", fontsize=12)
    figure.supxlabel(
        textwrap.fill(citation, 62 if narrow else 130), x=0.01, ha="left", fontsize=7, color=_QUIET
    )
    # A notebook displays a figure by itself only after pyplot was imported. Our charts do not need
    # pyplot, so they need this.
    figure._repr_png_ = partial(as_image, figure, "png")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def finish(axes: Any, names: Sequence[str], *, narrow: bool) -> None:
    """Label the rows of a chart, the first on top."""
    axes.set_yticks(
        range(len(names)), [textwrap.fill(name, 18 if narrow else 34) for name in names]
    )
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def legend(axes: Any, title: str, *, narrow: bool) -> None:
    """Put the legend above the chart, where it covers nothing."""
    axes.legend(
        title=title or None,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=1 if narrow else 3,
        frameon=False,
        alignment="left",
        fontsize=9,
        title_fontsize=9,
    )


def save(figure: "Figure", path: Path) -> None:
    """Write a chart as PNG or SVG, depending on the file extension."""
    figure.savefig(path, dpi=150)


def as_image(figure: "Figure", ending: str) -> bytes:
    """A chart as the bytes of an SVG or PNG file."""
    out = io.BytesIO()
    figure.savefig(out, format=ending, dpi=150)
    return out.getvalue()


def data_url(svg: bytes) -> str:
    """An SVG image as a data URL, to embed in a page."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"


def check_file(path: Path) -> None:
    """Raise ClientError if a chart cannot be written to this file."""
    if path.suffix not in (".png", ".svg"):
        raise ClientError(f"{path.name}: charts can be written as .png or .svg only.")


def _bar(
    axes: Any,
    bar: Bar,
    y: float,
    height: float,
    colour: str,
    label: str | None,
) -> None:
    value, text, low, high = bar
    # The edge makes a pale bar visible on white.
    axes.barh(
        y, value or 0.0, height * 0.92, color=colour, edgecolor=_EDGE, linewidth=0.5, label=label
    )
    if low is not None and high is not None:
        axes.plot((low, high), (y, y), color="#1a1a1a", linewidth=1.2)
    style = {"style": "italic", "color": _QUIET} if value is None else {"color": "#1a1a1a"}
    axes.annotate(
        text,
        (max(value or 0.0, high or 0.0), y),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
        **style,
    )
