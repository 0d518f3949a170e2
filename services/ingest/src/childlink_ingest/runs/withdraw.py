"""The use cases of `withdraw` and `retract`: withdraw what was sent.

The receipts of the tombstones are the proof.
"""

from collections.abc import Iterable

from childlink_ingest.delivery.batches import (
    SendingContext,
    queue_withdrawals,
    tombstones_of_subject,
)
from childlink_ingest.errors import ExtractError
from childlink_ingest.model.rows import Role
from childlink_ingest.spool import Spool


def withdraw(
    spool: Spool,
    site: SendingContext,
    local_ids: Iterable[tuple[str, Role, str]],
    nhs_numbers: Iterable[str],
) -> tuple[int, int]:
    """Withdraw people by (id space, role, local id) or by NHS number, now and in later runs.

    Returns the run's id, and the number of subjects that were sent or may have been sent.
    """
    with spool.transaction():
        run_id = spool.start_run("(withdrawal)", "", kind="withdraw")
        people = {(space, local, role) for space, role, local in local_ids}
        references = {site.references.link(*who) for who in people}
        found = {known for reference in references if (known := spool.subject(reference))}
        if spool.lost_past() is not None:
            # They may have been sent before the restore, which this spool does not know.
            found |= {
                (site.references.link(*who), site.references.analytics(*who)) for who in people
            }
        keys = {key for number in nhs_numbers if (key := site.references.nhs(number))}
        found |= {subject for key in keys for subject in spool.subjects_with(key)}
        # The numbers, too: people who were not sent yet, or come with another local id, are also
        # withheld.
        spool.withdraw_for_good(references | keys | {link for link, _ in found})
        for link, analytics in found:
            spool.stage_withdrawals(
                t for t in tombstones_of_subject(link, analytics) if spool.is_out(t)
            )
        queue_withdrawals(spool, site, run_id)
        spool.finish_run(run_id, 0, ())
    return run_id, len(found)


def allow_again(
    spool: Spool,
    site: SendingContext,
    local_ids: Iterable[tuple[str, Role, str]],
    nhs_numbers: Iterable[str],
) -> int:
    """Undo `withdraw` for later runs. Returns the number of people."""
    people = [{site.references.link(space, local, role)} for space, role, local in local_ids]
    for number in nhs_numbers:
        if key := site.references.nhs(number):
            people.append({key, *(link for link, _ in spool.subjects_with(key))})
    return sum(spool.allow_again(marks) > 0 for marks in people)


def retract(spool: Spool, site: SendingContext, bad_run: int) -> int:
    """Withdraw everything whose newest version was sent by a run.

    Returns the id of the withdrawing run. Raises ExtractError if the run does not exist.
    """
    if not spool.run_exists(bad_run):
        raise ExtractError(
            f"There is no run {bad_run}.", "`childlink-ingest status` lists the runs."
        )
    with spool.transaction():
        run_id = spool.start_run(f"(retraction of run {bad_run})", "", kind="recall")
        spool.stage_withdrawals(spool.sent_by(bad_run))
        queue_withdrawals(spool, site, run_id)
        spool.finish_run(run_id, 0, ())
    return run_id
