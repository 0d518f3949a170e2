"""A site of an earlier version may give one id to different people. That id joins no records: it is
kept, counted and receipted.
"""

from datetime import date

import pytest
from childlink_core import reasons

from tests.support.people import NHS


def told(linker, *subjects):
    """The receipt that trust-a gets for a batch of these subjects."""
    linker.send("trust-a", *subjects)
    return linker.receipts("trust-a")[-1]


@pytest.fixture
def two_children(child):
    """One id of trust-a, used by its two datasets for different children."""
    amina = child("trust-a", "TBC", nhs=NHS[0], dataset="asq3")
    oliver = child(
        "trust-a",
        "TBC",
        nhs=NHS[1],
        given="Oliver",
        surname="Smith",
        born=date(2018, 5, 5),
        sex="m",
        postcode="N1 1AA",
        dataset="maternity",
    )
    return amina, oliver


def test_the_children_whom_a_shared_id_would_join_stay_two(linker, child, two_children):
    amina, oliver = two_children
    known = child("council-b", "1", nhs=NHS[0])
    other = child(
        "council-b",
        "2",
        nhs=NHS[1],
        given="Oliver",
        surname="Smith",
        born=date(2018, 5, 5),
        sex="m",
        postcode="N1 1AA",
    )
    linker.send("council-b", known, other)
    linker.send("trust-a", amina)
    assert len(set(linker.persons(amina, known))) == 1
    linker.send("trust-a", oliver)
    assert len(set(linker.persons(amina, known, other))) == 3


def test_the_partner_is_told_which_record(linker, two_children):
    amina, oliver = two_children
    linker.send("trust-a", amina)
    receipt = told(linker, oliver)
    assert [(r.index, r.reason) for r in receipt.refused] == [(0, reasons.SHARED_ID)]
    assert receipt.accepted == 0


def test_it_is_linked_once_the_partner_has_corrected_it(linker, child, two_children):
    amina, oliver = two_children
    known = child("council-b", "1", nhs=NHS[0])
    linker.send("council-b", known)
    linker.send("trust-a", amina, oliver)
    assert len(set(linker.persons(amina, known))) == 2
    linker.send("trust-a", child("trust-a", "TBC", nhs=NHS[0], dataset="maternity"))
    assert len(set(linker.persons(amina, known))) == 1


def test_a_date_of_birth_that_one_dataset_has_wrong_shares_no_id(linker, child):
    known = child("council-b", "1", nhs=NHS[0])
    right = child("trust-a", "7", nhs=NHS[0], dataset="asq3")
    wrong = child("trust-a", "7", nhs=NHS[0], born=date(2019, 3, 14), dataset="maternity")
    linker.send("council-b", known)
    receipt = told(linker, right, wrong)
    assert not receipt.refused
    assert len(set(linker.persons(right, known))) == 1


def test_three_children_without_numbers_are_told_as_well(linker, child):
    names = ("Amina", "Okafor"), ("Oliver", "Smith"), ("Linh", "Nguyen")
    records = [
        child(
            "trust-a",
            "0",
            given=given,
            surname=surname,
            born=date(2018, 1 + n, 5),
            postcode=f"N{n} 1AA",
            dataset=dataset,
        )
        for n, ((given, surname), dataset) in enumerate(
            zip(names, ("asq3", "maternity", "ncmp"), strict=True)
        )
    ]
    receipt = told(linker, *records)
    assert {r.reason for r in receipt.refused} == {reasons.SHARED_ID}
