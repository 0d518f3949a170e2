"""The commands of `childlink`."""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from childlink_client.charts import check_chart
from childlink_client.client import Client
from childlink_client.errors import ClientError
from childlink_client.report import make_report, write_pdf


class _Group(click.Group):
    """Prints a ClientError without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ClientError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(1)


_path = click.Path(path_type=Path)
_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(cls=_Group)
@click.version_option(package_name="childlink-client")
@click.option(
    "--address",
    default="127.0.0.1:7443",
    show_default=True,
    envvar="CHILDLINK_ADDRESS",
    help="host:port of the service.",
)
@click.option("--ca", type=_path, envvar="CHILDLINK_CA", help="CA certificate of the service (PEM).")
@click.option("--certificate", type=_path, envvar="CHILDLINK_CERTIFICATE", help="Your certificate (PEM).")
@click.option("--key", type=_path, envvar="CHILDLINK_KEY", help="Your certificate's private key file (PEM).")
@click.pass_context
def main(ctx: click.Context, address: str, ca: Path | None, certificate: Path | None, key: Path | None) -> None:
    """Ask aggregate questions of linked child data. Small numbers are protected; every answer names its release."""
    ctx.obj = ctx.with_resource(Client(address, ca=ca, certificate=certificate, key=key))


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
            f"{item.id:16} number {item.number}, data until {item.data_until}, policy {item.policy}, sha256 {item.sha256[:16]}..."
        )


@main.command()
@click.argument("release", default="")
@click.pass_obj
def describe(client: Client, release: str) -> None:
    """Show what went into a release and how it is protected (newest by default)."""
    click.echo(json.dumps(client.describe(release), indent=2, ensure_ascii=False))


@main.command()
@click.option("--release", default="", help="Newest by default.")
@click.pass_obj
def measures(client: Client, release: str) -> None:
    """List what can be asked, with its dimensions and categories."""
    console = Console(highlight=False)
    for item in client.measures(release):
        console.print(f"[bold]{item.id}[/bold]: {item.title} ({item.unit})")
        console.print(f"  {item.description}")
        table = Table.grid(padding=(0, 2))
        for dimension in item.dimensions.values():
            shown = list(dimension.categories)
            table.add_row(
                f"  --by {dimension.id}", ", ".join(shown if len(shown) < 10 else [*shown[:3], "...", shown[-1]])
            )
        console.print(table)


@main.command()
@click.argument("measure")
@click.option("--by", multiple=True, help="A dimension to break down by; repeat for more.")
@click.option(
    "--where", multiple=True, metavar="DIMENSION=A,B", help="Keep these categories of a dimension; repeat for more."
)
@click.option("--release", default="", help="Newest by default.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "csv_file", type=_path, help="Write a CSV file.")
@click.option("--parquet", type=_path, help="Write a Parquet file.")
@click.option("--chart", type=_path, help="Write a chart, .png or .svg.")
@click.pass_obj
def ask(
    client: Client, measure: str, by: tuple[str, ...], where: tuple[str, ...], release: str, as_json: bool,
    csv_file: Path | None, parquet: Path | None, chart: Path | None,
) -> None:  # fmt: skip
    """Ask for a MEASURE, for example: childlink ask reach_children --by residence --by imd_quintile"""
    if chart:
        check_chart(by, chart)
    answer = client.ask(measure, by, _filters(where), release)
    click.echo(answer.to_json() if as_json else str(answer))
    try:
        if csv_file:
            csv_file.write_text(answer.to_csv(), encoding="utf-8")
        if parquet:
            answer.save_parquet(parquet)
        if chart:
            answer.save_chart(chart)
    except OSError as error:
        raise ClientError(f"{error.filename or parquet} cannot be written: {error.strerror or error}.") from None


def _filters(where: tuple[str, ...]) -> dict[str, list[str]]:
    filters: dict[str, list[str]] = {}
    for item in where:
        name, equals, categories = item.partition("=")
        if not equals or not categories:
            raise ClientError(f"--where {item}: write DIMENSION=CATEGORY or DIMENSION=A,B.")
        filters.setdefault(name, []).extend(categories.split(","))
    return filters


@main.command()
@click.argument("output", type=_path)
@click.option("--release", default="", help="Newest by default.")
@click.option(
    "--questions",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your own file of questions; the annual report's by default.",
)
@click.option(
    "--template", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Your own Jinja template."
)
@click.pass_obj
def report(client: Client, output: Path, release: str, questions: Path | None, template: Path | None) -> None:
    """Write a report: one HTML file (or .pdf, where there is Chromium) with charts, the tables behind them, what was withheld and
    why, linkage quality and method."""
    asked, looks = (path.read_text(encoding="utf-8") if path else "" for path in (questions, template))
    page = make_report(client, asked, looks, release)
    if output.suffix == ".pdf":
        write_pdf(page, output)
    else:
        output.write_text(page, encoding="utf-8")
    click.echo(f"{output} written")
