"""The whole pipeline in one process: the steps of each service in turn, through the same code as in
production.
"""

import csv
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from multiprocessing import get_context
from pathlib import Path

from childlink_analytics.answering.app import build_access
from childlink_analytics.answering.metrics import ServingMetrics
from childlink_analytics.answering.service import serve
from childlink_analytics.releasing import app as analytics
from childlink_analytics.releasing.metrics import StoreMetrics
from childlink_analytics.releasing.release.cut import Cut
from childlink_bus.ports import Subscriber
from childlink_client import Client
from childlink_core.errors import UserError
from childlink_core.profiles import get_profile
from childlink_ingest import app as ingest
from childlink_ingest.mapping.apply import RowMapper
from childlink_ingest.mapping.approvals import approve, what
from childlink_ingest.model.rows import Rejection, Row
from childlink_ingest.pseudonymise.split import split
from childlink_ingest.runs import withdraw as takeback
from childlink_ingest.runs.prepare import map_rows
from childlink_ingest.settings import IngestSettings
from childlink_ingest.spool import RunReport, Spool, open_spool
from childlink_linker import app as linker
from childlink_linker.matching.parameters import render_parameters
from childlink_linker.metrics import LinkerMetrics
from childlink_linker.records import Outcome
from childlink_linker.store import evaluate

from childlink_local.workspace import Layout

Progress = Callable[[str, int], None]
_STUCK_AFTER_S = 60.0
PERSON = "pilot operator"


@dataclass(frozen=True)
class Extract:
    """A partner's file and its mapping."""

    partner: str
    path: Path
    mapping: Path


@dataclass
class Hub:
    """The linker and analytics of a pilot."""

    linker: linker.Linker
    analytics: analytics.Consumer
    encodings: Subscriber
    observations: Subscriber

    def step(self) -> int:
        """One micro-batch of each. Returns the number of messages read."""
        read = self.linker.processor.step(self.encodings, timeout_s=0.02)
        return read + self.analytics.processor.step(self.observations, timeout_s=0.02)


@contextmanager
def open_hub(layout: Layout) -> Iterator[Hub]:
    """Build the linker and analytics on the pilot's broker."""
    for folder in ("linker", "analytics"):
        (layout.folder / folder).mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        link = linker.build(layout.linker, LinkerMetrics())
        stack.callback(link.close)
        store = analytics.build_consumer(layout.store, StoreMetrics())
        stack.callback(store.close)
        subscribers = [link.processor.subscribe(), store.processor.subscribe()]
        for subscriber in subscribers:
            stack.callback(subscriber.close)
        yield Hub(link, store, *subscribers)


def send(
    layout: Layout,
    hub: Hub,
    extracts: Sequence[Extract],
    progress: Progress = lambda _what, _count: None,
) -> list[RunReport]:
    """Send every extract through ingest, linker and analytics, until every batch has a receipt.

    While one partner's batches are linked, a separate process encodes the next partner's rows.
    """
    partners = list(dict.fromkeys(extract.partner for extract in extracts))
    reports = []
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        staged = {
            partner: pool.submit(
                stage, layout.ingest[partner], [e for e in extracts if e.partner == partner]
            )
            for partner in partners
        }
        for partner in partners:
            progress(f"{partner}: encoding", 0)
            runs = staged[partner].result()
            with open_spool(layout.ingest[partner].spool) as spool:
                exchange(layout.ingest[partner], spool, hub, progress)
                reports += [spool.report(run) for run in runs]
    while hub.step():
        pass
    return reports


def stage(settings: IngestSettings, extracts: Sequence[Extract]) -> list[int]:
    """Approve the mappings, then encode, seal and spool a partner's extracts. Returns the runs'
    ids.
    """
    runs = []
    for extract in extracts:
        mapping = ingest.load_mapping(extract.mapping)
        wanted = what(extract.mapping, mapping, get_profile(settings.profile))
        approve(settings.approvals, extract.mapping, wanted, PERSON)
    with open_spool(settings.spool) as spool:
        for extract in extracts:
            runs.append(ingest.run_extract(settings, spool, extract.path, extract.mapping))
    return runs


def exchange(
    settings: IngestSettings,
    spool: Spool,
    hub: Hub,
    progress: Progress = lambda _what, _count: None,
) -> None:
    """Send a spool's batches through linker and analytics until every batch has a receipt. Raises
    UserError if nothing moves for 60 seconds.
    """
    with ingest.connect(settings, spool) as connection:
        exchange = connection.exchange
        exchange.catch_up(connection.subscriber)
        moved_at = time.monotonic()
        while not exchange.settled():
            moved = exchange.send() + hub.step() + exchange.receive(connection.subscriber, 0.02)
            progress(f"{settings.partner}: batches left", spool.count_batches("queued", "sent"))
            moved_at = time.monotonic() if moved else moved_at
            if time.monotonic() - moved_at > _STUCK_AFTER_S:
                raise UserError(
                    f"{settings.partner}: no batch was processed for {_STUCK_AFTER_S:.0f} s.",
                    "Run the command again. It continues from here.",
                )


