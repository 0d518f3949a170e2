"""Fixtures for every kind of test."""

import os
import socket
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from childlink_core.directory import Directory, Member
from childlink_core.keys import OpeningKey, SigningKey
from childlink_ingest.pseudonymise.split import Subject

from tests.support import answers, real
from tests.support.people import LinkerUnderTest, Partnership, open_linker
from tests.support.postgres import postgres


@pytest.fixture(scope="session")
def docker_compose_file() -> str:
    """Path of pytest-docker's compose file."""
    return str(Path(__file__).parent / "support" / "docker-compose.yml")


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator["real.KafkaBroker"]:
    """A real broker for one test, which may kill it and start it again."""
    why = real.fetch_jars()
    if why:
        real.unavailable("Kafka", why)
    broker = real.KafkaBroker(tmp_path_factory.mktemp("kafka"))
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture(scope="session")
def kafka_address(request: pytest.FixtureRequest) -> str:
    """Address of a real Kafka broker: from the environment, from Docker, or from Kafka's jars on
    Java.
    """
    if address := os.environ.get("CHILDLINK_TEST_KAFKA"):
        return address
    if services := _docker_services(request):
        services.wait_until_responsive(
            timeout=90, pause=1, check=lambda: _answers("127.0.0.1:19092")
        )
        return "127.0.0.1:19092"
    return str(request.getfixturevalue("kafka_broker").address)


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a real PostgreSQL: from the environment, from Docker, or from its wheel."""
    if url := os.environ.get("CHILDLINK_TEST_POSTGRES"):
        yield url
    elif services := _docker_services(request):
        services.wait_until_responsive(timeout=90, pause=1, check=lambda: _takes_connections(15432))
        yield "postgresql+psycopg://postgres@127.0.0.1:15432/postgres"
    else:
        try:
            with postgres() as url:
                yield url
        except ImportError:
            real.unavailable(
                "PostgreSQL",
                "neither an address (CHILDLINK_TEST_POSTGRES), nor Docker, nor its wheel",
            )


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty database for one test."""
    name = f"t{os.urandom(6).hex()}"
    admin = sa.create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as tx:
        tx.exec_driver_sql(f"CREATE DATABASE {name}")
    yield sa.make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as tx:
        tx.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.real)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The database of the same test: SQLite, then PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.sqlite'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="session")
def signing() -> dict[str, SigningKey]:
    """The signing key of every member."""
    return {
        name: SigningKey.generate(name)
        for name in ("trust-a", "council-b", "charity-c", "linker", "analytics")
    }


@pytest.fixture(scope="session")
def opening() -> dict[str, OpeningKey]:
    """The opening key of every member."""
    return {
        name: OpeningKey.generate(name)
        for name in ("trust-a", "council-b", "charity-c", "linker", "analytics")
    }


@pytest.fixture(scope="session")
def directory(signing: dict[str, SigningKey], opening: dict[str, OpeningKey]) -> Directory:
    """Three partners and the two services."""
    return Directory(
        {n: Member(n, n, (signing[n].public(),), (opening[n].public(),)) for n in signing}
    )


@pytest.fixture
def partnership(
    directory: Directory, signing: dict[str, SigningKey], opening: dict[str, OpeningKey]
) -> Partnership:
    """Three partners that encode hand-written people."""
    return Partnership(directory, signing, opening)


@pytest.fixture
def linker(partnership: Partnership, tmp_path: Path) -> Iterator[LinkerUnderTest]:
    """A linker on SQLite that reads what the partnership sends."""
    linker = open_linker(partnership, tmp_path)
    yield linker
    linker.close()


@pytest.fixture
def child(partnership: Partnership) -> Callable[..., Subject]:
    """Builds Amina Okafor as a partner records her. Any field can be replaced."""

    def make(partner: str, person_id: str, **who: Any) -> Subject:
        defaults = {
            "given": "Amina",
            "surname": "Okafor",
            "born": date(2020, 3, 14),
            "sex": "f",
            "postcode": "SW9 8JJ",
        }
        return partnership.subject(partner, person_id, **{**defaults, **who})

    return make


@pytest.fixture(scope="session")
def answering_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an answering process with two synthetic releases, 2026-Q1 and 2026-Q2."""
    folder = tmp_path_factory.mktemp("releases")
    answers.publish(folder, "2026-Q1", 1, "2026-03-31", people=2_800, seed=1)
    answers.publish(folder, "2026-Q2", 2, "2026-06-30", seed=2)
    with answers.answering(folder) as address:
        yield address


def _docker_services(request: pytest.FixtureRequest) -> Any:
    """pytest-docker's services if a Docker engine runs and the images are available; otherwise
    None.
    """
    if not real.docker_runs():
        return None
    try:
        return request.getfixturevalue("docker_services")
    except Exception as error:
        print(f"Docker is available, but its services did not start: {error}")
        return None


def _takes_connections(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def _answers(address: str) -> bool:
    from kafka import KafkaAdminClient

    try:
        KafkaAdminClient(bootstrap_servers=address, request_timeout_ms=2000).close()
    except Exception:
        return False
    return True
