"""Newborns without a name, children who died, and children of one mother: which records are one
child and which are not.
"""

from datetime import date

import pytest

from tests.spec.cases import apart, one_family, together, wait
from tests.support.people import NHS

BORN = date(2020, 3, 14)


@pytest.fixture
def grace(linker, adult):
    """Grace as the trust and the council record her."""
    of = {partner: adult(partner, "grace", nhs=NHS[7]) for partner in ("trust-a", "council-b")}
    for partner, her in of.items():
        linker.send(partner, her)
    return {partner: (her, "mother") for partner, her in of.items()}


def test_an_infant_found_through_its_mother_stays_the_same_child_when_it_is_named(
    linker, child, grace
):
    infant = child("trust-a", "1", given="INFANT OF GRACE", carer=grace["trust-a"])
    # By then the family has moved, and the child has its father's name.
    later = {"surname": "Mensah", "postcode": "SE24 0AA"}
    toddler = child("council-b", "1", **later, carer=grace["council-b"])
    linker.send("trust-a", infant)
    linker.send("council-b", toddler)
    assert together(linker, infant, toddler)
    before = linker.persons(infant)
    linker.send("trust-a", child("trust-a", "1", **later, carer=grace["trust-a"]))
    assert linker.persons(infant, toddler) == before * 2


def test_an_infant_of_whom_only_the_mother_and_the_day_are_known_is_found(linker, child, grace):
    infant = child("trust-a", "1", given="BABY", postcode="", carer=grace["trust-a"])
    toddler = child("council-b", "1", surname="Mensah", carer=grace["council-b"])
    linker.send("trust-a", infant)
    linker.send("council-b", toddler)
    assert together(linker, infant, toddler)


def test_newborn_twins_find_their_names_by_order_of_birth(
    linker, child, grace, outcomes_of_every_order
):
    newborn = [
        child("trust-a", str(n), given=f"TWIN {n}", birth_order=n, carer=grace["trust-a"])
        for n in (1, 2)
    ]
    named = [
        child("council-b", name, given=name, birth_order=n, carer=grace["council-b"])
        for n, name in enumerate(["Amina", "Zainab"], start=1)
    ]
    linker.send("trust-a", *newborn)
    linker.send("council-b", *named)
    assert apart(linker, *newborn)
    assert all(together(linker, *pair) for pair in zip(newborn, named, strict=True))
    batches = [("trust-a", [grace["trust-a"][0], one]) for one in newborn]
    batches += [("council-b", [grace["council-b"][0], one]) for one in named]
    assert outcomes_of_every_order(*batches) == 1


def test_newborn_twins_find_their_names_by_their_sex(linker, child, grace):
    boy, girl = (
        child("trust-a", str(n), given=f"TWIN {n}", birth_order=n, sex=sex, carer=grace["trust-a"])
        for n, sex in ((1, "m"), (2, "f"))
    )
    amina = child("council-b", "1", carer=grace["council-b"])
    adam = child("council-b", "2", given="Adam", sex="m", carer=grace["council-b"])
    linker.send("trust-a", boy, girl)
    linker.send("council-b", amina, adam)
    assert together(linker, girl, amina)
    assert together(linker, boy, adam)
    assert apart(linker, boy, girl)


def test_newborn_twins_whose_names_nothing_tells_wait_until_they_are_named(linker, child, grace):
    def twin(number, given):
        return child(
            "trust-a", str(number), given=given, birth_order=number, carer=grace["trust-a"]
        )

    one, two = twin(1, "TWIN 1"), twin(2, "TWIN 2")
    amina = child("council-b", "1", carer=grace["council-b"])
    zainab = child("council-b", "2", given="Zainab", carer=grace["council-b"])
    linker.send("trust-a", one, two)
    linker.send("council-b", amina, zainab)
    assert apart(linker, one, two, amina, zainab)
    assert all(wait(linker, newborn, named) for newborn in (one, two) for named in (amina, zainab))
    linker.send("trust-a", twin(1, "Zainab"), twin(2, "Amina"))
    assert together(linker, one, zainab)
    assert together(linker, two, amina)


def test_one_twin_without_a_name_is_not_guessed_where_a_partner_knows_one_child_only(
    linker, child, grace
):
    twins = [
        child("trust-a", str(n), given=f"TWIN {n}", birth_order=n, carer=grace["trust-a"])
        for n in (1, 2)
    ]
    amina = child("council-b", "1", carer=grace["council-b"])
    linker.send("trust-a", *twins)
    linker.send("council-b", amina)
    assert apart(linker, *twins, amina)
    assert all(wait(linker, twin, amina) for twin in twins)


