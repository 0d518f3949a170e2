"""Partners and services are never all upgraded at once. So this version must read what the released
version (`proto/baseline.binpb`) sends, and the released version must read what this one sends. A
future version, with unknown fields and values, must work as well.

`buf breaking` checks the files. These tests check what the code does with the messages.
"""

import pytest
from childlink.wire.v1 import encoded_pb2, link_pb2, observation_pb2, receipt_pb2
from childlink.wire.v1 import envelope_pb2 as wire
from childlink_core import envelope, topics
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from tests.support.one_site import journey
from tests.support.real import ROOT

NAMES = {
    wire.PAYLOAD_KIND_ENCODED: "EncodedBatch",
    wire.PAYLOAD_KIND_OBSERVATION: "ObservationBatch",
    wire.PAYLOAD_KIND_LINK: "LinkBatch",
    wire.PAYLOAD_KIND_RECEIPT: "ReceiptBatch",
}
CURRENT = (encoded_pb2, wire, link_pb2, observation_pb2, receipt_pb2)
PARTNERS = (wire.PAYLOAD_KIND_ENCODED, wire.PAYLOAD_KIND_OBSERVATION)
HUB = (wire.PAYLOAD_KIND_LINK, wire.PAYLOAD_KIND_RECEIPT)


def classes(files):
    """Message classes of a set of files, separate from the classes that this program uses."""
    pool = descriptor_pool.DescriptorPool()
    for file in files:
        pool.Add(file)
    return {
        f"{file.package}.{message.name}": message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"{file.package}.{message.name}")
        )
        for file in files
        for message in file.message_type
    }


def baseline():
    """The released contracts, which other parties run."""
    known = descriptor_pb2.FileDescriptorSet.FromString(
        (ROOT / "proto" / "baseline.binpb").read_bytes()
    )
    return classes([file for file in known.file if file.package == "childlink.wire.v1"])


def to_come():
    """Today's contracts with one more field in every message."""
    files = []
    for module in CURRENT:
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        for message in file.message_type:
            field = descriptor_pb2.FieldDescriptorProto
            message.field.add(
                name="still_to_come",
                number=1999,
                type=field.TYPE_STRING,
                label=field.LABEL_OPTIONAL,
            )
        files.append(file)
    # In the order of their imports.
    names = {file.name: file for file in files}
    ordered = []

    def add(file):
        for needed in file.dependency:
            add(names[needed])
        if file not in ordered:
            ordered.append(file)

    for file in files:
        add(file)
    return classes(ordered)


def as_of(version, name, payload):
    """A message as another version would send it: without fields that it does not know, and with
    fields that only it knows.
    """
    message = version[f"childlink.wire.v1.{name}"].FromString(payload)
    message.DiscardUnknownFields()
    fill(message)
    return message.SerializeToString()


def fill(message):
    if "still_to_come" in message.DESCRIPTOR.fields_by_name:
        message.still_to_come = "nobody here knows this"
    for field, value in message.ListFields():
        if field.message_type is not None:
            for item in value if field.is_repeated else [value]:
                fill(item)


def sealer(version, kinds):
    """`envelope.seal` of another version, for these kinds of batches."""
    today = envelope.seal

    def seal(payload, address, reader, sender, now_ms=None):
        if address.kind not in kinds:
            return today(payload, address, reader, sender, now_ms)
        sealed = wire.SealedBatch.FromString(today(payload, address, reader, sender, now_ms))
        header = as_of(version, "Header", sealed.header)
        body = envelope.seal_bytes(as_of(version, NAMES[address.kind], payload), reader, header)
        signature = sender.sign(envelope._signed_part(header, body))
        batch = wire.SealedBatch(header=header, sealed=body, signature=signature)
        return as_of(version, "SealedBatch", batch.SerializeToString())

    return seal


@pytest.fixture(scope="module")
def today(tmp_path_factory):
    found = journey(tmp_path_factory.mktemp("today") / "site")
    assert (found[0]["rows"], found[3]) == (1, 0)
    return found


@pytest.mark.parametrize("version", [baseline, to_come])
@pytest.mark.parametrize(
    ("who", "kinds"), [("ingest", PARTNERS), ("hub", HUB), ("everybody", PARTNERS + HUB)]
)
def test_one_side_of_another_version_changes_nothing(
    tmp_path, today, monkeypatch, version, who, kinds
):
    monkeypatch.setattr(envelope, "seal", sealer(version(), kinds))
    assert journey(tmp_path / who) == today


def test_the_baseline_is_older_than_today_so_that_these_tests_say_something():
    older = baseline()
    assert "answers" not in older["childlink.wire.v1.EncodedBatch"].DESCRIPTOR.fields_by_name
    assert "answers" in encoded_pb2.EncodedBatch.DESCRIPTOR.fields_by_name


def test_values_that_a_version_to_come_may_send_are_refused_one_by_one(linker, partnership, child):
    """The meaning of a new role or relation is unknown. That record is refused and named, the
    others are stored.
    """
    batch = partnership.encoded_batch(
        "trust-a", [child("trust-a", f"{n}", given="Zoe") for n in range(3)]
    )
    batch.records[1].role = 17
    linker.put(
        "trust-a",
        partnership.seal(
            "trust-a",
            topics.encodings("trust-a"),
            topics.LINKER,
            wire.PAYLOAD_KIND_ENCODED,
            batch.SerializeToString(),
        ),
    )
    linker.run()
    [receipt] = linker.receipts("trust-a")
    assert (receipt.accepted, [(r.index, r.reason) for r in receipt.refused]) == (
        2,
        [(1, "bad-value")],
    )


def test_a_schema_version_to_come_is_refused_whole_and_the_sender_told(
    linker, partnership, child, monkeypatch
):
    message = partnership.encoded_batch("trust-a", [child("trust-a", "1")]).SerializeToString()
    monkeypatch.setattr(envelope, "SCHEMA_VERSION", 2)
    newer = partnership.seal(
        "trust-a", topics.encodings("trust-a"), topics.LINKER, wire.PAYLOAD_KIND_ENCODED, message
    )
    monkeypatch.undo()
    linker.put("trust-a", newer, partnership.message("trust-a", [child("trust-a", "1")]))
    linker.run()
    assert [r.reason for r in linker.receipts("trust-a")] == ["unknown-schema", ""], (
        "and the stream goes on"
    )
