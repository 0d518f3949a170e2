"""Commands that run analytics' processes and look after its store."""

import time
from contextlib import suppress
from datetime import date
from pathlib import Path

import click
import sqlalchemy as sa
from childlink_bus.ports import BusError, Subscriber
from childlink_bus.store_commands import Tables, add_store_commands
from childlink_core import telemetry
from childlink_core.commands import at_the_command_line

from childlink_analytics import app, tables
from childlink_analytics.cli.common import main, stop_on_signals
from childlink_analytics.measures import catalogue
from childlink_analytics.metrics import ServingMetrics, StoreMetrics
from childlink_analytics.release_service import serve_releases
from childlink_analytics.server import serve as start_server
from childlink_analytics.settings import ServingSettings, StoreSettings
from childlink_analytics.store import Store

_GAUGES_EVERY_S = 10.0
_RETRY_AFTER_S = 3.0


@main.command()
@click.pass_obj
def consume(settings_file: Path | None) -> None:
    """Store observations and links, send receipts, cut what the schedule asks for; until SIGTERM."""
    settings = StoreSettings.load(settings_file)
    telemetry.start("analytics", settings)
    metrics = StoreMetrics()
    metrics.serve(settings.metrics_port, settings.metrics_address)
    stop = stop_on_signals()
    consumer = app.build_consumer(settings, metrics)
    desk = app.build_desk(settings, consumer.engine)
    schedule = app.Schedule(desk, metrics)
    server = serve_releases(settings, desk, metrics) if settings.grpc_address else None
    observed_at = 0.0

    def observe(subscriber: Subscriber) -> None:
        nonlocal observed_at
        if time.monotonic() - observed_at > _GAUGES_EVERY_S:
            consumer.observe(subscriber)
            schedule.look(date.today())
            observed_at = time.monotonic()

    click.echo(f"analytics: reading {len(consumer.pump.sources)} topics; stop with SIGTERM", err=True)
    try:
        while not stop.is_set():
            try:
                consumer.pump.run(stop.is_set, observe)
            except BusError as error:
                click.echo(error.render(), err=True)
                # What waits for a broker that takes nothing is told all the same, unless it is the database that is away.
                with suppress(sa.exc.SQLAlchemyError):
                    consumer.observe_store()
                stop.wait(_RETRY_AFTER_S)
    finally:
        if server:
            server.stop(grace=2).wait()
        consumer.close()


@main.command()
@click.pass_obj
def serve(settings_file: Path | None) -> None:
    """Answer questions over gRPC from the folder of releases; until SIGTERM. Cannot reach the store."""
    settings = ServingSettings.load(settings_file)
    metrics = ServingMetrics()
    metrics.serve(settings.metrics_port, settings.metrics_address)
    stop = stop_on_signals()
    access = app.build_access(settings)
    server, port = start_server(settings, metrics, access)
    click.echo(f"analytics: answering on {settings.address.rsplit(':', 1)[0]}:{port}; stop with SIGTERM", err=True)
    stop.wait()
    server.stop(grace=5).wait()
    if access.trail:
        access.trail.close()


@main.command()
def measures() -> None:
    """List the measure catalogue."""
    for measure in catalogue().values():
        click.echo(f"{measure.id}: {measure.title} ({measure.unit})")
        for cube in measure.cubes:
            click.echo(f"    by {' x '.join(cube)}")


@main.command()
@click.pass_obj
def status(settings_file: Path | None) -> None:
    """Show what is stored, whose rows wait for their links, and which topics are suspended."""
    with app.open_store(StoreSettings.load(settings_file)).connect() as tx:
        observations, links, waiting = app.holdings(tx)
        behind, suspended = Store(tx).behind(), tables.ledger.suspended(tx)
    click.echo(
        f"{observations:,} observations, {links:,} links; {waiting:,} observations are of nobody who is linked yet"
    )
    for partner in behind:
        click.echo(f"  {partner}: rows are here before their links")
    for topic, why in suspended.items():
        click.echo(f"  {topic} is suspended: {why}")


@main.command()
@click.pass_obj
def retention(settings_file: Path | None) -> None:
    """Delete the rows whose retention period is over (see `purposes`). The running service does so every day."""
    gone = app.build_desk(StoreSettings.load(settings_file)).expire(at_the_command_line(), date.today())
    for dataset, rows in gone.items():
        click.echo(f"{dataset}: {rows:,} rows deleted")
    if not gone:
        click.echo("Nothing was kept too long.")


@main.command()
@click.option("--new-broker", is_flag=True, help="The broker is new as well: its topics are read from their start.")
@click.pass_obj
def restored(settings_file: Path | None, new_broker: bool) -> None:
    """After the store was restored from a backup, and before `consume`: what is sent from now on supersedes what the lost store sent."""
    desk = app.build_desk(StoreSettings.load(settings_file))
    with desk.engine.begin() as tx:
        tables.ledger.restored(tx, new_broker=new_broker)
        tables.audit.append(tx, desk.audit_key, at_the_command_line(), "restored", new_broker=int(new_broker))
    click.echo("receipts are numbered anew; start the service now")


add_store_commands(
    main, Tables("childlink_analytics", tables.metadata, [tables.audit.entries], tables.ledger), StoreSettings.load
)
