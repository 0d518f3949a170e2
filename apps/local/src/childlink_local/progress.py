"""A line of progress: updated in place on a terminal, repeated every few seconds in a log."""

import sys
import time

import click

_EVERY_S = 10.0


class Line:
    """Call it with the current task and a count; `done` ends the line."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._shown = time.monotonic()

    def __call__(self, what: str, count: int) -> None:
        now = time.monotonic()
        if self._terminal and now - self._shown > 0.1:
            click.echo(f"\r   {what} {count:,}".ljust(78), nl=False, err=True)
            self._shown = now
        elif not self._terminal and now - self._shown > _EVERY_S:
            click.echo(f"   {what} {count:,}", err=True)
            self._shown = now

    def done(self) -> None:
        """End the line."""
        if self._terminal:
            click.echo("\r".ljust(80) + "\r", nl=False, err=True)
