"""A deployment of real processes on a real broker and real databases. A test may kill any of
them.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from childlink_analytics.releasing import app as analytics_app
from childlink_analytics.releasing.store import tables as analytics_tables
from childlink_bus.ports import BusError
from childlink_core import topics
from childlink_ingest import app as ingest
from childlink_ingest.runs import withdraw as takeback
from childlink_ingest.spool import RunReport, open_spool
from childlink_linker.store import tables as linker_tables
from childlink_local.demo import find_extracts, own_settings
from childlink_local.pilot import Extract, stage
from childlink_local.workspace import create_workspace

from tests.support import real

BIN = Path(sys.executable).parent


class Deployment:
    """Linker and analytics as separate processes. Ingest is called in the test's own process."""

    def __init__(
        self,
        folder: Path,
        data: Path,
        kafka: str,
        databases: Mapping[str, str],
        keys_of: Path | None = None,
        linkers: int = 1,
    ) -> None:
        self.services = ["analytics", "linker", *(f"linker-{n}" for n in range(2, linkers + 1))]
        self.extracts = find_extracts(data)
        partners = sorted({extract.partner for extract in self.extracts})
        if keys_of is not None:
            for name in (*partners, *topics.SERVICES):
                shutil.copytree(keys_of / name / "keys", folder / name / "keys")
            shutil.copy(keys_of / "directory.toml", folder / "directory.toml")
        own = own_settings(data, folder / "areas.sqlite", self.extracts)
        self.layout = create_workspace(folder, partners, kafka, mock=False, own=own)
        self.layout.linker.database = databases["linker"]
        self.layout.store.database = databases["analytics"]
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.kills = self.revived = 0
        self.broker: real.KafkaBroker | None = None
        self.on: dict[str, list[str]] = {}
        """The start of a service's command if it runs on another machine (see `network`)."""

    def start(self, service: str) -> None:
        """Start or restart a linker (`linker`, `linker-2`, ...) or analytics."""
        self.processes[service] = self.command(
            service, {"linker": "run", "analytics": "consume"}[_kind(service)]
        )

    def command(self, service: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a command of a service with its settings."""
        settings, prefix = {
            "linker": (self.layout.linker, "CHILDLINK_LINKER_"),
            "analytics": (self.layout.store, "CHILDLINK_ANALYTICS_"),
        }[_kind(service)]
        log = (self.layout.folder / f"{service}.log").open("ab")
        return subprocess.Popen(
            [*self.on.get(service, ()), str(BIN / f"childlink-{_kind(service)}"), *arguments],
            env={**os.environ, **_environment(settings, prefix)},
            stdout=log,
            stderr=log,
        )

    def kill_all(self) -> None:
        """Send SIGKILL to every service. None is restarted."""
        for process in self.processes.values():
            process.kill()
            process.wait()

    def kill(self, service: str) -> None:
        """Send SIGKILL and restart."""
        self.processes[service].kill()
        self.processes[service].wait()
        self.kills += 1
        self.start(service)

    def stop(self) -> None:
        """Stop everything with SIGTERM, as an operator would."""
        for process in self.processes.values():
            process.terminate()
        for service, process in self.processes.items():
            code = process.wait(timeout=30)
            assert code == 0, (
                f"SIGTERM is a graceful stop; {service} ended with {code}: {self.logs()}"
            )

    def send_everything(
        self, disturb: random.Random | None = None, kills: int = 0, seconds: float = 400
    ) -> list[RunReport]:
        """Send every extract and wait for all receipts. Meanwhile kill services at random, `kills`
        times.
        """
        reports = []
        for partner in self.layout.ingest:
            self.stage(partner)
        deadline = time.monotonic() + seconds

        def kill_at_random() -> None:
            if disturb and self.kills < kills and disturb.random() < 0.35:
                self.kill(disturb.choice(self.services))

        for partner in self.layout.ingest:
            reports += self.settle(partner, deadline, kill_at_random)
        while disturb and self.kills < kills:
            self.kill(disturb.choice(self.services))
            time.sleep(disturb.random() * 3)
        self.wait_for_links(deadline)
        return reports

    def stage(self, partner: str) -> None:
        """Encode, seal and spool a partner's extracts."""
        stage(self.layout.ingest[partner], [e for e in self.extracts if e.partner == partner])

    def send(self, partner: str) -> int:
        """Send the spooled batches without waiting for receipts. Returns the number of batches
        sent.
        """
        settings = self.layout.ingest[partner]
        with open_spool(settings.spool) as spool, ingest.connect(settings, spool) as connection:
            return connection.exchange.send()

    def settle(
        self, partner: str, deadline: float, meanwhile: Callable[[], None] = lambda: None
    ) -> list[RunReport]:
        """Send the spooled batches and wait until all have receipts."""
        settings = self.layout.ingest[partner]
        while True:
            try:
                with (
                    open_spool(settings.spool) as spool,
                    ingest.connect(settings, spool) as connection,
                ):
                    while not connection.exchange.settled():
                        assert time.monotonic() < deadline, (
                            f"{partner} has unanswered batches: {self.logs()}"
                        )
                        connection.exchange.send()
                        connection.exchange.receive(connection.subscriber, 0.2)
                        meanwhile()
                    return [spool.report(run) for run in spool.runs()]
            except BusError:
                # The broker is unreachable. A site's next run, or `watch`, continues where this one
                # stopped.
                assert time.monotonic() < deadline, f"the broker stays unreachable: {self.logs()}"
                meanwhile()
                time.sleep(0.5)

    def revive(self) -> None:
        """Restart every service that has ended, as compose and Kubernetes do."""
        for service, process in list(self.processes.items()):
            if process.poll() is not None:
                self.revived += 1
                self.start(service)

    def withdraw(self, extract: Extract, local_id: str) -> None:
        """Withdraw a child. The withdrawal is only spooled, not sent."""
        settings, mapping = (
            self.layout.ingest[extract.partner],
            ingest.load_mapping(extract.mapping),
        )
        with open_spool(settings.spool) as spool:
            takeback.withdraw(
                spool, ingest.build_site(settings), [(mapping.id_space, "child", local_id)], []
            )

    def partition(self) -> dict[str, set[frozenset[tuple[str, bytes]]]]:
        """Number of subjects by person and by family."""
        engine = sa.create_engine(self.layout.linker.database)
        groups: dict[str, dict[str, set[tuple[str, bytes]]]] = {"person": {}, "family": {}}
        s, p = linker_tables.subject.c, linker_tables.person.c
        with engine.connect() as tx:
            query = sa.select(s.partner, s.link_reference, p.person_id, p.family_id).join_from(
                linker_tables.subject, linker_tables.person, p.person_id == s.person_id
            )
            for partner, reference, person, family in tx.execute(query):
                groups["person"].setdefault(person, set()).add((partner, reference))
                groups["family"].setdefault(family, set()).add((partner, reference))
        engine.dispose()
        return {
            kind: {frozenset(members) for members in found.values()}
            for kind, found in groups.items()
        }

    def counts(self) -> dict[str, int]:
        """Row counts of the tables in which a loss or a duplicate would show."""
        counts = {}
        for database, tables in (
            (self.layout.linker.database, (linker_tables.subject, linker_tables.record)),
            (self.layout.store.database, (analytics_tables.observation, analytics_tables.link)),
        ):
            engine = sa.create_engine(database)
            with engine.connect() as tx:
                for table in tables:
                    counts[table.name] = tx.execute(
                        sa.select(sa.func.count()).select_from(table)
                    ).scalar_one()
            engine.dispose()
        return counts

    def cut(self) -> str:
        """Build a release and return the hash of its content."""
        desk = analytics_app.build_desk(self.layout.store)
        cut = desk.cut("a test", "test-1", "2024-12-31")
        desk.engine.dispose()
        return cut.content_sha256

    def logs(self) -> str:
        """The end of each service's log."""
        return "".join(path.read_text()[-800:] for path in self.layout.folder.glob("*.log"))

    def wait_for_links(self, deadline: float) -> None:
        """Wait until every subject's newest link has arrived at analytics and all outboxes are
        empty.
        """
        linker = sa.create_engine(self.layout.linker.database)
        store = sa.create_engine(self.layout.store.database)
        while time.monotonic() < deadline:
            with linker.connect() as a, store.connect() as b:
                sent = a.execute(
                    sa.select(sa.func.sum(linker_tables.subject.c.link_version))
                ).scalar()
                # For a withdrawn person, analytics keeps a link without a person; the linker keeps
                # nothing.
                there = analytics_tables.link.c
                got = b.execute(
                    sa.select(sa.func.sum(there.version)).where(there.person.is_not(None))
                ).scalar()
                queued = a.execute(
                    sa.select(sa.func.count()).select_from(linker_tables.stream_state.outbox)
                ).scalar()
            if sent == got and not queued:
                linker.dispose()
                store.dispose()
                return
            time.sleep(0.3)
        raise AssertionError(f"links did not arrive: {sent} sent, {got} received. {self.logs()}")


def _kind(service: str) -> str:
    return service.partition("-")[0]


def _environment(settings: Any, prefix: str) -> dict[str, str]:
    values = settings.model_dump(mode="json", exclude_none=True)
    return {
        f"{prefix}{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }
