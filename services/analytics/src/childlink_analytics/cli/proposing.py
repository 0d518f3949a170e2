"""Commands for analysts' proposals of measures: list, show, plan, decline."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click
from childlink_catalogue.errors import CatalogueError
from childlink_core.commands import os_user

from childlink_analytics.cli.common import main

if TYPE_CHECKING:
    from childlink_analytics.releasing.release.workflow import ReleaseWorkflow
    from childlink_analytics.settings import StoreSettings
    from childlink_analytics.shared.proposals import Proposals


@main.group()
def proposal() -> None:
    """See which measures analysts propose, and what publishing them would take."""


@proposal.command("list")
@click.pass_obj
def proposal_list(settings_file: Path | None) -> None:
    """List the proposals, newest first."""
    from childlink_catalogue.catalogue import current

    settings = _settings(settings_file)
    found, declared = _proposals(settings).all(), current().measure_keys
    if not found:
        click.echo("There are no proposals.")
    for item in found:
        state = item.state(declared).replace("published", "in the catalogue")
        click.echo(
            f"{item.id}  {item.on}  {item.who}  {state}  {'; '.join(item.measures.values())}"
        )


@proposal.command("show")
@click.argument("proposal_id")
@click.pass_obj
def proposal_show(settings_file: Path | None, proposal_id: str) -> None:
    """Print a proposal, as a file for the catalogue's folder `measures`."""
    click.echo(_proposals(_settings(settings_file)).get(proposal_id).text, nl=False)


@proposal.command("plan")
@click.argument("proposal_id", nargs=-1, required=True)
@click.option("--data-until", default=None, help="Last day of data to count. Default: today.")
@click.pass_obj
def proposal_plan(
    settings_file: Path | None, proposal_id: tuple[str, ...], data_until: str | None
) -> None:
    """Count and protect what proposals need, without publishing it, and say what fits.

    Shows true sizes, so the output is for release managers alone. Several proposals are tried
    together, the first one first.
    """
    from childlink_catalogue.proposing import Proposal

    settings = _settings(settings_file)
    texts = [_proposals(settings).get(name).text for name in proposal_id]
    found = _desk(settings).plan(
        os_user(),
        [Proposal(text) for text in texts],
        data_until or date.today().isoformat(),
        lambda what: click.echo(f"protecting {what}", err=True),
    )
    click.echo("For release managers only: true sizes.")
    for item in found.populations:
        click.echo(
            f"  {item.population}: {item.people:,} in all; {item.cells:,} cells,"
            f" {item.small} of them small; {item.before:,} cells without the proposals"
        )
    for lost in found.not_protected:
        whose = "proposed" if lost["measure"] in found.proposed else "PUBLISHED TODAY"
        click.echo(f"  would have to go ({whose}): {lost['measure']} by {lost['by']}")
    if not found.not_protected:
        click.echo("  everything fits: nothing has to go")
    click.echo(f"  counting and protection took {found.seconds:.0f} s")
    click.echo(
        "To accept it: put what `proposal show` prints into the catalogue's folder `measures`,"
        " raise `version`, and have two people sign it (childlink-catalogue sign)."
    )


@proposal.command("decline")
@click.argument("proposal_id")
@click.option("--why", default="", help="The reason. The proposer reads it.")
@click.pass_obj
def proposal_decline(settings_file: Path | None, proposal_id: str, why: str) -> None:
    """Decline a proposal."""
    settings = _settings(settings_file)
    found = _desk(settings).decline(os_user(), _proposals(settings), proposal_id, why)
    click.echo(f"{found.id} is declined. Analysts read: {found.why}")


def _settings(settings_file: Path | None) -> StoreSettings:
    from childlink_analytics.settings import StoreSettings

    return StoreSettings.load(settings_file)


def _proposals(settings: StoreSettings) -> Proposals:
    from childlink_analytics.shared.proposals import Proposals

    if settings.proposals is None:
        raise CatalogueError(
            "This installation takes no proposals.",
            "Set `proposals` here and for the answering process to one folder.",
        )
    return Proposals(settings.proposals, settings.releases)


def _desk(settings: StoreSettings) -> ReleaseWorkflow:
    from childlink_analytics.releasing import app

    return app.build_desk(settings)
