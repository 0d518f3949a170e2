"""Commands that write reports."""

from pathlib import Path

import click

from childlink_client.cli.common import PATH, RELEASE, main
from childlink_client.client import Client
from childlink_client.report import make_report, write_pdf


@main.command()
@click.argument("output", type=PATH)
@RELEASE
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
