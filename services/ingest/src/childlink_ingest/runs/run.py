"""The use case of `run`: one extract, from records to sealed batches in the spool.

Either the whole extract is queued, or nothing.
"""

import gc
import itertools
import multiprocessing
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from childlink_ingest.delivery.batches import (
    SendingContext,
    queue_encodings,
    queue_observations,
    queue_withdrawals,
    tombstones_of_subject,
)
from childlink_ingest.eligibility.contradictions import IdentityCheck, refuse
from childlink_ingest.eligibility.rules import OPTED_OUT
from childlink_ingest.errors import ExtractError, TooManyRejectsError
from childlink_ingest.mapping.apply import COUNTS_AS_MISSING
from childlink_ingest.model.items import Tombstone
from childlink_ingest.model.rows import Rejection
from childlink_ingest.readers.record import Extract, Record
from childlink_ingest.runs.prepare import (
    EncodingPlan,
    Prepared,
    Preparer,
    WithdrawalRequest,
    too_empty,
)
from childlink_ingest.spool import Spool
from childlink_ingest.spool.packing import without_rows
from childlink_ingest.spool.stage import ItemNumbers, Stage

ROWS_AT_A_TIME: Final = 20_000
Progress = Callable[[int], None]
Chunk = Sequence[Record | Rejection]


@dataclass(frozen=True)
class Limits:
    """Limits that stop a run before anything is sent."""

    max_reject_share: float = 1.0
    """Share of rows that may be rejected; 0 for none."""
    max_withdrawn_share: float = 1.0
    """Share of a feed's rows that a snapshot may withdraw."""
    opted_out: Sequence[bytes] = field(default=(), repr=False)
    """Keyed NHS numbers that were checked and are not permitted. Their rows of this feed are
    withdrawn.
    """


def send_extract(
    name: str,
    records: Iterable[Record | Rejection],
    plan: EncodingPlan,
    site: SendingContext,
    spool: Spool,
    limits: Limits = Limits(),
    prepare: Callable[[Iterable[Chunk]], Iterator[Prepared]] | None = None,
    progress: Progress = lambda _rows: None,
) -> int:
    """Stage all good rows, record all rejected ones, and queue what is new, changed or withdrawn.

    Returns the run's id. Raises ExtractError, ContradictingIdsError or TooManyRejectsError; then
    nothing is queued.
    """
    mapping = plan.mapping
    prepare = prepare or (lambda chunks: map(Preparer(plan), chunks))
    with spool.transaction(), spool.bulk(), spool.stage() as stage:
        run_id = spool.start_run(name, mapping.dataset.name, mapping.feed)
        rows_read, rejected = 0, 0
        notes: Counter[str] = Counter()
        filled: Counter[str] = Counter()
        held: Counter[str] = Counter()
        unreadable = False
        ids = IdentityCheck()
        rejections: list[Rejection] = []
        present: list[bytes] = []
        for chunk in prepare(_chunks(records, ROWS_AT_A_TIME)):
            repeats = add_to(stage, chunk, mapping.columns["row_id"].name)
            found = [*chunk.rejections, *repeats]
            spool.reject(run_id, found)
            present += chunk.present
            spool.stage_withdrawals(
                t for item in chunk.forget for t in tombstones(item, spool, plan)
            )
            unreadable |= any(not rejection.row_id for rejection in chunk.rejections)
            rejections += found[: 1000 - len(rejections)] if len(rejections) < 1000 else []
            rejected += len(found)
            ids.add(chunk.claims)
            notes.update(chunk.notes)
            filled.update(chunk.filled)
            held.update(chunk.held)
            rows_read += chunk.records
            progress(rows_read)
        if isinstance(records, Extract):
            notes.update({f"left out {why}": n for why, n in records.left_out.items()})
        if not rows_read:
            raise ExtractError(f"{name} has a header but no rows.", "Export it again.")
        if shared := ids.contradictions():
            raise refuse(shared, mapping.id_columns)
        _check_shares(rows_read, rejections, rejected, notes, limits)
        if problem := too_empty(filled, rows_read - rejected - held.total(), mapping):
            raise TooManyRejectsError(
                problem,
                "Nothing was sent. `check` says which values were lost, and why. Correct the"
                " mapping or the extract, or lower min_filled.",
            )
        if mapping.delivers == "snapshot":
            spool.mark_seen(stage, run_id)
            spool.keep(run_id, present)
            _withdraw_what_is_gone(spool, run_id, mapping.feed, limits, notes, unreadable)
        for key in limits.opted_out:
            for link, analytics in spool.subjects_with(key):
                spool.stage_withdrawals(
                    tombstones(WithdrawalRequest(OPTED_OUT, link, analytics), spool, plan)
                )
        _retire_old_encodings(spool, plan, notes)
        queue_withdrawals(spool, site, run_id)
        numbers = ItemNumbers()
        queue_encodings(
            spool, site, run_id, mapping.feed, spool.changed(stage, "encodings", run_id, numbers)
        )
        changed = spool.changed(stage, "observations", run_id, numbers)
        queue_observations(spool, site, run_id, mapping.feed, mapping.dataset, changed)
        spool.finish_run(run_id, rows_read, notes.items(), held.items())
    return run_id


