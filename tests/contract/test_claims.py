"""Processes on one PostgreSQL divide the topics; what a dead one had, the others take over."""

import time

import pytest
import sqlalchemy as sa
from childlink_bus.claims import Claims

TOPICS = ["a", "b", "c", "d", "e"]

pytestmark = pytest.mark.real


@pytest.fixture
def engines(postgres_url):
    made = [sa.create_engine(postgres_url) for _ in range(2)]
    yield made
    for engine in made:
        engine.dispose()


def test_one_process_has_every_topic_and_two_have_about_half_each(engines):
    one, other = (Claims(engine, TOPICS) for engine in engines)
    assert one.refresh() == set(TOPICS)
    assert other.refresh() == set()
    mine = one.refresh()
    theirs = other.refresh()
    assert (len(mine), len(theirs)) == (3, 2)
    assert mine | theirs == set(TOPICS)
    assert one.refresh() == mine
    one.close()
    # The server ends a session, and frees its locks, a moment after the connection is closed.
    deadline = time.monotonic() + 20
    while other.refresh() != set(TOPICS):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    other.close()


def test_a_process_whose_connection_breaks_gives_up_its_topics_and_gets_them_again(engines):
    claims = Claims(engines[0], TOPICS)
    claims.refresh()
    with engines[1].connect() as tx:
        tx.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        )
    assert claims.refresh() == set()
    assert claims.refresh() == set(TOPICS)
    claims.close()


def test_without_postgresql_there_is_one_process_and_it_has_everything(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'x.sqlite'}")
    assert Claims(engine, TOPICS).refresh() == set(TOPICS)
    engine.dispose()
