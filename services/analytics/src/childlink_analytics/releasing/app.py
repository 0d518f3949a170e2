"""Composition root of the process that stores and releases."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import sqlalchemy as sa
import structlog
from childlink.wire.v1 import envelope_pb2
from childlink_bus.database import migrate, open_database
from childlink_bus.kafka import KafkaPublisher, KafkaSubscriber
from childlink_bus.observing import database_connections, waiting_messages
from childlink_bus.ports import Subscriber
from childlink_bus.stream_processor import StreamProcessor, TopicPolicy
from childlink_catalogue.catalogue import Catalogue, catalogue, current
from childlink_catalogue.errors import CatalogueError
from childlink_core import topics
from childlink_core.directory import read_directory
from childlink_core.keys import read_opening_key, read_secret_key, read_signing_key

from childlink_analytics.releasing.counting.denominators import parse_denominators
from childlink_analytics.releasing.counting.public_tables import Tables, parse_table
from childlink_analytics.releasing.metrics import StoreMetrics
from childlink_analytics.releasing.release.workflow import SCHEDULE, ReleaseWorkflow
from childlink_analytics.releasing.store import tables
from childlink_analytics.releasing.store.intake import StoreHandler
from childlink_analytics.settings import StoreSettings
from childlink_analytics.shared.purposes import Register, read_register, read_text

log = structlog.get_logger()


@dataclass(frozen=True)
class Consumer:
    """The process that stores observations and links."""

    engine: sa.Engine
    processor: StreamProcessor
    metrics: StoreMetrics
    settings: StoreSettings

    def close(self) -> None:
        """Close the Kafka connection and the database connections."""
        self.processor.publisher.close()
        self.engine.dispose()

    def observe(self, subscriber: Subscriber) -> None:
        """Set the gauges."""
        self.metrics.lag(subscriber.lag())
        self.observe_store()

    def observe_store(self) -> None:
        """Set the gauges that do not need the broker."""
        self.metrics.backups(self.settings.backup_stamp)
        with self.engine.connect() as tx:
            self.metrics.holdings(*holdings(tx))
            self.metrics.workings(
                waiting_messages(tx, tables.stream_state),
                database_connections(self.engine),
                tables.stream_state.suspended(tx),
            )
            self.metrics.managed(
                _counted(tx, tables.release.c.state),
                _counted(tx, tables.audit.entries.c.action),
                _newest_release(tx),
            )


class Schedule:
    """Cuts scheduled drafts and deletes expired rows, in a thread beside the consumer."""

    def __init__(self, desk: ReleaseWorkflow, metrics: StoreMetrics) -> None:
        self._desk, self._metrics = desk, metrics
        self._asked_on: date | None = None
        self._busy: threading.Thread | None = None

    def look(self, today: date) -> None:
        """Start what is due, at most once a day. A cut takes minutes and runs in a thread of its
        own.
        """
        if today == self._asked_on or (self._busy and self._busy.is_alive()):
            return
        self._asked_on = today
        self._busy = threading.Thread(target=self._do, args=(today,), name="schedule", daemon=True)
        self._busy.start()

    def join(self) -> None:
        """Wait for the started work."""
        if self._busy:
            self._busy.join()

    def _do(self, today: date) -> None:
        try:
            self._desk.expire(SCHEDULE, today)
            due = self._desk.due(today)
            if due:
                self._desk.cut(SCHEDULE, *due)
                log.info("draft cut", release=due[0])
        except Exception as error:  # noqa: BLE001 - the consumer must go on after any error
            # The schedule tries again tomorrow. The metric has an alert.
            self._metrics.scheduled_cut_failures.inc()
            log.error(
                "scheduled cut failed",
                error_type=type(error).__name__,
                why=getattr(error, "problem", ""),
            )


def _counted(tx: sa.Connection, column: "sa.Column[str]") -> dict[str, int]:
    return dict(tx.execute(sa.select(column, sa.func.count()).group_by(column)).tuples().all())


def _newest_release(tx: sa.Connection) -> dict[str, float]:
    """When the newest release was published and when its data end, in Unix seconds. Empty if there
    is none.
    """
    c = tables.release.c
    row = tx.execute(
        sa.select(c.published_at_ms, c.data_until)
        .where(c.state.in_(("published", "recalling")))
        .order_by(c.number.desc())
    ).first()
    if row is None:
        return {}
    until = datetime.combine(date.fromisoformat(row.data_until), datetime.max.time(), UTC)
    return {"published": row.published_at_ms / 1000, "data": until.timestamp()}


def holdings(tx: sa.Connection) -> tuple[int, int, int]:
    """The numbers of observations, of links, and of observations without a linked reference."""
    o, link = tables.observation.c, tables.link.c
    linked = sa.exists().where(
        link.partner == o.partner,
        sa.or_(link.reference == o.child_reference, link.reference == o.adult_reference),
        link.person.is_not(None),
    )
    queries = (
        sa.select(sa.func.count()).select_from(tables.observation),
        sa.select(sa.func.count()).select_from(tables.link),
        sa.select(sa.func.count()).select_from(tables.observation).where(~linked),
    )
    observations, links, waiting = (tx.execute(query).scalar_one() for query in queries)
    return observations, links, waiting


def open_store(settings: StoreSettings) -> sa.Engine:
    """Open the database and migrate its tables to the current version."""
    engine = open_database(settings.database, settings.database_password_file)
    migrate(engine, "childlink_analytics.releasing.store")
    return engine


def build_consumer(settings: StoreSettings, metrics: StoreMetrics) -> Consumer:
    """Build the consumer from its settings."""
    directory = read_directory(settings.directory)
    opening = (read_opening_key(settings.opening_key),)
    signing = read_signing_key(settings.signing_key)
    engine = open_store(settings)

    def connect(positions: Mapping[str, int]) -> Subscriber:
        return KafkaSubscriber(settings, positions, settings.micro_batch)

    sources = {
        topics.observations(p): TopicPolicy(p, envelope_pb2.PAYLOAD_KIND_OBSERVATION)
        for p in directory.partners
    }
    sources[topics.LINKS] = TopicPolicy(
        topics.LINKER, envelope_pb2.PAYLOAD_KIND_LINK, receipted=False
    )
    processor = StreamProcessor(
        service=topics.ANALYTICS,
        engine=engine,
        stream_state=tables.stream_state,
        publisher=KafkaPublisher(settings),
        sources=sources,
        directory=directory,
        signing_key=signing,
        opening_keys=opening,
        handler=StoreHandler(opening),
        observer=metrics,
        connect=connect,
        dead_letters_an_hour=settings.dead_letters_an_hour,
    )
    return Consumer(engine, processor, metrics, settings)


def build_desk(settings: StoreSettings, engine: sa.Engine | None = None) -> ReleaseWorkflow:
    """Build the release workflow, on an open database or on a new connection."""
    key = read_secret_key(settings.release_key)
    dimensions = {
        name: item for measure in catalogue().values() for name, item in measure.dimensions.items()
    }
    denominators, purposes = settings.denominators, settings.purposes
    return ReleaseWorkflow(
        engine=engine or open_store(settings),
        settings=settings,
        secret=key.derive("rounding"),
        audit_key=key.derive("audit trail"),
        denominators=parse_denominators(read_text(denominators), dimensions, str(denominators))
        if denominators
        else {},
        register=read_register(purposes) if purposes else Register(),
        tables=partial(read_tables, settings.tables, current()),
    )


def read_tables(folder: Path | None, declared: Catalogue, until: date) -> Tables:
    """The catalogue's tables, each with the values of its file in a folder. A table without a file
    has none. Raises CatalogueError.
    """
    every = declared.tables(until)
    files = {path.stem: path for path in sorted(folder.glob("*.csv"))} if folder else {}
    if folder is not None and not folder.is_dir():
        raise CatalogueError(
            f"{folder} is no folder.", "Create it, or correct the setting `tables`."
        )
    if unknown := sorted(set(files) - set(every)):
        raise CatalogueError(
            f"{files[unknown[0]]}: the catalogue declares no table {unknown[0]}.",
            f"Name the file after one of: {', '.join(every)}." if every else "Move it away.",
        )
    return {
        name: (
            table,
            parse_table(read_text(files[name]), table, str(files[name])) if name in files else {},
        )
        for name, table in every.items()
    }