def test_babies_of_two_mothers_born_on_one_day_at_one_address_stay_apart(
    linker, child, adult, grace
):
    """A hostel or temporary accommodation. All names and numbers of the mothers differ."""
    ruth = adult("trust-a", "ruth", nhs=NHS[6], given="Ruth", surname="Ali", born=date(1993, 1, 1))
    hers = child("trust-a", "2", given="BABY", surname="Ali", carer=(ruth, "mother"))
    other = child("council-b", "1", carer=grace["council-b"])
    linker.send("trust-a", ruth, hers)
    linker.send("council-b", other)
    assert apart(linker, hers, other)


@pytest.mark.parametrize("number", [NHS[1], ""])
def test_a_stillborn_child_and_a_later_sibling_are_two(linker, child, grace, number):
    later = date(2021, 5, 2)
    stillborn = child("trust-a", "1", given="BABY", carer=grace["trust-a"])
    sibling = child("trust-a", "2", nhs=number, born=later, carer=grace["trust-a"])
    sibling_b = child("council-b", "2", born=later, carer=grace["council-b"])
    linker.send("trust-a", stillborn, sibling)
    linker.send("council-b", sibling_b)
    assert together(linker, sibling, sibling_b)
    assert apart(linker, stillborn, sibling)
    assert one_family(linker, stillborn, sibling)


@pytest.mark.parametrize("orders", [(1, 2), (None, None)])
def test_a_stillborn_twin_is_not_the_surviving_one(linker, child, grace, orders):
    stillborn = child("trust-a", "1", given="BABY", birth_order=orders[0], carer=grace["trust-a"])
    survivor = child(
        "trust-a", "2", given="Layla", birth_order=orders[1], nhs=NHS[1], carer=grace["trust-a"]
    )
    survivor_b = child("council-b", "2", given="Layla", carer=grace["council-b"])
    linker.send("trust-a", stillborn, survivor)
    linker.send("council-b", survivor_b)
    assert together(linker, survivor, survivor_b)
    assert apart(linker, stillborn, survivor)


@pytest.mark.parametrize("numbers", [(NHS[0], NHS[1]), ("", "")])
def test_a_later_sibling_under_a_dead_childs_name_is_another_child(
    linker, child, grace, numbers, outcomes_of_every_order
):
    days = [BORN, date(2021, 11, 2)]
    first, later = (
        [
            child(partner, str(day), nhs=number, born=day, carer=grace[partner])
            for partner, number in (("trust-a", number), ("council-b", ""))
        ]
        for day, number in zip(days, numbers, strict=True)
    )
    linker.send("trust-a", first[0], later[0])
    linker.send("council-b", first[1], later[1])
    assert together(linker, *first)
    assert together(linker, *later)
    assert apart(linker, first[0], later[0])
    assert one_family(linker, *first, *later)
    batches = [
        (partner, [grace[partner][0], one])
        for both in (first, later)
        for partner, one in zip(grace, both, strict=True)
    ]
    assert outcomes_of_every_order(*batches) == 1


def test_two_siblings_of_one_name_known_to_one_partner_each_are_two(linker, child):
    first, later = child("trust-a", "1"), child("council-b", "2", born=date(2021, 11, 2))
    linker.send("trust-a", first)
    linker.send("council-b", later)
    assert apart(linker, first, later)


@pytest.mark.parametrize("names", [("BABY", "BABY"), ("Amina", "Zainab")])
def test_two_births_of_one_mother_four_months_apart_are_two_children(linker, child, grace, names):
    """One of the dates, or one of the mothers, is wrong. Linkage still works."""
    earlier = child("trust-a", "1", given=names[0], carer=grace["trust-a"])
    soon = {"given": names[1], "born": date(2020, 7, 20)}
    later = [child(partner, "2", **soon, carer=grace[partner]) for partner in grace]
    linker.send("trust-a", earlier, later[0])
    linker.send("council-b", later[1])
    assert together(linker, *later)
    assert apart(linker, earlier, later[0])
    assert one_family(linker, earlier, *later)


def test_a_second_twin_without_a_name_is_not_guessed_to_be_the_only_named_child(
    linker, child, grace
):
    """The first twin's record has not arrived. A guess would be wrong half of the time."""
    second = child("trust-a", "2", given="TWIN 2", birth_order=2, carer=grace["trust-a"])
    amina = child("council-b", "1", carer=grace["council-b"])
    linker.send("trust-a", second)
    linker.send("council-b", amina)
    assert wait(linker, second, amina)


def test_a_twin_without_a_name_is_found_once_its_co_twin_has_found_its_own(linker, child, grace):
    first, second = (
        child("trust-a", str(n), given=f"TWIN {n}", birth_order=n, nhs=nhs, carer=grace["trust-a"])
        for n, nhs in ((1, NHS[0]), (2, ""))
    )
    amina = child("council-b", "1", nhs=NHS[0], carer=grace["council-b"])
    zainab = child("council-b", "2", given="Zainab", carer=grace["council-b"])
    linker.send("trust-a", first, second)
    linker.send("council-b", amina, zainab)
    assert together(linker, first, amina)
    assert together(linker, second, zainab)
