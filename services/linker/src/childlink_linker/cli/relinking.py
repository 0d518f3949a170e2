"""The commands `relink` and `proposals` of `childlink-linker`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from childlink_core.commands import os_user
from childlink_core.errors import UserError

if TYPE_CHECKING:
    from childlink_linker.matching.estimate import Account, Estimated
    from childlink_linker.relinking import proposals
    from childlink_linker.settings import LinkerSettings


_folder = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument(
    "parameters", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--propose",
    "proposing",
    is_flag=True,
    help="Change nothing. Record what would change as a proposal.",
)
@click.option(
    "--estimated",
    metavar="VERSION",
    help="With --propose: under parameters that are estimated now and get this name.",
)
@click.option(
    "--engine",
    type=click.Choice(["ordinary", "spark"]),
    default="ordinary",
    show_default=True,
    help="Spark only makes proposals.",
)
@click.option("--master", default="local[*]", show_default=True, help="URL of Spark's master.")
@click.option(
    "--spark-option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="A Spark setting. Can be repeated.",
)
@click.option(
    "--export",
    "target",
    type=_folder,
    help="Only export the store, sealed, as Parquet. Another person must ask first: ask-export.",
)
@click.option(
    "--from", "source", type=_folder, help="Let Spark read this export instead of the store."
)
@click.pass_obj
def relink(
    settings_file: Path | None,
    parameters: Path | None,
    proposing: bool,
    estimated: str | None,
    engine: str,
    master: str,
    options: Sequence[str],
    target: Path | None,
    source: Path | None,
) -> None:
    """Re-cluster all records under other PARAMETERS.

    Stop `run` first. Afterwards, name the parameters in the settings.

    With --propose or --engine spark, nothing changes until `proposals approve`, and `run` can
    continue. Without PARAMETERS, the parameters in the settings are used.

    With --propose --estimated, parameters are estimated first. If the estimate would lose links,
    there is no proposal. A scheduler may run this: a steward still decides.
    """

    from childlink_linker import app
    from childlink_linker.settings import LinkerSettings

    settings = LinkerSettings.load(settings_file)
    if target:
        desk = app.reading_desk(settings)
        desk.begin_export(os_user(), "sealed store", one_person=settings.one_person)
        click.echo(f"{app.export_sealed(settings, target):,} records exported to {target}, sealed")
    elif estimated and (not proposing or parameters or engine == "spark"):
        raise click.UsageError("--estimated needs --propose, and no PARAMETERS or --engine spark")
    elif estimated:
        _show_new(settings, app.propose_ordinary(settings, _estimate(settings, estimated)))
    elif engine == "spark":
        text = app.text_of(settings, parameters)
        _show_new(settings, app.propose_on_spark(settings, text, source, master, _named(options)))
    elif source or options:
        raise click.UsageError("--from and --spark-option need --engine spark")
    elif proposing:
        _show_new(settings, app.propose_ordinary(settings, app.text_of(settings, parameters)))
    elif parameters:
        _relink_now(settings, parameters)
    else:
        raise click.UsageError("give PARAMETERS, or use --propose")


def _relink_now(settings: LinkerSettings, parameters: Path) -> None:
    from childlink_linker import app
    from childlink_linker.matching.parameters import load_parameters
    from childlink_linker.metrics import LinkerMetrics

    linker = app.build(settings, LinkerMetrics())
    try:
        outcome = linker.relink(load_parameters(str(parameters)))
        linker.desk().note(
            os_user(), "relink", parameters=str(parameters), links=len(outcome.linked)
        )
    finally:
        linker.close()
    click.echo(
        f"{len(outcome.linked):,} links changed: {outcome.merges:,} identifiers merged,"
        f" {outcome.splits:,} split off"
    )


def _estimate(settings: LinkerSettings, version: str) -> str:
    from childlink_linker import app

    estimated = app.estimate_in_store(settings, version)
    app.reading_desk(settings).note(os_user(), "estimate", version=version)
    return estimated_text(estimated)


def estimated_text(estimated: Estimated) -> str:
    """The parameter file of an estimate. Prints what it would change, and for which roles it was
    refused. Raises UserError if it was refused for all.
    """
    from childlink_core import __version__

    from childlink_linker.matching.parameters import ROLE_NAMES, render_parameters

    for account in estimated.accounts:
        click.echo("\n".join(_account_lines(account)), err=True)
    for refusal in estimated.refusals:
        click.echo(
            f"not estimated for {ROLE_NAMES[refusal.role]} records: the estimate would unlink"
            f" {refusal.lost:,} of {refusal.linked:,} pairs that the parameters in use link. They"
            " keep the parameters in use.",
            err=True,
        )
    if len(estimated.refusals) == len(ROLE_NAMES):
        raise UserError(
            "No parameters were estimated, and nothing was written.",
            "Keep the parameters in use. docs/explanation/linkage.md says when estimates go wrong.",
        )
    about = f"Estimated from the store by childlink-linker {__version__}."
    return render_parameters(estimated.parameters, about)


def _account_lines(account: Account) -> list[str]:
    from childlink_linker.matching.parameters import ROLE_NAMES

    lines = [f"{ROLE_NAMES[account.role]} records, pairs of two sources       in use    estimated"]
    lines += [
        f"  {what:36}{before:>13,}{after:>13,}"
        for what, (before, after) in (
            ("at the threshold for links, or above", account.linked),
            ("between review and that threshold", account.waiting),
        )
    ]
    lines.append(f"  {'expected to be one person':36}{'':13}{account.matches:>13,}")
    if account.twins_at_least:
        lines.append("  The sources show fewer twins than an estimate assumes at least.")
    return lines


def _named(options: Sequence[str]) -> dict[str, str]:
    pairs = [option.partition("=") for option in options]
    if not all(name and equals for name, equals, _ in pairs):
        raise click.UsageError("--spark-option takes NAME=VALUE")
    return {name: value for name, _, value in pairs}


@click.group("proposals")
def proposals_group() -> None:
    """List, inspect, approve or reject the changes that `relink` proposed. Nothing changes before
    approval.
    """


@proposals_group.command("list")
@click.pass_obj
def proposals_list(settings_file: Path | None) -> None:
    """List all proposals with their state, oldest first."""

    from childlink_linker import app
    from childlink_linker.relinking import proposals
    from childlink_linker.settings import LinkerSettings

    with app.open_store(LinkerSettings.load(settings_file)).connect() as tx:
        found = proposals.proposals(tx)
    for item in found:
        click.echo(_line(item))
    if not found:
        click.echo("There are no proposals yet.")


@proposals_group.command("show")
@click.argument("number", type=int)
@click.option("--most", default=20, show_default=True, help="Number of changes to show.")
@click.pass_obj
def proposals_show(settings_file: Path | None, number: int, most: int) -> None:
    """Show the largest changes of a waiting proposal: the current identifiers, and the number of
    people afterwards.
    """

    from childlink_linker import app
    from childlink_linker.relinking import proposals
    from childlink_linker.settings import LinkerSettings
    from childlink_linker.store.store import Store

    settings = LinkerSettings.load(settings_file)
    with app.open_store(settings).connect() as tx:
        found = proposals.largest_changes(Store(tx, app.vault_of(settings)), number, most)
    app.reading_desk(settings).note(os_user(), "proposal show", proposal=number)
    for change in found:
        persons = "1 person" if change.after == 1 else f"{change.after} people"
        click.echo(f"  {change.subjects:4} subjects: {', '.join(change.before)} -> {persons}")
    if not found:
        click.echo("Nothing would change.")


@proposals_group.command("parameters")
@click.argument("number", type=int)
@click.option(
    "--output", required=True, type=click.Path(path_type=Path), help="Parameter file to write."
)
@click.pass_obj
def proposals_parameters(settings_file: Path | None, number: int, output: Path) -> None:
    """Write the parameters of a proposal to a file, to name it in the settings."""

    from childlink_linker import app
    from childlink_linker.relinking import proposals
    from childlink_linker.settings import LinkerSettings

    with app.open_store(LinkerSettings.load(settings_file)).connect() as tx:
        output.write_text(proposals.parameters_of(tx, number))
    click.echo(f"{output} written; name it in the settings, and restart `run`")


_steward = click.option(
    "--by", "steward", required=True, help="Name of the person who decides, as others know it."
)


@proposals_group.command("approve")
@click.argument("number", type=int)
@_steward
@click.pass_obj
def proposals_approve(settings_file: Path | None, number: int, steward: str) -> None:
    """Apply the changes, except those whose records or decisions have changed since. Afterwards,
    name the parameters in the settings.
    """

    from childlink_linker import app
    from childlink_linker.metrics import LinkerMetrics
    from childlink_linker.settings import LinkerSettings

    linker = app.build(LinkerSettings.load(settings_file), LinkerMetrics())
    try:
        found = linker.approve(number, steward)
        linker.desk().note(
            steward, "proposal approve", proposal=number, made=found.made, skipped=found.skipped
        )
    finally:
        linker.close()
    outcome = found.outcome
    click.echo(
        f"{found.made:,} changes made, {found.skipped:,} skipped because their records or decisions"
        f" changed since; {len(outcome.linked):,} links changed: {outcome.merges:,} identifiers"
        f" merged, {outcome.splits:,} split off"
    )


@proposals_group.command("reject")
@click.argument("number", type=int)
@_steward
@click.pass_obj
def proposals_reject(settings_file: Path | None, number: int, steward: str) -> None:
    """Reject a proposal. Nothing changes, and the proposal stays in the record."""

    from childlink_linker import app
    from childlink_linker.relinking import proposals
    from childlink_linker.settings import LinkerSettings
    from childlink_linker.store.store import Store

    settings = LinkerSettings.load(settings_file)
    with app.open_store(settings).begin() as tx:
        proposals.reject(Store(tx, app.vault_of(settings)), number, steward)
    app.reading_desk(settings).note(steward, "proposal reject", proposal=number)
    click.echo(f"proposal {number} rejected")


def _show_new(settings: LinkerSettings, number: int) -> None:
    from childlink_linker import app
    from childlink_linker.relinking import proposals

    with app.open_store(settings).connect() as tx:
        [item] = [item for item in proposals.proposals(tx) if item.proposal_id == number]
    click.echo(_line(item))


def _line(item: proposals.Proposal) -> str:
    what = (
        f"{item.changes:,} changes ({item.merges:,} identifiers merged, {item.splits:,} split off)"
    )
    decided = ""
    if item.decided_by:
        skipped = f", {item.skipped:,} skipped" if item.skipped else ""
        decided = f" by {item.decided_by}, {_at(item.decided_at_ms or 0)}{skipped}"
    return (
        f"{item.proposal_id:4} {_at(item.made_at_ms)} {item.engine}, {item.version},"
        f" {item.records:,} records: {what}; {item.state}{decided}"
    )


def _at(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}Z"
