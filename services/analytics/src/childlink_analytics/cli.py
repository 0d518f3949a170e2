"""The commands of `childlink-analytics`."""

import signal
import threading
import time
from datetime import date
from pathlib import Path

import click
from childlink_bus.database import migrate, open_database
from childlink_bus.ports import BusError, Subscriber
from childlink_core import __version__, logs, topics
from childlink_core.commands import Commands
from childlink_core.directory import Member, render_directory
from childlink_core.keys import OpeningKey, SecretKey, SigningKey, read_opening_key, read_signing_key, write_key

from childlink_analytics import app, tables
from childlink_analytics.measures import catalogue
from childlink_analytics.metrics import ServingMetrics, StoreMetrics
from childlink_analytics.releases import read_release, release_ids
from childlink_analytics.server import serve as start_server
from childlink_analytics.settings import ServingSettings, StoreSettings
from childlink_analytics.store import Store

_GAUGES_EVERY_S = 10.0
_RETRY_AFTER_S = 3.0


@click.group(cls=Commands)
@click.version_option(__version__)
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path),
    envvar="CHILDLINK_ANALYTICS_SETTINGS",
    help="TOML settings file.",
)
@click.pass_context
def main(ctx: click.Context, settings_file: Path | None) -> None:
    """Store linked observations, cut protected releases, and answer questions from the releases alone."""
    logs.configure("analytics")
    ctx.obj = settings_file


@main.command()
@click.pass_obj
def consume(settings_file: Path | None) -> None:
    """Store observations and links, and send receipts; until SIGTERM."""
    settings = StoreSettings.load(settings_file)
    metrics = StoreMetrics()
    metrics.serve(settings.metrics_port, settings.metrics_address)
    stop = _stop_on_signals()
    consumer = app.build_consumer(settings, metrics)
    observed_at = 0.0

    def observe(subscriber: Subscriber) -> None:
        nonlocal observed_at
        if time.monotonic() - observed_at > _GAUGES_EVERY_S:
            consumer.observe(subscriber)
            observed_at = time.monotonic()

    click.echo(f"analytics: reading {len(consumer.pump.sources)} topics; stop with SIGTERM", err=True)
    try:
        while not stop.is_set():
            try:
                consumer.pump.run(stop.is_set, observe)
            except BusError as error:
                click.echo(error.render(), err=True)
                stop.wait(_RETRY_AFTER_S)
    finally:
        consumer.close()


@main.command()
@click.argument("release_id")
@click.option("--data-until", default=None, help="Last day of data that it covers, YYYY-MM-DD; default today.")
@click.option("--anyway", is_flag=True, help="Even while links of rows that are here have not come.")
@click.pass_obj
def cut(settings_file: Path | None, release_id: str, data_until: str | None, anyway: bool) -> None:
    """Cut a release: count, protect, attack, publish. All or nothing."""
    settings = StoreSettings.load(settings_file)
    done = app.cut(
        settings,
        release_id,
        data_until or date.today().isoformat(),
        lambda what: click.echo(f"protecting {what}", err=True),
        anyway=anyway,
    )
    click.echo(f"{done.path}")
    for item in done.populations:
        click.echo(f"  {', '.join(published.measure.id for published in item.published)}")
        click.echo(
            f"    {item.cells:,} linked cells, {item.withheld:,} withheld; error mean {item.mean_error:.1f}, largest {item.largest_error}; "
            f"{item.attack.attacked} small counts attacked, {len(item.attack.too_tight)} found, narrowest interval {item.attack.narrowest}"
        )


@main.command()
@click.pass_obj
def verify(settings_file: Path | None) -> None:
    """Check every release's content against its hash."""
    folder = StoreSettings.load(settings_file).releases
    for name in release_ids(folder):
        release = read_release(folder, name)
        click.echo(f"{name}: whole, {len(release.measures)} measures, {release.manifest['content_sha256']}")


@main.command()
@click.pass_obj
def serve(settings_file: Path | None) -> None:
    """Answer questions over gRPC from the folder of releases; until SIGTERM. Cannot reach the store."""
    settings = ServingSettings.load(settings_file)
    metrics = ServingMetrics()
    metrics.serve(settings.metrics_port, settings.metrics_address)
    stop = _stop_on_signals()
    server, port = start_server(settings, metrics)
    click.echo(f"analytics: answering on {settings.address.rsplit(':', 1)[0]}:{port}; stop with SIGTERM", err=True)
    stop.wait()
    server.stop(grace=5).wait()


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
@click.argument("topic")
@click.option("--why", required=True, help="For those who come after you.")
@click.pass_obj
def suspend(settings_file: Path | None, topic: str, why: str) -> None:
    """Read nothing more from TOPIC until it is resumed: a partner that sends rubbish, or may be compromised. Nothing is lost."""
    with app.open_store(StoreSettings.load(settings_file)).begin() as tx:
        tables.ledger.suspend(tx, topic, why)
    click.echo(f"{topic} is suspended; `status` shows it, `resume` reads on from where it was left")


@main.command()
@click.argument("topic")
@click.pass_obj
def resume(settings_file: Path | None, topic: str) -> None:
    """Read TOPIC again, from where it was left. Its dead letters are forgiven."""
    with app.open_store(StoreSettings.load(settings_file)).begin() as tx:
        was = tables.ledger.resume(tx, topic)
    click.echo(f"{topic} is read again" if was else f"{topic} was not suspended")


@main.command()
@click.option("--revision", default="head", show_default=True, help="'head', 'base' or a revision.")
@click.pass_obj
def migrate_store(settings_file: Path | None, revision: str) -> None:
    """Bring the database's tables to a revision."""
    settings = StoreSettings.load(settings_file)
    migrate(open_database(settings.database, settings.database_password_file), "childlink_analytics", revision)
    click.echo(f"tables are at {revision}")


@main.group()
def keys() -> None:
    """Make and show analytics' keys."""


@keys.command("new")
@click.option("--folder", default="keys", show_default=True, type=click.Path(path_type=Path))
def keys_new(folder: Path) -> None:
    """Make analytics' signing, opening and release keys."""
    write_key(folder / "signing.key", SigningKey.generate(topics.ANALYTICS))
    write_key(folder / "opening.key", OpeningKey.generate(topics.ANALYTICS))
    write_key(folder / "release.key", SecretKey.generate(topics.ANALYTICS))
    click.echo(f"{folder}: signing.key, opening.key, release.key made")


@keys.command("show")
@click.option("--folder", default="keys", show_default=True, type=click.Path(path_type=Path))
def keys_show(folder: Path) -> None:
    """Print analytics' public keys in the form of the directory file. Holds no secret."""
    signing, opening = read_signing_key(folder / "signing.key"), read_opening_key(folder / "opening.key")
    click.echo(
        render_directory([Member(signing.owner, signing.owner, (signing.public(),), (opening.public(),))]), nl=False
    )


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
