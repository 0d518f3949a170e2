"""A partner that floods the linker is processed alongside the others, not before them."""

from childlink.wire.v1 import envelope_pb2 as wire
from childlink_core import topics


def test_a_partner_with_thousands_of_waiting_batches_does_not_hold_up_anothers_single_one(
    linker, partnership, child
):
    payload = partnership.encoded_batch("charity-c", [child("charity-c", "1")]).SerializeToString()
    topic = topics.encodings("charity-c")
    flood = [
        partnership.seal("charity-c", topic, topics.LINKER, wire.PAYLOAD_KIND_ENCODED, payload)
        for _ in range(2000)
    ]
    linker.put("charity-c", *flood)
    linker.put("council-b", partnership.message("council-b", [child("council-b", "1")]))
    subscriber = linker.processor.subscribe()
    for _ in range(3):
        linker.processor.step(subscriber, 0)
    assert [receipt.accepted for receipt in linker.receipts("council-b")] == [1]
    assert len(linker.receipts("charity-c")) >= 3 * 15
