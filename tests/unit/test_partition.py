"""The rules that the linker, `relink` and Spark share."""

import random

import numpy as np
import pytest
import sqlalchemy as sa
from childlink_core.profiles import get_profile
from childlink_linker.clustering import evidence as components
from childlink_linker.clustering.cluster import SAME
from childlink_linker.clustering.partition import label_components, partition
from childlink_linker.matching.blocking import pairs_in_parts, pairs_of
from childlink_linker.matching.parameters import load_parameters
from childlink_linker.records import LARGEST_BLOCK
from childlink_linker.store import tables
from childlink_linker.store.store import Store

from tests.support.people import NHS, VAULT


def test_components_are_those_of_a_walk_along_the_edges():
    rng = random.Random(1)
    for _ in range(50):
        size = rng.randrange(1, 40)
        ends = [(rng.randrange(size), rng.randrange(size)) for _ in range(rng.randrange(40))]
        expected = list(range(size))
        for _ in range(size):
            for a, b in ends:
                expected[a] = expected[b] = min(expected[a], expected[b])
        found = label_components(size, np.array(ends, dtype=np.int32).reshape(-1, 2))
        assert found.tolist() == expected


def test_a_long_chain_is_one_component():
    chain = np.stack([np.arange(99_999), np.arange(1, 100_000)], axis=1).astype(np.int32)
    shuffled = np.random.default_rng(1).permutation(100_000).astype(np.int32)[chain]
    assert set(label_components(100_000, shuffled).tolist()) == {0}


def test_pairs_in_parts_are_the_pairs_whatever_the_size_of_a_part():
    rng = np.random.default_rng(1)
    held, records = rng.integers(0, 50, 400), rng.integers(0, 90, 400)
    held = np.r_[held, np.full(LARGEST_BLOCK + 1, 99)]
    records = np.r_[records, np.arange(LARGEST_BLOCK + 1) + 1000]
    each_once = np.unique(np.stack([held, records], axis=1), axis=0)
    expected = pairs_of(each_once[:, 0], each_once[:, 1])
    assert expected.max() < 1000
    for most in (1, 100, 10**6):
        # A record that holds a key twice counts once.
        parts = list(pairs_in_parts(np.r_[held, held], np.r_[records, records], most))
        assert len(parts) == 1 if most == 10**6 else len(parts) > 1
        assert np.array_equal(np.unique(np.concatenate(parts), axis=0), expected)


def test_even_in_a_huge_component_the_order_of_records_does_not_matter(linker, child, monkeypatch):
    monkeypatch.setattr(components, "_LARGEST_COMPLETE_COMPONENT", 1)
    for partner, number in (("trust-a", 0), ("council-b", 1)):
        linker.send(
            partner,
            *(
                child(partner, str(n), nhs=NHS[number + n], dataset=d)
                for n in range(3)
                for d in "xyz"
            ),
        )
    with linker.engine.connect() as tx:
        store = Store(tx, VAULT)
        records = store.records_after(0, 100)
        subjects = store.subjects({record.subject_id for record in records})
        edges = store.neighbours(record.record_id for record in records)
    decided = {(min(subjects), max(subjects)): SAME}

    def found():
        made = partition(subjects, records, edges, decided, get_profile(), load_parameters())
        return sorted(map(sorted, made.clusters)), sorted(made.doubtful)

    expected = found()
    for seed in range(5):
        random.Random(seed).shuffle(records)
        random.Random(seed).shuffle(edges)
        assert found() == expected


@pytest.mark.parametrize(
    ("orders", "together"), [((None, None), 0), ((1, 2), 1), ((1, 1), 0), ((1, None), 0)]
)
def test_of_two_children_whom_a_source_tells_apart_only_twins_are_looked_at_together(
    linker, child, orders, together
):
    one = child("trust-a", "1", nhs=NHS[0], birth_order=orders[0])
    other = child(
        "trust-a", "2", nhs=NHS[1], given="Zainab", surname="Smith", birth_order=orders[1]
    )
    linker.send("trust-a", one, other)
    with linker.engine.connect() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(tables.edge)).scalar() == together
