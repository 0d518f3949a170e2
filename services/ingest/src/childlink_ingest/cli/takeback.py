"""Commands that take back what was sent (withdraw, retract), and that look after it when the spool
was put back from a backup.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from childlink_core.errors import UserError

from childlink_ingest.cli.common import FILE, exchange

if TYPE_CHECKING:
    from childlink_ingest.spool import RunReport

_wait = click.option(
    "--wait",
    default=30.0,
    show_default=True,
    help="Seconds to wait for the receipts that prove it.",
)


@click.command()
@click.option(
    "--local-id",
    "local_ids",
    multiple=True,
    help="The person's id in the source; may be given several times.",
)
@click.option(
    "--role",
    default="child",
    show_default=True,
    type=click.Choice(["child", "adult"]),
    help="Whose ids these are.",
)
@click.option(
    "--id-space",
    default="default",
    show_default=True,
    help="The mapping's id_space (or adult_id_space).",
)
@click.option("--nhs-number-file", type=FILE, help="File of NHS numbers, one a line.")
@click.option("--undo", is_flag=True, help="Let these people be sent again by later runs.")
@_wait
@click.pass_obj
def withdraw(
    settings_file: Path | None,
    local_ids: tuple[str, ...],
    role: str,
    id_space: str,
    nhs_number_file: Path | None,
    undo: bool,
    wait: float,
) -> None:
    """Withdraw people: linker and analytics forget them, and later runs hold them back. The
    receipts prove it.
    """

    from childlink_ingest import app
    from childlink_ingest.eligibility.lists import read_nhs_numbers
    from childlink_ingest.metrics import IngestMetrics
    from childlink_ingest.runs import withdraw as takeback
    from childlink_ingest.settings import IngestSettings
    from childlink_ingest.spool import open_spool

    if not local_ids and nhs_number_file is None:
        raise UserError("Nobody is named.", "Give --local-id or --nhs-number-file.")
    settings = IngestSettings.load(settings_file)
    site = app.build_site(settings)
    people = [(id_space, role, local) for local in local_ids]
    numbers = read_nhs_numbers(nhs_number_file) if nhs_number_file else []
    with open_spool(settings.spool) as spool:
        if undo:
            again = takeback.allow_again(spool, site, people, numbers)  # type: ignore[arg-type]
            click.echo(f"{again:,} people may be sent again")
            return
        app.catch_up(settings, spool)
        run_id, found = takeback.withdraw(spool, site, people, numbers)  # type: ignore[arg-type]
        exchange(settings, spool, IngestMetrics(), wait)
        outcome = spool.report(run_id)
    asked = len(people) + len(numbers)
    click.echo(
        f"subjects that had been sent and are withdrawn: {found:,}; all {asked:,} named are held"
        " back from now on"
    )
    _finish(outcome)


@click.command()
@click.argument("run_id", type=int)
@_wait
@click.pass_obj
def retract(settings_file: Path | None, run_id: int, wait: float) -> None:
    """Take a whole run back: everything whose newest version went out with it. Then run the right
    extract.
    """

    from childlink_ingest import app
    from childlink_ingest.metrics import IngestMetrics
    from childlink_ingest.runs import withdraw as takeback
    from childlink_ingest.settings import IngestSettings
    from childlink_ingest.spool import open_spool

    settings = IngestSettings.load(settings_file)
    site = app.build_site(settings)
    with open_spool(settings.spool) as spool:
        app.catch_up(settings, spool)
        retracted = takeback.retract(spool, site, run_id)
        exchange(settings, spool, IngestMetrics(), wait)
        outcome = spool.report(retracted)
    click.echo(
        f"run {run_id} is retracted; rows that it had changed come back when a right extract is run"
    )
    _finish(outcome)


@click.command("after-restore")
@click.option(
    "--withdrawals-repeated",
    is_flag=True,
    help=(
        "Everybody who was withdrawn or retracted in the lost past is withdrawn again, or there is"
        " nobody: runs may go on."
    ),
)
@_wait
@click.pass_obj
def after_restore(settings_file: Path | None, withdrawals_repeated: bool, wait: float) -> None:
    """Look whether the spool knows all that this site has sent, after it was put back from a backup
    or made anew, and go on.

    A spool that does not is noticed by the receipts. It goes on in a new epoch by itself, and sends
    nothing under numbers used before, but runs wait: the spool does not know whom the lost past
    withdrew. Withdraw them again, by local id, say so here, and run every feed.

    Exit codes: 0 runs may go on; 3 they wait for --withdrawals-repeated; 4 a repeated withdrawal is
    not receipted yet.
    """

    from childlink_ingest import app, errors
    from childlink_ingest.metrics import IngestMetrics
    from childlink_ingest.runs import after_restore as restoring
    from childlink_ingest.settings import IngestSettings
    from childlink_ingest.spool import open_spool

    settings = IngestSettings.load(settings_file)
    site = app.build_site(settings)
    with open_spool(settings.spool) as spool:
        exchange(settings, spool, IngestMetrics(), 0)
        lost = spool.lost_past()
        if lost is None:
            click.echo("No receipt is for anything that this spool does not know.")
            return
        click.echo(
            f"noticed on {datetime.fromtimestamp(lost.at):%Y-%m-%d at %H:%M}:"
            f" {restoring.what_is_known(lost)}; {lost.given_up:,} batches counted as not sent"
        )
        run_id = restoring.repeat_withdrawals(spool, site)
        if withdrawals_repeated:
            spool.confirm_past()
        exchange(settings, spool, IngestMetrics(), wait)
        outcome = spool.report(run_id) if run_id else None
        may_run = withdrawals_repeated or lost.confirmed
    if may_run:
        click.echo(
            "runs may go on: run every feed, all of it goes out anew and replaces what is there"
        )
    else:
        click.echo(
            "runs wait: withdraw again whoever was withdrawn since, then give"
            " --withdrawals-repeated"
        )
    if outcome:
        click.echo(
            f"{outcome.withdrawn:,} withdrawals sent again, {outcome.withdrawn_proved:,} receipted"
            " by the services"
        )
    if not may_run:
        sys.exit(errors.EXIT_PARTIAL)
    sys.exit(
        errors.EXIT_WAITING
        if outcome and outcome.withdrawn > outcome.withdrawn_proved
        else errors.EXIT_OK
    )


def _finish(outcome: RunReport) -> None:
    from childlink_ingest import errors

    click.echo(
        f"{outcome.withdrawn:,} withdrawals sent, {outcome.withdrawn_proved:,} receipted by the"
        " services"
    )
    sys.exit(
        errors.EXIT_OK if outcome.withdrawn == outcome.withdrawn_proved else errors.EXIT_WAITING
    )
