"""Which people form a family and which do not, and what happens to its identifier."""

from datetime import date

import pytest

from tests.spec.cases import apart, one_family, separate_families, together
from tests.support.people import NHS

RUTH = {"given": "Ruth", "surname": "Bell", "born": date(1975, 1, 1), "postcode": "SE24 0AA"}
PAT = {"given": "Pat", "surname": "Webb", "born": date(1980, 1, 1), "postcode": ""}
KWAME = {"given": "Kwame", "sex": "m", "born": date(1988, 6, 1)}
KOFI = {"given": "Kofi", "sex": "m", "born": date(2022, 8, 1)}


def unrelated(child, partner, numbers, carer):
    """Children who share nothing except the adults in their rows. All were born in one month."""
    return [
        child(
            partner,
            f"u{n}",
            given=f"{chr(97 + n)}child",
            surname=f"{chr(97 + n)}name",
            born=date(2020, 1, n + 1),
            postcode=f"SE{n + 1} 0AA",
            carer=(carer, "carer"),
        )
        for n in numbers
    ]


def test_a_fostered_child_stays_in_its_own_family(linker, child, adult, outcomes_of_every_order):
    grace, ruth = adult("trust-a", "m", nhs=NHS[7]), adult("council-b", "r", nhs=NHS[6], **RUTH)
    amina = child("trust-a", "1", nhs=NHS[0], carer=(grace, "mother"))
    fostered = child("council-b", "1", nhs=NHS[0], postcode="SE24 0AA", carer=(ruth, "carer"))
    tom = child(
        "council-b",
        "5",
        given="Tom",
        surname="Bell",
        sex="m",
        born=date(2015, 1, 1),
        carer=(ruth, "mother"),
    )
    batches = [
        ("trust-a", [grace, amina]),
        ("council-b", [ruth, fostered]),
        ("council-b", [ruth, tom]),
    ]
    for partner, subjects in batches:
        linker.send(partner, *subjects)
    assert together(linker, amina, fostered)
    assert one_family(linker, grace, amina)
    assert one_family(linker, ruth, tom)
    assert separate_families(linker, amina, tom)
    assert outcomes_of_every_order(*batches) == 1


@pytest.fixture
def fostered(linker, child, adult):
    """Three children of three mothers, known to the trust. The council knows only Ruth, who fosters
    them.
    """
    ruth = adult("council-b", "r", nhs=NHS[6], **RUTH)
    linker.send("council-b", ruth)
    children, mothers = [], []
    for at, (given, surname) in enumerate((("Omar", "Ali"), ("Zoe", "Khan"), ("Luis", "Diaz"))):
        born = date(2017 + at, 2, 3)
        mothers.append(
            adult("trust-a", surname, given="Maria", surname=surname, born=date(1990 + at, 1, 1))
        )
        known = {"nhs": NHS[at], "given": given, "surname": surname, "born": born}
        children.append(child("trust-a", surname, **known, carer=(mothers[-1], "mother")))
        linker.send("trust-a", mothers[-1], children[-1])
        linker.send("council-b", child("council-b", surname, **known, carer=(ruth, "carer")))
    return ruth, mothers, children


def test_a_foster_carer_does_not_glue_the_families_of_those_she_fosters(linker, fostered):
    _, mothers, children = fostered
    assert all(
        one_family(linker, mother, child) for mother, child in zip(mothers, children, strict=True)
    )
    assert separate_families(linker, *children)


def test_a_foster_carer_of_children_of_three_mothers_belongs_to_none_of_their_families(
    linker, fostered
):
    ruth, mothers, _ = fostered
    assert separate_families(linker, ruth, *mothers)


def test_a_foster_carer_of_many_is_still_her_own_childs_mother(linker, child, adult):
    ruth = adult("council-b", "r", nhs=NHS[6], **RUTH)
    tom = child(
        "council-b",
        "5",
        given="Tom",
        surname="Bell",
        sex="m",
        born=date(2015, 1, 1),
        carer=(ruth, "mother"),
    )
    linker.send("council-b", ruth, tom, *unrelated(child, "council-b", range(13), ruth))
    assert one_family(linker, ruth, tom)


def test_a_professional_glues_no_families_though_no_one_partner_declares_her_often(
    linker, child, adult
):
    pat = [adult(partner, "p", **PAT) for partner in ("trust-a", "council-b")]
    children = [
        unrelated(child, "trust-a", range(8), pat[0]),
        unrelated(child, "council-b", range(8, 16), pat[1]),
    ]
    linker.send("trust-a", pat[0], *children[0])
    linker.send("council-b", pat[1], *children[1])
    assert together(linker, *pat)
    assert separate_families(linker, pat[0], *children[0], *children[1])


