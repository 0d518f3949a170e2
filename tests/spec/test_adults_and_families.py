"""Mothers, fathers and carers across partners, and the families that they form."""

from datetime import date

import pytest

from tests.spec.cases import apart, found, one_family, separate_families, together, wait
from tests.support.people import NHS

KWAME = {"given": "Kwame", "sex": "m", "born": date(1988, 6, 1)}
KOFI = {"given": "Kofi", "sex": "m", "born": date(2022, 8, 1)}
AMA = {"given": "Ama", "born": date(2018, 8, 1)}
MENSAH = {"surname": "Mensah", "postcode": "SE24 0AA"}


def test_a_mother_who_marries_between_two_births_is_one_mother_of_one_family(
    linker, child, adult, outcomes_of_every_order
):
    maiden, married = (
        adult("trust-a", "m", nhs=NHS[7]),
        adult("council-b", "m", nhs=NHS[7], **MENSAH),
    )
    one = child("trust-a", "1", carer=(maiden, "mother"))
    two = child("council-b", "2", **KOFI, **MENSAH, carer=(married, "mother"))
    linker.send("trust-a", maiden, one)
    linker.send("council-b", married, two)
    assert together(linker, maiden, married)
    assert one_family(linker, maiden, married, one, two)
    batches = [
        ("trust-a", [maiden]),
        ("trust-a", [one]),
        ("council-b", [married]),
        ("council-b", [two]),
    ]
    assert outcomes_of_every_order(*batches) == 1


@pytest.mark.parametrize(
    "married",
    [
        {"surname": "Mensah"},
        {"surname": "Mensah", "postcode": "SW9 0AA"},
        {**MENSAH, "surname": "Okafor-Mensah"},
    ],
    ids=["same address", "next street", "hyphenated, moved"],
)
def test_a_mother_without_a_number_is_found_under_her_married_name(linker, adult, married):
    before, after = adult("trust-a", "m"), adult("council-b", "m", **married)
    linker.send("trust-a", before)
    linker.send("council-b", after)
    assert together(linker, before, after)


@pytest.fixture
def grace_twice(linker, child, adult):
    """Grace before and after she married and moved. Both partners know Amina by her number, and
    each knows another child of Grace.
    """
    amina = child("trust-a", "1", nhs=NHS[0])
    before = adult("trust-a", "m", nhs=NHS[7], parent_of=(amina, "mother"))
    after = adult("council-b", "m", **MENSAH, parent_of=(amina, "mother"))
    children = [
        child("trust-a", "1", nhs=NHS[0], carer=(before, "mother")),
        child("council-b", "1", nhs=NHS[0], carer=(after, "mother")),
        child("trust-a", "2", nhs=NHS[1], **KOFI, carer=(before, "mother")),
        child("council-b", "3", nhs=NHS[2], **AMA, carer=(after, "mother")),
    ]
    linker.send("trust-a", before, children[0], children[2])
    linker.send("council-b", after, children[1], children[3])
    return before, after, children


def test_two_mothers_of_one_child_with_one_first_name_and_birthday_are_one_woman(
    linker, grace_twice
):
    before, after, _ = grace_twice
    assert found(linker, before, after)


def test_siblings_are_one_family_although_their_mother_changed_her_name(linker, grace_twice):
    _, _, children = grace_twice
    assert one_family(linker, *children)


def test_a_father_is_one_man_to_three_partners_and_his_children_one_family(
    linker, child, adult, outcomes_of_every_order
):
    him = [adult(partner, "f", **KWAME) for partner in ("trust-a", "council-b")]
    him.append(adult("charity-c", "f", **KWAME, postcode="SE24 0AA"))
    one = child("trust-a", "1", carer=(him[0], "father"))
    two = child("council-b", "2", **KOFI, carer=(him[1], "father"))
    three = child("charity-c", "3", **AMA, carer=(him[2], "father"))
    batches = [
        ("trust-a", [him[0], one]),
        ("council-b", [him[1], two]),
        ("charity-c", [him[2], three]),
    ]
    for partner, subjects in batches:
        linker.send(partner, *subjects)
    assert together(linker, *him)
    assert one_family(linker, *him, one, two, three)
    assert outcomes_of_every_order(*batches) == 1


def test_a_grandmother_is_one_carer_to_two_partners_without_number_or_address(linker, child, adult):
    esther = {"given": "Esther", "born": date(1961, 2, 9)}
    here, there = adult("trust-a", "g", **esther), adult("charity-c", "g", **esther, postcode="")
    one = child("trust-a", "1", carer=(here, "carer"))
    two = child("charity-c", "2", **KOFI, carer=(there, "carer"))
    linker.send("trust-a", here, one)
    linker.send("charity-c", there, two)
    assert together(linker, here, there)
    assert one_family(linker, here, one, two)


@pytest.mark.parametrize(
    "other",
    [{**KWAME, "born": date(1961, 2, 9)}, {"born": KWAME["born"]}],
    ids=["his father", "his wife"],
)
def test_relatives_at_one_address_who_share_a_name_or_a_birthday_are_two(linker, adult, other):
    kwame, relative = adult("trust-a", "f", **KWAME), adult("council-b", "x", **other)
    linker.send("trust-a", kwame)
    linker.send("council-b", relative)
    assert apart(linker, kwame, relative)


def test_a_father_under_the_mothers_number_is_not_the_mother(linker, adult):
    grace, kwame = adult("trust-a", "m", nhs=NHS[7]), adult("council-b", "f", nhs=NHS[7], **KWAME)
    linker.send("trust-a", grace)
    linker.send("council-b", kwame)
    assert apart(linker, grace, kwame)
    assert wait(linker, grace, kwame)


def test_two_women_of_one_birthday_and_address_under_two_given_names_are_for_a_person_to_decide(
    linker, adult
):
    """One woman with two names, or twin sisters: the records cannot tell."""
    grace, ruth = adult("trust-a", "1"), adult("council-b", "2", given="Ruth")
    linker.send("trust-a", grace)
    linker.send("council-b", ruth)
    assert wait(linker, grace, ruth)


@pytest.mark.parametrize(
    "names",
    [
        ("Hassan", "Hussein"),
        pytest.param(
            ("Kwame", "Kwabena"),
            marks=pytest.mark.xfail(
                strict=True,
                reason=(
                    "Two given names with the same beginning count as spellings of one name,"
                    " even within a source"
                ),
            ),
        ),
    ],
)
def test_twin_brothers_whom_every_partner_knows_as_two_fathers_are_two(linker, child, adult, names):
    groups = [
        [adult(partner, name, **{**KWAME, "given": name}) for name in names]
        for partner in ("trust-a", "council-b")
    ]
    cousins = [child("trust-a", "1", carer=(groups[0][0], "father"))]
    cousins.append(child("trust-a", "2", **KOFI, carer=(groups[0][1], "father")))
    linker.send("trust-a", *groups[0], *cousins)
    linker.send("council-b", *groups[1])
    assert apart(linker, *groups[0])
    assert apart(linker, *groups[1])
    assert separate_families(linker, *cousins)
