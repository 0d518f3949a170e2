"""Commands of release managers and auditors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from childlink_client.cli.common import main

if TYPE_CHECKING:
    from childlink_client.client import Client
    from childlink_client.releasing import ReleaseDesk


@main.group()
def release() -> None:
    """Manage releases, for release managers: cut a draft, check it, publish it (second person),
    retract it (two people). The address is that of the release managers' service.
    """


def _desk(client: Client) -> ReleaseDesk:
    from childlink_client.releasing import ReleaseDesk

    return ReleaseDesk(client)


@release.command("cut")
@click.argument("release_id")
@click.option("--data-until", required=True, help="Last day of data to include, YYYY-MM-DD.")
@click.option(
    "--anyway",
    is_flag=True,
    help="Cut even if something is doubtful: links or datasets are missing, or the date is odd.",
)
@click.pass_obj
def release_cut(client: Client, release_id: str, data_until: str, anyway: bool) -> None:
    """Cut a draft: count, protect and attack. Analysts cannot ask it before it is published."""
    found = _desk(client).cut(
        release_id,
        data_until,
        lambda what: click.echo(f"protecting {what}", err=True),
        anyway=anyway,
    )
    click.echo(found.line())
    click.echo(
        f"A draft. Have a second person run: childlink release check {release_id}, then childlink"
        f" release publish {release_id}"
    )


@release.command("check")
@click.argument("release_id")
@click.pass_obj
def release_check(client: Client, release_id: str) -> None:
    """Attack a draft again, together with all published releases, and show what it holds."""
    attacked, narrowest = _desk(client).check(release_id)
    known, manifest = _desk(client).show(release_id)
    facts = json.loads(manifest)
    click.echo(known.line())
    click.echo(
        f"  {facts['cells']:,} cells, {facts['cells_withheld']:,} withheld; linked under"
        f" {facts.get('parameter_version', '')}"
    )
    click.echo(
        f"  attacked with everything published: {attacked} small counts, none found; narrowest"
        f" interval {narrowest}"
    )
    for doubt in facts.get("doubts", ()):
        click.echo(f"  cut although: {doubt}")


@release.command("publish")
@click.argument("release_id")
@click.pass_obj
def release_publish(client: Client, release_id: str) -> None:
    """Publish a draft. A second person must do this, not the one who cut it."""
    found = _desk(client).publish(release_id)
    click.echo(f"{release_id} is published: number {found.number}, {found.sha256}")


@release.command("discard")
@click.argument("release_id")
@click.pass_obj
def release_discard(client: Client, release_id: str) -> None:
    """Discard a draft."""
    _desk(client).discard(release_id)
    click.echo(f"{release_id} is discarded")


@release.command("retract")
@click.argument("release_id")
@click.option("--why", default="", help="What is wrong. Analysts will read it.")
@click.pass_obj
def release_retract(client: Client, release_id: str, why: str) -> None:
    """Retract a release. The first person asks with --why; a second person runs it again."""
    found = _desk(client).retract(release_id, why)
    if found.state == "recalled":
        click.echo(f"{release_id} is retracted; analysts who ask it see the reason")
    else:
        click.echo(
            f"Retraction asked for. Have a second person run: childlink release retract"
            f" {release_id}"
        )


@release.command("list")
@click.pass_obj
def release_list(client: Client) -> None:
    """List all releases, drafts too, newest first."""
    found = _desk(client).all()
    if not found:
        click.echo("There are no releases yet. Cut one: childlink release cut NAME")
    for item in found:
        click.echo(item.line())


@release.command("show")
@click.argument("release_id")
@click.pass_obj
def release_show(client: Client, release_id: str) -> None:
    """Show a release with its manifest."""
    known, manifest = _desk(client).show(release_id)
    click.echo(known.line())
    click.echo(json.dumps(json.loads(manifest), indent=1, sort_keys=True))


@release.command("verify")
@click.pass_obj
def release_verify(client: Client) -> None:
    """Check that the content of every release is what was cut."""
    for item in _desk(client).verify():
        click.echo(f"{item.id}: whole, {item.state}, {item.sha256}")
