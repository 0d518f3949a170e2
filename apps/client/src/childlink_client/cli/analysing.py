"""Commands for the kinds of analysis, one command each. Options and help come from the kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from childlink_client.analyses import KINDS
from childlink_client.analyses.pathways import FIRST, PATHWAYS
from childlink_client.cli.common import JSON, MEASURE, PATH, RELEASE, filters, main, show
from childlink_client.errors import ClientError

if TYPE_CHECKING:
    from childlink_client.analyses.kind import Kind
    from childlink_client.client import Client
    from childlink_client.found import Found

_CSV = click.option(
    "--csv", "csv_file", type=PATH, help="Write a CSV file, and its metadata beside it."
)
_CHART = click.option("--chart", type=PATH, help="Write a chart, .png or .svg.")


class _Percentage(click.ParamType[float]):
    name = "percentage"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        text = str(value).strip()
        try:
            share = float(text.removesuffix("%")) / 100
        except ValueError:
            self.fail(f"{value!r} is no percentage. Write 2%, for example.", param, ctx)
        if not text.endswith("%"):
            self.fail(f"write {text}% if you mean percent.", param, ctx)
        if not 0.0 <= share < 0.5:
            self.fail(f"{value!r}: give 0% to below 50%.", param, ctx)
        return share


def _command(kind: Kind) -> click.Command:
    def run(
        client: Client, as_json: bool, csv_file: Path | None, chart: Path | None, **given: Any
    ) -> None:
        from childlink_client.questions import Question

        where, against = (
            {name: tuple(kept) for name, kept in filters(given.get(part, ()), part).items()}
            for part in ("where", "against")
        )
        if service := given.get("service"):
            where[FIRST] = (service,)
        by = given.get("several_by") or tuple(
            filter(None, (given.get("by") or given.get("over"), given.get("strata")))
        )
        question = Question(
            kind.name,
            given.get("measure", PATHWAYS),
            tuple(by),
            where,
            against,
            given.get("per", ""),
            given.get("missed", 0.0),
        )
        _give(question.put(client, given.get("release", "")), as_json, csv_file, chart)

    command: Any = click.pass_obj(run)
    for decorate in (
        _CHART,
        _CSV,
        JSON,
        *reversed([_parameter(kind, part) for part in kind.takes]),
    ):
        command = decorate(command)
    return click.command(kind.name, help=kind.help)(command)


def _parameter(kind: Kind, part: str) -> Any:
    match part:
        case "measure":
            return click.argument("measure", type=MEASURE)
        case "service":
            return click.argument("service", default="")
        case "by":
            return click.option("--by", default="", help=kind.by_help)
        case "over":
            return click.option("--over", default="", help=kind.by_help)
        case "for":
            return click.option(
                "--for",
                "strata",
                default="",
                help="The dimension in which the groups are made alike.",
            )
        case "several-by":
            return click.option(
                "--by",
                "several_by",
                multiple=True,
                help="A dimension to break down by; repeat for more.",
            )
        case "where":
            return click.option(
                "--where",
                multiple=True,
                metavar="DIMENSION=A,B",
                help="Keep these categories; repeat for more.",
            )
        case "against":
            return click.option(
                "--against",
                multiple=True,
                metavar="DIMENSION=A,B",
                help="The other group; repeat for more dimensions.",
            )
        case "missed":
            return click.option(
                "--missed",
                type=_Percentage(),
                default=0.0,
                metavar="PERCENT",
                help=(
                    "Correct for missed links: the percentage of the engaged who are counted among"
                    " the others, for example 2%. The linker's operator measures it."
                ),
            )
        case "per":
            return click.option("--per", default="", help="The measure of the other group.")
        case _:
            return RELEASE


def _give(found: Found, as_json: bool, csv_file: Path | None, chart: Path | None) -> None:
    from childlink_client.charts import check_file

    if chart:
        check_file(chart)
    show(found.to_json() if as_json else str(found))
    try:
        if csv_file:
            found.save_csv(csv_file)
        if chart:
            found.save_chart(chart)
    except OSError as error:
        raise ClientError(f"{error.filename} cannot be written: {error.strerror}.") from None


for _kind in KINDS.values():
    # `ask` has its own command, with more options.
    if _kind.name != "ask":
        main.add_command(_command(_kind))
