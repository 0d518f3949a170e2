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


@pytest.fixture
def deploy(data, tmp_path, postgres_server):
    why = real.fetch_jars()
    if why:
        real.unavailable("Kafka", why)
    made, brokers = [], []

    def build(name, keys_of=None):
        broker = real.KafkaBroker(tmp_path / name / "kafka")
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
        deployment = Deployment(tmp_path / name, data, broker.address, databases, keys_of)
        made.append(deployment)
        for service in SERVICES:
            deployment.start(service)
        return deployment

    yield build
    for deployment in made:
        for process in deployment.processes.values():
            process.kill()
    for broker in brokers:
        broker.kill()


def test_ten_kills_change_nothing(deploy, tmp_path):
    calm = deploy("calm")
    reports = calm.send_everything()
    calm.stop()
    assert all(r.accepted + r.rejected + r.permitted_out == r.rows_read for r in reports)

    shaken = deploy("shaken", keys_of=tmp_path / "calm")
    shaken_reports = shaken.send_everything(random.Random(1), kills=KILLS)
    assert shaken.kills >= KILLS
    assert [(r.extract, r.rows_read, r.accepted) for r in shaken_reports] == [
        (r.extract, r.rows_read, r.accepted) for r in reports
    ]
    assert shaken.counts() == calm.counts(), "no record lost or doubled"
    assert shaken.partition() == calm.partition()
    assert shaken.cut() == calm.cut()

    before = shaken.counts()
    again = shaken.send_everything()
    assert all(r.accepted + r.rejected + r.permitted_out == r.rows_read for r in again)
    assert shaken.counts() == before
    assert shaken.partition() == calm.partition()
    shaken.stop()
