"""Deployments of real processes on a real broker and real databases, for tests that break them.

`deploy` belongs to one module and has as many children as the module's CHILDREN. `small` and
`undisturbed` are shared by all modules.
"""

import csv
import os
import time

import pytest
import sqlalchemy as sa
from childlink_core.topics import SERVICES
from childlink_ingest import app as ingest
from childlink_local.synth import synthesise
from childlink_ops.access import all_topics
from kafka import KafkaAdminClient

from tests.support import real
from tests.support.deployment import Deployment

FEW = 200


class Deployments:
    """Makes deployments. Each has its own broker and databases; all have the keys of the first,
    `calm`.
    """

    def __init__(self, folder, children, server):
        if why := real.fetch_jars():
            real.unavailable("Kafka", why)
        self._folder, self._server, self._data = folder, server, folder / "data"
        self._made, self._brokers = [], []
        synthesise(self._data, seed=7, children=children)

    def __call__(self, name, linkers=1, server=None, on=None, host="127.0.0.1"):
        """A deployment. `on` says which service, or the broker (at `host`), runs on which other
        machine.
        """
        on = on or {}
        broker = real.KafkaBroker(self._folder / name / "kafka", host=host, on=on.get("broker", ()))
        broker.start()
        self._brokers.append(broker)
        databases = {
            service: new_database(server or self._server, f"{name}_{service}")
            for service in SERVICES
        }
        keys_of = None if name == "calm" else self._folder / "calm"
        deployment = Deployment(
            self._folder / name, self._data, broker.address, databases, keys_of, linkers
        )
        deployment.broker, deployment.on = broker, on
        self._made.append(deployment)
        # Create the topics first, as the gatekeeper does: a client that waits for a topic looks for
        # it only every five seconds.
        admin = KafkaAdminClient(bootstrap_servers=broker.address)
        admin.create_topics(
            {
                name: {"num_partitions": 1, "replication_factor": 1}
                for name in all_topics(deployment.layout.ingest)
            }
        )
        admin.close()
        for service in deployment.services:
            deployment.start(service)
        return deployment

    def close(self):
        """End every process that still runs."""
        for deployment in self._made:
            deployment.kill_all()
        for broker in self._brokers:
            broker.kill()


@pytest.fixture(scope="module")
def deploy(request, tmp_path_factory, postgres_server):
    """Deployments of the module's own size."""
    deployments = Deployments(
        tmp_path_factory.mktemp("deployments"), request.module.CHILDREN, postgres_server
    )
    yield deployments
    deployments.close()


@pytest.fixture(scope="session")
def small(tmp_path_factory, postgres_server):
    """Small deployments."""
    deployments = Deployments(tmp_path_factory.mktemp("small"), FEW, postgres_server)
    yield deployments
    deployments.close()


@pytest.fixture(scope="session")
def undisturbed(small):
    """A small undisturbed deployment: everything is sent, then a child is withdrawn."""
    calm = small("calm")
    calm.send_everything()
    calm.withdraw(calm.extracts[0], somebody(calm.extracts[0]))
    calm.settle(calm.extracts[0].partner, time.monotonic() + 100)
    calm.wait_for_links(time.monotonic() + 60)
    calm.stop()
    calm.broker.kill()
    return calm


def assert_as_undisturbed(deployment, undisturbed):
    """Same records, people and families; no record is lost or doubled."""
    assert deployment.counts() == undisturbed.counts()
    assert deployment.partition() == undisturbed.partition()


def assert_all_accounted_for(reports):
    """Every row of every extract was accepted or is reported with a reason."""
    extracts = [r for r in reports if r.rows_read]
    assert extracts
    assert all(
        r.accepted + r.rejected + r.permitted_out + r.withdrawn >= r.rows_read and not r.waiting
        for r in extracts
    )


def finish(deployment, undisturbed, deadline):
    """Send the rest, withdraw the same child as in the other deployment, and compare."""
    first = deployment.extracts[0]
    for partner in deployment.layout.ingest:
        assert_all_accounted_for(deployment.settle(partner, deadline, deployment.revive))
    deployment.withdraw(first, somebody(first))
    deployment.settle(first.partner, deadline, deployment.revive)
    deployment.wait_for_links(deadline)
    assert_as_undisturbed(deployment, undisturbed)


def somebody(extract):
    """The local id of the first child of an extract."""
    mapping = ingest.load_mapping(extract.mapping)
    with extract.path.open(newline="", encoding=mapping.source.encoding) as file:
        row = next(csv.DictReader(file, delimiter=mapping.source.delimiter))
    [column] = mapping.columns["child_id"].columns
    return row[column]


def new_database(server, name):
    """URL of a new, empty database."""
    database = f"{name}_{os.urandom(4).hex()}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as tx:
        tx.exec_driver_sql(f"CREATE DATABASE {database}")
    admin.dispose()
    return sa.make_url(server).set(database=database).render_as_string(hide_password=False)
