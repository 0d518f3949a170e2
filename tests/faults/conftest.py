"""Deployments of real processes on a real broker and real databases, for tests that break them. A module says how many CHILDREN."""

import os

import pytest
import sqlalchemy as sa
from childlink_core.topics import SERVICES
from childlink_local.synth import synthesise

from tests.support import real
from tests.support.deployment import Deployment


@pytest.fixture(scope="module")
def data(request, tmp_path_factory):
    """Extracts of made-up partners, and their mappings."""
    folder = tmp_path_factory.mktemp("data")
    synthesise(folder, seed=7, children=request.module.CHILDREN)
    return folder


@pytest.fixture(scope="module")
def deploy(data, tmp_path_factory, postgres_server):
    """Makes deployments, each with a broker and databases of its own, and all with the keys of the first, `calm`."""
    why = real.fetch_jars()
    if why:
        real.unavailable("Kafka", why)
    made, brokers = [], []
    folder = tmp_path_factory.mktemp("deployments")

    def build(name, linkers=1, broker=None, databases=None):
        broker = broker or real.KafkaBroker(folder / name / "kafka")
        broker.start()
        brokers.append(broker)
        databases = databases or {service: new_database(postgres_server, f"{name}_{service}") for service in SERVICES}
        keys_of = None if name == "calm" else folder / "calm"
        deployment = Deployment(folder / name, data, broker.address, databases, keys_of, linkers)
        deployment.broker = broker
        made.append(deployment)
        for service in deployment.services:
            deployment.start(service)
        return deployment

    yield build
    for deployment in made:
        for process in deployment.processes.values():
            process.kill()
    for broker in brokers:
        broker.kill()


def new_database(server, name):
    """URL of a new, empty database."""
    database = f"{name}_{os.urandom(4).hex()}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as tx:
        tx.exec_driver_sql(f"CREATE DATABASE {database}")
    admin.dispose()
    return sa.make_url(server).set(database=database).render_as_string(hide_password=False)
