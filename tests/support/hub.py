"""A hub of real processes for simulated partners (see `traffic`). It can also run the code of
another release.
"""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from childlink_analytics.releasing.store import tables as analytics_tables
from childlink_core import topics
from childlink_linker.store import tables as linker_tables
from childlink_local.workspace import Layout, create_workspace
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from tests.support import real
from tests.support.deployment import Deployment

_PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024
_AS_DEPLOYED = 16
T = TypeVar("T")


class Hub(Deployment):
    """Linker and analytics as processes, under the settings of a layout."""

    def __init__(
        self, layout: Layout, broker: real.KafkaBroker, databases: Mapping[str, str]
    ) -> None:
        # This does not use a deployment's own setup, which creates sites with extracts. There are
        # none here.
        self.services = ["analytics", "linker"]
        self.layout, self.broker = layout, broker
        for settings in (layout.linker, layout.store, *layout.ingest.values()):
            settings.bootstrap_servers = broker.address
        # A pilot's micro-batches are larger than a deployment's.
        layout.linker.micro_batch = layout.store.micro_batch = _AS_DEPLOYED
        layout.linker.database, layout.store.database = databases["linker"], databases["analytics"]
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.kills = self.revived = 0
        self.on = {}
        self.code: Path | None = None
        """Source folder of another release to run instead of the installed code."""

    def command(self, service: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a command of a service with its settings and this hub's code."""
        with _code(self.code):
            return super().command(service, *arguments)

    def configure(self, settings: Mapping[str, str]) -> None:
        """Set settings of the linker. A running one keeps those it started with."""
        for name, value in settings.items():
            setattr(self.layout.linker, name, value)

    def memory_mb(self) -> dict[str, int]:
        """Resident memory of each service now."""
        found = {}
        for name, process in self.processes.items():
            try:
                pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
            except (OSError, IndexError):
                continue
            found[name] = pages * _PAGE_KB // 1024
        return found

    def processor_s(self) -> dict[str, float]:
        """Processor time of each service since its start, and of the broker."""
        found = {}
        for name, process in {**self.processes, "broker": self.broker._process}.items():
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            found[name] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return found

    def wait_until_ready(self, seconds: float = 90) -> None:
        """Wait until each service reports that it reads."""
        deadline = time.monotonic() + seconds
        for service in self.services:
            log = self.layout.folder / f"{service}.log"
            while not (log.exists() and "reading" in log.read_text()):
                assert time.monotonic() < deadline, f"{service} does not start: {self.logs()}"
                time.sleep(0.2)

    def database_mb(self) -> dict[str, int]:
        """Size of each service's database."""
        size = sa.select(sa.func.pg_database_size(sa.func.current_database()))
        return {name: self._ask(name, size) // 2**20 for name in topics.SERVICES}

    def linked_people(self) -> int:
        """Number of people that analytics knows."""
        return self._ask(
            "analytics", sa.select(sa.func.count(sa.distinct(analytics_tables.link.c.person)))
        )

    def person_of(self) -> dict[tuple[str, bytes], str]:
        """The linker's identifier of each subject."""
        c = linker_tables.subject.c
        engine = sa.create_engine(self.layout.linker.database)
        with engine.connect() as tx:
            rows = tx.execute(sa.select(c.partner, c.link_reference, c.person_id)).all()
        engine.dispose()
        return {(row.partner, row.link_reference): row.person_id for row in rows}

    def revision(self, service: str) -> str:
        """Current migration of a service's tables."""
        return self._ask(
            service,
            sa.select(sa.literal_column("version_num", sa.String)).select_from(
                sa.text("alembic_version")
            ),
        )

    def _ask(self, service: str, query: "sa.Select[tuple[T]]") -> T:
        database = (
            self.layout.linker.database if service == "linker" else self.layout.store.database
        )
        engine = sa.create_engine(database)
        with engine.connect() as tx:
            answer = tx.execute(query).scalar_one()
        engine.dispose()
        return answer


@contextmanager
def hub_for(
    folder: Path,
    server: str,
    name: str,
    partners: Sequence[str],
    code: Path | None = None,
    linker: Mapping[str, str] | None = None,
) -> Iterator[Hub]:
    """A running hub with its own broker and databases. Hubs in one folder share members and keys.
    `code` is the source of another release, and `linker` are settings of its linker.
    """
    broker = real.KafkaBroker(folder / f"{name}-kafka")
    with databases(server, name) as urls:
        hub = Hub(create_workspace(folder, partners, "", mock=False), broker, urls)
        hub.code = code
        hub.configure(linker or {})
        try:
            broker.start()
            _make_topics(broker, partners)
            for service in hub.services:
                hub.start(service)
            yield hub
        finally:
            for process in hub.processes.values():
                process.kill()
                process.wait()
            broker.kill()


def _make_topics(broker: real.KafkaBroker, partners: Sequence[str]) -> None:
    """Create the topics beforehand, as `childlink-ops` does in a deployment. A topic created by its
    first write delays the first sender by half a second.
    """
    kinds = (topics.encodings, topics.observations, topics.receipts)
    names = [
        topics.LINKS,
        *map(topics.dead_letters, topics.SERVICES),
        *(kind(name) for kind in kinds for name in partners),
    ]
    admin = KafkaAdminClient(bootstrap_servers=broker.address)
    admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1) for name in names])
    admin.close()


@contextmanager
def databases(server: str, name: str) -> Iterator[dict[str, str]]:
    """A new database for each service on this server, by service. They are dropped at the end."""
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    made = {service: f"{name}_{service}_{os.urandom(4).hex()}" for service in topics.SERVICES}
    with admin.connect() as tx:
        for database in made.values():
            tx.exec_driver_sql(f"CREATE DATABASE {database}")
    try:
        yield {
            service: sa.make_url(server)
            .set(database=database)
            .render_as_string(hide_password=False)
            for service, database in made.items()
        }
    finally:
        with admin.connect() as tx:
            for database in made.values():
                tx.exec_driver_sql(f"DROP DATABASE {database} WITH (FORCE)")
        admin.dispose()


@contextmanager
def _code(folder: Path | None) -> Iterator[None]:
    """Run this source, if there is one, for everything started inside the block."""
    before = os.environ.get("PYTHONPATH")
    if folder is not None:
        sources = [
            *folder.glob("libs/*/src"),
            *folder.glob("services/*/src"),
            *folder.glob("apps/*/src"),
            folder / "proto" / "gen",
        ]
        os.environ["PYTHONPATH"] = os.pathsep.join(map(str, sources))
    yield
    if before is not None:
        os.environ["PYTHONPATH"] = before
    elif folder is not None:
        del os.environ["PYTHONPATH"]
