"""Commands that write reports."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from childlink_client.cli.common import BOUNDARIES, FILE, PATH, RELEASE, main
from childlink_client.errors import ClientError

if TYPE_CHECKING:
    from childlink_client.client import Client


@main.group()
def report() -> None:
    """Write a report as one HTML file (or .pdf, if Chromium is installed): charts and their tables,
    what was withheld and why, linkage quality and method.
    """


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--template", type=FILE, help="A Jinja template of your own."),
        click.option(
            "--questions",
            type=FILE,
            help="A file of questions of your own; by default the bundled one.",
        ),
        RELEASE,
        BOUNDARIES,
        click.argument("output", type=PATH),
    ):
        command = option(command)
    return command


def _of_form(pattern: str, wanted: str) -> Callable[..., str]:
    def check(_context: click.Context, _option: click.Parameter, value: str) -> str:
        if value and not re.fullmatch(pattern, value):
            raise click.BadParameter(f"{value!r}: give {wanted}.")
        return value

    return check


@report.command()
@click.option(
    "--year",
    "period",
    default="",
    callback=_of_form(r"[12]\d{3}", "a year, for example 2024"),
    help="The year, for example 2024; the last full one by default.",
)
@_options
@click.pass_obj
def annual(client: Client, /, output: Path, **given: Any) -> None:
    """Write the partnership's annual report to OUTPUT: whom services reached in the year and so
    far, how children fare, what changed.
    """
    _write(client, output, "annual", **given)


@report.command()
@_options
@click.pass_obj
def evaluation(client: Client, /, output: Path, **given: Any) -> None:
    """Write the headline results to OUTPUT: reach, and how children fare whose families engaged
    with relevant services, crude and adjusted, and for whom.
    """
    _write(client, output, "evaluation", **given)


@report.command()
@click.option(
    "--service", required=True, help='The service, by id or title: baby_steps, or "Baby Steps".'
)
@click.option(
    "--quarter",
    "period",
    default="",
    callback=_of_form(r"[12]\d{3}-Q[1-4]", "a quarter, for example 2024-Q3"),
    help="The quarter, for example 2024-Q3; the last full one by default.",
)
@_options
@click.pass_obj
def quarterly(client: Client, /, output: Path, **given: Any) -> None:
    """Write one service's report to OUTPUT: the quarter beside the one before and that of the last
    year, whom it reached compared with all services, what families used next, what changed for
    those who came.
    """
    _write(client, output, "quarterly", **given)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ClientError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ClientError(f"{path} is not in UTF-8. Save it as UTF-8.") from None


def _write(
    client: Client,
    output: Path,
    kind: str,
    *,
    release: str,
    questions: Path | None,
    template: Path | None,
    boundaries: tuple[Path, ...],
    service: str = "",
    period: str = "",
) -> None:
    from childlink_client.boundaries import read_boundaries
    from childlink_client.pdf import write_pdf
    from childlink_client.report import make_report

    asked, looks = (_text(path) if path else "" for path in (questions, template))
    shapes = read_boundaries(boundaries) if boundaries else None
    page = make_report(
        client,
        asked,
        looks,
        release,
        kind=kind,
        service=service,
        period=period,
        boundaries=shapes,
    )
    try:
        if output.suffix == ".pdf":
            write_pdf(page, output)
        else:
            output.write_text(page, encoding="utf-8")
    except OSError as error:
        raise ClientError(f"{output} cannot be written: {error.strerror or error}.") from None
    click.echo(f"{output} written")
