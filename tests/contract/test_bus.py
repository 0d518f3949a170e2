"""The contract of a bus, tested on the in-memory bus, on librdkafka's mock broker and on a real
Kafka broker.
"""

import os
import time

import pytest
from childlink_bus.kafka import KafkaPublisher, KafkaSubscriber
from childlink_bus.memory import MemoryBroker
from childlink_bus.ports import BusError
from childlink_core.settings import ServiceSettings
from childlink_local.broker import API_VERSION, mock_broker


class KafkaBus:
    def __init__(self, address, api_version=None):
        self.settings = ServiceSettings(
            directory="none", bootstrap_servers=address, kafka_api_version=api_version
        )

    def publisher(self):
        return KafkaPublisher(self.settings)

    def subscriber(self, positions, max_messages=16):
        return KafkaSubscriber(self.settings, positions, max_messages)


@pytest.fixture(params=["memory", "mock", pytest.param("kafka", marks=pytest.mark.real)])
def bus(request):
    if request.param == "memory":
        yield MemoryBroker()
    elif request.param == "mock":
        with mock_broker() as address:
            yield KafkaBus(address, API_VERSION)
    else:
        yield KafkaBus(request.getfixturevalue("kafka_address"))


@pytest.fixture
def topic():
    return f"t{os.urandom(6).hex()}"


def read(subscriber, wanted, seconds=20):
    messages, deadline = [], time.monotonic() + seconds
    while len(messages) < wanted and time.monotonic() < deadline:
        messages += subscriber.poll(0.2)
    return messages


def test_messages_come_in_the_order_in_which_they_were_published(bus, topic):
    publisher = bus.publisher()
    publisher.publish([(topic, b"%d" % n) for n in range(50)])
    subscriber = bus.subscriber({topic: 0})
    assert [int(m.value) for m in read(subscriber, 50)] == list(range(50))
    subscriber.close()
    publisher.close()


def test_a_subscriber_starts_where_it_is_told(bus, topic):
    publisher = bus.publisher()
    publisher.publish([(topic, b"%d" % n) for n in range(10)])
    subscriber = bus.subscriber({topic: 7})
    assert [(m.offset, m.value) for m in read(subscriber, 3)] == [(7, b"7"), (8, b"8"), (9, b"9")]
    assert subscriber.lag() == {topic: 0}
    subscriber.close()
    publisher.close()


def test_lag_counts_what_was_not_polled(bus, topic):
    publisher = bus.publisher()
    publisher.publish([(topic, b"x")] * 20)
    subscriber = bus.subscriber({topic: 0}, max_messages=5)
    got = len(read(subscriber, 5))
    assert subscriber.lag() == {topic: 20 - got}
    subscriber.close()
    publisher.close()


def test_a_place_beyond_the_end_of_a_log_that_was_lost_is_read_from_the_beginning_and_said_once(
    bus, topic
):
    publisher = bus.publisher()
    publisher.publish([(topic, b"%d" % n) for n in range(3)])
    subscriber = bus.subscriber({topic: 40})
    assert [(m.offset, m.value) for m in read(subscriber, 3)] == [(0, b"0"), (1, b"1"), (2, b"2")]
    assert subscriber.rewound() == {topic: 40}
    assert subscriber.rewound() == {}
    assert subscriber.lag() == {topic: 0}
    subscriber.close()
    publisher.close()


def test_a_topic_that_was_read_and_is_missing_is_read_from_the_beginning_when_it_comes(bus, topic):
    subscriber = bus.subscriber({topic: 1})
    assert subscriber.poll(0.1) == []
    publisher = bus.publisher()
    publisher.publish([(topic, b"a"), (topic, b"b")])
    assert [m.value for m in read(subscriber, 2)] == [b"a", b"b"]
    assert subscriber.rewound() == {topic: 1}
    subscriber.close()
    publisher.close()


def test_the_end_of_a_log_is_a_place_like_any_other(bus, topic):
    publisher = bus.publisher()
    publisher.publish([(topic, b"%d" % n) for n in range(3)])
    subscriber = bus.subscriber({topic: 3})
    assert read(subscriber, 1, seconds=2) == []
    publisher.publish([(topic, b"new")])
    assert [m.offset for m in read(subscriber, 1)] == [3]
    assert subscriber.rewound() == {}
    subscriber.close()
    publisher.close()


def test_two_topics_are_both_read(bus, topic):
    publisher = bus.publisher()
    publisher.publish([(topic, b"a"), (topic + "x", b"b")])
    subscriber = bus.subscriber({topic: 0, topic + "x": 0})
    assert {m.value for m in read(subscriber, 2)} == {b"a", b"b"}
    subscriber.close()
    publisher.close()


def polls_until(subscriber, topic, most=200):
    """The number of micro-batches until one has a message of a topic. Each micro-batch takes a
    while to process.
    """
    for count in range(1, most):
        if any(m.topic == topic for m in subscriber.poll(0.2)):
            return count
        time.sleep(0.02)
    return most


def test_a_topic_with_thousands_of_messages_does_not_hold_up_another(bus, topic):
    publisher = bus.publisher()
    publisher.publish([(topic, b"%d" % n) for n in range(4000)])
    publisher.publish([(topic + "x", b"one")])
    subscriber = bus.subscriber({topic: 0, topic + "x": 0})
    assert polls_until(subscriber, topic + "x") <= 5
    publisher.publish([(topic + "x", b"another")])
    assert polls_until(subscriber, topic + "x") <= 5
    subscriber.close()
    publisher.close()


def test_a_full_topic_gets_what_the_others_leave_of_a_micro_batch_in_order(bus, topic):
    publisher = bus.publisher()
    publisher.publish([(topic, b"%d" % n) for n in range(200)])
    publisher.publish([(topic + "x", b"x")] * 5)
    subscriber = bus.subscriber({topic: 0, topic + "x": 0})
    batches, deadline = [], time.monotonic() + 20
    while sum(map(len, batches)) < 205 and time.monotonic() < deadline:
        batches.append(subscriber.poll(0.2))
    assert [int(m.value) for batch in batches for m in batch if m.topic == topic] == list(
        range(200)
    )
    assert max(map(len, batches)) == 16
    assert len([batch for batch in batches if len(batch) == 16]) >= 10
    subscriber.close()
    publisher.close()


def test_a_large_batch_passes(bus, topic):
    publisher = bus.publisher()
    publisher.publish([(topic, os.urandom(900_000))])
    subscriber = bus.subscriber({topic: 0})
    [message] = read(subscriber, 1)
    assert len(message.value) == 900_000
    subscriber.close()
    publisher.close()


def test_a_broker_that_is_not_there_is_an_error_that_says_so():
    settings = ServiceSettings(
        directory="none", bootstrap_servers="127.0.0.1:1", kafka_api_version=API_VERSION
    )
    with pytest.raises(BusError, match="Kafka"):
        subscriber = KafkaSubscriber(settings, {"t": 0})
        subscriber.poll(0.1)
