"""The linker's stream. Forged, replayed, missing or malformed messages are refused, counted and
dead-lettered; the stream goes on, and the partner is told.
"""

import threading
from dataclasses import replace
from datetime import date

import pytest
from childlink.wire.v1 import encoded_pb2
from childlink.wire.v1 import envelope_pb2 as wire
from childlink_bus.ports import BusError
from childlink_bus.stream_metrics import StreamMetrics
from childlink_bus.stream_processor import run_until_stopped
from childlink_core import envelope, reasons, topics
from childlink_core.keys import SigningKey
from childlink_linker.store import tables

from tests.support.people import NHS

TOPIC = topics.encodings("trust-a")
DEAD = topics.dead_letters("linker")


@pytest.fixture
def subjects(partnership):
    return [
        partnership.subject(
            "trust-a",
            f"{n}",
            nhs=NHS[n],
            given="Amina",
            surname="Okafor",
            born=date(2020, 1, n + 1),
        )
        for n in range(6)
    ]


def refused(linker, reason):
    value = linker.metrics.registry.get_sample_value(
        "childlink_linker_batches_total",
        {"sender": "trust-a", "outcome": "refused", "reason": reason},
    )
    return int(value or 0)


def test_an_accepted_batch_is_receipted_with_its_count(linker, subjects):
    linker.send("trust-a", *subjects[:2])
    [receipt] = linker.receipts("trust-a")
    assert (receipt.sequence, receipt.accepted, receipt.reason) == (1, 2, "")


def test_the_same_bytes_again_change_nothing_and_get_the_same_receipt(
    linker, partnership, subjects
):
    message = partnership.message("trust-a", subjects[:2])
    linker.put("trust-a", message, message)
    linker.run()
    linker.put("trust-a", message)
    linker.run()
    assert [r.sequence for r in linker.receipts("trust-a")] == [1, 1]
    assert not linker.broker.topics[DEAD]
    assert len(linker.partition()) == 2


def test_other_content_under_a_used_number_is_a_replay(linker, partnership, subjects):
    linker.put(
        "trust-a",
        partnership.message("trust-a", subjects[:1]),
        partnership.message("trust-a", subjects[1:2], sequence=1),
    )
    linker.run()
    assert refused(linker, reasons.REPLAY) == 1
    assert len(linker.broker.topics[DEAD]) == 1
    assert len(linker.partition()) == 1
    first, replay = sorted(linker.receipts("trust-a"), key=lambda receipt: receipt.reason)
    assert (replay.reason, replay.sequence) == (reasons.REPLAY, 1)
    assert (replay.expected_epoch, replay.expected_sequence) == (1, 2)
    messages = linker.broker.topics[TOPIC]
    assert [first.batch_digest, replay.batch_digest] == [envelope.digest(m) for m in messages], (
        "each names its batch"
    )


def test_after_a_gap_nothing_is_read_until_the_missing_batch_comes(linker, partnership, subjects):
    first, second, third = (partnership.message("trust-a", [s]) for s in subjects[:3])
    linker.put("trust-a", first, third)
    linker.run()
    assert refused(linker, reasons.GAP) == 1
    [gap] = [r for r in linker.receipts("trust-a") if r.reason == reasons.GAP]
    assert gap.expected_sequence == 2
    assert len(linker.partition()) == 1
    linker.put("trust-a", second, third)
    linker.run()
    assert len(linker.partition()) == 3
    assert not linker.broker.topics[DEAD], "resending repairs a gap; it is not dead-lettered"


def test_a_swap_of_two_batches_is_seen(linker, partnership, subjects):
    first, second = (partnership.message("trust-a", [s]) for s in subjects[:2])
    linker.put("trust-a", second, first)
    linker.run()
    assert refused(linker, reasons.GAP) == 1
    assert len(linker.partition()) == 1


def test_a_site_restored_from_backup_starts_a_new_epoch(linker, partnership, subjects):
    linker.send("trust-a", subjects[0])
    linker.send("trust-a", subjects[1])
    partnership.epoch, partnership.sequences = 2, dict.fromkeys([TOPIC], 0)
    linker.send("trust-a", subjects[2])
    assert len(linker.partition()) == 3
    partnership.epoch = 1
    linker.put("trust-a", partnership.message("trust-a", subjects[3:4], sequence=3))
    linker.run()
    assert refused(linker, reasons.OLD_EPOCH) == 1


