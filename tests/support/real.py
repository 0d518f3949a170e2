"""Starts a real Kafka broker for tests (`postgres` starts a real PostgreSQL). It tries, in this
order: an address in the environment, Docker, local Kafka jars on Java (for PostgreSQL, its wheel).
If none works, the test is skipped; in CI, a skip is a failure.
"""

import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest
from kafka import KafkaAdminClient

from tests.support.pki import Signs

ROOT = Path(__file__).parents[2]
JARS = ROOT / ".cache" / "kafka"


def unavailable(what: str, why: str) -> NoReturn:
    """Skip the test, or fail it if the real service is required."""
    if os.environ.get("CHILDLINK_TEST_REQUIRE_REAL"):
        pytest.fail(f"{what} is required here: {why}")
    pytest.skip(f"{what}: {why}")


def free_port() -> int:
    """A port that is free at the moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def docker_runs() -> bool:
    """Whether a Docker engine answers."""
    return (
        bool(shutil.which("docker"))
        and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0
    )


class KafkaBroker:
    """A broker from Kafka's jars on Java, in KRaft mode. It can be killed and restarted.

    With an authority it also listens at `tls_address`, for clients with a certificate of that
    authority only. `more` holds further configuration lines. `on` is the start of a command line
    that runs the broker on another machine (see `network`), whose address is `host`.
    """

    def __init__(
        self,
        folder: Path,
        authority: Signs | None = None,
        more: Sequence[str] = (),
        host: str = "127.0.0.1",
        on: Sequence[str] = (),
    ) -> None:
        self.folder, self._host, self._on = folder, host, on
        self.port, controller, tls_port = free_port(), free_port(), free_port()
        self.tls_address = f"127.0.0.1:{tls_port}"
        self.address = f"{host}:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._config = folder / "server.properties"
        self._config.write_text(
            "\n".join(
                [
                    "process.roles=broker,controller",
                    "node.id=1",
                    f"controller.quorum.voters=1@127.0.0.1:{controller}",
                    f"listeners=PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}"
                    + (f",SSL://{self.tls_address}" if authority else ""),
                    f"advertised.listeners=PLAINTEXT://{self.address}"
                    + (f",SSL://{self.tls_address}" if authority else ""),
                    "controller.listener.names=CONTROLLER",
                    "inter.broker.listener.name=PLAINTEXT",
                    "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL",
                    *(_tls(folder, authority) if authority else []),
                    f"log.dirs={folder / 'log'}",
                    "num.partitions=1",
                    "offsets.topic.replication.factor=1",
                    "transaction.state.log.replication.factor=1",
                    "transaction.state.log.min.isr=1",
                    "share.coordinator.state.topic.replication.factor=1",
                    "share.coordinator.state.topic.min.isr=1",
                    *more,
                ]
            )
        )
        self._java(
            "kafka.tools.StorageTool", "format", "-t", str(uuid.uuid4()), "-c", str(self._config)
        ).wait(timeout=60)

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._process = self._java("kafka.Kafka", str(self._config))
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            try:
                # A client that finds no broker waits longer and longer before it tries again.
                socket.create_connection((self._host, self.port), timeout=3).close()
                KafkaAdminClient(bootstrap_servers=self.address, request_timeout_ms=3000).close()
            except Exception:
                time.sleep(0.3)
            else:
                return
        pytest.fail(f"Kafka did not start; see {self.folder / 'kafka.log'}")

    def kill(self) -> None:
        """Send SIGKILL."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def _java(self, *arguments: str) -> "subprocess.Popen[bytes]":
        log = (self.folder / "kafka.log").open("ab")
        java = [*self._on, "java", "-Xmx512m", "-cp", f"{JARS}/*", *arguments]
        return subprocess.Popen(java, stdout=log, stderr=log)


def _tls(folder: Path, authority: Signs) -> list[str]:
    certificate, key = authority.sign("broker")
    store = folder / "broker-store.pem"
    store.write_bytes(key.read_bytes() + certificate.read_bytes())
    return [
        "ssl.keystore.type=PEM",
        f"ssl.keystore.location={store}",
        "ssl.truststore.type=PEM",
        f"ssl.truststore.location={authority.ca}",
        "ssl.client.auth=required",
    ]


def fetch_jars() -> str | None:
    """Fetch Kafka's jars with Maven, once. Returns the reason if that fails."""
    if list(JARS.glob("kafka_2.13-*.jar")):
        return None
    if not shutil.which("mvn") or not shutil.which("java"):
        return "neither an address (CHILDLINK_TEST_KAFKA), nor Docker, nor java and mvn"
    command = [
        "mvn",
        "-q",
        "-f",
        str(ROOT / "tests/support/kafka/pom.xml"),
        "dependency:copy-dependencies",
    ]
    done = subprocess.run(
        [*command, f"-DoutputDirectory={JARS}"], capture_output=True, text=True, check=False
    )
    return None if done.returncode == 0 else f"Maven could not fetch Kafka: {done.stdout[-300:]}"
