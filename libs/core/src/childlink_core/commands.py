"""The convention of every command line: an error that a user can mend is a sentence and an exit code, not a traceback."""

import getpass
import os
from typing import Any

import click

from childlink_core.errors import UserError
from childlink_core.memory import look_for_cycles_seldom


class Commands(click.Group):
    """A group of commands that prints a UserError as text and exits with its code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        look_for_cycles_seldom()
        try:
            return super().invoke(ctx)
        except UserError as error:
            click.echo(error.render(), err=True)
            ctx.exit(error.exit_code)


def at_the_command_line() -> str:
    """Who sits there, for an audit trail. In a container whose user has no name, set LOGNAME to the person's."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"user {os.getuid()}"
    return f"{name} at the command line"
