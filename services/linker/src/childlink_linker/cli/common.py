"""The main command group and its shared options."""

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
    envvar="CHILDLINK_LINKER_SETTINGS",
    help="TOML settings file.",
)
@click.pass_context
def main(ctx: click.Context, settings_file: Path | None) -> None:
    """Assign child, adult and family identifiers from encodings. The linker holds no names, dates
    of birth, NHS numbers or attributes.
    """

    configure_logs("linker")
    ctx.obj = settings_file
