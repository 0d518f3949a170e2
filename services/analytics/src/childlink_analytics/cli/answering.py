"""Commands of the answering process."""

from pathlib import Path

import click
from childlink_core.commands import stop_on_signals

from childlink_analytics.cli.common import main


@main.command()
@click.pass_obj
def serve(settings_file: Path | None) -> None:
    """Answer questions over gRPC from the folder of releases until SIGTERM. This process cannot
    reach the store.
    """

    from childlink_analytics.answering.app import build_access
    from childlink_analytics.answering.metrics import ServingMetrics
    from childlink_analytics.answering.service import serve as start_server
    from childlink_analytics.settings import ServingSettings

    settings = ServingSettings.load(settings_file)
    metrics = ServingMetrics()
    metrics.serve(settings.metrics_port, settings.metrics_address)
    stop = stop_on_signals()
    access = build_access(settings)
    server, port = start_server(settings, metrics, access)
    click.echo(
        f"analytics: answering on {settings.address.rsplit(':', 1)[0]}:{port}; stop with SIGTERM",
        err=True,
    )
    stop.wait()
    server.stop(grace=5).wait()
    if access.trail:
        access.trail.close()


@main.command()
def measures() -> None:
    """List the measure catalogue."""

    from childlink_catalogue.catalogue import catalogue

    for measure in catalogue().values():
        click.echo(f"{measure.id}: {measure.title} ({measure.unit})")
        for cube in measure.cubes:
            click.echo(f"    by {' x '.join(cube)}")
