"""Commands that propose measures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from childlink_client.cli.common import FILE, main
from childlink_client.errors import ClientError

if TYPE_CHECKING:
    from childlink_client.client import Client


@main.command()
@click.argument("file", type=FILE)
@click.option("--check", is_flag=True, help="Only check it, and say what it would count.")
@click.pass_obj
def propose(client: Client, file: Path, check: bool) -> None:
    """Propose the measures in FILE (TOML, as in a catalogue's folder `measures`).

    Says in words what they would count, and what published figures tell about their size. Release
    managers see true sizes and decide. Two people sign a new version of the catalogue, and the next
    release has the measures.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ClientError(f"{file} cannot be read ({type(error).__name__}).") from None
    found = client.propose(text, check_only=check)
    for description in found["descriptions"]:
        click.echo(description + "\n")
    for note in found["notes"]:
        click.echo(note)
    if check:
        click.echo(f"\nNothing was sent. To propose it: childlink propose {file}")
    elif found["known"]:
        click.echo(f"\n{found['id']} was proposed already. See: childlink proposals")
    else:
        click.echo(f"\nProposed as {found['id']}. To see what becomes of it: childlink proposals")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def proposals(client: Client, as_json: bool) -> None:
    """List the proposals of all analysts, and what became of them."""
    found = client.proposals()
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    if not found:
        click.echo("There are no proposals. To make one: childlink propose FILE")
    for item in found:
        click.echo(f"{item['id']}  {item['on']}  {item['state']:9}  {'; '.join(item['titles'])}")
        if item["why"]:
            click.echo(f"    {item['why']}")
