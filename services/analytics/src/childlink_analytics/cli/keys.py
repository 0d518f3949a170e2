"""Commands for analytics' keys."""

from pathlib import Path

import click

from childlink_analytics.cli.common import main


@main.group()
def keys() -> None:
    """Make and show analytics' keys."""


@keys.command("new")
@click.option("--folder", default="keys", show_default=True, type=click.Path(path_type=Path))
def keys_new(folder: Path) -> None:
    """Make analytics' signing, opening and release keys."""

    from childlink_core import topics
    from childlink_core.keys import OpeningKey, SecretKey, SigningKey, write_key

    write_key(folder / "signing.key", SigningKey.generate(topics.ANALYTICS))
    write_key(folder / "opening.key", OpeningKey.generate(topics.ANALYTICS))
    write_key(folder / "release.key", SecretKey.generate(topics.ANALYTICS))
    click.echo(f"{folder}: signing.key, opening.key, release.key made")


@keys.command("show")
@click.option("--folder", default="keys", show_default=True, type=click.Path(path_type=Path))
def keys_show(folder: Path) -> None:
    """Print analytics' public keys in the format of the directory file. The output holds no
    secret.
    """

    from childlink_core.directory import Member, render_directory
    from childlink_core.keys import read_opening_key, read_signing_key

    signing, opening = (
        read_signing_key(folder / "signing.key"),
        read_opening_key(folder / "opening.key"),
    )
    click.echo(
        render_directory(
            [Member(signing.owner, signing.owner, (signing.public(),), (opening.public(),))]
        ),
        nl=False,
    )


@keys.command("new-audit")
@click.argument("file", type=click.Path(path_type=Path))
def keys_new_audit(file: Path) -> None:
    """Make a key for the answering process's trail of questions. It has no other use."""

    from childlink_core.keys import SecretKey, write_key

    write_key(file, SecretKey.generate("questions"))
    click.echo(f"{file} made")
