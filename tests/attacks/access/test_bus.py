"""Attacks through the broker: a member of the partnership attacks another member, or attacks the
linker with arbitrary messages on a topic.

tests/unit/test_envelope.py has what the envelope alone refuses. tests/unit/test_stream_processor.py
has forgery and the stream's order. Here, an attacker uses a real batch of another member, and a
regular member sends thousands of malformed batches.
"""

import random
from datetime import date

import pytest
from childlink.wire.v1 import encoded_pb2
from childlink.wire.v1 import envelope_pb2 as wire
from childlink_core import envelope, reasons, topics

from tests.support.people import NHS

A, B = topics.encodings("trust-a"), topics.encodings("council-b")
SEALED, RAW = 2_000, 6_000


@pytest.fixture
def subjects(partnership):
    return [
        partnership.subject(
            "council-b", f"{n}", nhs=NHS[n], given="Zoe", surname="Ali", born=date(2020, 2, n + 1)
        )
        for n in range(4)
    ]


@pytest.fixture
def healthy(linker, partnership, subjects):
    """The victim's stream goes on after the attack, and its records are there."""
    yield
    linker.send("council-b", *subjects)
    assert None not in linker.persons(*subjects)


def refused(linker, sender, reason):
    labels = {"sender": sender, "outcome": "refused", "reason": reason}
    return int(
        linker.metrics.registry.get_sample_value("childlink_linker_batches_total", labels) or 0
    )


def signed_anew(partnership, message, thief, **changes):
    """Another member's sealed batch under the attacker's header and signature. The attacker cannot
    open the batch and does not need to.
    """
    stolen = wire.SealedBatch.FromString(message)
    header = wire.Header.FromString(stolen.header)
    key = partnership.signing[thief]
    for name, value in {"sender": thief, "signing_key_id": key.key_id, **changes}.items():
        setattr(header, name, value)
    stolen.header = header.SerializeToString(deterministic=True)
    stolen.signature = key.sign(envelope._signed_part(stolen.header, stolen.sealed))
    return stolen.SerializeToString()


def test_a_batch_that_was_copied_to_the_attackers_own_topic_is_refused(
    linker, partnership, subjects, healthy
):
    copied = partnership.message("council-b", subjects[:1], sequence=1)
    linker.put("trust-a", copied)
    linker.run()
    assert refused(linker, "trust-a", reasons.WRONG_TOPIC) == 1
    assert not linker.partition()


def test_a_batch_that_was_signed_anew_by_another_member_cannot_be_opened(
    linker, partnership, subjects, healthy
):
    """The header is bound into the seal. Under another sender, topic or number the batch is a
    different one and cannot be opened.
    """
    copied = partnership.message("council-b", subjects[:1], sequence=1)
    linker.put("trust-a", signed_anew(partnership, copied, "trust-a", topic=A))
    linker.run()
    assert refused(linker, "trust-a", reasons.CANNOT_OPEN) == 1
    assert [r.reason for r in linker.receipts("trust-a")] == [reasons.CANNOT_OPEN]
    assert not linker.partition()


def test_a_batch_in_anothers_topic_uses_up_none_of_its_numbers(
    linker, partnership, subjects, healthy
):
    own = partnership.message(
        "trust-a", [partnership.subject("trust-a", "1", nhs=NHS[5], given="Bo", surname="Li")]
    )
    copied = partnership.message("council-b", subjects[:1], sequence=1)
    posted = [
        own,
        signed_anew(partnership, copied, "trust-a"),
        signed_anew(partnership, own, "trust-a", topic=B),
    ]
    linker.put("council-b", *posted)
    linker.run()
    assert refused(linker, "council-b", reasons.WRONG_TOPIC) == 3
    assert linker.broker.topics[topics.dead_letters("linker")] == posted
    assert not linker.partition()


def test_a_later_place_in_the_stream_does_not_make_an_old_batch_new(
    linker, partnership, subjects, healthy
):
    """A site's own key leaked: its old batch cannot be opened under an unused number."""
    first = partnership.message("council-b", subjects[:1])
    linker.put("council-b", first, signed_anew(partnership, first, "council-b", sequence=2))
    linker.run()
    assert refused(linker, "council-b", reasons.CANNOT_OPEN) == 1
    assert len(linker.partition()) == 1
    partnership.sequences[B] = 2


def test_six_thousand_malformed_messages_are_refused_by_the_envelope(partnership, subjects):
    rng, good = random.Random(1), partnership.message("council-b", subjects)
    for _ in range(RAW):
        with pytest.raises(envelope.BatchRefusedError):
            envelope.verify(spoilt(rng, good), B, topics.LINKER, partnership.directory)


def test_two_thousand_malformed_payloads_of_a_member_in_good_standing_crash_nothing(
    linker, partnership, subjects
):
    """Messages that only a holder of a member's keys can send: correctly sealed and signed, with
    nonsense inside.
    """
    object.__setattr__(linker.processor, "dead_letters_an_hour", SEALED)
    rng = random.Random(2)
    good = partnership.encoded_batch("trust-a", subjects[:2], [b"w" * 16])
    good.answers.add(
        request_id=b"q" * 16, link_reference=b"l" * 16, outcome=encoded_pb2.OWN_CHECK_OUTCOME_RIGHT
    )
    payload = good.SerializeToString()
    linker.put(
        "trust-a",
        *(
            partnership.seal(
                "trust-a", A, topics.LINKER, wire.PAYLOAD_KIND_ENCODED, spoilt(rng, payload)
            )
            for _ in range(SEALED)
        ),
    )
    linker.run()
    receipts = linker.receipts("trust-a")
    assert [receipt.sequence for receipt in receipts] == list(range(1, SEALED + 1)), (
        "each message is answered, in order"
    )
    assert refused(linker, "trust-a", reasons.MALFORMED) > SEALED // 4
    linker.send("council-b", *subjects)
    assert None not in linker.persons(*subjects), "another partner's people are still linked"


def spoilt(rng, message):
    """A message with bytes changed, cut off, moved or added; or random bytes."""
    made = bytearray(message if rng.random() < 0.85 else rng.randbytes(rng.randrange(1, 400)))
    for _ in range(rng.randrange(1, 5)):
        at = rng.randrange(len(made))
        made[at] ^= rng.randrange(1, 256)
    if rng.random() < 0.2:
        made = made[: rng.randrange(1, len(made) + 1)]
    if rng.random() < 0.1:
        at = rng.randrange(len(made))
        made[at:at] = rng.randbytes(rng.randrange(1, 30))
    return bytes(made)
