"""Commands for releases: cut, check, publish, discard, retract, list, show, verify."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from childlink_core.commands import os_user
from childlink_core.errors import UserError

from childlink_analytics.cli.common import main

if TYPE_CHECKING:
    from childlink_analytics.releasing.release.ledger import ReleaseRecord
    from childlink_analytics.releasing.release.workflow import ReleaseWorkflow


@main.group(former={"recall": "retract"})
def release() -> None:
    """Manage releases: cut a draft, check it, publish it (second person), retract it (two
    people).
    """


def _desk(settings_file: Path | None) -> ReleaseWorkflow:
    from childlink_core import telemetry

    from childlink_analytics.releasing import app
    from childlink_analytics.settings import StoreSettings

    settings = StoreSettings.load(settings_file)
    telemetry.start("analytics", settings)
    return app.build_desk(settings)


def _hands(settings_file: Path | None) -> ReleaseWorkflow:
    """The desk of those who change releases. Raises UserError if the release service runs: it
    proves who somebody is, and this command line does not.
    """
    desk = _desk(settings_file)
    if desk.settings.grpc_address and not desk.settings.one_person:
        raise UserError(
            "Releases of this hub are cut, published and retracted through its release service,"
            " which knows each person by their certificate.",
            "Use: childlink --address HOST:PORT --ca CA.PEM --certificate TLS.PEM --key TLS.KEY"
            " release ...",
        )
    return desk


@release.command("cut")
@click.argument("release_id")
@click.option(
    "--data-until", default=None, help="Last day of data to include, YYYY-MM-DD. Default: today."
)
@click.option(
    "--anyway",
    is_flag=True,
    help="Cut even if something is doubtful: links or datasets are missing, or the date is odd.",
)
@click.pass_obj
def release_cut(
    settings_file: Path | None, release_id: str, data_until: str | None, anyway: bool
) -> None:
    """Cut a draft: count, protect and attack. It cannot be queried before it is published."""
    done = _hands(settings_file).cut(
        os_user(),
        release_id,
        data_until or date.today().isoformat(),
        lambda what: click.echo(f"protecting {what}", err=True),
        anyway=anyway,
    )
    click.echo(f"{done.path}")
    for item in done.populations:
        click.echo(f"  {', '.join(published.measure.id for published in item.published)}")
        click.echo(
            f"    {len(item.cells.counts):,} linked cells, {item.withheld:,} withheld; error mean"
            f" {item.mean_error:.1f}, largest {item.largest_error}; {item.attack.attacked} small"
            f" counts attacked, {len(item.attack.too_tight)} found, narrowest interval"
            f" {item.attack.narrowest}"
        )
    for lost in done.not_protected:
        click.echo(f"  could not be protected, so left out: {lost['measure']} by {lost['by']}")
    click.echo(
        f"A draft. Have a second person run: childlink-analytics release check {release_id}, then"
        f" release publish {release_id}"
    )


@release.command("check")
@click.argument("release_id")
@click.pass_obj
def release_check(settings_file: Path | None, release_id: str) -> None:
    """Show a draft's content and changes, and attack it again together with all published
    releases.
    """

    from childlink_analytics.shared.change_notes import change_notes

    found, report = _desk(settings_file).check(os_user(), release_id)
    facts = found.manifest
    click.echo(
        f"{release_id}: data until {facts['data_until']}, {len(found.measures)} measures,"
        f" {facts['cells']:,} cells"
    )
    click.echo(
        f"  {facts['cells_withheld']:,} cells withheld; largest error {facts['largest_error']}; "
        f"linked under {facts['parameter_version']}"
    )
    click.echo(
        f"  attacked with everything published: {report.attacked} small counts, none found;"
        f" narrowest interval {report.narrowest}"
    )
    for note in change_notes(facts, found.measures):
        click.echo(f"  {note}")
    for name, rows in facts["datasets"].items():
        click.echo(f"  {name}: {f'{rows:,}' if rows is not None else '<10'} rows")


@release.command("publish")
@click.argument("release_id")
@click.pass_obj
def release_publish(settings_file: Path | None, release_id: str) -> None:
    """Publish a draft. A second person must do this, not the one who cut it."""
    known = _hands(settings_file).publish(os_user(), release_id)
    click.echo(f"{release_id} is published: number {known.number}, {known.content_sha256}")


@release.command("discard")
@click.argument("release_id")
@click.pass_obj
def release_discard(settings_file: Path | None, release_id: str) -> None:
    """Discard a draft."""
    _hands(settings_file).discard(os_user(), release_id)
    click.echo(f"{release_id} is discarded")


@release.command("retract")
@click.argument("release_id")
@click.option(
    "--why",
    default="",
    help="What is wrong with the release. Analysts will read it. Needed from the first person.",
)
@click.pass_obj
def release_retract(settings_file: Path | None, release_id: str, why: str) -> None:
    """Retract a release. The first person asks with --why; a second person runs it again."""
    known = _hands(settings_file).retract(os_user(), release_id, why)
    if known.state == "recalled":
        click.echo(f"{release_id} is retracted; analysts who query it see the reason")
    else:
        click.echo(
            "Retraction asked for. Have a second person run: childlink-analytics release retract"
            f" {release_id}"
        )


@release.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def release_list(settings_file: Path | None, as_json: bool) -> None:
    """List all releases, newest first."""
    found = _desk(settings_file).releases()
    if as_json:
        click.echo(json.dumps([vars(item) for item in found], indent=1))
        return
    if not found:
        click.echo("There are no releases yet. Cut one: childlink-analytics release cut NAME")
    for item in found:
        click.echo(_line(item))


@release.command("show")
@click.argument("release_id")
@click.pass_obj
def release_show(settings_file: Path | None, release_id: str) -> None:
    """Show a release with its manifest."""
    known, manifest = _desk(settings_file).show(release_id)
    click.echo(_line(known))
    if manifest:
        click.echo(json.dumps(manifest, indent=1, sort_keys=True))


@release.command("verify")
@click.pass_obj
def release_verify(settings_file: Path | None) -> None:
    """Check that the content of every release is unchanged since it was cut."""
    for known in _desk(settings_file).verify(os_user()):
        click.echo(f"{known.release_id}: whole, {known.state}, {known.content_sha256}")


def _line(item: ReleaseRecord) -> str:
    at = datetime.fromtimestamp(item.cut_at_ms / 1000, UTC)
    by = f"cut {at:%Y-%m-%d} by {item.cut_by}"
    if item.published_by:
        by += f", published by {item.published_by}"
    if item.recall_asked_by:
        by += f"; retraction asked for by {item.recall_asked_by}: {item.recall_why}"
    return (
        f"{item.number:4} {item.release_id:14} {item.state:10} data until {item.data_until}; {by}"
    )
