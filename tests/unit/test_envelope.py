"""Only its reader can open a sealed batch, and no part of it can be changed without detection."""

import pytest
from childlink.wire.v1 import envelope_pb2 as wire
from childlink_core import envelope, reasons
from childlink_core.errors import BatchRefusedError
from childlink_core.keys import SigningKey

TOPIC = "encodings.trust-a"
ADDRESS = envelope.Address(TOPIC, wire.PAYLOAD_KIND_ENCODED, epoch=1, sequence=1)


@pytest.fixture
def message(directory, signing):
    return envelope.seal(b"payload", ADDRESS, directory.seal_key("linker"), signing["trust-a"])


def read(message, directory, opening, topic=TOPIC, reader="linker"):
    header, batch = envelope.verify(message, topic, reader, directory)
    return envelope.open_batch(header, batch, (opening[reader],))


def refusal(call, *arguments, **options):
    with pytest.raises(BatchRefusedError) as caught:
        call(*arguments, **options)
    return caught.value.reason


def test_the_reader_gets_what_was_sealed(message, directory, opening):
    assert read(message, directory, opening) == b"payload"


def test_the_broker_does_not_see_the_payload(directory, signing):
    secret = b"Amina Okafor 9434765919" * 10
    assert b"Okafor" not in envelope.seal(
        secret, ADDRESS, directory.seal_key("linker"), signing["trust-a"]
    )


def test_every_flipped_byte_is_refused(message, directory, opening):
    for position in range(len(message)):
        forged = bytearray(message)
        forged[position] ^= 1
        with pytest.raises(BatchRefusedError):
            read(bytes(forged), directory, opening)


def test_every_truncation_is_refused(message, directory, opening):
    for length in range(len(message)):
        with pytest.raises(BatchRefusedError):
            read(message[:length], directory, opening)


def test_a_batch_posted_to_another_topic_is_refused(message, directory, opening):
    assert (
        refusal(read, message, directory, opening, topic="encodings.council-b")
        == reasons.WRONG_TOPIC
    )


def test_another_service_cannot_read_it(message, directory, opening):
    assert refusal(read, message, directory, opening, reader="analytics") == reasons.WRONG_READER


def test_a_stranger_cannot_send(directory, opening):
    stranger = SigningKey.generate("trust-a")
    forged = envelope.seal(b"payload", ADDRESS, directory.seal_key("linker"), stranger)
    assert refusal(read, forged, directory, opening) == reasons.UNKNOWN_SENDER


def test_a_member_cannot_sign_as_another(directory, signing, opening):
    pretender = SigningKey("trust-a", signing["council-b"].secret)
    forged = envelope.seal(b"payload", ADDRESS, directory.seal_key("linker"), pretender)
    assert refusal(read, forged, directory, opening) == reasons.UNKNOWN_SENDER


def test_a_resealed_payload_under_an_old_header_is_refused(message, directory, signing, opening):
    other = envelope.seal(b"other", ADDRESS, directory.seal_key("linker"), signing["trust-a"])
    mixed = wire.SealedBatch.FromString(message)
    mixed.sealed = wire.SealedBatch.FromString(other).sealed
    assert refusal(read, mixed.SerializeToString(), directory, opening) == reasons.BAD_SIGNATURE


def test_an_unknown_schema_version_is_refused(directory, signing, opening, monkeypatch):
    monkeypatch.setattr(envelope, "SCHEMA_VERSION", 99)
    newer = envelope.seal(b"payload", ADDRESS, directory.seal_key("linker"), signing["trust-a"])
    monkeypatch.undo()
    assert refusal(read, newer, directory, opening) == reasons.UNKNOWN_SCHEMA
