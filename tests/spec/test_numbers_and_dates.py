"""NHS numbers that are superseded, mistyped or belong to someone else; dates that are corrected,
guessed or missing; children recorded twice.
"""

from datetime import date

import pytest

from tests.spec.cases import apart, found, together, wait
from tests.support.people import NHS

BORN = date(2020, 3, 14)
BROTHER = {"given": "Kofi", "sex": "m", "born": date(2022, 8, 1)}
STRANGER = {
    "given": "Oliver",
    "surname": "Smith",
    "sex": "m",
    "born": date(2019, 7, 7),
    "postcode": "E1 6AN",
}


def test_a_child_whose_number_is_superseded_stays_one_child(linker, child):
    first, other = child("trust-a", "1", nhs=NHS[0]), child("council-b", "1", nhs=NHS[0])
    linker.send("trust-a", first)
    linker.send("council-b", other)
    [before] = linker.persons(first)
    linker.send("trust-a", child("trust-a", "1", nhs=NHS[1]))
    assert linker.persons(first, other) == [before, before]
    under_the_new = child("charity-c", "1", nhs=NHS[1], postcode="")
    linker.send("charity-c", under_the_new)
    assert linker.persons(first, other, under_the_new) == [before] * 3
    linker.send("council-b", child("council-b", "1", nhs=NHS[1]))
    assert linker.persons(first, other, under_the_new) == [before] * 3


def test_a_child_who_moves_and_gets_another_number_is_not_lost(linker, child):
    first, other = child("trust-a", "1", nhs=NHS[0]), child("council-b", "1", nhs=NHS[0])
    linker.send("trust-a", first)
    linker.send("council-b", other)
    linker.send("trust-a", child("trust-a", "1", nhs=NHS[1], postcode="SE24 0AA"))
    assert found(linker, first, other)


def test_a_number_mistyped_into_another_childs_draws_no_person_to_that_child(
    linker, child, outcomes_of_every_order
):
    amina, oliver = child("trust-a", "1", nhs=NHS[0]), child("trust-a", "2", nhs=NHS[1], **STRANGER)
    mistyped = child("council-b", "1", nhs=NHS[1])
    oliver_c = child("charity-c", "2", nhs=NHS[1], **STRANGER)
    linker.send("trust-a", amina, oliver)
    linker.send("council-b", mistyped)
    linker.send("charity-c", oliver_c)
    assert together(linker, amina, mistyped)
    assert together(linker, oliver, oliver_c)
    assert apart(linker, amina, oliver)
    batches = [
        ("trust-a", [amina]),
        ("trust-a", [oliver]),
        ("council-b", [mistyped]),
        ("charity-c", [oliver_c]),
    ]
    assert outcomes_of_every_order(*batches) == 1


def test_a_record_under_a_siblings_number_stays_with_the_child_it_names(
    linker, child, outcomes_of_every_order
):
    amina, kofi = child("trust-a", "1", nhs=NHS[0]), child("trust-a", "2", nhs=NHS[1], **BROTHER)
    under_hers = child("council-b", "2", nhs=NHS[0], **BROTHER)
    linker.send("trust-a", amina, kofi)
    linker.send("council-b", under_hers)
    assert together(linker, kofi, under_hers)
    assert apart(linker, amina, kofi)
    assert (
        outcomes_of_every_order(
            ("trust-a", [amina]), ("trust-a", [kofi]), ("council-b", [under_hers])
        )
        == 1
    )


@pytest.mark.parametrize("other", [BROTHER, STRANGER], ids=["a brother", "a stranger"])
def test_two_children_under_one_number_are_two(linker, child, other):
    a, b = child("trust-a", "1", nhs=NHS[0]), child("council-b", "2", nhs=NHS[0], **other)
    linker.send("trust-a", a)
    linker.send("council-b", b)
    assert apart(linker, a, b)


@pytest.mark.parametrize("other", [BROTHER, STRANGER], ids=["a brother", "a stranger"])
def test_two_children_under_one_number_are_shown_to_a_person(linker, child, other):
    a, b = child("trust-a", "1", nhs=NHS[0]), child("council-b", "2", nhs=NHS[0], **other)
    linker.send("trust-a", a)
    linker.send("council-b", b)
    assert wait(linker, a, b)


