"""Commands that list releases and measures, and ask."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from childlink_client.cli.common import (
    BOUNDARIES,
    JSON,
    MEASURE,
    PATH,
    RELEASE,
    filters,
    main,
    remember_names,
    show,
)
from childlink_client.errors import ClientError

if TYPE_CHECKING:
    from childlink_client.client import Client


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def releases(client: Client, as_json: bool) -> None:
    """List the releases, newest first."""
    found = client.releases()
    if as_json:
        click.echo(json.dumps([vars(item) for item in found], indent=2))
        return
    if not found:
        click.echo("There is no release yet.")
    for item in found:
        click.echo(
            f"{item.id:16} number {item.number}, data until {item.data_until}, policy"
            f" {item.policy}, sha256 {item.sha256[:16]}..."
        )


@main.command()
@click.argument("release", default="")
@click.pass_obj
def describe(client: Client, release: str) -> None:
    """Show what a release contains and how it is protected (the newest by default)."""
    click.echo(json.dumps(client.describe(release), indent=2, ensure_ascii=False))


@main.command()
@click.argument("measure", type=MEASURE, default="")
@RELEASE
@click.pass_obj
def measures(client: Client, measure: str, release: str) -> None:
    """List the measures, with their dimensions and categories; or show one MEASURE, with every
    category.
    """

    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    found = client.measures(release)
    remember_names(item.id for item in found)
    if measure and measure not in {item.id for item in found}:
        near = difflib.get_close_matches(measure, [item.id for item in found], n=3)
        hint = f"Did you mean {', '.join(near)}?" if near else "See: childlink measures"
        raise ClientError(f"There is no measure {measure!r}. {hint}")
    for item in found:
        if measure not in ("", item.id):
            continue
        console.print(f"[bold]{item.id}[/bold]: {item.title} ({item.unit})")
        console.print(f"  {item.description}")
        if not item.collected:
            console.print("  Not collected: no partner has sent the data for this measure.")
        if item.compares:
            console.print(f"  childlink compare {item.id}: {' against '.join(item.compares)}")
        table = Table.grid(padding=(0, 2))
        for dimension in item.dimensions.values():
            shown = list(dimension.categories)
            table.add_row(
                f"  --by {dimension.id}",
                ", ".join(shown if len(shown) < 10 or measure else [*shown[:3], "...", shown[-1]]),
            )
        console.print(table)
        console.print(f"  together: {'; '.join(' x '.join(cube) for cube in item.cubes)}")


@main.command()
@click.argument("measure", type=MEASURE)
@click.option("--by", multiple=True, help="A dimension to break down by; repeat for more.")
@click.option(
    "--where",
    multiple=True,
    metavar="DIMENSION=A,B",
    help="Keep these categories of a dimension; repeat for more.",
)
@RELEASE
@click.option(
    "--explain",
    is_flag=True,
    help="Explain for each cell, rule by rule, why it is shown or withheld.",
)
@JSON
@click.option("--csv", "csv_file", type=PATH, help="Write a CSV file, and its metadata beside it.")
@click.option("--parquet", type=PATH, help="Write a Parquet file.")
@click.option("--chart", type=PATH, help="Write a chart, .png or .svg.")
@click.option("--map", "map_file", type=PATH, help="Write a map, .png or .svg; needs --boundaries.")
@BOUNDARIES
@click.pass_obj
def ask(
    client: Client,
    measure: str,
    by: tuple[str, ...],
    where: tuple[str, ...],
    release: str,
    explain: bool,
    as_json: bool,
    csv_file: Path | None,
    parquet: Path | None,
    chart: Path | None,
    map_file: Path | None,
    boundaries: tuple[Path, ...],
) -> None:
    """Ask for a MEASURE. Example: childlink ask reach_children --by residence --by imd_quintile"""

    from childlink_client.answers import MOST_DRAWN, TOO_MANY
    from childlink_client.boundaries import read_boundaries
    from childlink_client.charts import check_file

    if chart:
        check_file(chart)
        if len(by) > MOST_DRAWN:
            raise ClientError(TOO_MANY)
    if map_file:
        check_file(map_file)
        if not boundaries:
            raise ClientError("--map needs --boundaries: a GeoJSON or TopoJSON file of the areas.")
    shapes = read_boundaries(boundaries) if map_file else None
    answer = client.ask(measure, by, filters(where), release, explain=explain)
    show(answer.to_json() if as_json else str(answer))
    try:
        if csv_file:
            answer.save_csv(csv_file)
        if parquet:
            answer.save_parquet(parquet)
        if chart:
            answer.save_chart(chart)
        if map_file:
            answer.save_chart(map_file, shapes)
    except OSError as error:
        raise ClientError(
            f"{error.filename or parquet} cannot be written: {error.strerror or error}."
        ) from None