def _check_shares(
    rows_read: int,
    rejections: Sequence[Rejection],
    rejected: int,
    notes: Counter[str],
    limits: Limits,
) -> None:
    """Raise TooManyRejectsError if too many rows are rejected, or lose an optional value."""
    if rejected > limits.max_reject_share * rows_read:
        raise TooManyRejectsError(
            f"{rejected:,} of {rows_read:,} rows would be rejected; at most"
            f" {limits.max_reject_share:.0%} are allowed. The first is line"
            f" {rejections[0].row_number}: {rejections[0].column} {rejections[0].reason}.",
            "Nothing was sent. Run `check`, correct the mapping or the extract, or raise"
            " max_reject_share.",
        )
    for note, count in notes.items():
        if note.endswith(COUNTS_AS_MISSING) and count > limits.max_reject_share * rows_read:
            raise TooManyRejectsError(
                f"In {count:,} of {rows_read:,} rows, {note}; at most"
                f" {limits.max_reject_share:.0%} are allowed.",
                "Nothing was sent. Correct the mapping (its `codes`, for example) or the"
                " extract, or raise max_reject_share.",
            )


def add_to(stage: Stage, chunk: Prepared, row_id: str) -> list[Rejection]:
    """Stage a chunk, except rows that repeat the id of an earlier row and would overwrite it.

    Returns these rows as rejections.
    """
    repeats = stage.repeats(chunk.rows.values())
    rows, observations, subjects = chunk.rows, chunk.observations, chunk.subjects
    if repeats:
        rows, observations, subjects = without_rows(
            chunk.rows, chunk.observations, chunk.subjects, repeats
        )
    stage.add("rows", rows)
    stage.add("observations", observations)
    stage.add("encodings", subjects)
    remedy = (
        "Row ids must be unique in an extract. If no column is unique, name several for row_id."
    )
    return [
        Rejection(number, row_id, "repeats the row id of an earlier row", remedy, "-")
        for number in sorted(repeats)
    ]


def tombstones(item: WithdrawalRequest, spool: Spool, plan: EncodingPlan) -> list[Tombstone]:
    """Tombstones for a person who may no longer be sent, or for a deleted row."""
    feed = plan.mapping.feed
    facets = [
        Tombstone(
            "encodings", item.link_reference, plan.references.facet(feed, encoder.key_version)
        )
        for encoder in plan.encoders
    ]
    if item.row_reference is not None:
        row = Tombstone("observations", item.row_reference)
        others = [other for other in spool.rows_of(feed, item.analytics_reference) if other != row]
        wanted = [row, *(facets if not others else [])]
    elif item.why == OPTED_OUT:
        wanted = [*facets, *spool.rows_of(feed, item.analytics_reference)]
    else:
        wanted = tombstones_of_subject(item.link_reference, item.analytics_reference)
    return [tombstone for tombstone in wanted if spool.is_out(tombstone)]


def _withdraw_what_is_gone(
    spool: Spool, run_id: int, feed: str, limits: Limits, notes: Counter[str], unreadable: bool
) -> None:
    gone, out = spool.gone(feed, run_id)
    rows = sum(1 for tombstone in gone if tombstone.half == "observations")
    if unreadable:
        if rows:
            notes["missing but not withdrawn: some rows of the snapshot have no readable id"] = rows
        return
    if out and rows > limits.max_withdrawn_share * out:
        raise TooManyRejectsError(
            f"{rows:,} of the {out:,} sent rows of {feed!r} are not in this snapshot; at most "
            f"{limits.max_withdrawn_share:.0%} may be withdrawn at once.",
            "Nothing was sent. Is the extract complete? If so, run with --max-withdrawn 1.",
        )
    spool.stage_withdrawals(gone)


def _retire_old_encodings(spool: Spool, plan: EncodingPlan, notes: Counter[str]) -> None:
    """The last step of a rotation: withdraw encodings under a linkage secret that is no longer in
    use.
    """
    feed = plan.mapping.feed
    replaced, left = spool.retired(
        feed, [plan.references.facet(feed, e.key_version) for e in plan.encoders]
    )
    spool.stage_withdrawals(replaced)
    if left:
        notes[
            "people of this feed are only encoded under an old linkage secret: rekey an extract"
            " that contains them"
        ] = left


@contextmanager
def prepared_by(
    build: Callable[[], EncodingPlan], workers: int
) -> Iterator[Callable[[Iterable[Chunk]], Iterator[Prepared]]]:
    """Prepare chunks in `workers` processes, in order.

    Each process builds the plan itself, so that no secret travels between processes.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        workers, mp_context=context, initializer=_start, initargs=(build,)
    ) as pool:

        def prepare(chunks: Iterable[Chunk]) -> Iterator[Prepared]:
            waiting: deque[Future[Prepared]] = deque()
            for chunk in chunks:
                waiting.append(pool.submit(_prepare, _packed(chunk)))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

        yield prepare


# One per worker process, made when it starts.
_preparers: list[Preparer] = []


def _start(build: Callable[[], EncodingPlan]) -> None:
    # Rows number in the millions and contain no cycles, so searching for cycles would waste time.
    gc.disable()
    _preparers.append(Preparer(build()))


def _prepare(packed: "_Packed") -> Prepared:
    return _preparers[0](_unpacked(packed))


# A chunk for a worker: the column names once, then number and values of each record, and rejections
# with their positions.
_Packed = tuple[list[str], list[tuple[int, list[str]]], list[tuple[int, Rejection]]]


def _packed(chunk: Chunk) -> _Packed:
    records = [item for item in chunk if isinstance(item, Record)]
    names = list(records[0].values) if records else []
    rejections = [(at, item) for at, item in enumerate(chunk) if isinstance(item, Rejection)]
    return names, [(record.number, list(record.values.values())) for record in records], rejections


def _unpacked(packed: _Packed) -> list[Record | Rejection]:
    names, rows, rejections = packed
    chunk: list[Record | Rejection] = [
        Record(number, dict(zip(names, values, strict=True))) for number, values in rows
    ]
    for at, rejection in rejections:
        chunk.insert(at, rejection)
    return chunk


def _chunks(items: Iterable[Record | Rejection], size: int) -> Iterator[list[Record | Rejection]]:
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk
