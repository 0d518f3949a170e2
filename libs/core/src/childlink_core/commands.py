"""Shared behaviour of the command lines.

An error that the user can fix prints one sentence and sets an exit code. It prints no traceback.
"""

import getpass
import os
import sys
from collections.abc import Mapping
from typing import Any

import click

from childlink_core.errors import UserError
from childlink_core.garbage_collection import relax_garbage_collection


class Commands(click.Group):
    """A command group that prints a UserError as text and exits with the error's exit code."""

    group_class = type
    """Nested groups are of this class, too."""

    def __init__(
        self, *arguments: Any, former: Mapping[str, str] | None = None, **options: Any
    ) -> None:
        """`former` maps old command names to new ones. Old names still work and print a notice."""
        super().__init__(*arguments, **options)
        self.former = former or {}

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, or of this former name."""
        if cmd_name in self.former:
            click.echo(
                f"`{cmd_name}` is now called `{self.former[cmd_name]}`. The next version removes"
                " the old name.",
                err=True,
            )
            cmd_name = self.former[cmd_name]
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and handle UserError."""
        relax_garbage_collection()
        try:
            return super().invoke(ctx)
        except UserError as error:
            click.echo(error.render(), err=True)
            ctx.exit(error.exit_code)


def asks_for_help() -> bool:
    """Whether only a help text is wanted: then nothing is connected, and nothing slow imported."""
    return "--help" in sys.argv[1:]


def configure_logs(service: str, level: str = "INFO") -> None:
    """Let a command's logs be lines of JSON; not for a help text, which logs nothing."""
    if asks_for_help():
        return
    from childlink_core import logs

    logs.configure(service, level=level)


def os_user() -> str:
    """The name of the operating-system user, for an audit trail.

    In a container whose user has no name, set LOGNAME to the person's name.
    """
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"user {os.getuid()}"
    return f"{name} at the command line"
