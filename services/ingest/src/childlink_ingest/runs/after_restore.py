"""The use case of `after-restore`: recover after the spool, or the hub, was restored from a backup.

The spool detects this from a receipt for a batch that it never sealed, and starts a new epoch. Rows
need no repair: every feed is sent again and replaces what the services hold. Withdrawals do: the
next run would send people again whom the lost past withdrew. No receipt names them, so a person
must repeat those withdrawals.

If the hub was restored, the spool knows all withdrawals, and repeats them itself.
"""

from datetime import datetime

from childlink_ingest.delivery.batches import SendingContext, queue_withdrawals
from childlink_ingest.errors import PastLostError
from childlink_ingest.spool import LostPast, Spool


def check_past(spool: Spool) -> None:
    """Raise PastLostError until a person confirms that the lost withdrawals are repeated."""
    lost = spool.lost_past()
    if lost is not None and not lost.confirmed:
        raise PastLostError(
            "The services have read batches from this site that its spool does not know"
            f" ({what_is_known(lost)}). The spool was restored from a backup, or newly made.",
            "Nothing was sent. Repeat all withdrawals since then (`childlink-ingest withdraw`), run"
            " `childlink-ingest after-restore --withdrawals-repeated`, then run every feed. Each"
            " feed is sent again in full.",
        )


def what_is_known(lost: LostPast) -> str:
    """How far a spool's records reach, as text."""
    if not lost.known_until:
        return "it has no record of any run"
    return (
        "its newest recorded run began on"
        f" {datetime.fromtimestamp(lost.known_until):%Y-%m-%d at %H:%M}"
    )


def repeat_withdrawals(spool: Spool, site: SendingContext) -> int | None:
    """Repeat the withdrawals whose batches were given up.

    Returns the id of the run that repeats them, or None if there are none.
    """
    with spool.transaction():
        lost = spool.take_lost_withdrawals()
        if not lost:
            return None
        run_id = spool.start_run("(withdrawals repeated after a restore)", "", kind="withdraw")
        spool.stage_withdrawals(lost)
        queue_withdrawals(spool, site, run_id)
        spool.finish_run(run_id, 0, ())
    return run_id
