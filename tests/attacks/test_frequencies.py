"""Attacks with lists of names on segments and on tokens, and on the pattern of shared tokens."""

import pytest
from childlink_core.profiles import get_profile

from tests.attacks.population import DOB, by_salt, dob_pass, people
from tests.attacks.store import WithheldRow, everyone, hold, subjects_of
from tests.attacks.structure import recognise
from tests.attacks.tokens import align, align_segments, name_pass

BY_CHILD = ("pass 7", "pass 8")
"""The passes of parents and carers by their child."""


@pytest.fixture(scope="module")
def subjects(tmp_path_factory):
    """Subjects of a small partnership, as every partner's ingest sees them."""
    return subjects_of(tmp_path_factory.mktemp("partnership"), children=700)


@pytest.fixture(scope="module")
def ours(subjects) -> list[WithheldRow]:
    return hold(subjects)


@pytest.fixture(scope="module")
def to_everyone(subjects) -> list[WithheldRow]:
    return hold(subjects, everyone(get_profile()))


def test_names_under_one_key_are_read_by_their_frequency_and_under_our_salt_are_not():
    crowd = people(5_000, seed=1)
    only = (("given",),)
    found, blind = align_segments([crowd], dob_pass(only, salted=False), crowd)
    assert found > blind + 0.1
    found, blind = align_segments(by_salt(crowd, DOB, 1), dob_pass(only), crowd)
    assert found <= blind + 0.01


def test_tokens_of_one_name_for_everyone_tell_names_and_those_of_our_name_pass_do_not(subjects):
    children = [(partner, subject) for partner, subject in subjects if subject.role == "child"]
    known = [subject for _, subject in children]

    def attacked(profile):
        held = [item for item in hold(children, profile) if item.record.passes]
        return align(held, len(children), known, profile)

    weak = attacked(name_pass(["given_sound"], everyone=True))
    assert weak.right > weak.blind + 0.2
    strong = attacked(name_pass())
    assert strong.right <= strong.blind + 0.01
    assert strong.carriers < 0.5 * len(children)


def test_passes_for_those_who_need_them_make_fewer_records_recognisable_than_passes_for_everyone(
    ours, to_everyone
):
    few, many = (
        recognise(held, "tokens and passes", unseen=("pass 6", *BY_CHILD)).unique
        for held in (ours, to_everyone)
    )
    assert many > 0.2
    assert few < 0.6 * many


def test_the_number_and_the_date_of_birth_alone_make_hardly_any_record_recognisable(ours):
    weak = ("pass 2", "pass 3", "pass 4", "pass 6", *BY_CHILD)
    assert recognise(ours, "tokens and passes", unseen=weak).unique < 0.03


def test_the_place_pass_costs_what_the_documents_say(ours):
    """Every record has it (ADR 15): which of a person's records share an address is also a
    pattern.
    """
    weak = ("pass 2", "pass 3", "pass 4", *BY_CHILD)
    assert 0.03 < recognise(ours, "tokens and passes", unseen=weak).unique < 0.15


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="the store holds references of carers and names of datasets as they came",
)
def test_goal_the_linkers_store_without_its_filters_recognises_hardly_anyone(ours):
    assert recognise(ours, "everything but filters").unique < 0.05
