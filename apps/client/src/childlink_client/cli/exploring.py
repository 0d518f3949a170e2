"""The command that opens the explorer."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from childlink_client.cli.common import BOUNDARIES, main
from childlink_client.errors import ClientError

if TYPE_CHECKING:
    from childlink_client.boundaries import Boundaries
    from childlink_client.client import Client


@main.command()
@click.option(
    "--port", default=7490, show_default=True, help="The port to serve it on; 0 picks a free port."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to serve it on.")
@click.option(
    "--beyond-this-machine",
    is_flag=True,
    help="Allow an address that other machines can reach. Put a TLS proxy in front of it.",
)
@click.option("--browser/--no-browser", default=True, help="Open the link in your browser.")
@BOUNDARIES
@click.pass_obj
def explore(
    client: Client,
    port: int,
    host: str,
    beyond_this_machine: bool,
    browser: bool,
    boundaries: tuple[Path, ...],
) -> None:
    """Ask in a browser: pick a measure, break it down, see the chart and the table, download. Runs
    until Ctrl-C.

    The command prints a link that works once. Questions asked there are asked in your name.
    """
    from childlink_client.boundaries import read_boundaries

    shapes = read_boundaries(boundaries) if boundaries else None
    run_explorer(client, host, port, beyond=beyond_this_machine, browser=browser, boundaries=shapes)


def run_explorer(
    client: Client,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    beyond: bool = False,
    browser: bool = True,
    boundaries: Boundaries | None = None,
) -> None:
    """Serve the explorer until Ctrl-C. Raises ClientError."""
    try:
        from childlink_client.explorer import start
    except ImportError as error:
        raise ClientError(
            f"{error.name} is not installed: pip install 'childlink-client[explorer]'."
        ) from None
    # Connect first: a connection problem is easier to read in the terminal than in the browser.
    client.releases()
    running = start(client, host, port, beyond=beyond, boundaries=boundaries)
    click.echo(f"Explorer, for one browser, until Ctrl-C: {running.url}")
    if browser:
        webbrowser.open(running.url)
    try:
        running.wait()
    except KeyboardInterrupt:
        click.echo("stopped")
    finally:
        running.close()
