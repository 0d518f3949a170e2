"""SIGKILL of the linker and analytics, ten times at random, under traffic on a real broker and real databases: the same
people, families and release as an undisturbed run; nothing lost, nothing doubled. Then the same extracts again change nothing.
"""

import os
import random

import pytest
import sqlalchemy as sa
from childlink_core.topics import SERVICES
from childlink_local.synth import synthesise

from tests.support import real
from tests.support.deployment import Deployment

KILLS = 10

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    synthesise(folder, seed=7, children=int(os.environ.get("CHILDLINK_TEST_KILL_CHILDREN", "1500")))
    return folder


@pytest.fixture(scope="module")
def deploy(data, tmp_path_factory, postgres_server):
    why = real.fetch_jars()
    if why:
        real.unavailable("Kafka", why)
    made, brokers = [], []
    folder = tmp_path_factory.mktemp("deployments")

    def build(name, linkers=1):
        broker = real.KafkaBroker(folder / name / "kafka")
        broker.start()
        brokers.append(broker)
        databases = {}
        admin = sa.create_engine(postgres_server, isolation_level="AUTOCOMMIT")
        with admin.connect() as tx:
            for service in SERVICES:
                database = f"{name}_{service}_{os.urandom(4).hex()}"
                tx.exec_driver_sql(f"CREATE DATABASE {database}")
                url = sa.make_url(postgres_server).set(database=database)
                databases[service] = url.render_as_string(hide_password=False)
        admin.dispose()
        keys_of = None if name == "calm" else folder / "calm"
        deployment = Deployment(folder / name, data, broker.address, databases, keys_of, linkers)
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


@pytest.fixture(scope="module")
def calm(deploy):
    """An undisturbed run with one linker, and its reports."""
    calm = deploy("calm")
    reports = calm.send_everything()
    calm.stop()
    assert all(r.accepted + r.rejected + r.permitted_out == r.rows_read for r in reports)
    return calm, [(r.extract, r.rows_read, r.accepted) for r in reports], calm.cut()


@pytest.mark.parametrize("linkers", [1, 2, 4])
def test_ten_kills_change_nothing_however_many_linkers_share_the_database(deploy, calm, linkers):
    undisturbed, reports, release = calm
    shaken = deploy(f"shaken{linkers}", linkers)
    shaken_reports = shaken.send_everything(random.Random(linkers), kills=KILLS)
    assert shaken.kills >= KILLS
    assert [(r.extract, r.rows_read, r.accepted) for r in shaken_reports] == reports
    assert shaken.counts() == undisturbed.counts(), "no record lost or doubled"
    assert shaken.partition() == undisturbed.partition()
    assert shaken.cut() == release

    if linkers == 1:
        before = shaken.counts()
        again = shaken.send_everything()
        assert all(r.accepted + r.rejected + r.permitted_out == r.rows_read for r in again)
        assert shaken.counts() == before
        assert shaken.partition() == undisturbed.partition()
    shaken.stop()
