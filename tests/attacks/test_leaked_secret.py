"""The linkage secret has leaked, the linker's own key has not; the attacker has even opened the store's encryption."""

import hashlib

import pytest
import sqlalchemy as sa
from childlink.wire.v1 import encoded_pb2 as wire
from childlink_linker import tables

from tests.attacks.leaked import digests_of, numbers_of_tokens, people_of_segments
from tests.attacks.population import people
from tests.support.people import LINKAGE, VAULT, open_linker

STORED = 40


@pytest.fixture
def leak(partnership, tmp_path):
    """Who they are, what the linker received, and what it stores: tokens, and records with their digests."""
    crowd = [s.identity for s in people(STORED, seed=9)]
    sent = [
        partnership.subject(
            "trust-a", who.person_id, nhs=who.nhs_number, given=who.given_name, surname=who.surname, born=who.date_of_birth,
            sex=who.sex, postcode=who.postcode,
        )
        for who in crowd
    ]  # fmt: skip
    received = list(partnership.encoded_batch("trust-a", sent).records)
    linker = open_linker(partnership, tmp_path)
    linker.send("trust-a", *sent)
    with linker.engine.connect() as tx:
        tokens = list(tx.execute(sa.select(tables.token.c.token)).scalars())
        rows = tx.execute(sa.select(tables.record.c.encoding, tables.record.c.digest)).all()
    linker.close()
    return (
        crowd,
        received,
        tokens,
        [(wire.EncodedRecord.FromString(VAULT.open(row.encoding)), row.digest) for row in rows],
    )


def test_nhs_numbers_are_found_in_what_the_linker_receives_and_not_in_what_it_stores(leak):
    crowd, received, tokens, stored = leak
    numbers = [who.nhs_number for who in crowd] + [s.identity.nhs_number for s in people(2_000, seed=10)]
    found = numbers_of_tokens([record.nhs_token for record in received], numbers, LINKAGE)
    assert {who.nhs_number for who in crowd} == set(found.values())
    assert len(stored) == STORED
    assert not numbers_of_tokens(tokens, numbers, LINKAGE)
    assert not numbers_of_tokens([record.nhs_token for record, _ in stored], numbers, LINKAGE)


def test_people_are_found_in_what_the_linker_receives_and_not_in_what_it_stores(leak):
    _, received, _, stored = leak
    known = people(STORED, seed=9)
    assert people_of_segments(received, known, LINKAGE) == 1.0
    assert people_of_segments([record for record, _ in stored], known, LINKAGE) == 0.0


def test_the_store_holds_no_digest_that_would_confirm_a_guess(leak):
    _, received, _, stored = leak
    bare = [
        (record, hashlib.blake2b(record.SerializeToString(deterministic=True), digest_size=16).digest())
        for record in received
    ]
    assert digests_of(bare, LINKAGE) == STORED
    before_hashing = [(record, digest) for record, (_, digest) in zip(received, stored, strict=True)]
    assert digests_of(stored, LINKAGE) == digests_of(before_hashing, LINKAGE) == 0