def test_a_batch_of_a_stranger_is_dead_lettered_and_the_owner_of_the_topic_is_told(
    linker, partnership, subjects
):
    payload = partnership.encoded_batch("trust-a", subjects[:1]).SerializeToString()
    address = envelope.Address(TOPIC, wire.PAYLOAD_KIND_ENCODED, 1, 1)
    forged = envelope.seal(
        payload, address, partnership.directory.seal_key("linker"), SigningKey.generate("trust-a")
    )
    linker.put("trust-a", forged, partnership.message("trust-a", subjects[:1]))
    linker.run()
    assert refused(linker, reasons.UNKNOWN_SENDER) == 1
    assert linker.broker.topics[DEAD] == [forged]
    assert sorted(r.reason for r in linker.receipts("trust-a")) == ["", reasons.UNKNOWN_SENDER]
    assert len(linker.partition()) == 1


def test_a_member_cannot_write_to_anothers_topic(linker, partnership, subjects):
    payload = partnership.encoded_batch("council-b", subjects[:1]).SerializeToString()
    intruder = partnership.seal("council-b", TOPIC, "linker", wire.PAYLOAD_KIND_ENCODED, payload)
    linker.put("trust-a", intruder)
    linker.run()
    assert refused(linker, reasons.WRONG_TOPIC) == 1
    assert not linker.partition()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda b: setattr(b, "profile_id", "other"), reasons.UNKNOWN_PROFILE),
        (lambda b: setattr(b, "profile_fingerprint", b"x" * 32), reasons.UNKNOWN_PROFILE),
        (lambda b: setattr(b, "key_version", 7), reasons.UNKNOWN_KEY_VERSION),
    ],
)
def test_a_batch_of_another_profile_or_key_is_refused_whole(
    linker, partnership, subjects, spoil, reason
):
    batch = partnership.encoded_batch("trust-a", subjects[:1])
    spoil(batch)
    linker.put(
        "trust-a",
        partnership.seal(
            "trust-a", TOPIC, "linker", wire.PAYLOAD_KIND_ENCODED, batch.SerializeToString()
        ),
        partnership.message("trust-a", subjects[1:2]),
    )
    linker.run()
    assert [r.reason for r in linker.receipts("trust-a")] == [reason, ""], "and the stream goes on"
    assert len(linker.broker.topics[DEAD]) == 1


def test_a_payload_that_is_not_the_message_it_claims_is_refused(linker, partnership, subjects):
    linker.put(
        "trust-a",
        partnership.seal(
            "trust-a", TOPIC, "linker", wire.PAYLOAD_KIND_ENCODED, b"\xff\xff\xff rubbish"
        ),
        partnership.message("trust-a", subjects[:1]),
    )
    linker.run()
    assert [r.reason for r in linker.receipts("trust-a")] == [reasons.MALFORMED, ""]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda r: setattr(r, "link_reference", b"short"), reasons.BAD_REFERENCE),
        (lambda r: setattr(r.passes[0], "filter", b"\x01" * 63), reasons.BAD_FILTER),
        (lambda r: setattr(r.passes[0], "filter", b"\x00" * 64), reasons.BAD_FILTER),
        (lambda r: setattr(r.passes[0], "filter", b"\xff" * 64), reasons.BAD_FILTER),
        (lambda r: setattr(r.passes[0], "pass_number", 99), reasons.BAD_FILTER),
        (lambda r: setattr(r, "role", encoded_pb2.ROLE_UNSPECIFIED), reasons.BAD_VALUE),
        (lambda r: (r.ClearField("passes"), r.ClearField("nhs_token")), reasons.EMPTY_SUBJECT),
    ],
)
def test_a_bad_record_is_refused_alone_and_named_by_its_place(
    linker, partnership, subjects, spoil, reason
):
    batch = partnership.encoded_batch("trust-a", subjects[:3])
    spoil(batch.records[1])
    linker.put(
        "trust-a",
        partnership.seal(
            "trust-a", TOPIC, "linker", wire.PAYLOAD_KIND_ENCODED, batch.SerializeToString()
        ),
    )
    linker.run()
    [receipt] = linker.receipts("trust-a")
    assert receipt.accepted == 2
    assert [(r.index, r.reason) for r in receipt.refused] == [(1, reason)]
    assert len(linker.partition()) == 2


