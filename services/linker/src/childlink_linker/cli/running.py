"""Commands that run a linker and look after its store."""

import csv
import signal
import sys
import threading
import time
from pathlib import Path

import click
from childlink_bus.database import migrate, open_database
from childlink_bus.ports import BusError, Subscriber
from childlink_bus.service_role import grant_to_service
from childlink_core import __version__, topics
from childlink_core.commands import at_the_command_line

from childlink_linker import app, evaluate, tables
from childlink_linker.cli.common import main
from childlink_linker.errors import NotAnEvaluationError
from childlink_linker.metrics import LinkerMetrics
from childlink_linker.parameters import render_parameters
from childlink_linker.server import holdings
from childlink_linker.settings import LinkerSettings

_GAUGES_EVERY_S = 5.0
_RETRY_AFTER_S = 3.0


@main.command()
@click.pass_obj
def run(settings_file: Path | None) -> None:
    """Consume encodings, assign identifiers, publish links and receipts; until SIGTERM."""
    settings = LinkerSettings.load(settings_file)
    metrics = LinkerMetrics()
    metrics.serve(settings.metrics_port, settings.metrics_address)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    linker = app.build(settings, metrics)
    stop_serving = app.serve(linker)
    observed_at = 0.0

    def observe(subscriber: Subscriber) -> None:
        nonlocal observed_at
        if time.monotonic() - observed_at > _GAUGES_EVERY_S:
            linker.observe(subscriber)
            observed_at = time.monotonic()

    click.echo(f"linker: reading from {len(linker.pump.sources)} partners; stop with SIGTERM", err=True)
    try:
        while not stop.is_set():
            try:
                linker.pump.run(stop.is_set, observe)
            except BusError as error:
                click.echo(error.render(), err=True)
                stop.wait(_RETRY_AFTER_S)
    finally:
        stop_serving()
        linker.close()


@main.command()
@click.pass_obj
def status(settings_file: Path | None) -> None:
    """Show how much is linked and how far each partner's stream was read."""
    engine = app.open_store(LinkerSettings.load(settings_file))
    with engine.connect() as tx:
        records, children, adults, families, pairs = holdings(tx)
        click.echo(
            f"{records:,} records: {children:,} children, {adults:,} adults, {families:,} families; {pairs:,} pairs to review"
        )
        for row in tx.execute(tables.ledger.streams.select()):
            click.echo(f"  {row.topic}: epoch {row.epoch}, read up to batch {row.next_sequence - 1}")
        for topic, why in tables.ledger.suspended(tx).items():
            click.echo(f"  {topic} is suspended: {why}")


@main.command()
@click.argument("topic")
@click.option("--why", required=True, help="For those who come after you.")
@click.pass_obj
def suspend(settings_file: Path | None, topic: str, why: str) -> None:
    """Read nothing more from TOPIC until it is resumed: a partner that sends rubbish, or may be compromised. Nothing is lost."""
    with app.open_store(LinkerSettings.load(settings_file)).begin() as tx:
        tables.ledger.suspend(tx, topic, why)
    click.echo(f"{topic} is suspended; `status` shows it, `resume` reads on from where it was left")


@main.command()
@click.argument("topic")
@click.pass_obj
def resume(settings_file: Path | None, topic: str) -> None:
    """Read TOPIC again, from where it was left. Its dead letters are forgiven."""
    with app.open_store(LinkerSettings.load(settings_file)).begin() as tx:
        was = tables.ledger.resume(tx, topic)
    click.echo(f"{topic} is read again" if was else f"{topic} was not suspended")


@main.command()
@click.option("--revision", default="head", show_default=True, help="'head', 'base' or a revision.")
@click.option(
    "--service-role", metavar="NAME", help="Database role that `run` connects as: may work with rows, no more."
)
@click.option(
    "--service-password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with that role's password: the role is made if there is none.",
)
@click.pass_obj
def migrate_store(
    settings_file: Path | None, revision: str, service_role: str | None, service_password_file: Path | None
) -> None:
    """Bring the database's tables to a revision, as their owner. With --service-role, let that role use them, but neither change them
    nor rewrite the audit trail and the event log."""
    if service_role and revision != "head":
        raise click.UsageError("--service-role is for tables that are up to date")
    if service_password_file and not service_role:
        raise click.UsageError("--service-password-file is for --service-role")
    settings = LinkerSettings.load(settings_file)
    engine = open_database(settings.database, settings.database_password_file)
    migrate(engine, "childlink_linker", revision)
    click.echo(f"tables are at {revision}")
    if service_role:
        password = service_password_file.read_text(encoding="utf-8").strip() if service_password_file else ""
        grant_to_service(engine, tables.metadata, service_role, tables.APPEND_ONLY, password)
        click.echo(f"{service_role} may use them, and no more")


@main.command()
@click.pass_obj
def republish(settings_file: Path | None) -> None:
    """Send every link again, for an analytics store that lost them."""
    linker = app.build(LinkerSettings.load(settings_file), LinkerMetrics())
    try:
        click.echo(f"{linker.republish():,} batches sent to {topics.LINKS}")
        linker.desk().note(at_the_command_line(), "republish")
    finally:
        linker.close()


@main.command()
@click.option("--new-broker", is_flag=True, help="The broker is new as well: its topics are read from their start.")
@click.pass_obj
def restored(settings_file: Path | None, new_broker: bool) -> None:
    """After the store was restored from a backup, and before `run`: what is sent from now on supersedes what the lost store sent."""
    linker = app.build(LinkerSettings.load(settings_file), LinkerMetrics())
    try:
        click.echo(f"{linker.restored(new_broker=new_broker):,} batches sent to {topics.LINKS}; start the linker now")
        linker.desk().note(at_the_command_line(), "restored")
    finally:
        linker.close()


@main.command()
@click.option("--output", required=True, type=click.Path(path_type=Path), help="Parameter file to write.")
@click.option("--version", "version", required=True, help="Name of the new parameters, for example 'lambeth-2026-11'.")
@click.pass_obj
def estimate(settings_file: Path | None, output: Path, version: str) -> None:
    """Estimate match parameters from the encodings in the store. Changes nothing: `relink` puts them to use."""
    linker = app.build(LinkerSettings.load(settings_file), LinkerMetrics())
    try:
        parameters = linker.estimate(version)
        linker.desk().note(at_the_command_line(), "estimate", version=version)
    finally:
        linker.close()
    output.write_text(render_parameters(parameters, f"Estimated from the store by childlink-linker {__version__}."))
    click.echo(f"{output} written; compare it with the parameters in use, then: childlink-linker relink {output}")


@main.command()
@click.option("--output", type=click.Path(path_type=Path), help="CSV file; default standard output.")
@click.pass_obj
def export(settings_file: Path | None, output: Path | None) -> None:
    """For an evaluation: write partner, link reference, person, family. Refused unless the instance is marked as one."""
    settings = LinkerSettings.load(settings_file)
    if not settings.evaluation:
        raise NotAnEvaluationError(
            "This linker is not marked as an evaluation.",
            "Set evaluation = true only where the data are made up, or approved for evaluation.",
        )
    app.reading_desk(settings).note(at_the_command_line(), "export")
    engine = app.open_store(settings)
    file = output.open("w", newline="", encoding="utf-8") if output else sys.stdout
    with engine.connect() as tx, file:
        writer = csv.writer(file)
        writer.writerow(["partner", "link_reference", "person", "family"])
        writer.writerows(evaluate.export(tx))
