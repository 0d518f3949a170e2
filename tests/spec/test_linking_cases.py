"""Named linkage cases, each a worked example: which records are one child, which are not, and which
a steward must decide.
"""

from datetime import date

import pytest

from tests.support.people import NHS

BORN = date(2020, 3, 14)


@pytest.fixture
def mother(partnership):
    def make(partner, person_id, **who):
        defaults = {
            "given": "Grace",
            "surname": "Okafor",
            "born": date(1990, 5, 2),
            "sex": "f",
            "postcode": "SW9 8JJ",
        }
        return partnership.subject(partner, person_id, "adult", **{**defaults, **who})

    return make


def together(linker, *subjects):
    persons = linker.persons(*subjects)
    return None not in persons and len(set(persons)) == 1


def test_the_same_number_and_names_are_one_child(linker, child):
    a, b = child("trust-a", "1", nhs=NHS[0]), child("council-b", "1", nhs=NHS[0])
    linker.send("trust-a", a)
    linker.send("council-b", b)
    assert together(linker, a, b)


def test_without_a_number_names_and_date_of_birth_link(linker, child):
    a, b = child("trust-a", "1", nhs=NHS[0]), child("council-b", "1", postcode="SE24 0AA")
    linker.send("trust-a", a)
    linker.send("council-b", b)
    assert together(linker, a, b)


def test_a_misspelt_name_still_links(linker, child):
    a, b = child("trust-a", "1"), child("council-b", "1", given="Aminah", surname="Okafour")
    linker.send("trust-a", a)
    linker.send("council-b", b)
    assert together(linker, a, b)


def test_different_children_born_on_one_day_stay_apart(linker, child):
    a, b = child("trust-a", "1"), child("council-b", "1", given="Oliver", surname="Smith", sex="m")
    linker.send("trust-a", a)
    linker.send("council-b", b)
    assert not together(linker, a, b)


def test_twins_stay_apart_across_partners(linker, child):
    one, two = child("trust-a", "1", nhs=NHS[0]), child("trust-a", "2", nhs=NHS[1], given="Zainab")
    one_b, two_b = child("council-b", "1"), child("council-b", "2", given="Zainab")
    linker.send("trust-a", one, two)
    linker.send("council-b", one_b, two_b)
    assert together(linker, one, one_b)
    assert together(linker, two, two_b)
    assert not together(linker, one, two)


def test_newborn_twins_without_names_are_told_apart_by_their_order_of_birth(linker, child, mother):
    grace = mother("trust-a", "m", nhs=NHS[7])
    one = child("trust-a", "1", given="TWIN 1", birth_order=1, carer=(grace, "mother"))
    two = child("trust-a", "2", given="TWIN 2", birth_order=2, carer=(grace, "mother"))
    linker.send("trust-a", grace, one, two)
    assert not together(linker, one, two)


def test_a_newborn_without_a_name_is_found_by_its_number(linker, child):
    baby, toddler = (
        child("trust-a", "1", given="BABY", nhs=NHS[0]),
        child("council-b", "1", nhs=NHS[0]),
    )
    linker.send("trust-a", baby)
    linker.send("council-b", toddler)
    assert together(linker, baby, toddler)


def test_a_newborn_without_name_or_number_is_found_through_the_mother(linker, child, mother):
    grace_a, grace_b = mother("trust-a", "m", nhs=NHS[7]), mother("council-b", "m", nhs=NHS[7])
    baby = child("trust-a", "1", given="BABY", carer=(grace_a, "mother"))
    toddler = child("council-b", "1", carer=(grace_b, "mother"))
    linker.send("trust-a", grace_a, baby)
    linker.send("council-b", grace_b, toddler)
    assert together(linker, baby, toddler)


def test_siblings_stay_apart(linker, child):
    older = child("trust-a", "1", nhs=NHS[0])
    younger = child("council-b", "2", nhs=NHS[1], given="Amara", born=date(2022, 8, 1))
    linker.send("trust-a", older)
    linker.send("council-b", younger)
    assert not together(linker, older, younger)


def test_a_number_alone_does_not_glue_two_children_when_all_else_disagrees(linker, child):
    a = child("trust-a", "1", nhs=NHS[0])
    b = child(
        "council-b",
        "1",
        nhs=NHS[0],
        given="Oliver",
        surname="Smith",
        sex="m",
        born=date(2018, 1, 9),
        postcode="",
    )
    linker.send("trust-a", a)
    linker.send("council-b", b)
    assert not together(linker, a, b)


