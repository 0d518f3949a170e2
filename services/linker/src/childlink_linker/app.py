"""Composition root of the linker."""

import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any, Final

import sqlalchemy as sa
import structlog
from childlink.wire.v1 import envelope_pb2
from childlink_bus.database import migrate, open_database
from childlink_bus.kafka import KafkaPublisher, KafkaSubscriber
from childlink_bus.observing import database_connections, waiting_messages
from childlink_bus.ports import Subscriber
from childlink_bus.stream_processor import StreamProcessor, TopicPolicy
from childlink_core import topics
from childlink_core.directory import read_directory
from childlink_core.keys import read_opening_key, read_secret_key, read_signing_key
from childlink_core.profiles import Profile, get_profile

from childlink_linker.clustering.evidence import verdicts_of
from childlink_linker.linking.handler import LinkHandler
from childlink_linker.linking.intake import TokenHasher
from childlink_linker.matching.estimate import Estimated
from childlink_linker.matching.parameters import (
    Parameters,
    load_parameters,
    parse_parameters,
    read_parameters,
)
from childlink_linker.metrics import LinkerMetrics
from childlink_linker.records import Outcome
from childlink_linker.relinking import proposals
from childlink_linker.relinking.missed import Missed, missed_links
from childlink_linker.relinking.proposals import Approved
from childlink_linker.relinking.relink import estimate_parameters, relink
from childlink_linker.relinking.repartition import Engine, OrdinaryEngine, Repartition, repartition
from childlink_linker.relinking.write_proposal import propose
from childlink_linker.review.explain import children_of_a_date
from childlink_linker.review.page.serving import serve_page
from childlink_linker.review.service import ReviewService
from childlink_linker.review.workflow import ReviewWorkflow
from childlink_linker.server import OperatorService, holdings
from childlink_linker.server import serve as serve_grpc
from childlink_linker.settings import LinkerSettings
from childlink_linker.store import encoding_profile, tables
from childlink_linker.store.encoding_profile import check_profile
from childlink_linker.store.snapshot import one_moment, read_snapshot
from childlink_linker.store.store import Store
from childlink_linker.store.vault import Vault

log = structlog.get_logger()
_FIRST_DENSITY_S: Final = 600.0
"""How long after its start a linker first counts the children of each date."""


@dataclass(frozen=True)
class Linker:
    """A linker with all its parts."""

    settings: LinkerSettings
    engine: sa.Engine
    handler: LinkHandler
    processor: StreamProcessor
    metrics: LinkerMetrics

    def close(self) -> None:
        """Close the Kafka connection and the database connections."""
        self.processor.publisher.close()
        self.engine.dispose()

    def republish(self) -> int:
        """Send every link again in a new epoch, for an analytics store that lost them.

        A running linker waits until this is done. Otherwise it would send new links in the old
        epoch, and the new epoch would hold older links.

        Returns the number of link batches.
        """
        with self.engine.begin() as tx:
            Store(tx, self.handler.vault).lock()
            count = self.processor.republish(tx, topics.LINKS, self.handler.all_links(tx))
        tables.stream_state.flush(self.engine, self.processor.publisher)
        return count

    def restored(self, *, new_broker: bool = False) -> int:
        """Resume after the store was restored from a backup.

        Starts a new epoch for everything that is sent. Sends every link again with a version that
        is greater than any version the lost store sent.

        Returns the number of link batches.
        """
        with self.engine.begin() as tx:
            Store(tx, self.handler.vault).lock()
            tables.stream_state.restored(tx, new_broker=new_broker)
            Store(tx, self.handler.vault).renew_links()
            links = self.handler.all_links(tx)
            self.processor.send(tx, links)
        tables.stream_state.flush(self.engine, self.processor.publisher)
        return len(links)

    def estimate(self, version: str) -> Estimated:
        """Estimate match parameters from everything in the store. Changes nothing."""
        return _estimate(self.engine, self.settings, version)

    def relink(self, parameters: Parameters) -> Outcome:
        """Re-cluster all records under other parameters, and send the links that change."""
        return self._change(lambda store: relink(store, self.handler.profile, parameters))

    def approve(self, proposal_id: int, steward: str) -> Approved:
        """Apply the proposed changes, and send the links that change."""
        found: list[Approved] = []

        def change(store: Store) -> Outcome:
            found.append(proposals.approve(store, proposal_id, steward, self.handler.profile))
            return found[0].outcome

        self._change(change)
        return found[0]

    def _change(self, change: Callable[[Store], Outcome]) -> Outcome:
        with self.engine.begin() as tx:
            store = Store(tx, self.handler.vault)
            outcome = change(store)
            self.processor.send(tx, self.handler.links(store, outcome.linked))
        tables.stream_state.flush(self.engine, self.processor.publisher)
        return outcome

    def desk(self, *, running: bool = False) -> ReviewWorkflow:
        """The review workflow of a linker that can send links.

        `running`: the linker is processing batches, and sends the links with its next micro-batch.
        Otherwise they are sent at once.
        """

        def flush() -> None:
            if not running:
                tables.stream_state.flush(self.engine, self.processor.publisher)

        return ReviewWorkflow(
            self.engine,
            self.handler.vault,
            self.handler.profile,
            self.handler.parameters,
            audit_key_of(self.settings),
            self.settings.review_views_a_day,
            self.handler.links,
            self.processor.send,
            flush,
        )

    def watch_density(self, stop: Event) -> None:
        """Count the children of each date of birth now and then, until `stop`. Runs beside the
        linking, on a connection of its own.
        """
        every_s = self.settings.density_check_hours * 3600
        wait_s = min(every_s, _FIRST_DENSITY_S)
        while every_s and not stop.wait(wait_s):
            try:
                with one_moment(self.engine) as tx:
                    store = Store(tx, self.handler.vault)
                    found = children_of_a_date(store, self.handler.profile)
            except sa.exc.DBAPIError:
                # The database is away. The loop of links says so.
                wait_s = _FIRST_DENSITY_S
                continue
            if found:
                self.metrics.dates(found.usual, found.issued_for)
            if found and found.outgrown:
                log.warning("profile outgrown", count=found.usual, profile=self.handler.profile.id)
            wait_s = every_s

    def observe(self, subscriber: Subscriber) -> None:
        """Set the gauges."""
        self.metrics.lag(subscriber.lag())
        self.observe_store()

    def observe_store(self) -> None:
        """Set the gauges that do not need the broker."""
        self.metrics.backups(self.settings.backup_stamp)
        with self.engine.connect() as tx:
            _, children, adults, families, pairs = holdings(tx)
            since = tx.execute(sa.select(sa.func.min(tables.review_pair.c.since_ms))).scalar_one()
            waiting = waiting_messages(tx, tables.stream_state)
            suspended = tables.stream_state.suspended(tx)
        self.metrics.holdings(
            children, adults, families, pairs, 0.0 if since is None else time.time() - since / 1000
        )
        self.metrics.workings(waiting, database_connections(self.engine), suspended)


