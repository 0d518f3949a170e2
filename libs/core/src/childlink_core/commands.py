"""Shared behaviour of the command lines.

An error that the user can fix prints one sentence and sets an exit code. It prints no traceback.
"""

import os
import pwd
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from childlink_core import __version__
from childlink_core.errors import UserError
from childlink_core.garbage_collection import relax_garbage_collection

_FOLDER = click.option(
    "--folder", default="keys", show_default=True, type=click.Path(path_type=Path)
)


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
    """The operating-system account of this process, for an audit trail and for rules of two people.

    The kernel says which it is: a name in the environment (LOGNAME, USER) proves nothing.
    """
    return f"{account()} at the command line"


def account() -> str:
    """The name of this process's account, or its number where it has no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"


def warn(text: str) -> None:
    """Say something on standard error."""
    click.echo(text, err=True)


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def service_group(
    name: str,
    help_text: str,
    former: Mapping[str, str] | None = None,
    prepare: Callable[[Path | None], object] | None = None,
) -> Commands:
    """The group that a service's commands hang on. It reads --settings FILE, calls `prepare` with
    the path, and hands it on as the context's object.
    """

    @click.group(cls=Commands, help=help_text, former=former)
    @click.version_option(__version__)
    @click.option(
        "--settings",
        "settings_file",
        type=click.Path(path_type=Path),
        envvar=f"CHILDLINK_{name.upper()}_SETTINGS",
        help="TOML settings file.",
    )
    @click.pass_context
    def main(ctx: click.Context, settings_file: Path | None) -> None:
        configure_logs(name)
        if prepare and not asks_for_help():
            prepare(settings_file)
        ctx.obj = settings_file

    return main


def add_key_commands(group: click.Group, owner: str, secret: str) -> click.Group:
    """Add `keys new` and `keys show` for a service: signing and opening key, and a secret key (its
    file is called `secret`.key). Returns the group `keys`, for keys of the service's own.
    """

    @group.group(help=f"Make and show the {owner}'s keys.")
    def keys() -> None:
        pass

    @keys.command("new", help=f"Make the {owner}'s signing, opening and {secret} keys.")
    @_FOLDER
    def new(folder: Path) -> None:
        from childlink_core.keys import OpeningKey, SecretKey, SigningKey, write_key

        write_key(folder / "signing.key", SigningKey.generate(owner))
        write_key(folder / "opening.key", OpeningKey.generate(owner))
        write_key(folder / f"{secret}.key", SecretKey.generate(owner))
        click.echo(f"{folder}: signing.key, opening.key, {secret}.key made")

    @keys.command(
        "show",
        help=f"Print the {owner}'s public keys in the format of the directory file. No secret is"
        " shown.",
    )
    @_FOLDER
    def show(folder: Path) -> None:
        from childlink_core.directory import Member, render_directory
        from childlink_core.keys import read_opening_key, read_signing_key

        signing = read_signing_key(folder / "signing.key")
        opening = read_opening_key(folder / "opening.key")
        member = Member(signing.owner, signing.owner, (signing.public(),), (opening.public(),))
        click.echo(render_directory([member]), nl=False)

    return keys
