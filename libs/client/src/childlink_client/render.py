"""Answers as tables for a terminal. Two dimensions make a cross table; otherwise one row per cell."""

import html
import io
import shutil
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from childlink_client.answers import Answer, Cell
from childlink_client.studies import Change, Comparison, Inequality, Pathways, Study, Trend


def render(answer: Answer, width: int | None = None) -> str:
    """A table with its notes, as plain text."""
    out = io.StringIO()
    console = Console(file=out, width=width or shutil.get_terminal_size((100, 40)).columns, color_system=None)
    console.print(_cross(answer) if len(answer.by) == 2 and not answer.measure.estimate else _list(answer))
    for cell in answer.cells:
        if cell.explanation:
            titles = [
                answer.measure.dimensions[n].categories[c] for n, c in zip(answer.by, cell.categories, strict=True)
            ]
            console.print(f"  {', '.join(titles) or 'All'}: {' '.join(cell.explanation)}", highlight=False)
    for note in answer.notes:
        console.print(f"  {note}", highlight=False)
    console.print(f"  {answer.citation()}", highlight=False)
    return out.getvalue().rstrip("\n")


def show_count(cell: Cell) -> str:
    """A count, or why there is none."""
    return f"{cell.count:,}" if cell.count is not None else cell.count_withheld


def show_estimate(cell: Cell, kind: str) -> str:
    """A share as a percentage, a mean with one decimal, or why there is none."""
    if cell.estimate is None:
        return cell.estimate_withheld
    return f"{cell.estimate:.1%}" if kind in ("share", "rate") else f"{cell.estimate:.1f}"


def render_study(study: Study, width: int | None = None) -> str:
    """A study as tables with its notes, as plain text."""
    out = io.StringIO()
    console = Console(file=out, width=width or shutil.get_terminal_size((100, 40)).columns, color_system=None)
    table = Table(title=study.measure.title, title_justify="left")
    header, rows = _study_table(study)
    for number, name in enumerate(header):
        table.add_column(name, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    for note in study.notes:
        console.print(f"  {note}", highlight=False)
    release = study.release
    console.print(
        f"  childlink release {release.id} (data until {release.data_until}), policy {release.policy}.", highlight=False
    )
    return out.getvalue().rstrip("\n")


def _study_table(study: Study) -> tuple[Sequence[str], list[Sequence[str]]]:
    if isinstance(study, Comparison):
        dimension = next(d for d in study.measure.dimensions.values() if set(study.groups) <= set(d.categories))
        rows: list[Sequence[str]] = [
            (f"Share, {dimension.categories[group].lower()}", share.text("{:.1%}"))
            for group, share in zip(study.groups, study.shares, strict=True)
        ]
        rows += [
            ("Odds ratio, crude", study.crude_odds_ratio.text()),
            ("Odds ratio, adjusted", study.adjusted_odds_ratio.text()),
            ("Risk ratio, crude", study.crude_risk_ratio.text()),
            ("Risk ratio, adjusted", study.adjusted_risk_ratio.text()),
        ]
        return ("Figure", "With 95% interval"), rows
    if isinstance(study, Change):
        return ("Group", "Both questionnaires", "Mean change, % of scale", "In standard deviations", "p"), [
            (
                study.measure.dimensions[study.by].categories[row.category] if study.by else "All",
                "<10" if row.count is None else f"{row.count:,}", row.mean.text("{:.1f}"),
                row.standardised.text() if row.mean.value is not None else "",
                "" if row.p_value is None else "<0.001" if row.p_value < 0.001 else f"{row.p_value:.3f}",
            )
            for row in study.changes
        ]  # fmt: skip
    if isinstance(study, Pathways):
        first, following = (study.measure.dimensions[name].categories for name in ("first_service", "next_service"))
        return ("First service", "Families", "Went on to another", "Next, of those shown"), [
            (
                first[item.first_service], "<10" if item.families is None else f"{item.families:,}", item.went_on.text("{:.0%}"),
                ", ".join(f"{following[service]} {families}" for service, families in item.next[:3]),
            )
            for item in study.pathways
        ]  # fmt: skip
    if isinstance(study, Trend):
        kind = study.measure.estimate
        header = [
            *(study.measure.dimensions[name].title for name in study.by),
            *(point.release.id for point in study.points),
        ]
        shown: dict[tuple[str, ...], list[str]] = {}
        for number, point in enumerate(study.points):
            for cell in point.cells:
                row = shown.setdefault(cell.categories, ["not there"] * len(study.points))
                row[number] = show_estimate(cell, kind) if kind else show_count(cell)
        return header or ["All"], [
            (*study.titles(categories).values(), *values) for categories, values in shown.items()
        ]
    assert isinstance(study, Inequality)  # noqa: S101 - there is no other
    ends = [study.measure.dimensions[study.over].categories[end] for end in study.ends]
    return ("Figure", "With 95% interval"), [
        (f"Gap: {ends[1]} less {ends[0]}", study.gap.text("{:+.3f}")),
        (f"Ratio: {ends[1]} to {ends[0]}", study.ratio.text()),
        ("Slope index of inequality", study.slope_index.text("{:+.3f}")),
        ("Relative index of inequality", study.relative_index.text("{:+.2f}")),
    ]


def as_html(answer: Answer) -> str:
    """A table for a notebook, with what was withheld marked and the notes under it."""
    kind = answer.measure.estimate
    head = [answer.measure.dimensions[name].title for name in answer.by] + [answer.measure.unit.capitalize()]
    head += [kind.capitalize()] if kind else []
    lines = [f"<table><caption>{html.escape(answer.measure.title)}</caption><thead><tr>"]
    lines += [f'<th scope="col">{html.escape(name)}</th>' for name in head]
    lines.append("</tr></thead><tbody>")
    for cell in answer.cells:
        titles = [answer.measure.dimensions[n].categories[c] for n, c in zip(answer.by, cell.categories, strict=True)]
        shown = [*titles, show_count(cell), *([show_estimate(cell, kind)] if kind else [])]
        lines.append("<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in shown) + "</tr>")
    lines.append("</tbody></table>")
    lines += [f"<p><small>{html.escape(note)}</small></p>" for note in (*answer.notes, answer.citation())]
    return "".join(lines)


def _cross(answer: Answer) -> Table:
    down, across = (answer.measure.dimensions[name] for name in answer.by)
    table = Table(title=answer.measure.title, title_justify="left")
    table.add_column(down.title)
    shown = list(dict.fromkeys(cell.categories[1] for cell in answer.cells))
    for category in shown:
        table.add_column(across.categories[category], justify="right")
    for row in dict.fromkeys(cell.categories[0] for cell in answer.cells):
        table.add_row(down.categories[row], *(show_count(answer.cell(row, category)) for category in shown))
    return table


def _list(answer: Answer) -> Table:
    table = Table(title=answer.measure.title, title_justify="left")
    for name in answer.by:
        table.add_column(answer.measure.dimensions[name].title)
    table.add_column(answer.measure.unit.capitalize(), justify="right")
    if answer.measure.estimate:
        table.add_column(answer.measure.estimate.capitalize(), justify="right")
    for cell in answer.cells:
        titles = [answer.measure.dimensions[n].categories[c] for n, c in zip(answer.by, cell.categories, strict=True)]
        estimate = [show_estimate(cell, answer.measure.estimate)] if answer.measure.estimate else []
        table.add_row(*titles, show_count(cell), *estimate)
    return table
