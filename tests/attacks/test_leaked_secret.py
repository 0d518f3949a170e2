"""The linkage secret has leaked, the linker's own key has not. The attacker has even opened the
store's encryption.
"""

import hashlib

import pytest
import sqlalchemy as sa
from childlink_core.profiles import get_profile
from childlink_linker.matching.encodings import from_rows
from childlink_linker.store import tables

from tests.attacks.leaked import (
    digests_of,
    numbers_of_tokens,
    people_of_segments,
    segments_of,
    segments_of_rows,
)
from tests.attacks.population import people
from tests.support.people import LINKAGE, VAULT, open_linker

STORED = 40


@pytest.fixture
def leak(partnership, tmp_path):
    """The people, what the linker received, and what it stores: tokens, and records with their
    digests.
    """
    crowd = [s.identity for s in people(STORED, seed=9)]
    sent = [
        partnership.subject(
            "trust-a",
            who.person_id,
            nhs=who.nhs_number,
            given=who.given_name,
            surname=who.surname,
            born=who.date_of_birth,
            sex=who.sex,
            postcode=who.postcode,
        )
        for who in crowd
    ]
    received = list(partnership.encoded_batch("trust-a", sent).records)
    linker = open_linker(partnership, tmp_path)
    linker.send("trust-a", *sent)
    with linker.engine.connect() as tx:
        keys = list(tx.execute(sa.select(tables.block_key.c.key)).scalars())
        rows = tx.execute(sa.select(tables.record.c.encoding, tables.record.c.digest)).all()
    linker.close()
    opened = from_rows([VAULT.open(row.encoding) for row in rows], get_profile())
    return (
        crowd,
        received,
        [key.to_bytes(8, "little", signed=True) for key in keys],
        opened,
        [row.digest for row in rows],
    )


def test_nhs_numbers_are_found_in_what_the_linker_receives_and_not_in_what_it_stores(leak):
    crowd, received, keys, stored, _ = leak
    numbers = [who.nhs_number for who in crowd] + [
        s.identity.nhs_number for s in people(2_000, seed=10)
    ]
    found = numbers_of_tokens([record.nhs_token for record in received], numbers, LINKAGE)
    assert {who.nhs_number for who in crowd} == set(found.values())
    assert len(stored) == STORED
    assert numbers_of_tokens([record.nhs_token[:8] for record in received], numbers, LINKAGE)
    assert not numbers_of_tokens(keys, numbers, LINKAGE)
    assert not numbers_of_tokens([token.tobytes() for token in stored.nhs], numbers, LINKAGE)


def test_people_are_found_in_what_the_linker_receives_and_not_in_what_it_stores(leak):
    _, received, _, stored, _ = leak
    known = people(STORED, seed=9)
    assert people_of_segments([segments_of(record) for record in received], known, LINKAGE) == 1.0
    assert people_of_segments(segments_of_rows(stored), known, LINKAGE) == 0.0


def test_the_store_holds_no_digest_that_would_confirm_a_guess(leak):
    _, received, _, _, digests = leak
    bare = [
        (
            record,
            hashlib.blake2b(record.SerializeToString(deterministic=True), digest_size=16).digest(),
        )
        for record in received
    ]
    assert digests_of(bare, LINKAGE) == STORED
    assert digests_of(list(zip(received, digests, strict=True)), LINKAGE) == 0