def withdraw(layout: Layout, hub: Hub, extract: Extract, local_id: str) -> RunReport:
    """Withdraw a child from what a partner has sent. Linker and analytics delete the child's data
    and send receipts.
    """
    settings, mapping = layout.ingest[extract.partner], ingest.load_mapping(extract.mapping)
    with open_spool(settings.spool) as spool:
        site = ingest.build_site(settings)
        run, _ = takeback.withdraw(spool, site, [(mapping.id_space, "child", local_id)], [])
        exchange(settings, spool, hub)
        return spool.report(run)


def retract(layout: Layout, hub: Hub, partner: str, run: int) -> RunReport:
    """Retract everything that a run sent."""
    settings = layout.ingest[partner]
    with open_spool(settings.spool) as spool:
        retracted = takeback.retract(spool, ingest.build_site(settings), run)
        exchange(settings, spool, hub)
        return spool.report(retracted)


def estimate_and_relink(layout: Layout, hub: Hub) -> Outcome:
    """Estimate match parameters from the pilot's own encodings, write them to a file, and link
    everything again with them.
    """
    parameters = hub.linker.estimate("pilot").parameters
    text = render_parameters(parameters, "Estimated from this pilot's encodings.")
    (layout.folder / "linker" / "parameters.toml").write_text(text, encoding="utf-8")
    outcome = hub.linker.relink(parameters)
    while hub.step():
        pass
    return outcome


def cut(
    layout: Layout,
    release_id: str,
    data_until: str,
    progress: Callable[[str], None] = lambda _measure: None,
) -> Cut:
    """Build and publish a release of the pilot. One person does both, without a second approver."""
    desk = analytics.build_desk(layout.store)
    try:
        done = desk.cut(PERSON, release_id, data_until, progress)
        desk.publish(PERSON, release_id)
    finally:
        desk.engine.dispose()
    return replace(done, path=layout.store.releases / release_id)


@contextmanager
def answering(layout: Layout) -> Iterator[Client]:
    """Serve the pilot's releases over gRPC on a free loopback port, and connect to it."""
    server, port = serve(layout.serving, ServingMetrics(), build_access(layout.serving))
    try:
        with Client(f"127.0.0.1:{port}") as client:
            yield client
    finally:
        server.stop(grace=1).wait()


def write_links(layout: Layout, hub: Hub, extracts: Sequence[Extract], path: Path) -> int:
    """Write partner, local id, role, person and family of every subject, to score against the
    truth. Returns the number of subjects.

    A subject that could not be sent, for example because too little is known, has no person.
    """
    local: dict[tuple[str, str], tuple[str, str]] = {}
    unsent: set[tuple[str, str, str]] = set()
    for extract in extracts:
        mapping = ingest.load_mapping(extract.mapping)
        with ingest.open_job(layout.ingest[extract.partner], extract.path, mapping) as job:
            mapper = RowMapper(mapping, date.today())
            records = list(job.extract)
            sent, held, _ = map_rows(records, mapper, job.plan)
            for row in sent:
                for subject in split(row, mapping, job.site.references)[:2]:
                    if subject:
                        local[extract.partner, subject.link_reference.hex()] = (
                            subject.identity.person_id,
                            subject.role,
                        )
            withheld = {item.row_number for item in held}
            for record in records:
                read = (
                    None if isinstance(record, Rejection) else mapper(record.number, record.values)
                )
                if isinstance(read, Row) and not read.deleted and read.number not in withheld:
                    people = (("child", read.child), ("adult", read.adult))
                    unsent |= {
                        (extract.partner, who.person_id, role) for role, who in people if who
                    }
    with hub.linker.engine.connect() as tx, path.open("w", newline="", encoding="utf-8") as file:
        rows = sorted(
            (partner, *local[partner, reference], person, family)
            for partner, reference, person, family in evaluate.export(tx)
            if (partner, reference) in local
        )
        writer = csv.writer(file)
        writer.writerow(["partner", "local_id", "role", "person", "family"])
        writer.writerows(rows)
        linked = {(partner, local_id, role) for partner, local_id, role, *_ in rows}
        writer.writerows((*key, "", "") for key in sorted(unsent - linked))
    return len(rows)
