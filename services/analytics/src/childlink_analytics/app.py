"""Composition root of analytics' store side."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from childlink.wire.v1 import envelope_pb2
from childlink_bus.database import migrate, open_database
from childlink_bus.kafka import KafkaPublisher, KafkaSubscriber
from childlink_bus.ports import Subscriber
from childlink_bus.pump import Pump, Source
from childlink_core import topics
from childlink_core.directory import read_directory
from childlink_core.keys import read_opening_key, read_secret_key, read_signing_key

from childlink_analytics import tables
from childlink_analytics.counting import open_counter
from childlink_analytics.cut_release import Cut, cut_release
from childlink_analytics.errors import ReleaseError
from childlink_analytics.intake import StoreHandler
from childlink_analytics.measures import catalogue
from childlink_analytics.metrics import StoreMetrics
from childlink_analytics.releases import check_release_name
from childlink_analytics.settings import StoreSettings
from childlink_analytics.store import Store


@dataclass(frozen=True)
class Consumer:
    """The process that stores observations and links."""

    engine: sa.Engine
    pump: Pump
    metrics: StoreMetrics

    def close(self) -> None:
        """Let go of Kafka and the database."""
        self.pump.publisher.close()
        self.engine.dispose()

    def observe(self, subscriber: Subscriber) -> None:
        """Set the gauges."""
        self.metrics.lag(subscriber.lag())
        with self.engine.connect() as tx:
            self.metrics.holdings(*holdings(tx))


def holdings(tx: sa.Connection) -> tuple[int, int, int]:
    """Observations, links, and observations none of whose references is linked yet."""
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
    """The database, its tables up to date."""
    engine = open_database(settings.database, settings.database_password_file)
    migrate(engine, "childlink_analytics")
    return engine


def build_consumer(settings: StoreSettings, metrics: StoreMetrics) -> Consumer:
    """Put the consumer together."""
    directory = read_directory(settings.directory)
    opening = (read_opening_key(settings.opening_key),)
    signing = read_signing_key(settings.signing_key)
    engine = open_store(settings)

    def connect(positions: Mapping[str, int]) -> Subscriber:
        return KafkaSubscriber(settings, positions, settings.micro_batch)

    sources = {topics.observations(p): Source(p, envelope_pb2.PAYLOAD_KIND_OBSERVATION) for p in directory.partners}
    sources[topics.LINKS] = Source(topics.LINKER, envelope_pb2.PAYLOAD_KIND_LINK, receipted=False)
    pump = Pump(
        service=topics.ANALYTICS,
        engine=engine,
        ledger=tables.ledger,
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
    return Consumer(engine, pump, metrics)


def cut(
    settings: StoreSettings,
    release_id: str,
    data_until: str,
    progress: Callable[[str], None] = lambda _population: None,
    *,
    anyway: bool = False,
) -> Cut:
    """Cut a release of what the store holds now, from one consistent view of it. Raises ReleaseError while links of rows that are
    here have not come, unless `anyway`."""
    check_release_name(release_id)
    try:
        date.fromisoformat(data_until)
    except ValueError:
        raise ReleaseError(f"{data_until!r} is not a date.", "Give the last day of data as YYYY-MM-DD.") from None
    secret = read_secret_key(settings.release_key).derive("rounding")
    engine = open_store(settings)
    with engine.connect() as tx:
        if tx.dialect.name == "postgresql":
            tx.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        store = Store(tx)
        behind = store.behind()
        if behind and not anyway:
            raise ReleaseError(
                f"Rows of {', '.join(behind)} are here before their links: a release now would count them as nobody's.",
                "Wait until the linker has read what they sent (see `status`), or cut with --anyway; the release will say so.",
            )
        facts = {"parameter_version": ", ".join(store.parameter_versions()), "behind": behind}
        with open_counter(store.observations(), store.links()) as counter:
            return cut_release(release_id, data_until, counter, catalogue(), secret, settings.releases, progress, facts)
