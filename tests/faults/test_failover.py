"""The database server and its machine are lost under traffic, and the synchronous standby takes
over. The services' setting names both servers; they continue without help, and no acknowledged data
is missing.
"""

import time

import pytest
import sqlalchemy as sa

from tests.faults.conftest import assert_all_accounted_for, finish
from tests.support.postgres import Postgres

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def pair():
    """A primary that commits nothing before its standby has it, and the standby."""
    primary = Postgres({"synchronous_standby_names": "*"}, host="127.0.0.1")
    standby = Postgres(host="127.0.0.1", standby_of=primary)
    yield primary, standby
    standby.close()
    primary.close()


def either(*servers):
    """The address of the server that takes writes, as the operator's page describes it."""
    hosts = "&".join(f"host={server.host}:{server.port}" for server in servers)
    return f"postgresql+psycopg://postgres@/postgres?{hosts}&target_session_attrs=read-write"


def ask(server, question):
    engine = sa.create_engine(server.url)
    with engine.connect() as tx:
        answer = tx.exec_driver_sql(question).scalar()
    engine.dispose()
    return answer


def test_a_standby_takes_the_place_of_a_lost_primary_and_the_services_find_it(
    small, undisturbed, pair
):
    primary, standby = pair
    deadline = time.monotonic() + 30
    while ask(primary, "SELECT max(sync_state) FROM pg_stat_replication") != "sync":
        assert time.monotonic() < deadline, "the standby does not follow"
        time.sleep(0.2)
    shaken = small("failover", server=either(*pair))
    partners = list(shaken.layout.ingest)
    deadline = time.monotonic() + 250
    for partner in partners:
        shaken.stage(partner)
    assert_all_accounted_for(shaken.settle(partners[0], deadline, shaken.revive))
    shaken.send(partners[1])
    primary.lose()
    for partner in partners[2:4]:
        shaken.send(partner)
    assert ask(standby, "SELECT pg_is_in_recovery()")
    while shaken.revived < len(shaken.services):
        assert time.monotonic() < deadline, "the services notice the loss"
        shaken.revive()
        time.sleep(0.2)
    standby.promote()
    finish(shaken, undisturbed, deadline)
    shaken.stop()
