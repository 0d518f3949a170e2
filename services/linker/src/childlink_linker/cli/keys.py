"""Commands that make and show the linker's keys, and make access tokens for people."""

from pathlib import Path

import click
from childlink_access.roles import ROLES

from childlink_linker.cli.common import main


@main.group()
def keys() -> None:
    """Make and show the linker's keys."""


@keys.command("new")
@click.option("--folder", default="keys", show_default=True, type=click.Path(path_type=Path))
def keys_new(folder: Path) -> None:
    """Make the linker's signing, opening and token keys."""

    from childlink_core import topics
    from childlink_core.keys import OpeningKey, SecretKey, SigningKey, write_key

    write_key(folder / "signing.key", SigningKey.generate(topics.LINKER))
    write_key(folder / "opening.key", OpeningKey.generate(topics.LINKER))
    write_key(folder / "token.key", SecretKey.generate(topics.LINKER))
    click.echo(f"{folder}: signing.key, opening.key, token.key made")


@keys.command("show")
@click.option("--folder", default="keys", show_default=True, type=click.Path(path_type=Path))
def keys_show(folder: Path) -> None:
    """Print the linker's public keys in the format of the directory file. The output holds no
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


@keys.command("token")
@click.option("--name", required=True, help="Name of the person.")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(ROLES))
def keys_token(name: str, roles: tuple[str, ...]) -> None:
    """Make an access token for a person.

    Give the token to that person only. Add the lines below it to the policy file.
    """

    from childlink_access.policy import new_token, sha256

    token = new_token()
    click.echo(f"token (shown only now): {token}\n", err=True)
    listed = ", ".join(f'"{role}"' for role in roles)
    click.echo(f'[[person]]\nname = "{name}"\nroles = [{listed}]\ntoken_sha256 = "{sha256(token)}"')