def serve(linker: Linker) -> Callable[[], None]:
    """Start the gRPC services and the stewards' page, if their addresses are set.

    Returns a function that stops them.
    """
    settings, desk = linker.settings, linker.desk(running=True)
    closing: list[Callable[[], object]] = []
    if settings.grpc_address:
        operators = OperatorService(
            linker.engine, [settings.profile], linker.handler.parameters.version
        )
        server = serve_grpc(settings, operators, ReviewService(desk), linker.metrics.refused)
        closing.append(lambda: server.stop(grace=2).wait())
    if settings.review_address:
        closing.append(
            serve_page(
                settings, desk, read_secret_key(settings.token_key).derive("review page sessions")
            )
        )

    def close() -> None:
        for step in closing:
            step()

    return close


def open_store(settings: LinkerSettings) -> sa.Engine:
    """Open the database, migrate its tables to the current version, and check that its records are
    encoded under the profile of the settings. Raises UserError.
    """
    engine = _open_any(settings)
    check_profile(engine, get_profile(settings.profile))
    return engine


def change_profile(settings: LinkerSettings, profile: Profile) -> int:
    """Move the store to another profile. Returns the number of records that partners send again."""
    with _open_any(settings).begin() as tx:
        Store(tx, vault_of(settings)).lock()
        return encoding_profile.change_profile(tx, profile)


def _open_any(settings: LinkerSettings) -> sa.Engine:
    engine = open_database(settings.database, settings.database_password_file)
    migrate(engine, "childlink_linker.store")
    return engine


def audit_key_of(settings: LinkerSettings) -> bytes:
    """The key under which audit trail entries are hashed."""
    return read_secret_key(settings.token_key).derive("audit trail")


def reading_desk(settings: LinkerSettings) -> ReviewWorkflow:
    """A read-only review workflow. It records no decisions and needs no Kafka."""

    def nothing(*_: object) -> Any:
        raise RuntimeError("a read-only review workflow cannot record decisions")

    return ReviewWorkflow(
        open_store(settings),
        vault_of(settings),
        get_profile(settings.profile),
        load_parameters(settings.parameters),
        audit_key_of(settings),
        settings.review_views_a_day,
        nothing,
        nothing,
    )


def vault_of(settings: LinkerSettings) -> Vault:
    """The vault that decrypts the encodings in the store."""
    return Vault(vault_key_of(settings))


def vault_key_of(settings: LinkerSettings) -> bytes:
    """The vault's key, for the tasks of a batch engine."""
    return read_secret_key(settings.token_key).derive("encodings at rest")


