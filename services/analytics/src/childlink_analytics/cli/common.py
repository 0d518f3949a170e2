"""The main command group and its shared options."""

import signal
import threading
from pathlib import Path

import click
from childlink_core import __version__
from childlink_core.commands import Commands, configure_logs


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
    """Store linked observations, cut protected releases, and answer questions from the releases
    alone.
    """

    configure_logs("analytics")
    ctx.obj = settings_file


def stop_on_signals() -> threading.Event:
    """An event that is set by SIGTERM and SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
