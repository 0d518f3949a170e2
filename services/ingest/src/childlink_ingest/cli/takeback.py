"""Commands that withdraw what was sent (withdraw, retract), and that recover after a restore."""

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
    help="Seconds to wait for receipts, which are the proof.",
)


@click.command()
@click.option(
    "--local-id",
    "local_ids",
    multiple=True,
    help="The person's id in the source. You can repeat this option.",
)
@click.option(
    "--role",
    default="child",
    show_default=True,
    type=click.Choice(["child", "adult"]),
    help="The role of the people with these ids.",
)
@click.option(
    "--id-space",
    default="default",
    show_default=True,
    help="The mapping's id_space (or adult_id_space).",
)
@click.option("--nhs-number-file", type=FILE, help="File of NHS numbers, one per line.")
@click.option("--undo", is_flag=True, help="Allow later runs to send these people again.")
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
    """Withdraw people: linker and analytics delete them, and later runs withhold them.

    The receipts are the proof.
    """

    from childlink_ingest import app
    from childlink_ingest.eligibility.lists import read_nhs_numbers
    from childlink_ingest.metrics import IngestMetrics
    from childlink_ingest.runs import withdraw as takeback
    from childlink_ingest.settings import IngestSettings
    from childlink_ingest.spool import open_spool

    if not local_ids and nhs_number_file is None:
        raise UserError("No person is named.", "Give --local-id or --nhs-number-file.")
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
        f"withdrawn subjects that had been sent: {found:,}. All {asked:,} named people are"
        " withheld from now on."
    )
    _finish(outcome)


@click.command()
@click.argument("run_id", type=int)
@_wait
@click.pass_obj
def retract(settings_file: Path | None, run_id: int, wait: float) -> None:
    """Withdraw a whole run: everything whose newest version was sent by it.

    Then run the correct extract.
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
        f"run {run_id} is retracted. Rows that it changed return when you run the correct extract."
    )
    _finish(outcome)


@click.command("after-restore")
@click.option(
    "--withdrawals-repeated",
    is_flag=True,
    help=(
        "Confirm that you have repeated all withdrawals and retractions of the lost period (or"
        " that there were none). Runs may then continue."
    ),
)
@click.option(
    "--hub-restored",
    is_flag=True,
    help=(
        "The hub says that it was restored from a backup and lost data. Count everything as not"
        " sent, and repeat all withdrawals."
    ),
)
@_wait
@click.pass_obj
def after_restore(
    settings_file: Path | None, withdrawals_repeated: bool, hub_restored: bool, wait: float
) -> None:
    """Check whether the spool knows everything that this site has sent, and recover if it does not.

    Use it after the spool was restored from a backup or newly made. The spool detects missing
    history from the receipts. It then starts a new epoch by itself and never reuses sequence
    numbers. Runs wait, because the spool does not know who was withdrawn in the lost period. Repeat
    those withdrawals by local id, confirm it here, and run every feed.

    Use it with --hub-restored when the hub asks for it. Runs need not wait. Run every feed again.

    Exit codes: 0 runs may continue; 3 they wait for --withdrawals-repeated; 4 a repeated withdrawal
    has no receipt yet.
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
        if hub_restored:
            with spool.transaction():
                given_up = spool.forget_receipts()
            click.echo(f"{given_up:,} batches count as not sent: run every feed again")
        lost = spool.lost_past()
        if lost is None:
            repeated = restoring.repeat_withdrawals(spool, site)
            if repeated:
                exchange(settings, spool, IngestMetrics(), wait)
                _finish(spool.report(repeated))
            elif not hub_restored:
                click.echo("This spool knows every batch that the receipts name.")
            return
        click.echo(
            f"detected on {datetime.fromtimestamp(lost.at):%Y-%m-%d at %H:%M}:"
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
            "runs may continue: run every feed. Each feed is sent again in full and replaces old"
            " rows."
        )
    else:
        click.echo(
            "runs wait: repeat all withdrawals made since then, then give --withdrawals-repeated"
        )
    if outcome:
        click.echo(
            f"{outcome.withdrawn:,} withdrawals sent again, {outcome.withdrawn_proved:,} with a"
            " receipt"
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
        f"{outcome.withdrawn:,} withdrawals sent, {outcome.withdrawn_proved:,} with a receipt"
    )
    sys.exit(
        errors.EXIT_OK if outcome.withdrawn == outcome.withdrawn_proved else errors.EXIT_WAITING
    )
