"""Commands that send extracts: approve, run, rekey, watch."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from childlink_core.errors import UserError

from childlink_ingest.cli.common import (
    FILE,
    Progress,
    account_holder,
    exchange,
    extract_argument,
    mapping_option,
    write_csv,
)
from childlink_ingest.errors import PastLostError

if TYPE_CHECKING:
    from childlink_ingest.metrics import IngestMetrics
    from childlink_ingest.runs.run import Limits
    from childlink_ingest.settings import IngestSettings
    from childlink_ingest.spool import Spool

_POLL_S = 5.0
_PUSH_EVERY_S = 60.0


@click.command()
@click.argument("mapping_file", type=FILE)
@click.option(
    "--by",
    default=account_holder,
    help='Name and role of the approver, for example "A. Shah, IG lead". Default: the full name of'
    " the account.",
)
@click.pass_obj
def approve(settings_file: Path | None, mapping_file: Path, by: str) -> None:
    """Record the approval of a mapping. `run` refuses a mapping that changed since its approval.

    Someone must have previewed exactly this mapping before. The account that runs this command is
    recorded with the approval.
    """

    from childlink_core.commands import os_user
    from childlink_core.profiles import get_profile

    from childlink_ingest import app
    from childlink_ingest.mapping import approvals
    from childlink_ingest.settings import IngestSettings

    settings = IngestSettings.load(settings_file)
    if not by.strip():
        raise UserError(
            "The approver has no name: --by is empty, and this account has no full name.",
            'Name the approver: --by "Name, role".',
        )
    mapping = app.load_mapping(mapping_file)
    wanted = approvals.what(mapping_file, mapping, get_profile(settings.profile))
    seen = approvals.check_previewed(settings.previews, mapping_file, wanted)
    approved = approvals.approve(settings.approvals, mapping_file, wanted, by.strip(), os_user())
    click.echo(
        f"{approved.file} approved by {approved.by} ({approved.account}) at {approved.at}, in"
        f" {settings.approvals}"
    )
    click.echo(f"  as previewed with {seen.extract} at {seen.at} ({seen.account})")
    click.echo(
        f"  mapping {approved.of.mapping[:16]}..., {approved.of.dataset}, {approved.of.profile}"
    )


@click.command()
@extract_argument
@mapping_option
@click.option(
    "--wait",
    default=30.0,
    show_default=True,
    help="Seconds to wait for receipts; 0 does not wait.",
)
@click.option("--strict", is_flag=True, help="Send nothing if any row is rejected.")
@click.option(
    "--max-rejects",
    type=click.FloatRange(0, 1),
    help="Greatest share of rejected rows; default: max_reject_share.",
)
@click.option(
    "--max-withdrawn",
    type=click.FloatRange(0, 1),
    help="Greatest share of its feed that a snapshot may withdraw.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="Processes that map and encode; default: the setting.",
)
@click.option(
    "--clks",
    type=FILE,
    help='CLKs of another tool: {"clks": [...]}. Only under a profile of CLKs, and with --clk-ids.',
)
@click.option("--clk-ids", type=FILE, help="CSV file with the local id of each CLK, in its order.")
@click.pass_obj
def run(
    settings_file: Path | None,
    extract: Path,
    mapping_file: Path,
    wait: float,
    strict: bool,
    max_rejects: float | None,
    max_withdrawn: float | None,
    workers: int | None,
    clks: Path | None,
    clk_ids: Path | None,
) -> None:
    """Encode, split, seal, spool and send an extract.

    You can run it again at any time: unchanged rows are not sent again.
    """

    from childlink_core import telemetry

    from childlink_ingest import app, errors
    from childlink_ingest.metrics import IngestMetrics
    from childlink_ingest.reporting import report
    from childlink_ingest.runs.run import Limits
    from childlink_ingest.settings import IngestSettings
    from childlink_ingest.spool import open_spool

    settings = IngestSettings.load(settings_file)
    telemetry.start("ingest", settings)
    if workers:
        settings.workers = workers
    settings.clks, settings.clk_ids = clks or settings.clks, clk_ids or settings.clk_ids
    limits = Limits(
        0.0 if strict else settings.max_reject_share if max_rejects is None else max_rejects,
        settings.max_withdrawn_share if max_withdrawn is None else max_withdrawn,
    )
    metrics = IngestMetrics()
    metrics.expiry(settings)
    metrics.serve(settings.metrics_port, settings.metrics_address)
    with open_spool(settings.spool) as spool:
        app.catch_up(settings, spool)
        run_id = run_one(settings, spool, metrics, extract, mapping_file, limits)
        try:
            exchange(settings, spool, metrics, wait)
        finally:
            # Push the metrics even if (and especially if) the broker cannot be reached.
            _push(settings, spool, metrics)
        outcome = spool.report(run_id)
    click.echo(report.render_run(outcome))
    if outcome.rejected or outcome.refused:
        sys.exit(errors.EXIT_PARTIAL)
    sys.exit(
        errors.EXIT_WAITING
        if outcome.waiting or outcome.withdrawn > outcome.withdrawn_proved
        else errors.EXIT_OK
    )


def run_one(
    settings: IngestSettings,
    spool: Spool,
    metrics: IngestMetrics,
    extract: Path,
    mapping_file: Path,
    limits: Limits | None = None,
) -> int:
    """Stage and queue an extract, and write the file of rejected rows. Returns the run's id."""

    from childlink_ingest import app

    shown = Progress("rows read", rate=True)
    run_id = app.run_extract(settings, spool, extract, mapping_file, limits, shown)
    shown.done()
    staged = spool.report(run_id)
    metrics.run_staged(staged)
    if staged.rejected:
        path = settings.rejects / f"run-{run_id}-{extract.stem}.csv"
        rows = [(r.row_number, r.column, r.reason, r.remedy) for r in spool.rejections(run_id)]
        write_csv(path, ["line", "column", "reason", "what_to_do"], rows)
        click.echo(f"{staged.rejected:,} rejected rows are listed in {path}", err=True)
    return run_id


