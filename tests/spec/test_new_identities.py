"""Adoption, a changed gender marker, protected records: evidence alone never joins the old and the
new identity.

In each case, the NHS gives the child a new number and does not disclose that both numbers belong to
one child. The linker must not disclose it either.
"""

from datetime import date

import pytest

from tests.spec.cases import apart, one_family, separate_families, together
from tests.support.people import NHS

TAYLOR = {"surname": "Taylor", "postcode": "BR1 1AA"}


@pytest.fixture
def grace(linker, adult):
    """The mother, as the trust records her."""
    her = adult("trust-a", "grace", nhs=NHS[7])
    linker.send("trust-a", her)
    return her


@pytest.fixture
def kate(linker, adult):
    """Another mother, as the council records her."""
    her = adult("council-b", "kate", nhs=NHS[6], given="Kate", born=date(1984, 9, 9), **TAYLOR)
    linker.send("council-b", her)
    return her


@pytest.mark.parametrize("given", ["Emily", "Amina"])
def test_an_adopted_childs_two_identities_and_families_stay_apart(
    linker, child, grace, kate, given
):
    before = child("trust-a", "1", nhs=NHS[0], carer=(grace, "mother"))
    after = child("council-b", "9", nhs=NHS[1], given=given, **TAYLOR, carer=(kate, "mother"))
    linker.send("trust-a", before)
    linker.send("council-b", after)
    assert apart(linker, before, after)
    assert separate_families(linker, before, after)
    assert one_family(linker, kate, after)


def test_a_child_adopted_by_those_it_was_fostered_with_keeps_its_two_identities_apart(
    linker, child, adult, grace
):
    """The address and the given name stay the same."""
    kate = adult(
        "council-b", "kate", nhs=NHS[6], given="Kate", surname="Taylor", born=date(1984, 9, 9)
    )
    before = child("trust-a", "1", nhs=NHS[0], carer=(grace, "mother"))
    after = child("council-b", "9", nhs=NHS[1], surname="Taylor", carer=(kate, "mother"))
    linker.send("trust-a", before)
    linker.send("council-b", kate, after)
    assert apart(linker, before, after)
    assert separate_families(linker, before, after)


def test_a_record_that_goes_over_to_the_new_identity_leaves_the_old_one_and_its_family(
    linker, child, adult, grace
):
    old = child("trust-a", "1", nhs=NHS[0], carer=(grace, "mother"))
    grace_b = adult("council-b", "grace", nhs=NHS[7])
    old_b = child("council-b", "1", nhs=NHS[0], carer=(grace_b, "mother"))
    linker.send("trust-a", old)
    linker.send("council-b", grace_b, old_b)
    assert together(linker, old, old_b)
    kate = adult("trust-a", "kate", nhs=NHS[6], given="Kate", born=date(1984, 9, 9), **TAYLOR)
    new = child("trust-a", "1", nhs=NHS[1], given="Emily", **TAYLOR, carer=(kate, "mother"))
    linker.send("trust-a", kate, new)
    assert apart(linker, new, old_b)
    assert one_family(linker, new, kate)
    assert one_family(linker, old_b, grace)
    assert separate_families(linker, new, old_b)


@pytest.mark.parametrize(("old", "new"), [("Amina", "Adam"), ("Amina", "Amin"), ("Sam", "Sam")])
def test_another_gender_marker_with_another_number_is_another_person(
    linker, child, adult, grace, old, new
):
    """The mother, the address and the surname stay the same, so the two look like twins."""
    grace_b = adult("council-b", "grace", nhs=NHS[7])
    before = child("trust-a", "1", nhs=NHS[0], given=old, sex="f", carer=(grace, "mother"))
    after = child("council-b", "1", nhs=NHS[1], given=new, sex="m", carer=(grace_b, "mother"))
    linker.send("trust-a", before)
    linker.send("council-b", grace_b, after)
    assert apart(linker, before, after)
    assert one_family(linker, before, after)


def test_a_record_with_a_new_gender_marker_leaves_the_old_identity_that_others_hold(linker, child):
    old, old_b = child("trust-a", "1", nhs=NHS[0]), child("council-b", "1", nhs=NHS[0])
    linker.send("trust-a", old)
    linker.send("council-b", old_b)
    linker.send("trust-a", child("trust-a", "1", nhs=NHS[1], given="Adam", sex="m"))
    assert apart(linker, old, old_b)


def test_a_partner_who_holds_both_identities_under_one_id_is_no_bridge_between_them(
    linker, child, outcomes_of_every_order
):
    """Its older dataset has the old number, its newer dataset the new one."""
    old_b = child("council-b", "1", nhs=NHS[0])
    new_c = child("charity-c", "1", nhs=NHS[1], given="Adam", sex="m")
    both = [
        child("trust-a", "1", nhs=NHS[0], dataset="maternity"),
        child("trust-a", "1", nhs=NHS[1], given="Adam", sex="m"),
    ]
    batches = [("council-b", [old_b]), ("charity-c", [new_c]), ("trust-a", both)]
    for partner, subjects in batches:
        linker.send(partner, *subjects)
    assert apart(linker, old_b, new_c)
    assert outcomes_of_every_order(*batches) == 1


@pytest.fixture
def hidden(linker, adult):
    """Grace under her new surname, address and number. Her first name is the same."""
    her = adult("council-b", "hidden", nhs=NHS[6], **TAYLOR)
    linker.send("council-b", her)
    return her


def test_a_protected_child_under_a_new_name_stays_apart_from_the_old_one(
    linker, child, grace, hidden
):
    before = child("trust-a", "1", nhs=NHS[0], carer=(grace, "mother"))
    after = child("council-b", "9", nhs=NHS[1], given="Emily", **TAYLOR, carer=(hidden, "mother"))
    linker.send("trust-a", before)
    linker.send("council-b", after)
    assert apart(linker, before, after)
    assert apart(linker, grace, hidden)


def test_a_protected_child_who_keeps_its_first_name_stays_apart_from_the_old_one(
    linker, child, grace, hidden
):
    """Surname, address, the child's number and the mother's number are new. Only two first names
    and two dates of birth stay the same.
    """
    before = child("trust-a", "1", nhs=NHS[0], carer=(grace, "mother"))
    after = child("council-b", "9", nhs=NHS[1], **TAYLOR, carer=(hidden, "mother"))
    linker.send("trust-a", before)
    linker.send("council-b", after)
    assert apart(linker, before, after)
    assert separate_families(linker, before, after)