def test_two_children_of_one_name_and_birthday_stay_apart_when_two_partners_know_each_by_a_number(
    linker, child
):
    first = [child("trust-a", "1", nhs=NHS[0]), child("council-b", "1", nhs=NHS[0])]
    second = [
        child("trust-a", "2", nhs=NHS[1], postcode="SE24 0AA"),
        child("council-b", "2", nhs=NHS[1], postcode="SE24 0AA"),
    ]
    # The record fits both children well. It must not become a bridge between them.
    unnumbered = child("charity-c", "9", postcode="SW9 8JJ")
    linker.send("trust-a", first[0], second[0])
    linker.send("council-b", first[1], second[1])
    linker.send("charity-c", unnumbered)
    assert together(linker, *first)
    assert together(linker, *second)
    assert not together(linker, first[0], second[0])


def test_one_child_under_a_mistyped_number_at_one_partner_is_still_one_child(linker, child):
    a, b = child("trust-a", "1", nhs=NHS[0]), child("council-b", "1", nhs=NHS[0])
    mistyped = child("charity-c", "1", nhs=NHS[1])
    linker.send("trust-a", a)
    linker.send("council-b", b)
    linker.send("charity-c", mistyped)
    assert together(linker, a, b, mistyped)


def test_another_number_and_another_address_are_for_a_person_to_decide(linker, child):
    a, b = child("trust-a", "1", nhs=NHS[0]), child("council-b", "1", nhs=NHS[0])
    namesake = child("charity-c", "1", nhs=NHS[1], postcode="SE24 0AA")
    linker.send("trust-a", a)
    linker.send("council-b", b)
    linker.send("charity-c", namesake)
    assert together(linker, a, b)
    assert not together(linker, a, namesake)
    assert linker.review_pairs()


def test_twins_of_whom_one_source_gives_both_the_same_number_stay_apart(linker, child):
    a, b = (
        child("trust-a", "1", nhs=NHS[0], given="Isaac", sex="m"),
        child("trust-a", "2", nhs=NHS[0], given="Leo", sex="m"),
    )
    elsewhere = child("council-b", "1", nhs=NHS[0], given="Isaac", sex="m")
    linker.send("trust-a", a, b)
    linker.send("council-b", elsewhere)
    assert not together(linker, a, b)
    assert together(linker, a, elsewhere)


def test_a_newborns_record_without_names_does_not_bring_the_twin_in(linker, child, mother):
    mum = mother("trust-a", "M", nhs=NHS[4])
    newborn = child("trust-a", "1", given="Baby", nhs=NHS[0], carer=(mum, "mother"))
    named = child("council-b", "1", given="Amelie", nhs=NHS[0])
    her = mother("charity-c", "M", nhs=NHS[4])
    twin = child("charity-c", "2", given="Layla", carer=(her, "mother"))
    linker.send("trust-a", mum, newborn)
    linker.send("council-b", named)
    linker.send("charity-c", her, twin)
    assert together(linker, newborn, named)
    assert not together(linker, newborn, twin)


def test_a_number_that_comes_late_joins_the_records(linker, child):
    a = child("trust-a", "1", nhs=NHS[0])
    early = child("council-b", "1", given="", postcode="SE24 0AA", surname="Adeyemi")
    linker.send("trust-a", a)
    linker.send("council-b", early)
    assert not together(linker, a, early)
    linker.send(
        "council-b",
        child("council-b", "1", nhs=NHS[0], given="", postcode="SE24 0AA", surname="Adeyemi"),
    )
    assert together(linker, a, early)


def test_a_charitys_registration_without_a_number_and_with_a_guessed_date_finds_the_child(
    linker, child
):
    a, b = (
        child("trust-a", "1"),
        child("charity-c", "1", born=date(2020, 1, 1), date_approximate=True),
    )
    linker.send("trust-a", a)
    linker.send("charity-c", b)
    assert together(linker, a, b)


def test_a_birthday_that_a_source_writes_where_it_does_not_know_tells_less(linker, child):
    certain = [
        child("trust-a", "1", postcode=""),
        child("council-b", "1", postcode="", given="Amena"),
    ]
    guess = {"born": date(2020, 1, 1), "date_approximate": True, "postcode": "", "surname": "Smith"}
    guessed = [
        child("trust-a", "2", **guess),
        child("council-b", "2", **{**guess, "given": "Amena"}),
    ]
    linker.send("trust-a", certain[0], guessed[0])
    linker.send("council-b", certain[1], guessed[1])
    assert together(linker, *certain)
    assert not together(linker, *guessed)


