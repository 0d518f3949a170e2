"""The partition of records does not depend on how batches arrive: late, twice, corrected, in
another order, or split differently.
"""

import tempfile
from datetime import date
from pathlib import Path

import pytest
from childlink_linker.store.store import Store
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.property.many_seeds import any_order, corrected, drawn, is_of, people
from tests.support.people import NHS, VAULT, Partnership, open_linker


@pytest.mark.slow
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 10**6), st.booleans())
# A twin whose co-twin came in another batch. Whether the pair was compared depended on the rest of
# that batch.
@example(65537, False)
def test_any_order_and_cutting_of_batches_gives_the_same_partition(partnership, seed, marked):
    found, expected = any_order(partnership, seed, marked)
    assert found == expected


@pytest.mark.slow
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 10**6), st.booleans())
# A child whose wrong record named another mother. The mother stayed in the family of a child who is
# no longer hers.
@example(17047, False)
def test_what_was_sent_wrong_at_first_and_corrected_leaves_no_trace_in_the_partition(
    partnership, seed, marked
):
    found, expected = corrected(partnership, seed, marked)
    assert found == expected


def test_whom_an_error_kept_apart_are_one_person_once_it_is_corrected(linker, child):
    amina, other = child("trust-a", "1", nhs=NHS[0]), child("trust-a", "2", nhs=NHS[1])
    known = child("council-b", "9")
    linker.send("trust-a", amina, other)
    linker.send("council-b", known)
    assert len(set(linker.persons(amina, other, known))) == 3, "she could be either"
    corrected = child(
        "trust-a",
        "2",
        nhs=NHS[1],
        given="Oliver",
        surname="Smith",
        born=date(2019, 1, 5),
        postcode="N1 1AA",
        sex="m",
    )
    linker.send("trust-a", corrected)
    assert len(set(linker.persons(amina, known))) == 1


def test_a_mother_who_was_declared_by_mistake_goes_back_to_her_own_family(
    linker, partnership, child
):
    def adult(person_id, given):
        return partnership.subject(
            "trust-a",
            person_id,
            "adult",
            given=given,
            surname="Okafor",
            born=date(1990, 1, 1),
            postcode="SW9 8JJ",
        )

    grace, ruth = adult("m1", "Grace"), adult("m2", "Ruth")
    linker.send("trust-a", grace, ruth, child("trust-a", "1", carer=(ruth, "mother")))
    assert len(linker.family_partition()) == 2
    linker.send("trust-a", child("trust-a", "1", carer=(grace, "mother")))
    assert frozenset({ruth.link_reference}) in linker.family_partition()


def test_children_whose_mother_is_withdrawn_are_a_family_without_her(linker, partnership, child):
    ruth = partnership.subject(
        "trust-a",
        "m2",
        "adult",
        given="Ruth",
        surname="Okafor",
        born=date(1990, 1, 1),
        postcode="SW9 8JJ",
    )
    amina = child("trust-a", "1", carer=(ruth, "mother"))
    omar = child(
        "trust-a", "2", given="Omar", born=date(2018, 5, 5), sex="m", carer=(ruth, "mother")
    )
    linker.send("trust-a", ruth, amina, omar)
    assert len(linker.family_partition()) == 1
    linker.send("trust-a", withdrawn=[ruth.link_reference])
    assert len(linker.family_partition()) == 2, "nothing else says that they are one family"


@pytest.mark.slow
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 10**6))
def test_the_event_log_alone_makes_the_identifiers_that_the_tables_have(partnership, seed):
    rng = drawn(partnership, seed)
    subjects = people(rng, partnership)
    with tempfile.TemporaryDirectory() as folder:
        linker = open_linker(
            Partnership(partnership.directory, partnership.signing, partnership.opening),
            Path(folder),
        )
        try:
            for _ in range(6):
                for partner in ("trust-a", "council-b"):
                    own = [s for s in subjects if is_of(s, partner)]
                    taken_back = [s.link_reference for s in rng.sample(own, rng.randrange(3))]
                    linker.send(
                        partner, *rng.sample(own, rng.randrange(1, len(own))), withdrawn=taken_back
                    )
                desk = linker.desk()
                for _ in range(2):
                    # One at a time: a decision may settle other cases.
                    for case in desk.cases("n.steward")[:1]:
                        said = [(d.pair, rng.choice(["same", "different"])) for d in case.doubts]
                        desk.decide("n.steward", said, "drawn")
                with linker.engine.connect() as tx:
                    tables_say, log_says = Store(tx, VAULT).identifiers()
                assert tables_say == log_says
                assert tables_say.persons
        finally:
            linker.close()
