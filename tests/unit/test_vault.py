"""Encodings at rest: the database alone cannot open them, and a wrong key is detected."""

from datetime import date

import pytest
import sqlalchemy as sa
from childlink_core.profiles import get_profile
from childlink_linker.matching.blocking import keys
from childlink_linker.matching.encodings import from_rows
from childlink_linker.store import tables
from childlink_linker.store.store import Store
from childlink_linker.store.vault import Vault, VaultError

from tests.support.people import NHS, VAULT, open_linker


@pytest.fixture
def stored(partnership, tmp_path):
    linker = open_linker(partnership, tmp_path)
    who = partnership.subject(
        "trust-a", "1", nhs=NHS[0], given="Amina", surname="Okafor", born=date(2020, 3, 14)
    )
    linker.send("trust-a", who)
    yield linker
    linker.close()


def test_the_store_holds_no_encoding_in_the_clear(stored):
    with stored.engine.connect() as tx:
        [row] = tx.execute(sa.select(tables.record.c.encoding)).scalars()
        [record] = Store(tx, VAULT).records_after(0, 10)
        stored = tx.execute(sa.select(tables.block_key.c.key)).scalars().all()
    encodings = from_rows([record.encoding], get_profile())
    tokens = [
        encodings.nhs.tobytes(),
        *(item.tokens.tobytes() for item in encodings.passes.values() if item.tokens[0]),
    ]
    assert len(tokens) >= 3
    assert all(token in record.encoding for token in tokens)
    assert not any(token in row for token in tokens)
    bare, _ = keys(encodings, get_profile())
    assert len(stored) == len(bare)
    assert not set(stored) & set(bare.tolist())
    assert set(stored) == set(VAULT.blind(bare).tolist())


def test_another_key_is_told_and_not_taken_for_data(stored):
    with stored.engine.connect() as tx, pytest.raises(VaultError, match="token key"):
        Store(tx, Vault(b"w" * 32)).records_after(0, 10)