@pytest.mark.xfail(
    strict=True,
    reason=(
        "A carer may have up to twelve children (`MOST_CHILDREN_OF_A_CARER`). The linker sees"
        " no dates, so it cannot know that ten children of one carer, born within ten days,"
        " are not the carer's own"
    ),
)
def test_a_professional_of_ten_children_born_in_one_month_glues_no_families(linker, child, adult):
    pat = adult("trust-a", "p", **PAT)
    children = unrelated(child, "trust-a", range(10), pat)
    linker.send("trust-a", pat, *children)
    assert separate_families(linker, *children)


def test_a_family_keeps_its_identifier_when_its_child_is_joined_and_parted_again(
    linker, child, adult
):
    grace = adult("trust-a", "m", nhs=NHS[7])
    amina = child("trust-a", "1", nhs=NHS[0], carer=(grace, "mother"))
    linker.send("trust-a", grace, amina)
    [family] = linker.families(amina)
    early = child("council-b", "1", given="", surname="Adeyemi", postcode="SE24 0AA")
    linker.send("council-b", early)
    assert separate_families(linker, amina, early)
    linker.send("council-b", child("council-b", "1", nhs=NHS[0]))
    assert linker.families(grace, amina, early) == [family] * 3
    other = {
        "given": "Oliver",
        "surname": "Smith",
        "sex": "m",
        "born": date(2019, 7, 7),
        "nhs": NHS[1],
    }
    linker.send("council-b", child("council-b", "1", **other))
    assert linker.families(grace, amina) == [family] * 2
    assert separate_families(linker, amina, early)


def test_a_family_keeps_its_identifier_when_its_mother_is_joined_and_parted_again(
    linker, child, adult
):
    grace, ruth = adult("trust-a", "m", nhs=NHS[7]), adult("council-b", "m", nhs=NHS[6], **RUTH)
    amina = child("trust-a", "1", carer=(grace, "mother"))
    kofi = child("council-b", "2", **KOFI, carer=(ruth, "mother"))
    linker.send("trust-a", grace, amina)
    linker.send("council-b", ruth, kofi)
    [family] = linker.families(amina)
    assert separate_families(linker, amina, kofi)
    linker.send("council-b", adult("council-b", "m", nhs=NHS[7]))
    assert linker.families(grace, amina, ruth, kofi) == [family] * 4
    linker.send("council-b", ruth)
    assert apart(linker, grace, ruth)
    assert one_family(linker, grace, amina)
    assert one_family(linker, ruth, kofi)
    assert separate_families(linker, amina, kofi)
    assert family in linker.families(amina, kofi)


def test_a_child_on_its_own_keeps_its_familys_identifier_when_its_mother_becomes_known(
    linker, child, adult
):
    alone = child("council-b", "1", nhs=NHS[0])
    linker.send("council-b", alone)
    [family] = linker.families(alone)
    grace = adult("trust-a", "m", nhs=NHS[7])
    amina = child("trust-a", "1", nhs=NHS[0], carer=(grace, "mother"))
    linker.send("trust-a", grace, amina)
    assert linker.families(alone, amina, grace) == [family] * 3


def test_a_family_follows_the_primary_carer_when_the_mother_becomes_known_child_by_child(
    linker, child, adult
):
    """All end up in the mother's family, as if the mother had been known first. The father's family
    ends.
    """
    kwame, grace = adult("trust-a", "f", **KWAME), adult("council-b", "m", nhs=NHS[7])
    amina = child("trust-a", "1", nhs=NHS[0], carer=(kwame, "father"))
    kofi = child("trust-a", "2", nhs=NHS[1], **KOFI, carer=(kwame, "father"))
    linker.send("trust-a", kwame, amina, kofi)
    linker.send("council-b", grace, child("council-b", "1", nhs=NHS[0], carer=(grace, "mother")))
    [family] = linker.families(grace)
    linker.send(
        "council-b", grace, child("council-b", "2", nhs=NHS[1], **KOFI, carer=(grace, "mother"))
    )
    assert linker.families(kwame, grace, amina, kofi) == [family] * 4


def test_a_child_on_its_own_comes_into_the_family_of_its_mother_and_not_she_into_its(
    linker, child, adult
):
    early = child("council-b", "1", given="", surname="Adeyemi", postcode="SE24 0AA")
    linker.send("council-b", early)
    grace = adult("trust-a", "m", nhs=NHS[7])
    amina = child("trust-a", "1", nhs=NHS[0], carer=(grace, "mother"))
    linker.send("trust-a", grace, amina)
    [mothers] = linker.families(grace)
    assert separate_families(linker, early, amina)
    linker.send("council-b", child("council-b", "1", nhs=NHS[0]))
    assert linker.families(early, amina, grace) == [mothers] * 3
