"""Children of one birth: how many there are, and which record belongs to which child."""

from datetime import date

import pytest

from tests.spec.cases import apart, together, wait
from tests.support.people import NHS

SISTERS = ["Amina", "Zainab", "Halima"]
NEARLY_ONE_NAME = ["Amina", "Amira", "Aminah"]
BEFORE_MIDNIGHT, AFTER_MIDNIGHT = date(2020, 3, 14), date(2020, 3, 15)


def each_with_its_own(linker, *groups):
    """The first records of all groups are one child, the second records another, and so on."""
    return all(together(linker, *same) for same in zip(*groups, strict=True)) and apart(
        linker, *groups[0]
    )


def test_triplets_of_one_sex_stay_three_children_across_partners(
    linker, child, outcomes_of_every_order
):
    numbered = [child("trust-a", name, nhs=NHS[at], given=name) for at, name in enumerate(SISTERS)]
    others = [child("council-b", name, given=name) for name in SISTERS]
    linker.send("trust-a", *numbered)
    linker.send("council-b", *others)
    assert each_with_its_own(linker, numbered, others)
    assert (
        outcomes_of_every_order(("trust-a", numbered), *(("council-b", [one]) for one in others))
        == 1
    )


def test_triplets_of_nearly_one_name_stay_three_where_every_record_has_its_number(linker, child):
    groups = [
        [child(partner, name, nhs=NHS[at], given=name) for at, name in enumerate(NEARLY_ONE_NAME)]
        for partner in ("trust-a", "council-b")
    ]
    linker.send("trust-a", *groups[0])
    linker.send("council-b", *groups[1])
    assert each_with_its_own(linker, *groups)


def test_triplets_of_nearly_one_name_are_told_apart_by_their_order_of_birth(linker, child):
    groups = [
        [
            child(partner, name, birth_order=at, given=name)
            for at, name in enumerate(NEARLY_ONE_NAME, start=1)
        ]
        for partner in ("trust-a", "council-b")
    ]
    linker.send("trust-a", *groups[0])
    linker.send("council-b", *groups[1])
    assert each_with_its_own(linker, *groups)


@pytest.mark.xfail(
    strict=True,
    reason=(
        "Ingest writes Amina and Aminah as one name. The council's two records are therefore"
        " equal in every field (+7.7 bits within one source) and are joined with each other,"
        " although the trust has two numbered children who fit each of them. Those two"
        " children are held back as rivals of the council's records, but nothing keeps the"
        " council's two records apart"
    ),
)
def test_triplets_of_nearly_one_name_are_never_fewer_than_three(linker, child):
    numbered = [
        child("trust-a", name, nhs=NHS[at], given=name) for at, name in enumerate(NEARLY_ONE_NAME)
    ]
    others = [child("council-b", name, given=name) for name in NEARLY_ONE_NAME]
    linker.send("trust-a", *numbered)
    linker.send("council-b", *others)
    assert apart(linker, *numbered)
    assert apart(linker, *others)


@pytest.mark.parametrize("names", [SISTERS, ["Amina", "Amira", "Halima"]])
def test_a_triplets_record_under_its_sisters_number_stays_with_the_child_it_names(
    linker, child, names
):
    known = [child("trust-a", name, nhs=NHS[at], given=name) for at, name in enumerate(names)]
    # The second child carries the first child's number.
    elsewhere = [
        child("council-b", name, nhs=NHS[at], given=name)
        for name, at in zip(names, (0, 0, 2), strict=True)
    ]
    linker.send("trust-a", *known)
    linker.send("council-b", *elsewhere)
    assert each_with_its_own(linker, known, elsewhere)


def test_a_single_record_under_the_co_twins_number_does_not_go_to_the_child_it_does_not_name(
    linker, child
):
    twins = {
        partner: [
            child(partner, name, nhs=NHS[at], given=name)
            for at, name in enumerate(["Amina", "Zainab"])
        ]
        for partner in ("trust-a", "charity-c")
    }
    wrongly_numbered = child("council-b", "2", nhs=NHS[0], given="Zainab")
    for partner, both in twins.items():
        linker.send(partner, *both)
    linker.send("council-b", wrongly_numbered)
    assert each_with_its_own(linker, *twins.values())
    assert not together(linker, twins["trust-a"][0], wrongly_numbered)


@pytest.mark.parametrize("names", [["Amina", "Amira"], ["Hassan", "Hussein"]])
def test_twins_of_nearly_one_name_without_any_number_are_two_children_at_three_partners(
    linker, child, names, outcomes_of_every_order
):
    groups = {
        partner: [child(partner, name, given=name) for name in names]
        for partner in ("trust-a", "council-b", "charity-c")
    }
    for partner, both in groups.items():
        linker.send(partner, *both)
    assert each_with_its_own(linker, *groups.values())
    assert outcomes_of_every_order(*groups.items()) == 1


def test_hassan_at_one_partner_and_hussein_at_another_are_for_a_person_to_decide(linker, child):
    hassan, hussein = (
        child("trust-a", "1", given="Hassan", sex="m"),
        child("council-b", "2", given="Hussein", sex="m"),
    )
    linker.send("trust-a", hassan)
    linker.send("council-b", hussein)
    assert wait(linker, hassan, hussein)


def test_a_twin_of_whom_one_partner_knows_the_other_too_is_found_by_its_own_name(linker, child):
    """For example, the other twin died, and later sources do not know him."""
    hassan = child("trust-a", "1", nhs=NHS[0], given="Hassan", sex="m")
    hussein = child("trust-a", "2", nhs=NHS[1], given="Hussein", sex="m")
    survivor = child("council-b", "1", given="Hussein", sex="m")
    linker.send("trust-a", hassan, hussein)
    linker.send("council-b", survivor)
    assert together(linker, hussein, survivor)
    assert apart(linker, hassan, survivor)


def test_twins_of_two_sexes_and_nearly_one_name_stay_apart(linker, child):
    oliver, olivia = (
        child("trust-a", "1", given="Oliver", sex="m"),
        child("council-b", "1", given="Olivia"),
    )
    linker.send("trust-a", oliver)
    linker.send("council-b", olivia)
    assert apart(linker, oliver, olivia)


@pytest.mark.parametrize("names", [["Amina", "Zainab"], ["Amina", "Amira"]])
def test_twins_born_on_either_side_of_midnight_are_two_children(linker, child, names):
    days = [BEFORE_MIDNIGHT, AFTER_MIDNIGHT]
    groups = [
        [child(partner, name, given=name, born=day) for name, day in zip(names, days, strict=True)]
        for partner in ("trust-a", "council-b")
    ]
    linker.send("trust-a", *groups[0])
    linker.send("council-b", *groups[1])
    assert each_with_its_own(linker, *groups)
