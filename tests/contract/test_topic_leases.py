"""Several processes on one PostgreSQL divide the topics among themselves. When one dies, the others
take over its topics.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa
from childlink_bus.ports import BusError
from childlink_bus.topic_leases import TopicLeases
from childlink_linker import app
from childlink_linker.store.store import Store

from tests.support.people import NHS, VAULT, LinkerUnderTest

TOPICS = ["a", "b", "c", "d", "e"]

pytestmark = pytest.mark.real


@pytest.fixture
def engines(postgres_url):
    made = [sa.create_engine(postgres_url) for _ in range(2)]
    yield made
    for engine in made:
        engine.dispose()


def test_one_process_has_every_topic_and_two_have_about_half_each(engines):
    one, other = (TopicLeases(engine, TOPICS) for engine in engines)
    assert one.refresh() == set(TOPICS)
    assert other.refresh() == set()
    mine = one.refresh()
    theirs = other.refresh()
    assert (len(mine), len(theirs)) == (3, 2)
    assert mine | theirs == set(TOPICS)
    assert one.refresh() == mine
    one.close()
    # The server ends a session, and releases its locks, a moment after the connection is closed.
    deadline = time.monotonic() + 20
    while other.refresh() != set(TOPICS):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    other.close()


def test_a_process_whose_connection_breaks_gives_up_its_topics_and_gets_them_again(engines):
    claims = TopicLeases(engines[0], TOPICS)
    claims.refresh()
    with engines[1].connect() as tx:
        tx.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <>"
                " pg_backend_pid() AND datname = current_database()"
            )
        )
    assert claims.refresh() == set()
    assert claims.refresh() == set(TOPICS)
    claims.close()


def test_a_process_that_did_not_reach_the_broker_gives_its_topics_back_and_has_them_when_it_does(
    partnership, postgres_url, child
):
    linker = LinkerUnderTest(partnership, postgres_url)
    linker.put("trust-a", partnership.message("trust-a", [child("trust-a", "1", nhs=NHS[0])]))

    def away(_positions):
        raise BusError("Kafka cannot be reached.", "Wait.")

    deadline = time.monotonic() + 20

    def read():
        assert time.monotonic() < deadline, "losing its own connection does not lose its topics"
        return bool(linker.partition())

    with pytest.raises(BusError):
        replace(linker.processor, connect=away).run(read, lambda _subscriber: None)
    linker.processor.run(read, lambda _subscriber: None)
    linker.close()


def test_without_postgresql_there_is_one_process_and_it_has_everything(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'x.sqlite'}")
    assert TopicLeases(engine, TOPICS).refresh() == set(TOPICS)
    engine.dispose()


def test_links_are_sent_again_only_when_no_linker_is_in_the_middle_of_a_batch(
    partnership, postgres_url, child
):
    linker = LinkerUnderTest(partnership, postgres_url)
    linker.send("trust-a", child("trust-a", "1"))
    handler = linker.processor.handler
    whole = app.Linker(None, linker.engine, handler, linker.processor, handler.metrics)
    with ThreadPoolExecutor(1) as other, linker.engine.connect() as busy:
        Store(busy, VAULT).lock()
        sending = other.submit(whole.republish)
        with pytest.raises(TimeoutError):
            sending.result(0.5)
        busy.rollback()
        assert sending.result(30) == 1
    linker.close()
