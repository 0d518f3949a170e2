"""The broker and the database are unreachable for a while, and messages come twice, out of order or
malformed. No manual step is needed, every row is accounted for, and the result is the same as in an
undisturbed run.
"""

import os
import time

import pytest
import sqlalchemy as sa
from childlink_core import topics
from childlink_ingest.spool import open_spool
from childlink_linker.store import tables as linker_tables
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from tests.faults.conftest import assert_all_accounted_for, finish
from tests.support.postgres import Postgres

# A long outage of ten minutes is CHILDLINK_TEST_OUTAGE_S=600. It differs from a short one in the
# amount of waiting data.
OUTAGE_S = float(os.environ.get("CHILDLINK_TEST_OUTAGE_S", "10"))

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(300 + 3 * OUTAGE_S)]


def test_the_broker_is_killed_and_away_and_the_database_crashes_under_traffic(small, undisturbed):
    server = Postgres()
    shaken = small("outage", server=server.url)
    deadline = time.monotonic() + 200 + 2 * OUTAGE_S
    partners = list(shaken.layout.ingest)
    for partner in partners[:3]:
        shaken.stage(partner)
    shaken.send(partners[0])
    shaken.broker.kill()
    away_until = time.monotonic() + OUTAGE_S
    # Sites continue to prepare extracts, and try to send.
    shaken.stage(partners[3])
    with pytest.raises(Exception, match="Kafka"):
        shaken.send(partners[1])
    while time.monotonic() < away_until:
        shaken.revive()
        time.sleep(0.5)
    shaken.broker.start()
    assert_all_accounted_for(shaken.settle(partners[0], deadline, shaken.revive))

    shaken.send(partners[1])
    server.crash()
    shaken.send(partners[2])
    time.sleep(2)
    shaken.revive()
    server.start()
    shaken.stage(partners[4])
    try:
        finish(shaken, undisturbed, deadline)
        shaken.stop()
    finally:
        shaken.kill_all()
        server.close()


def raw(deployment, topic):
    """The messages on a topic."""
    consumer = KafkaConsumer(bootstrap_servers=deployment.broker.address, enable_auto_commit=False)
    place = TopicPartition(topic, 0)
    consumer.assign([place])
    consumer.seek_to_beginning()
    end, found = consumer.end_offsets([place])[place], []
    while len(found) < end:
        found += [
            record.value
            for records in consumer.poll(timeout_ms=1000).values()
            for record in records
        ]
    consumer.close()
    return found


def test_messages_that_come_twice_out_of_order_or_are_poison_change_nothing(small, undisturbed):
    shaken = small("disorder")
    deadline = time.monotonic() + 200
    first, second, *others = shaken.layout.ingest
    for partner in shaken.layout.ingest:
        shaken.stage(partner)
    producer = KafkaProducer(bootstrap_servers=shaken.broker.address, acks="all")

    def put(topic, messages):
        for message in messages:
            producer.send(topic, message, partition=0).get(timeout=20)

    # A later batch before an earlier one, and each before the site sends it.
    with open_spool(shaken.layout.ingest[second].spool) as spool:
        queued = spool.queued(500)
    halves = {"encodings": topics.encodings(second), "observations": topics.observations(second)}
    for half, topic in halves.items():
        put(topic, [batch.message for batch in reversed(queued) if batch.half == half])
    shaken.settle(first, deadline)
    # Everything once more, backwards, and messages that no member sent, on every kind of topic.
    poison = [b"", b"\x00" * 100, os.urandom(5000)]
    for topic in (topics.encodings(first), topics.observations(first), topics.LINKS):
        put(topic, [*reversed(raw(shaken, topic)), *poison])
    for partner in (second, *others):
        shaken.settle(partner, deadline)
    finish(shaken, undisturbed, deadline)
    shaken.stop()
    producer.close()
    engine = sa.create_engine(shaken.layout.linker.database)
    with engine.connect() as tx:
        reasons = (
            tx.execute(sa.select(linker_tables.stream_state.dead_letters.c.reason)).scalars().all()
        )
    engine.dispose()
    assert reasons == ["not-a-batch"] * len(poison), "counted, and not mistaken for other messages"
    assert len(raw(shaken, topics.dead_letters("analytics"))) == 2 * len(poison)
    with open_spool(shaken.layout.ingest[first].spool) as spool:
        assert dict(spool.incidents()) == {"not-a-batch": 2 * len(poison)}, (
            "and the topic's owner is told"
        )
