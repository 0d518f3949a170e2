"""The use case of `after-restore`: what a site whose spool was put back from a backup must see to
before it runs extracts again.

The spool notices by itself, from a receipt for a batch that it never sealed, and goes on in a new
epoch. Rows mend themselves: every feed goes out anew and replaces what is there. Withdrawals do
not: whom the lost past withdrew, the next run would send again. No receipt says who they were, so a
person must.
"""

from datetime import datetime

from childlink_ingest.delivery.batches import SendingContext, queue_withdrawals
from childlink_ingest.errors import PastLostError
from childlink_ingest.spool import LostPast, Spool


def check_past(spool: Spool) -> None:
    """Raise PastLostError while the withdrawals of a lost past are not seen to."""
    lost = spool.lost_past()
    if lost is not None and not lost.confirmed:
        raise PastLostError(
            "The services have read from this site what its spool does not know"
            f" ({what_is_known(lost)}): it was put back from a backup, or made anew.",
            "Withdraw again (`childlink-ingest withdraw`) whoever was withdrawn since, then"
            " `childlink-ingest after-restore --withdrawals-repeated`, then run every feed: all of"
            " it goes out anew. Nothing was sent.",
        )


def what_is_known(lost: LostPast) -> str:
    """How far a spool's memory reaches, in words."""
    if not lost.known_until:
        return "it knows of no run"
    return (
        "the newest run that it knows of began on"
        f" {datetime.fromtimestamp(lost.known_until):%Y-%m-%d at %H:%M}"
    )


def repeat_withdrawals(spool: Spool, site: SendingContext) -> int | None:
    """Send withdrawals again that were given up with their batches. Returns the id of the run that
    does it; None without any.
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
