"""Answers as tables for a terminal. Two dimensions make a cross table; otherwise one row per cell."""

import io
import shutil

from rich.console import Console
from rich.table import Table

from childlink_client.answers import Answer, Cell


def render(answer: Answer, width: int | None = None) -> str:
    """A table with its notes, as plain text."""
    out = io.StringIO()
    console = Console(file=out, width=width or shutil.get_terminal_size((100, 40)).columns, color_system=None)
    console.print(_cross(answer) if len(answer.by) == 2 and not answer.measure.estimate else _list(answer))
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
    return f"{cell.estimate:.1%}" if kind == "share" else f"{cell.estimate:.1f}"


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
