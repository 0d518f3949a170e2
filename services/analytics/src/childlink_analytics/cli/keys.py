"""Commands for analytics' keys."""

from pathlib import Path

import click
from childlink_core.commands import add_key_commands

from childlink_analytics.cli.common import main

keys = add_key_commands(main, "analytics", "release")


@keys.command("new-audit")
@click.argument("file", type=click.Path(path_type=Path))
def keys_new_audit(file: Path) -> None:
    """Make a key for the answering process's trail of questions. It has no other use."""

    from childlink_core.keys import SecretKey, write_key

    write_key(file, SecretKey.generate("questions"))
    click.echo(f"{file} made")
