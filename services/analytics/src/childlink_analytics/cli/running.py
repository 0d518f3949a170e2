"""Commands that run the process that stores and releases, and maintain its store."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click
from childlink_bus.store_commands import add_store_commands
from childlink_core.commands import os_user, stop_on_signals, warn

from childlink_analytics.cli.common import main

if TYPE_CHECKING:
    from childlink_bus.store_commands import Tables

    from childlink_analytics.settings import StoreSettings

_GAUGES_EVERY_S = 10.0


@main.command()
@click.pass_obj
def consume(settings_file: Path | None) -> None:
    """Store observations and links, send receipts and cut scheduled drafts until SIGTERM."""

    from childlink_bus.ports import Subscriber
    from childlink_bus.stream_processor import run_until_stopped
    from childlink_core import telemetry

    from childlink_analytics.releasing import app
    from childlink_analytics.releasing.metrics import StoreMetrics
    from childlink_analytics.releasing.release.service import serve_releases
    from childlink_analytics.settings import StoreSettings

    settings = StoreSettings.load(settings_file)
    telemetry.start("analytics", settings)
    metrics = StoreMetrics()
    metrics.serve(settings.metrics_port, settings.metrics_address)
    stop = stop_on_signals()
    consumer = app.build_consumer(settings, metrics)
    desk = app.build_desk(settings, consumer.engine)
    schedule = app.Schedule(desk, metrics)
    server = serve_releases(settings, desk, metrics) if settings.grpc_address else None

    def observe(subscriber: Subscriber) -> None:
        consumer.observe(subscriber)
        schedule.look(date.today())

    click.echo(
        f"analytics: reading {len(consumer.processor.sources)} topics; stop with SIGTERM", err=True
    )
    try:
        run_until_stopped(
            consumer.processor, stop, observe, consumer.observe_store, warn, _GAUGES_EVERY_S
        )
    finally:
        if server:
            server.stop(grace=2).wait()
        consumer.close()


@main.command()
@click.pass_obj
def status(settings_file: Path | None) -> None:
    """Show what is stored, which rows wait for their links, and which topics are suspended."""

    from childlink_analytics.releasing import app
    from childlink_analytics.releasing.store import tables
    from childlink_analytics.releasing.store.store import Store
    from childlink_analytics.settings import StoreSettings

    with app.open_store(StoreSettings.load(settings_file)).connect() as tx:
        observations, links, waiting = app.holdings(tx)
        behind, suspended = Store(tx).behind(), tables.stream_state.suspended(tx)
    click.echo(
        f"{observations:,} observations, {links:,} links; {waiting:,} observations are not"
        " linked yet"
    )
    for partner in behind:
        click.echo(f"  {partner}: rows are here before their links")
    for topic, why in suspended.items():
        click.echo(f"  {topic} is suspended: {why}")


@main.command()
@click.pass_obj
def retention(settings_file: Path | None) -> None:
    """Delete rows whose retention period is over (see `purposes`). The running service does this
    every day.
    """

    from childlink_analytics.releasing import app
    from childlink_analytics.settings import StoreSettings

    gone = app.build_desk(StoreSettings.load(settings_file)).expire(os_user(), date.today())
    for dataset, rows in gone.items():
        click.echo(f"{dataset}: {rows:,} rows deleted")
    if not gone:
        click.echo("No rows are past their retention period.")


@main.command()
@click.option(
    "--new-broker",
    is_flag=True,
    help="The broker is also new: read its topics from the beginning.",
)
@click.pass_obj
def restored(settings_file: Path | None, new_broker: bool) -> None:
    """Run this after the store was restored from a backup, and before `consume`.

    What analytics sends from now on replaces what the lost store sent.
    """

    from childlink_analytics.releasing import app
    from childlink_analytics.releasing.store import tables
    from childlink_analytics.settings import StoreSettings

    desk = app.build_desk(StoreSettings.load(settings_file))
    with desk.engine.begin() as tx:
        tables.stream_state.restored(tx, new_broker=new_broker)
        tables.audit.append(tx, desk.audit_key, os_user(), "restored", new_broker=int(new_broker))
    click.echo("receipts start a new epoch; start the service now")


def _tables() -> Tables:
    from childlink_bus.store_commands import Tables

    from childlink_analytics.releasing.store import tables

    return Tables(
        "childlink_analytics.releasing.store",
        tables.metadata,
        [tables.audit.entries],
        tables.stream_state,
    )


def _settings(settings_file: Path | None) -> StoreSettings:
    from childlink_analytics.settings import StoreSettings

    return StoreSettings.load(settings_file)


add_store_commands(main, _tables, _settings)
