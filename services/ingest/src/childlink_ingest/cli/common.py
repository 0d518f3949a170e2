"""Shared parts of the commands: arguments, progress, reading and writing files."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from childlink_bus.ports import BusError
from childlink_core.errors import UserError

from childlink_ingest.errors import EXIT_WAITING

if TYPE_CHECKING:
    from childlink_ingest.metrics import IngestMetrics
    from childlink_ingest.settings import IngestSettings
    from childlink_ingest.spool import Spool


_PROGRESS_EVERY_S = 5.0
_FIRST_PERSON = 1000
"""The first number of a person's account. Smaller ones are of services."""
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
extract_argument = click.argument("extract", type=FILE)
mapping_option = click.option(
    "--mapping",
    "mapping_file",
    required=True,
    type=FILE,
    help="TOML file that maps the extract's columns.",
)


def account_holder() -> str:
    """The full name of the person whose account this is; "" for an account of a service."""
    try:
        import os
        import pwd

        account = pwd.getpwuid(os.getuid())
    except (ImportError, KeyError):
        # Windows has no such register, and a container's user may not be in it.
        return ""
    return account.pw_gecos.split(",")[0].strip() if account.pw_uid >= _FIRST_PERSON else ""


class Progress:
    """Shows progress: one updated line on a terminal, or a new line every few seconds in a log."""

    def __init__(self, what: str, *, rate: bool = False) -> None:
        self._what, self._rate = what, rate
        self._started = self._shown = time.monotonic()

    def __call__(self, count: int) -> None:
        """Show the current count."""
        now = time.monotonic()
        taken = now - self._started
        text = f"{count:,} {self._what}, {taken:.0f} s" + (
            f", {count / taken:,.0f}/s" if self._rate and taken > 0.5 else ""
        )
        if sys.stderr.isatty():
            click.echo(f"\r\x1b[K{text} ", nl=False, err=True)
        elif now - self._shown > _PROGRESS_EVERY_S:
            click.echo(text, err=True)
            self._shown = now

    def done(self) -> None:
        """End the line."""
        if sys.stderr.isatty():
            click.echo(err=True)


def exchange(settings: IngestSettings, spool: Spool, metrics: IngestMetrics, wait: float) -> None:
    """Send queued batches, and fetch receipts.

    Waits at most `wait` seconds for receipts, but until all queued batches are sent. If the broker
    cannot be reached, the program ends with EXIT_WAITING: nothing is lost, and the next run sends
    what waits.
    """

    try:
        _exchange(settings, spool, metrics, wait)
    except BusError as error:
        error.exit_code = EXIT_WAITING
        raise


def _exchange(settings: IngestSettings, spool: Spool, metrics: IngestMetrics, wait: float) -> None:
    from childlink_ingest import app

    shown = Progress("batches left")
    with app.connect(settings, spool, metrics.log_lost) as connection:
        traffic = connection.exchange
        deadline = time.monotonic() + wait
        traffic.run(
            connection.subscriber,
            done=lambda: (
                traffic.settled()
                or (time.monotonic() > deadline and not spool.count_batches("queued"))
            ),
            progress=lambda: shown(spool.count_batches("queued", "sent")),
        )
        metrics.spool_state(spool, connection.subscriber.lag())
    shown.done()


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a small CSV file, or raise UserError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(rows)
    except OSError as error:
        raise cannot_write(path, error) from None


def write_text(path: Path, text: str, *, fresh: bool = False) -> None:
    """Write a text file, or raise UserError. `fresh` refuses to overwrite."""
    try:
        with path.open("x" if fresh else "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise UserError(f"{path} already exists.", "Give another name, or move the file.") from None
    except OSError as error:
        raise cannot_write(path, error) from None


def read_text(path: Path) -> str:
    """Read a text file, or raise UserError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path} cannot be read ({type(error).__name__}).", "Check the path."
        ) from None


def cannot_write(path: Path, error: OSError) -> UserError:
    """The error for a file that cannot be written."""
    return UserError(
        f"{path} cannot be written: {error.strerror}.", "Give another path, or free disk space."
    )