def test_a_crash_before_commit_repeats_nothing(linker, subjects, monkeypatch):
    linker.put("trust-a", linker.partnership.message("trust-a", subjects[:2]))
    monkeypatch.setattr(type(linker.processor.handler), "links", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        linker.run()
    assert not linker.partition()
    monkeypatch.undo()
    linker.run()
    assert len(linker.partition()) == 2
    assert len(linker.receipts("trust-a")) == 1


def test_a_crash_between_commit_and_kafka_sends_the_same_bytes_later(linker, subjects, monkeypatch):
    class Down:
        def publish(self, _messages):
            raise ConnectionError

        def close(self):
            pass

    linker.put("trust-a", linker.partnership.message("trust-a", subjects[:2]))
    up = linker.processor.publisher
    object.__setattr__(linker.processor, "publisher", Down())
    with pytest.raises(ConnectionError):
        linker.run()
    assert not linker.broker.topics[topics.LINKS]
    object.__setattr__(linker.processor, "publisher", up)
    linker.run()
    assert len(linker.broker.topics[topics.LINKS]) == 1
    assert len(linker.receipts("trust-a")) == 1


def test_a_topic_with_too_many_dead_letters_is_suspended_and_the_others_go_on(
    linker, partnership, subjects
):
    limit = linker.processor.dead_letters_an_hour
    linker.put(
        "trust-a",
        *[b"rubbish %d" % n for n in range(limit + 50)],
        partnership.message("trust-a", subjects[:1]),
    )
    linker.run()
    assert limit < len(linker.broker.topics[DEAD]) <= limit + 50, "not everything is diverted"
    with linker.engine.connect() as tx:
        assert list(tables.stream_state.suspended(tx)) == [TOPIC]
    other = partnership.subject(
        "council-b", "1", nhs=NHS[0], given="Zoe", surname="Ali", born=date(2020, 2, 2)
    )
    linker.send("council-b", other)
    assert linker.persons(other) != [None]
    assert linker.persons(subjects[0]) == [None]


def test_a_resumed_topic_is_read_on_from_where_it_was_left(linker, partnership, subjects):
    with linker.engine.begin() as tx:
        tables.stream_state.suspend(tx, TOPIC, "may be compromised")
    linker.send("trust-a", subjects[0])
    assert linker.persons(subjects[0]) == [None]
    with linker.engine.begin() as tx:
        assert tables.stream_state.resume(tx, TOPIC)
    linker.run()
    assert linker.persons(subjects[0]) != [None]


def test_a_log_that_the_broker_lost_is_read_from_its_beginning_counted_and_goes_on(
    linker, partnership, subjects
):
    messages = [partnership.message("trust-a", [s]) for s in subjects[:3]]
    linker.put("trust-a", *messages)
    linker.run()
    # The broker's disk is lost. The site resends what had no receipt, and then sends something new.
    linker.broker.topics[TOPIC].clear()
    linker.put("trust-a", messages[2])
    linker.run()
    linker.put("trust-a", partnership.message("trust-a", subjects[3:4]))
    linker.run()
    assert len(linker.partition()) == 4
    assert [r.sequence for r in linker.receipts("trust-a")] == [1, 2, 3, 3, 4]
    assert (
        linker.metrics.registry.get_sample_value(
            "childlink_linker_logs_lost_total", {"topic": TOPIC}
        )
        == 1
    )
    assert not linker.broker.topics[DEAD]


def test_the_gauge_of_a_suspended_topic_is_read_from_the_store_and_ends_with_resume():
    """So a restart does not hide a suspension, and `resume` ends the alert."""
    metrics = StreamMetrics("childlink_linker")

    def shown():
        return metrics.registry.get_sample_value(
            "childlink_linker_topic_suspended", {"topic": TOPIC}
        )

    metrics.workings(0, {}, [TOPIC])
    assert shown() == 1
    metrics.workings(0, {}, [])
    assert shown() is None


def test_a_loop_that_is_stuck_is_seen_and_one_that_waits_for_the_broker_is_not_stuck(linker):
    stop, said, seen = threading.Event(), [], []
    observer = linker.processor.observer

    def no_broker(_positions):
        seen.append(observer.last_step._value.get())
        if len(seen) == 2:
            stop.set()
        raise BusError("Kafka cannot be reached.", "Look at the broker.")

    processor = replace(linker.processor, connect=no_broker)
    observer.last_step.set(1.0)
    waiting = replace(processor, service="linker")
    object.__setattr__(stop, "wait", lambda _s: None)
    run_until_stopped(waiting, stop, lambda _s: None, lambda: None, said.append, 5.0)
    assert seen[0] == 1.0 < seen[1], "waiting for the broker counts as coming round"
    assert len(said) == 2
