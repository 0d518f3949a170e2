"""What other people's files hold: known-as names, parts of dates, ids of forms, swapped names, and
parents without a number.
"""

from datetime import date

import pytest

from tests.spec.cases import apart, found, together, wait
from tests.support.people import NHS

ELSEWHERE = "SE24 0AA"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"given": "Katarzyna", "known_as": "Kasia"}, {"given": "Kasia"}),
        ({"given": "Oluwatobi Amina"}, {"given": "Amina"}),
        ({"given": "Paa Kwesi Kofi"}, {"given": "Kofi"}),
        ({"given": "William", "sex": "m"}, {"given": "Billy", "sex": "m"}),
        ({"given": "Muhammad Yusuf", "sex": "m"}, {"given": "Yusuf", "sex": "m"}),
        ({"given": "Amina"}, {"given": "Okafor", "surname": "Amina"}),
        ({"surname": "Okafor-Smith"}, {"surname": "Okafor"}),
    ],
    ids=["known as", "second name", "third name", "nickname", "prefix", "swapped", "half"],
)
@pytest.mark.parametrize("postcode", ["SW9 8JJ", ELSEWHERE], ids=["same address", "moved"])
def test_a_child_under_another_of_its_names_is_one_child(linker, child, one, other, postcode):
    a, b = child("trust-a", "1", **one), child("charity-c", "1", **other, postcode=postcode)
    linker.send("trust-a", a)
    linker.send("charity-c", b)
    assert found(linker, a, b)
    if postcode == "SW9 8JJ":
        assert together(linker, a, b)


def test_who_has_no_other_name_does_not_show_it(partnership, child):
    """Every record with a given name carries the same segments."""
    records = partnership.encoded_batch(
        "trust-a",
        [child("trust-a", "1", given="Amina"), child("trust-a", "2", given="Anne Rose Marie")],
    ).records
    assert [item.present for item in records[0].passes] == [
        item.present for item in records[1].passes
    ]


def test_brothers_who_share_a_first_name_that_many_carry_are_two(linker, child):
    brothers = [
        child(partner, name, given=f"Mohammed {name}", sex="m")
        for partner, name in (("trust-a", "Yusuf"), ("council-b", "Ibrahim"))
    ]
    linker.send("trust-a", brothers[0])
    linker.send("council-b", brothers[1])
    assert apart(linker, *brothers)


@pytest.mark.parametrize("precision", ["month", "year"])
def test_a_child_of_whom_a_charity_knows_a_part_of_the_date_is_found_at_its_address(
    linker, child, precision
):
    known = child("trust-a", "1", nhs=NHS[0])
    begun = date(2020, 3, 1) if precision == "month" else date(2020, 1, 1)
    partly = child("charity-c", "1", born=begun, date_precision=precision)
    linker.send("trust-a", known)
    linker.send("charity-c", partly)
    assert together(linker, known, partly)


def test_a_part_of_a_date_that_differs_keeps_a_younger_namesake_apart(linker, child):
    known = child("trust-a", "1", nhs=NHS[0])
    younger = child("charity-c", "1", born=date(2023, 1, 1), date_precision="year")
    linker.send("trust-a", known)
    linker.send("charity-c", younger)
    assert apart(linker, known, younger)


@pytest.mark.parametrize("one_id_each", [True, False], ids=["ids of people", "ids of forms"])
def test_a_child_on_two_forms_of_a_charity_is_one_child(linker, child, one_id_each):
    """One form has a slip in the surname, and the family moved between the two."""
    first = child("charity-c", "form 1", one_id_each=one_id_each)
    second = child(
        "charity-c", "form 2", surname="Okafer", postcode=ELSEWHERE, one_id_each=one_id_each
    )
    linker.send("charity-c", first, second)
    assert together(linker, first, second) != one_id_each


@pytest.mark.parametrize("relation", ["mother", "father"])
def test_a_parent_without_date_or_number_who_moved_is_found_by_the_child(
    linker, child, adult, relation
):
    kid = child("trust-a", "1", nhs=NHS[0])
    here = adult("trust-a", "p", nhs=NHS[7], parent_of=(kid, relation))
    there = adult("charity-c", "p", born=None, postcode=ELSEWHERE, parent_of=(kid, relation))
    linker.send("trust-a", here)
    linker.send("charity-c", there)
    assert together(linker, here, there)


def test_a_mother_and_a_father_of_one_child_are_two(linker, child, adult):
    kid = child("trust-a", "1", nhs=NHS[0])
    mother = adult("trust-a", "m", parent_of=(kid, "mother"))
    father = adult("charity-c", "f", given="Kwame", born=None, sex="", parent_of=(kid, "father"))
    linker.send("trust-a", mother)
    linker.send("charity-c", father)
    assert apart(linker, mother, father)


@pytest.mark.parametrize("sources", [1, 2, 3])
def test_different_given_names_are_never_made_equal_by_the_lack_of_a_twin(linker, child, sources):
    """Each source may hold one twin. However many know Amina, Zainab is for a person to decide."""
    amina = [child(partner, "1") for partner in ("trust-a", "council-b", "gp-d")[:sources]]
    zainab = child("charity-c", "1", given="Zainab")
    for subject, partner in zip(amina, ("trust-a", "council-b", "gp-d"), strict=False):
        if partner != "gp-d":
            linker.send(partner, subject)
    linker.send("charity-c", zainab)
    assert apart(linker, amina[0], zainab)


def test_weaker_evidence_is_enough_if_no_other_record_fits(linker, child):
    """Two slips in the given name. Names, date, sex and address are all there is."""
    a = child("trust-a", "1", given="Samuel", sex="m")
    b = child("charity-c", "1", given="Smauel", sex="m")
    linker.send("trust-a", a)
    linker.send("charity-c", b)
    assert together(linker, a, b)


def test_a_record_that_fits_either_of_two_twins_waits(linker, child):
    twins = [
        child("trust-a", str(n), given=given, sex="m", nhs=NHS[n])
        for n, given in enumerate(("Samuel", "Samson"))
    ]
    b = child("charity-c", "1", given="Smsule", sex="m")
    linker.send("trust-a", *twins)
    linker.send("charity-c", b)
    assert apart(linker, *twins)
    assert not together(linker, twins[0], b)
    assert not together(linker, twins[1], b)


def test_two_different_numbers_wait_even_if_no_other_record_fits(linker, child):
    a, b = (
        child("trust-a", "1", nhs=NHS[0]),
        child("council-b", "1", nhs=NHS[1], postcode=ELSEWHERE),
    )
    linker.send("trust-a", a)
    linker.send("council-b", b)
    assert wait(linker, a, b)


@pytest.mark.parametrize("untraced", [False, True], ids=["traced", "not traced"])
def test_a_number_that_its_source_has_not_traced_counts_half_against_a_match(
    linker, child, untraced
):
    """The same child at two addresses, under two numbers. The charity typed its number."""
    a = child("trust-a", "1", nhs=NHS[0])
    b = child("charity-c", "1", nhs=NHS[1], postcode=ELSEWHERE, number_untraced=untraced)
    linker.send("trust-a", a)
    linker.send("charity-c", b)
    assert together(linker, a, b) == untraced
    assert wait(linker, a, b) != untraced


def test_an_equal_number_counts_in_full_whether_it_was_traced_or_not(linker, child):
    a = child("trust-a", "1", nhs=NHS[0], given="", surname="")
    b = child("charity-c", "1", nhs=NHS[0], given="", surname="", number_untraced=True)
    linker.send("trust-a", a)
    linker.send("charity-c", b)
    assert together(linker, a, b)