def test_a_corrected_record_leaves_the_person_it_was_wrongly_linked_to(linker, child):
    a, b = child("trust-a", "1", nhs=NHS[0]), child("council-b", "1", nhs=NHS[0])
    linker.send("trust-a", a)
    linker.send("council-b", b)
    assert together(linker, a, b)
    [before] = linker.persons(a)
    linker.send(
        "council-b",
        child("council-b", "1", nhs=NHS[1], given="Oliver", surname="Smith", born=date(2019, 7, 7)),
    )
    assert not together(linker, a, b)
    assert linker.persons(a) == [before], "the identifier stays with most of the person's records"


def test_a_child_twice_in_one_source_is_one_child(linker, child):
    a, b = child("trust-a", "1", nhs=NHS[0]), child("trust-a", "2", nhs=NHS[0])
    linker.send("trust-a", a, b)
    assert together(linker, a, b)


def test_a_child_and_an_adult_are_never_one_person(linker, child, partnership):
    a = child("trust-a", "1", nhs=NHS[0])
    adult = partnership.subject(
        "trust-a",
        "1",
        "adult",
        nhs=NHS[0],
        given="Amina",
        surname="Okafor",
        born=BORN,
        sex="f",
        postcode="SW9 8JJ",
    )
    linker.send("trust-a", a, adult)
    assert not together(linker, a, adult)


def test_one_partners_records_of_one_person_in_two_datasets_are_one_child(linker, child):
    in_one = child(
        "trust-a", "1", dataset="maternity", given="BABY", surname="Adeyemi", postcode=""
    )
    in_two = child("trust-a", "1", dataset="asq3", born=date(2020, 4, 1))
    linker.send("trust-a", in_one)
    linker.send("trust-a", in_two)
    assert together(linker, in_one, in_two)


def test_withdrawing_a_subject_forgets_it_and_splits_those_it_held_together(linker, child):
    a = child("trust-a", "1", nhs=NHS[0], given="", surname="Adeyemi")
    bridge = child("trust-a", "2", nhs=NHS[0], dataset="other")
    b = child("council-b", "1", postcode="SE24 0AA")
    linker.send("trust-a", a, bridge)
    linker.send("council-b", b)
    assert together(linker, bridge, b)
    linker.send("trust-a", withdrawn=[bridge.link_reference])
    assert linker.persons(bridge) == [None]
    assert not together(linker, a, b)


def test_mother_father_and_children_are_one_family(linker, child, mother):
    grace, dad = (
        mother("trust-a", "m"),
        mother("trust-a", "f", given="Kwame", sex="m", born=date(1988, 1, 1)),
    )
    one = child("trust-a", "1", carer=(grace, "mother"))
    two = child("trust-a", "2", given="Kofi", born=date(2022, 8, 1), carer=(grace, "mother"))
    two_b = child("council-b", "2", given="Kofi", born=date(2022, 8, 1), carer=None)
    linker.send("trust-a", grace, dad, one, two)
    linker.send("trust-a", child("trust-a", "1", carer=(dad, "father"), dataset="attendance"))
    linker.send("council-b", two_b)
    families = linker.families(grace, dad, one, two, two_b)
    assert len(set(families)) == 1
    assert None not in families


def test_a_professional_on_many_rows_glues_no_families(linker, child, mother):
    worker = mother("trust-a", "w")
    children = [
        child(
            "trust-a",
            str(n),
            given=f"Child{chr(97 + n)}",
            surname=f"Name{chr(97 + n)}",
            born=date(2020, 1, n + 1),
            carer=(worker, "carer"),
        )
        for n in range(20)
    ]
    linker.send("trust-a", worker, *children)
    assert len(set(linker.families(*children))) == 20


def test_a_family_keeps_its_identifier_when_its_mother_is_found_to_be_one_person(
    linker, child, mother
):
    grace = mother("trust-a", "m", nhs=NHS[7])
    one = child("trust-a", "1", carer=(grace, "mother"))
    linker.send("trust-a", grace, one)
    [before] = linker.families(one)
    grace_b = mother("council-b", "m", nhs=NHS[7])
    two = child("council-b", "2", given="Kofi", born=date(2022, 8, 1), carer=(grace_b, "mother"))
    linker.send("council-b", grace_b, two)
    assert linker.families(one, two) == [before, before]
