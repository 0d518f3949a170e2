"""Commands that make and show the linker's keys, and make access tokens for people."""

import click
from childlink_access.roles import ROLES
from childlink_core.commands import add_key_commands

from childlink_linker.cli.common import main

keys = add_key_commands(main, "linker", "token")


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
