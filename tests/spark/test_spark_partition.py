"""Spark finds the same people as the linker, record by record and decision by decision."""

import random

import pytest
from childlink_core.profiles import get_profile
from childlink_linker.clustering.verdicts import VERDICTS
from childlink_linker.matching.parameters import load_parameters
from childlink_linker.relinking import repartition as repartition_module
from childlink_linker.relinking.changes import find_changes
from childlink_linker.relinking.repartition import repartition
from childlink_linker.relinking.write_proposal import propose
from childlink_linker.review import cases as review
from childlink_linker.store.store import Store

from tests.bench import linkage_childlink, linkage_data
from tests.property.test_linker_is_a_function_of_records import people
from tests.spark.engines import spark_engine
from tests.support.people import VAULT, LinkerUnderTest
from tests.support.proposing import (
    LENIENT,
    SAME_AS_NOW,
    STRICT,
    approve,
    partition_of,
    relinked,
    state_of,
)

CONTEXT = (get_profile(), load_parameters())


@pytest.fixture
def village(database_url, partnership):
    """Similar people who arrived in ten batches, and stewards' decisions on every third doubtful
    pair.
    """
    rng, linker = random.Random(7), LinkerUnderTest(partnership, database_url)
    own = {partner: partnership.subject(partner, "x").facet for partner in ("trust-a", "council-b")}
    subjects = people(rng, partnership)
    rng.shuffle(subjects)
    for at in range(0, len(subjects), 3):
        for partner, facet in own.items():
            if sent := [subject for subject in subjects[at : at + 3] if subject.facet == facet]:
                linker.send(partner, *sent)
    for verdict in VERDICTS:
        with linker.engine.begin() as tx:
            store = Store(tx, VAULT)
            if doubts := review.doubts(store):
                review.decide(store, [(doubts[0].pair, verdict)], "N. Steward", "made up", *CONTEXT)
    yield linker
    linker.close()


def test_the_partition_the_doubts_and_the_edges_are_the_linkers_own(
    session, village, tmp_path, monkeypatch
):
    # Several buckets, even for a small population.
    monkeypatch.setattr(repartition_module, "RECORDS_A_BUCKET", 5)
    engine = spark_engine(session, village.engine, tmp_path / "export")
    with village.engine.connect() as tx:
        persons, doubts, edges = state_of(tx)
    assert {item.verdict for item in engine.snapshot.decisions} == set(VERDICTS)
    assert 1 < len(persons) < len(engine.snapshot.subjects)
    assert partition_of(engine) == persons
    assert (
        {(min(a, b), max(a, b), weight) for a, b, weight in repartition(engine).doubts}
        == doubts
        != set()
    )
    found = {
        (*ends, weight)
        for part in engine.edges()
        for ends, weight in zip(part.ends.tolist(), part.weights.tolist(), strict=True)
    }
    assert found == edges != set()


@pytest.mark.parametrize(
    "parameters", [SAME_AS_NOW, LENIENT, STRICT], ids=["same", "lenient", "strict"]
)
def test_approving_what_spark_proposes_makes_what_relinking_would(
    session, village, tmp_path, parameters
):
    expected = relinked(village, parameters)
    engine = spark_engine(session, village.engine, tmp_path / "export", parameters)
    with village.engine.begin() as tx:
        number = propose(Store(tx, VAULT), engine, repartition(engine), get_profile(), parameters)
    assert approve(village, number).skipped == 0
    with village.engine.connect() as tx:
        assert state_of(tx) == expected


@pytest.mark.parametrize("name", ["usual", "no-nhs-errors-x2"])
def test_a_partnership_with_errors_is_linked_the_same(session, tmp_path, name):
    linked = linkage_childlink.run(linkage_data.synthetic(name, 300, 1))
    engine = spark_engine(session, linked.engine, tmp_path / "export")
    assert len(engine.snapshot.records) > 1_000
    with linked.engine.connect() as tx:
        persons, _, _ = state_of(tx)
    assert partition_of(engine) == persons
    assert find_changes(engine.snapshot, repartition(engine)) == []
    linked.close()


def test_an_empty_store_has_nothing_to_propose(session, database_url, partnership, tmp_path):
    linker = LinkerUnderTest(partnership, database_url)
    engine = spark_engine(session, linker.engine, tmp_path / "export")
    assert find_changes(engine.snapshot, repartition(engine)) == []
    linker.close()