def build(settings: LinkerSettings, metrics: LinkerMetrics) -> Linker:
    """Build a linker from its settings and connect all its parts."""
    directory = read_directory(settings.directory)
    token_key = read_secret_key(settings.token_key)
    handler = LinkHandler(
        profile=get_profile(settings.profile),
        parameters=load_parameters(settings.parameters),
        key_versions=frozenset(settings.key_versions),
        hasher=TokenHasher(token_key.derive("tokens")),
        vault=vault_of(settings),
        analytics_id_key=token_key.derive("identifiers for analytics"),
        metrics=metrics,
    )
    engine = open_store(settings)

    def connect(positions: Mapping[str, int]) -> Subscriber:
        return KafkaSubscriber(settings, positions, settings.micro_batch)

    processor = StreamProcessor(
        service=topics.LINKER,
        engine=engine,
        stream_state=tables.stream_state,
        publisher=KafkaPublisher(settings),
        sources={
            topics.encodings(partner): TopicPolicy(partner, envelope_pb2.PAYLOAD_KIND_ENCODED)
            for partner in directory.partners
        },
        directory=directory,
        signing_key=read_signing_key(settings.signing_key),
        opening_keys=(read_opening_key(settings.opening_key),),
        handler=handler,
        observer=metrics,
        connect=connect,
        dead_letters_an_hour=settings.dead_letters_an_hour,
    )
    return Linker(settings, engine, handler, processor, metrics)


def export_sealed(settings: LinkerSettings, folder: Path) -> int:
    """Export the current store, with its encodings still encrypted, into an empty folder.

    Returns the number of records.
    """
    # Imported here and below, not at the top, because PyArrow and PySpark are optional extras.
    from childlink_linker.store.sealed_export import write_export

    with one_moment(open_store(settings)) as tx:
        return write_export(tx, folder, get_profile(settings.profile))


def propose_ordinary(settings: LinkerSettings, parameters: str) -> int:
    """Write a proposal from the ordinary engine's result under `parameters`, the text of a
    parameter file.

    Returns the proposal's number.
    """
    profile = get_profile(settings.profile)
    with one_moment(open_store(settings)) as tx:
        engine = OrdinaryEngine(
            Store(tx, vault_of(settings)), read_snapshot(tx), profile, parse_parameters(parameters)
        )
        new = repartition(engine)
    return _propose(settings, engine, new, parameters)


def propose_on_spark(
    settings: LinkerSettings,
    parameters: str,
    exported: Path | None,
    master: str,
    options: Mapping[str, str],
) -> int:
    """Write a proposal from Spark's result. Spark reads `exported`, or an export made now.

    Returns the proposal's number.
    """
    from childlink_linker.relinking.spark_engine import SparkEngine, spark_session
    from childlink_linker.relinking.spark_tasks import Rules
    from childlink_linker.store.sealed_export import read_export

    profile = get_profile(settings.profile)
    scratch = nullcontext() if exported else tempfile.TemporaryDirectory(prefix="childlink-export-")
    with scratch as made:
        folder = exported or Path(str(made))
        if exported is None:
            export_sealed(settings, folder)
        snapshot = read_export(folder, profile)
        rules = Rules(
            profile,
            parse_parameters(parameters),
            verdicts_of(snapshot.decisions),
            vault_key_of(settings),
        )
        with spark_session(master, options) as session:
            engine = SparkEngine(session, folder, snapshot, rules)
            return _propose(settings, engine, repartition(engine), parameters)


def estimate_in_store(settings: LinkerSettings, version: str) -> Estimated:
    """Estimate match parameters from everything in the store. Needs no Kafka. Changes nothing."""
    return _estimate(open_store(settings), settings, version)


def missed_in_store(
    settings: LinkerSettings, sample: int, progress: Callable[[int, int], None]
) -> list[Missed]:
    """Estimate how often links are missed for want of a number. Needs no Kafka. Changes nothing."""
    with one_moment(open_store(settings)) as tx:
        return missed_links(
            Store(tx, vault_of(settings)),
            get_profile(settings.profile),
            load_parameters(settings.parameters),
            sample,
            progress,
        )


def _estimate(engine: sa.Engine, settings: LinkerSettings, version: str) -> Estimated:
    with one_moment(engine) as tx:
        return estimate_parameters(
            Store(tx, vault_of(settings)),
            get_profile(settings.profile),
            load_parameters(settings.parameters),
            version,
        )


def text_of(settings: LinkerSettings, parameters: Path | None) -> str:
    """The text of a parameter file. Without a file: the text of the parameters in use."""
    return read_parameters(str(parameters) if parameters else settings.parameters)


def _propose(settings: LinkerSettings, engine: Engine, new: Repartition, parameters: str) -> int:
    with open_store(settings).begin() as tx:
        return propose(
            Store(tx, vault_of(settings)), engine, new, get_profile(settings.profile), parameters
        )