@click.command()
@extract_argument
@mapping_option
@click.option("--wait", default=30.0, show_default=True, help="Seconds to wait for receipts.")
@click.pass_context
def rekey(ctx: click.Context, extract: Path, mapping_file: Path, wait: float) -> None:
    """Encode an extract again under the linkage secrets in the settings, and send the changes.

    This is part of a rotation. Set linkage_key_next and rekey every feed. When the hub confirms
    that all sites have done so, make the new secret linkage_key. Subjects are encoded from the
    site's own extract. Only encodings are sent again, not attributes.
    """

    from childlink_ingest import app
    from childlink_ingest.settings import IngestSettings

    settings = IngestSettings.load(ctx.obj)
    versions = [key.version for key in app.linkage_keys(settings)]
    click.echo(
        f"encoding under version {' and '.join(map(str, versions))} of the linkage secret", err=True
    )
    ctx.invoke(
        run,
        extract=extract,
        mapping_file=mapping_file,
        wait=wait,
        strict=False,
        max_rejects=None,
        max_withdrawn=None,
        workers=None,
    )


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--mappings",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of approved mappings.",
)
@click.option(
    "--settle",
    default=10.0,
    show_default=True,
    help="A file counts as complete if it did not change for this many seconds.",
)
@click.option("--once", is_flag=True, help="Send the files that are there, then exit.")
@click.pass_obj
def watch(
    settings_file: Path | None, folder: Path, mappings: Path, settle: float, once: bool
) -> None:
    """Run each extract that arrives in FOLDER/inbox once, then move it to FOLDER/done or
    FOLDER/failed.

    A mapping names its files (files = "births*.csv"). A query in the inbox (.sql) stays there, and
    runs daily at its mapping's `schedule`. A mapping that cannot be used is named, and its extracts
    wait in the inbox; the others run. With metrics_port set, it serves the status page and the
    metrics. SIGTERM stops it after the current extract.
    """

    from childlink_bus.ports import BusError
    from childlink_core import telemetry

    from childlink_ingest import app, errors
    from childlink_ingest.metrics import IngestMetrics
    from childlink_ingest.reporting import serving
    from childlink_ingest.settings import IngestSettings
    from childlink_ingest.spool import open_spool
    from childlink_ingest.watch import Watcher

    settings = IngestSettings.load(settings_file)
    telemetry.start("ingest", settings)
    metrics = IngestMetrics()
    stopped = False
    said: set[str] = set()
    unusable: set[str] = set()

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with open_spool(settings.spool) as spool:
        if settings.metrics_port:
            serving.serve(
                settings.metrics_port,
                settings.metrics_address,
                metrics.registry,
                lambda: _page(settings),
            )
        watcher = Watcher(
            folder,
            mappings,
            lambda extract, mapping: run_one(settings, spool, metrics, extract, mapping),
            0.0 if once else settle,
        )
        click.echo(f"watching {folder / 'inbox'}", err=True)
        app.catch_up(settings, spool)
        pushed_at = -_PUSH_EVERY_S
        while not stopped:
            ran = 0 if _waits(spool, said) else watcher.step(datetime.now(), lambda: stopped)
            for problem in set(watcher.problems) - unusable:
                click.echo(f"{problem}\nIts extracts wait in the inbox.", err=True)
            unusable = set(watcher.problems)
            metrics.mappings_unusable.set(len(unusable))
            metrics.expiry(settings)
            if spool.count_batches("queued", "sent"):
                try:
                    exchange(settings, spool, metrics, wait=30.0 if once else 2.0)
                except BusError as error:
                    click.echo(error.render(), err=True)
                    if once:
                        sys.exit(errors.EXIT_WAITING)
            metrics.spool_state(spool, {})
            if ran or time.monotonic() - pushed_at > _PUSH_EVERY_S:
                _push(settings, spool, metrics)
                pushed_at = time.monotonic()
            if once:
                break
            _sleep(lambda: stopped)
    click.echo("stopped; everything is safe in the spool" if stopped else "done", err=True)
    if once and unusable:
        sys.exit(errors.EXIT_ERROR)


def _waits(spool: Spool, said: set[str]) -> bool:
    """Whether runs wait for a person. Prints the reason once. The extracts stay in the inbox."""

    from childlink_ingest.runs.after_restore import check_past

    try:
        check_past(spool)
    except PastLostError as error:
        if (text := error.render()) not in said:
            click.echo(text, err=True)
        said.add(text)
        return True
    said.clear()
    return False


def _sleep(stopped: Callable[[], bool]) -> None:
    until = time.monotonic() + _POLL_S
    while time.monotonic() < until and not stopped():
        time.sleep(0.2)


def _page(settings: IngestSettings) -> str:
    from childlink_ingest.reporting import report
    from childlink_ingest.spool import open_spool

    with open_spool(settings.spool) as spool:
        return report.status_page(settings.partner, spool, refresh=30)


def _push(settings: IngestSettings, spool: Spool, metrics: IngestMetrics) -> None:
    from childlink_ingest.reporting import serving

    if settings.push_gateway:
        metrics.spool_state(spool, {})
        try:
            serving.push(settings.push_gateway, settings.partner, metrics.registry)
        except UserError as error:
            click.echo(error.render(), err=True)
