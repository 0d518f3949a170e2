"""Commands that run a linker and maintain its store."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import click
from childlink_bus.store_commands import add_store_commands
from childlink_core.commands import os_user, stop_on_signals, warn

from childlink_linker.cli.common import main
from childlink_linker.errors import NotAnEvaluationError

if TYPE_CHECKING:
    from childlink_bus.store_commands import Tables

    from childlink_linker.settings import LinkerSettings

_GAUGES_EVERY_S = 5.0
_LONGEST_WAIT_S = 5.0


@main.command()
@click.pass_obj
def run(settings_file: Path | None) -> None:
    """Consume encodings, assign identifiers, and publish links and receipts until SIGTERM."""

    from childlink_bus.stream_processor import run_until_stopped
    from childlink_core import telemetry
    from childlink_core.profiles import WHAT_CLKS_TELL, get_profile

    from childlink_linker import app
    from childlink_linker.metrics import LinkerMetrics
    from childlink_linker.settings import LinkerSettings

    settings = LinkerSettings.load(settings_file)
    telemetry.start("linker", settings)
    metrics = LinkerMetrics()
    metrics.serve(settings.metrics_port, settings.metrics_address)
    stop = stop_on_signals()
    linker = app.build(settings, metrics)
    stop_serving = app.serve(linker)
    click.echo(
        f"linker: reading from {len(linker.processor.sources)} partners; stop with SIGTERM",
        err=True,
    )
    if get_profile(settings.profile).kind == "clk":
        warn(f"linker: {WHAT_CLKS_TELL}")
    watching = Thread(target=linker.watch_density, args=[stop], daemon=True)
    watching.start()
    try:
        run_until_stopped(
            linker.processor, stop, linker.observe, linker.observe_store, warn, _GAUGES_EVERY_S
        )
    finally:
        stop_serving()
        stop.set()
        watching.join(timeout=_LONGEST_WAIT_S)
        linker.close()


@main.command()
@click.pass_obj
def status(settings_file: Path | None) -> None:
    """Show how much is linked and how far each partner's stream has been read."""

    from childlink_linker import app
    from childlink_linker.server import holdings
    from childlink_linker.settings import LinkerSettings
    from childlink_linker.store import tables

    engine = app.open_store(LinkerSettings.load(settings_file))
    with engine.connect() as tx:
        records, children, adults, families, pairs = holdings(tx)
        click.echo(
            f"{records:,} records: {children:,} children, {adults:,} adults, {families:,} families;"
            f" {pairs:,} pairs to review"
        )
        for row in tx.execute(tables.stream_state.streams.select()):
            click.echo(
                f"  {row.topic}: epoch {row.epoch}, read up to batch {row.next_sequence - 1}"
            )
        for topic, why in tables.stream_state.suspended(tx).items():
            click.echo(f"  {topic} is suspended: {why}")


@main.command()
@click.pass_obj
def republish(settings_file: Path | None) -> None:
    """Send every link again, for an analytics store that lost them."""

    from childlink_core import topics

    from childlink_linker import app
    from childlink_linker.metrics import LinkerMetrics
    from childlink_linker.settings import LinkerSettings

    linker = app.build(LinkerSettings.load(settings_file), LinkerMetrics())
    try:
        click.echo(f"{linker.republish():,} batches sent to {topics.LINKS}")
        linker.desk().note(os_user(), "republish")
    finally:
        linker.close()


@main.command()
@click.option(
    "--new-broker",
    is_flag=True,
    help="The broker is also new: read its topics from the beginning.",
)
@click.pass_obj
def restored(settings_file: Path | None, new_broker: bool) -> None:
    """Run this after the store was restored from a backup, and before `run`.

    What the linker sends from now on replaces what the lost store sent.
    """

    from childlink_core import topics

    from childlink_linker import app
    from childlink_linker.metrics import LinkerMetrics
    from childlink_linker.settings import LinkerSettings

    linker = app.build(LinkerSettings.load(settings_file), LinkerMetrics())
    try:
        click.echo(
            f"{linker.restored(new_broker=new_broker):,} batches sent to {topics.LINKS}; start the"
            " linker now"
        )
        linker.desk().note(os_user(), "restored")
    finally:
        linker.close()


