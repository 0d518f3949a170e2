"""How a site handles receipts. Each receipt answers only the batch that it judged. A receipt for
anything else means that the spool is out of date.
"""

import sqlite3

import pytest
from childlink.wire.v1 import envelope_pb2 as wire
from childlink.wire.v1 import receipt_pb2
from childlink_bus.memory import MemoryBroker
from childlink_core import envelope, reasons, topics
from childlink_ingest.delivery.exchange import Exchange
from childlink_ingest.spool import open_spool

TOPIC = topics.encodings("trust-a")
RECEIPTS = topics.receipts("trust-a")
ACCEPTED, REFUSED = receipt_pb2.OUTCOME_ACCEPTED, receipt_pb2.OUTCOME_REFUSED


class Site:
    """A site with batches of its own, and a linker that answers as the test says."""

    def __init__(self, partnership, spool):
        self.partnership, self.spool = partnership, spool
        self.broker = MemoryBroker()
        self.exchange = Exchange(
            "trust-a",
            spool,
            partnership.directory,
            partnership.opening["trust-a"],
            self.broker.publisher(),
        )
        self.receipts = 0

    def seal(self):
        with self.spool.transaction():
            epoch, sequence = self.spool.next_sequence("encodings")
            self.spool.queue_message(
                "encodings", epoch, sequence, b"batch %d of %d" % (sequence, epoch)
            )
        return epoch, sequence

    def receipt(self, epoch, sequence, *, batch=None, number=None, **fields):
        self.receipts = number or self.receipts + 1
        digest = envelope.digest(batch) if batch else b""
        receipt = receipt_pb2.Receipt(
            topic=TOPIC, epoch=epoch, sequence=sequence, batch_digest=digest, **fields
        )
        payload = receipt_pb2.ReceiptBatch(receipts=[receipt]).SerializeToString()
        address = envelope.Address(RECEIPTS, wire.PAYLOAD_KIND_RECEIPT, 1, self.receipts)
        keys = self.partnership.directory.seal_key("trust-a"), self.partnership.signing["linker"]
        self.broker.topics[RECEIPTS].append(envelope.seal(payload, address, *keys))
        self.exchange.catch_up(
            self.broker.subscriber({RECEIPTS: self.spool.inbox_offset(RECEIPTS)})
        )

    def states(self):
        return {
            state: n
            for state in ("queued", "sent", "accepted", "refused")
            if (n := self.spool.count_batches(state))
        }


@pytest.fixture
def site(partnership, tmp_path):
    with open_spool(tmp_path / "spool.sqlite") as spool:
        yield Site(partnership, spool)


def own(epoch, sequence):
    return b"batch %d of %d" % (sequence, epoch)


def test_a_receipt_that_names_the_batch_answers_it(site):
    place = site.seal()
    site.exchange.send()
    site.receipt(*place, batch=own(*place), outcome=ACCEPTED)
    assert site.states() == {"accepted": 1}
    assert site.spool.lost_past() is None


def test_a_receipt_of_an_older_service_names_no_batch_and_answers_all_the_same(site):
    place = site.seal()
    site.exchange.send()
    site.receipt(*place, outcome=ACCEPTED)
    assert site.states() == {"accepted": 1}


def test_a_receipt_for_another_batch_under_the_number_does_not_answer_and_a_new_epoch_begins(site):
    place = site.seal()
    site.exchange.send()
    site.receipt(*place, batch=b"of a life that was forgotten", outcome=ACCEPTED)
    assert site.states() == {"refused": 1}
    assert site.spool.lost_past().given_up == 1
    epoch, sequence = site.seal()
    assert epoch > place[0]
    assert sequence == 1


def test_a_number_beyond_ours_was_read_in_a_life_that_was_forgotten(site):
    place = site.seal()
    site.receipt(place[0], 7, batch=b"the seventh", outcome=ACCEPTED)
    assert site.spool.lost_past() is not None
    assert site.exchange.send() == 0, "nothing is sent under a used number"


def test_an_epoch_beyond_ours_is_left_behind(site):
    epoch, sequence = site.seal()
    site.exchange.send()
    ahead = epoch + 1_000_000
    site.receipt(
        epoch,
        sequence,
        batch=own(epoch, sequence),
        outcome=REFUSED,
        reason=reasons.OLD_EPOCH,
        expected_epoch=ahead,
        expected_sequence=4,
    )
    assert site.seal() == (ahead + 1, 1)


def test_what_the_forgotten_life_left_behind_begins_no_third_one(site):
    epoch, sequence = site.seal()
    for late in (sequence, sequence + 1, sequence + 2):
        site.receipt(epoch, late, batch=b"of a life that was forgotten", outcome=ACCEPTED)
    place = site.seal()
    assert place[1] == 1, "one new epoch, not three"
    site.exchange.send()
    site.receipt(
        epoch, sequence, batch=own(epoch, sequence), outcome=REFUSED, reason=reasons.REPLAY
    )
    site.receipt(*place, batch=own(*place), outcome=ACCEPTED)
    assert site.spool.count_batches("accepted") == 1
    assert site.seal() == (place[0], 2)


def test_an_old_batch_that_somebody_plays_again_to_the_services_changes_nothing(site):
    place = site.seal()
    site.exchange.send()
    site.receipt(*place, batch=own(*place), outcome=ACCEPTED)
    site.receipt(*place, batch=own(*place), outcome=REFUSED, reason=reasons.REPLAY)
    site.receipt(0, 0, outcome=REFUSED, reason=reasons.REPLAY)
    assert site.states() == {"accepted": 1}
    assert site.spool.lost_past() is None


def test_after_a_receipt_that_is_missing_what_waits_is_sent_again(site):
    site.seal()
    second = site.seal()
    site.receipt(*second, batch=b"", outcome=REFUSED, reason=reasons.GAP, expected_sequence=1)
    site.exchange.send()
    assert site.states() == {"sent": 2}
    site.receipt(0, 0, number=5, outcome=REFUSED, reason=reasons.BAD_SIGNATURE)
    assert site.states() == {"queued": 2}


def test_a_spool_of_the_version_before_learns_the_digests_of_what_waits(tmp_path):
    path = tmp_path / "spool.sqlite"
    with open_spool(path) as spool, spool.transaction():
        spool.queue_message("encodings", 5, 1, b"waits")
    with sqlite3.connect(path) as db:
        db.execute("ALTER TABLE batch DROP COLUMN digest")
        db.execute("DROP TABLE lost_past")
        db.execute(
            "INSERT INTO batch (half, epoch, sequence, bytes, state) VALUES ('encodings', 5, 2, 3,"
            " 'accepted')"
        )
        db.execute("PRAGMA user_version = 2")
    with open_spool(path) as spool:
        assert spool.sealed("encodings", 5, 1, envelope.digest(b"waits"))
        assert not spool.sealed("encodings", 5, 1, envelope.digest(b"another"))
        assert spool.sealed("encodings", 5, 2, envelope.digest(b"answered long ago"))
        assert not spool.sealed("encodings", 5, 3, b"")
