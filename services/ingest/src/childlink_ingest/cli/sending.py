"""Commands about the spool and the site: send, status, doctor."""

import sys
from pathlib import Path

import click

from childlink_ingest.cli.common import exchange, write_csv, write_text


@click.command()
@click.option("--wait", default=30.0, show_default=True, help="Seconds to wait for receipts.")
@click.option(
    "--again",
    is_flag=True,
    help="Also resend unanswered batches. Use it if the hub says that its broker lost data.",
)
@click.pass_obj
def send(settings_file: Path | None, wait: float, again: bool) -> None:
    """Send the batches that are still in the spool, and fetch receipts."""

    from childlink_core import telemetry

    from childlink_ingest import errors
    from childlink_ingest.metrics import IngestMetrics
    from childlink_ingest.settings import IngestSettings
    from childlink_ingest.spool import open_spool

    settings = IngestSettings.load(settings_file)
    telemetry.start("ingest", settings)
    with open_spool(settings.spool) as spool:
        if again:
            spool.send_unanswered_again()
        exchange(settings, spool, IngestMetrics(), wait)
        left = spool.count_batches("queued", "sent")
    click.echo(f"{left:,} batches are not answered yet")
    sys.exit(errors.EXIT_WAITING if left else errors.EXIT_OK)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--html", "page", type=click.Path(path_type=Path), help="Write an HTML page.")
@click.option(
    "--rejects",
    type=click.Path(path_type=Path),
    help="Write the newest run's rejected rows to this CSV file.",
)
@click.pass_obj
def status(
    settings_file: Path | None, as_json: bool, page: Path | None, rejects: Path | None
) -> None:
    """Show the spool, and the rows of each run: accepted, waiting, refused (why), rejected (why) or
    permitted out.

    Exit codes, for monitoring: 0 all answered and nothing refused; 3 the newest run has refused or
    rejected rows, or runs wait for `after-restore`; 4 some batches are waiting.
    """

    from childlink_ingest import errors
    from childlink_ingest.reporting import report
    from childlink_ingest.settings import IngestSettings
    from childlink_ingest.spool import open_spool

    settings = IngestSettings.load(settings_file)
    with open_spool(settings.spool) as spool:
        reports = [spool.report(run_id) for run_id in spool.runs()]
        state = (
            reports,
            spool.count_batches("queued"),
            spool.count_batches("sent"),
            spool.incidents(),
        )
        held = report.why_held(spool)
        if page:
            write_text(page, report.status_page(settings.partner, spool))
            click.echo(f"{page} written")
        else:
            click.echo(
                report.status_json(*state, held) if as_json else report.render_status(*state, held)
            )
        if rejects is not None and reports:
            rows = [
                (r.row_number, r.column, r.reason, r.remedy)
                for r in spool.rejections(reports[0].run_id)
            ]
            write_csv(rejects, ["line", "column", "reason", "what_to_do"], rows)
    if state[1] or state[2]:
        sys.exit(errors.EXIT_WAITING)
    partial = held or (reports and (reports[0].refused or reports[0].rejected))
    sys.exit(errors.EXIT_PARTIAL if partial else errors.EXIT_OK)


@click.command()
@click.pass_obj
def doctor(settings_file: Path | None) -> None:
    """Check this site's set-up, and say what to fix.

    Checks keys, secret, backup, spool, disk, lists, certificate, broker and clock.
    """

    from childlink_core.checkup import examine, show

    from childlink_ingest import errors
    from childlink_ingest.doctor import checks
    from childlink_ingest.settings import IngestSettings

    bad = show(examine(checks(IngestSettings.load(settings_file))))
    sys.exit(errors.EXIT_ERROR if bad else errors.EXIT_OK)