@main.command("change-profile")
@click.argument("profile_id", metavar="PROFILE")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def change_profile(settings_file: Path | None, profile_id: str, yes: bool) -> None:
    """Move the store to another encoding profile. Stop the linker before.

    All encodings are deleted. Identifiers, decisions and history stay. Each partner's next run
    sends its records again; until then they are not compared.
    """

    from childlink_core.profiles import get_profile

    from childlink_linker import app
    from childlink_linker.settings import LinkerSettings

    settings = LinkerSettings.load(settings_file)
    profile = get_profile(profile_id)
    if not yes:
        click.confirm(
            f"Delete all encodings, so that partners send them again under {profile.id}?",
            abort=True,
        )
    count = app.change_profile(settings, profile)
    settings.profile = profile.id
    app.reading_desk(settings).note(os_user(), "change-profile", profile=profile.id)
    click.echo(
        f"{count:,} encodings deleted. Set profile = {profile.id!r} for the linker and for every"
        " site, start the linker, and ask the sites to run their extracts."
    )


@main.command()
@click.option(
    "--output", required=True, type=click.Path(path_type=Path), help="Parameter file to write."
)
@click.option(
    "--version",
    "version",
    required=True,
    help="Name of the new parameters, for example 'lambeth-2026-11'.",
)
@click.pass_obj
def estimate(settings_file: Path | None, output: Path, version: str) -> None:
    """Estimate match parameters from the encodings in the store. Changes nothing; use `relink` to
    apply them.
    """

    from childlink_linker import app
    from childlink_linker.cli.relinking import estimated_text
    from childlink_linker.metrics import LinkerMetrics
    from childlink_linker.settings import LinkerSettings

    linker = app.build(LinkerSettings.load(settings_file), LinkerMetrics())
    try:
        estimated = linker.estimate(version)
        linker.desk().note(os_user(), "estimate", version=version)
    finally:
        linker.close()
    output.write_text(estimated_text(estimated))
    click.echo(
        f"{output} written; compare it with the parameters in use, then: childlink-linker relink"
        f" {output}"
    )


@main.command()
@click.option(
    "--output", type=click.Path(path_type=Path), help="CSV file. Default: standard output."
)
@click.pass_obj
def export(settings_file: Path | None, output: Path | None) -> None:
    """Write partner, link reference, person and family for an evaluation.

    Refused unless the instance is marked as an evaluation and another person asked for the export
    (`ask-export`).
    """

    from childlink_linker import app
    from childlink_linker.settings import LinkerSettings
    from childlink_linker.store import evaluate

    settings = LinkerSettings.load(settings_file)
    if not settings.evaluation:
        raise NotAnEvaluationError(
            "This linker is not marked as an evaluation.",
            "Set evaluation = true only if the data are made up or approved for evaluation.",
        )
    app.reading_desk(settings).begin_export(os_user(), "evaluation", one_person=settings.one_person)
    engine = app.open_store(settings)
    file = output.open("w", newline="", encoding="utf-8") if output else sys.stdout
    with engine.connect() as tx, file:
        writer = csv.writer(file)
        writer.writerow(["partner", "link_reference", "person", "family"])
        writer.writerows(evaluate.export(tx))


@main.command("ask-export")
@click.option(
    "--why",
    required=True,
    help="Reason, for the person who makes the export and for the audit trail.",
)
@click.pass_obj
def ask_export(settings_file: Path | None, why: str) -> None:
    """Ask for an export of the store (`export`, `relink --export`). Another person must make it
    within 24 hours.
    """

    from childlink_linker import app
    from childlink_linker.settings import LinkerSettings

    app.reading_desk(LinkerSettings.load(settings_file)).ask_export(os_user(), why)
    click.echo("Requested. Another person can make one export within 24 hours.")


def _tables() -> Tables:
    from childlink_bus.store_commands import Tables

    from childlink_linker.store import tables

    return Tables(
        "childlink_linker.store", tables.metadata, tables.APPEND_ONLY, tables.stream_state
    )


def _settings(settings_file: Path | None) -> LinkerSettings:
    from childlink_linker.settings import LinkerSettings

    return LinkerSettings.load(settings_file)


add_store_commands(main, _tables, _settings)