def test_siblings_who_both_carry_their_mothers_number_stay_apart(linker, child):
    amina = [child("trust-a", "1", nhs=NHS[7]), child("council-b", "1", nhs=NHS[7])]
    kofi = [
        child("trust-a", "2", nhs=NHS[7], **BROTHER),
        child("council-b", "2", nhs=NHS[7], **BROTHER),
    ]
    linker.send("trust-a", amina[0], kofi[0])
    linker.send("council-b", amina[1], kofi[1])
    assert together(linker, *amina)
    assert together(linker, *kofi)
    assert apart(linker, amina[0], kofi[0])


def test_newborns_who_both_carry_their_mothers_number_stay_apart(linker, child):
    first = child("trust-a", "1", given="BABY", nhs=NHS[7])
    second = child("council-b", "2", given="BABY", nhs=NHS[7], born=date(2022, 8, 1))
    linker.send("trust-a", first)
    linker.send("council-b", second)
    assert apart(linker, first, second)


def test_a_corrected_date_of_birth_brings_the_record_to_its_child(linker, child):
    amina, wrong = (
        child("trust-a", "1", nhs=NHS[0]),
        child("council-b", "1", born=date(2019, 5, 24), postcode="SE24 0AA"),
    )
    linker.send("trust-a", amina)
    linker.send("council-b", wrong)
    assert apart(linker, amina, wrong)
    before = linker.persons(amina)
    linker.send("council-b", child("council-b", "1", postcode="SE24 0AA"))
    assert linker.persons(amina, wrong) == before * 2


def test_a_corrected_date_of_birth_takes_the_record_from_the_namesake_it_was_with(linker, child):
    amina, namesake = (
        child("trust-a", "1", nhs=NHS[0]),
        child("trust-a", "2", nhs=NHS[1], born=date(2019, 5, 24)),
    )
    record = child("council-b", "1", born=date(2019, 5, 24))
    linker.send("trust-a", amina, namesake)
    linker.send("council-b", record)
    assert together(linker, namesake, record)
    before = linker.persons(amina, namesake)
    linker.send("council-b", child("council-b", "1"))
    assert linker.persons(amina, namesake, record) == [*before, before[0]]


def test_a_charitys_registration_without_number_and_address_finds_the_child(linker, child):
    known, registered = child("trust-a", "1", nhs=NHS[0]), child("charity-c", "1", postcode="")
    linker.send("trust-a", known)
    linker.send("charity-c", registered)
    assert together(linker, known, registered)


def test_a_charitys_guessed_date_does_not_bring_the_registration_to_the_sibling(linker, child):
    amina, kofi = child("trust-a", "1"), child("trust-a", "2", **BROTHER)
    registered = child(
        "charity-c", "2", **BROTHER | {"born": date(2022, 1, 1)}, date_approximate=True
    )
    linker.send("trust-a", amina, kofi)
    linker.send("charity-c", registered)
    assert together(linker, kofi, registered)
    assert apart(linker, amina, kofi)


@pytest.mark.parametrize(
    "unsure",
    [
        {"born": date(2020, 1, 1), "date_approximate": True},
        {"born": None},
        {"born": date(2020, 3, 15)},
    ],
    ids=["guessed", "missing", "one digit wrong"],
)
def test_a_charitys_registration_without_a_sure_date_finds_a_child_who_is_known_by_number(
    linker, child, unsure
):
    """Same names, sex and postcode: a steward would join them, or at least want to see them."""
    known, registered = child("trust-a", "1", nhs=NHS[0]), child("charity-c", "1", **unsure)
    linker.send("trust-a", known)
    linker.send("charity-c", registered)
    assert found(linker, known, registered)


@pytest.mark.parametrize(
    ("one", "other"),
    [({}, {}), ({"nhs": NHS[0]}, {}), ({"nhs": NHS[0]}, {"nhs": NHS[0], "postcode": "SE24 0AA"})],
    ids=["no numbers", "one number", "one number twice, moved"],
)
def test_a_child_twice_in_one_source_under_two_ids_is_one_child(linker, child, one, other):
    a, b = child("trust-a", "1", **one), child("trust-a", "2", **other)
    linker.send("trust-a", a, b)
    assert together(linker, a, b)


def test_a_child_twice_in_one_source_under_two_numbers_is_for_a_person_to_decide(linker, child):
    a, b = child("trust-a", "1", nhs=NHS[0]), child("trust-a", "2", nhs=NHS[1])
    linker.send("trust-a", a, b)
    assert wait(linker, a, b)
