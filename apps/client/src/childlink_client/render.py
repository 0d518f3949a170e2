"""Tables for a terminal and for a notebook, with their notes below."""

import html
import io
import shutil

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from childlink_client.found import Found
from childlink_client.shown import Table


def render(found: Found, width: int | None = None) -> str:
    """A table with its notes, as plain text that fits the terminal's width."""
    out = io.StringIO()
    console = Console(
        file=out, width=width or shutil.get_terminal_size((100, 40)).columns, color_system=None
    )
    console.print(_terminal_table(found.measure.title, found.table()))
    for line in (*found.explanations(), *found.notes, found.citation()):
        console.print(Padding(Text(line), (0, 0, 0, 2), expand=False))
    return out.getvalue().rstrip("\n")


def as_html(found: Found) -> str:
    """A table for a notebook, with withheld figures marked and the notes below."""
    table = found.table()
    lines = [f"<table><caption>{html.escape(found.measure.title)}</caption><thead><tr>"]
    lines += [f'<th scope="col">{html.escape(name)}</th>' for name in table.header]
    lines.append("</tr></thead><tbody>")
    for row in table.rows:
        shown = [
            f"<td><em>{html.escape(cell.text)}</em></td>"
            if cell.withheld
            else f"<td>{html.escape(cell.text)}</td>"
            for cell in row[table.labels :]
        ]
        names = [f'<th scope="row">{html.escape(cell.text)}</th>' for cell in row[: table.labels]]
        lines.append(f"<tr>{''.join((*names, *shown))}</tr>")
    lines.append("</tbody></table>")
    lines += [
        f"<p><small>{html.escape(note)}</small></p>" for note in (*found.notes, found.citation())
    ]
    return "".join(lines)


def _terminal_table(title: str, table: Table) -> RichTable:
    made = RichTable(title=escape(title), title_justify="left")
    for number, name in enumerate(table.header):
        made.add_column(escape(name), justify="left" if number < table.labels else "right")
    for row in table.rows:
        made.add_row(*(escape(cell.text) for cell in row))
    return made
