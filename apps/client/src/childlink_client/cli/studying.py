"""Commands that compare, follow and rank."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from childlink_client.cli.common import JSON, MEASURE, PATH, RELEASE, filters, main, show
from childlink_client.errors import ClientError

if TYPE_CHECKING:
    from childlink_client.client import Client
    from childlink_client.study import Study

_CSV = click.option("--csv", "csv_file", type=PATH, help="Write a CSV file.")
_CHART = click.option("--chart", type=PATH, help="Write a chart, .png or .svg.")


def _give(study: Study, as_json: bool, csv_file: Path | None, chart: Path | None) -> None:
    from childlink_client.charts import check_chart

    if chart:
        check_chart((), chart)
    show(study.to_json() if as_json else str(study))
    try:
        if csv_file:
            csv_file.write_text(study.to_csv(), encoding="utf-8")
        if chart:
            study.save_chart(chart)
    except OSError as error:
        raise ClientError(f"{error.filename} cannot be written: {error.strerror}.") from None


@main.command()
@click.argument("measure", type=MEASURE)
@RELEASE
@JSON
@_CSV
@_CHART
@click.pass_obj
def compare(
    client: Client, measure: str, release: str, as_json: bool, csv_file: Path | None, chart: Path | None
) -> None:
    """Compare those who engaged with those who did not, crude and adjusted: childlink compare asq3_overall"""
    _give(client.compare(measure, release), as_json, csv_file, chart)


@main.command()
@click.argument("measure", type=MEASURE)
@click.option("--by", default="", help="A dimension to break down by, for example programme.")
@RELEASE
@JSON
@_CSV
@_CHART
@click.pass_obj
def change(
    client: Client, measure: str, by: str, release: str, as_json: bool, csv_file: Path | None, chart: Path | None
) -> None:
    """The mean change from before to after, with a paired test: childlink change change_mental_health --by programme"""
    _give(client.change(measure, by, release), as_json, csv_file, chart)


@main.command()
@click.argument("service", default="")
@RELEASE
@JSON
@_CSV
@_CHART
@click.pass_obj
def pathways(
    client: Client, service: str, release: str, as_json: bool, csv_file: Path | None, chart: Path | None
) -> None:
    """What followed a first contact with SERVICE, or with each: childlink pathways community_engagement"""
    _give(client.pathways(service, release), as_json, csv_file, chart)


@main.command()
@click.argument("measure", type=MEASURE)
@click.option("--by", multiple=True, help="A dimension to break down by; repeat for more.")
@click.option("--where", multiple=True, metavar="DIMENSION=A,B", help="Keep these categories; repeat for more.")
@JSON
@_CSV
@_CHART
@click.pass_obj
def trend(
    client: Client,
    measure: str,
    by: tuple[str, ...],
    where: tuple[str, ...],
    as_json: bool,
    csv_file: Path | None,
    chart: Path | None,
) -> None:
    """Ask every release one question: childlink trend reach_children --by residence"""
    _give(client.trend(measure, by, filters(where)), as_json, csv_file, chart)


@main.command()
@click.argument("measure", type=MEASURE)
@click.option("--over", default="", help="An ordered dimension; deprivation by default.")
@RELEASE
@JSON
@_CSV
@_CHART
@click.pass_obj
def inequality(
    client: Client, measure: str, over: str, release: str, as_json: bool, csv_file: Path | None, chart: Path | None
) -> None:
    """Gap, ratio, slope and relative index of inequality: childlink inequality asq3_overall"""
    _give(client.inequality(measure, over, release), as_json, csv_file, chart)
