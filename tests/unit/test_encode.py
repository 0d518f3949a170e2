"""Salted passes: records that may be compared can be compared, others look unrelated, and a missing
field is marked as missing.
"""

from datetime import date

import pytest
from childlink_core.keys import SecretKey
from childlink_core.profiles import SEGMENT_BYTES, get_profile
from childlink_ingest.pseudonymise.encoder import Encoder, carries_pass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.people import LINKAGE, NHS

BORN = date(2020, 3, 14)


@pytest.fixture
def encode(partnership):
    def make(linkage=LINKAGE, **who):
        defaults = {
            "given": "Amina",
            "surname": "Okafor",
            "born": BORN,
            "sex": "f",
            "postcode": "SW9 8JJ",
        }
        return Encoder(get_profile(), linkage).encode(
            [partnership.subject("trust-a", "1", **{**defaults, **who})]
        )[0]

    return make


def segments(record, number=1):
    """The segments of a pass, by the fields that they hold. b"" marks a missing one."""
    [made] = [item for item in record.passes if item.pass_number == number]
    found = {}
    for at, fields in enumerate(get_profile().get_pass(number).segments):
        segment = made.filter[at * SEGMENT_BYTES : (at + 1) * SEGMENT_BYTES]
        assert any(segment) == bool(made.present >> at & 1)
        found[fields] = segment if any(segment) else b""
    return found


def same(one, other):
    """The fields in which two rows of segments agree."""
    return {fields for fields in one if one[fields] and one[fields] == other[fields]}


def block(record, number=1):
    return next(item.block_token for item in record.passes if item.pass_number == number)


def test_the_same_person_is_encoded_the_same_anywhere(encode):
    assert encode().passes == encode().passes


def test_a_slip_of_the_pen_leaves_what_sounds_begins_or_ends_alike(encode):
    alike = same(segments(encode()), segments(encode(given="Amena")))
    assert ("given", "surname") not in alike
    assert {("given_sound", "surname_sound"), ("surname", "postcode")} <= alike
    assert ("given_without_4", "surname") in same(
        segments(encode()), segments(encode(given="Amira"))
    )
    assert ("given", "surname_end") in same(
        segments(encode()), segments(encode(surname="Adeyemi-Okafor"))
    )


def test_two_people_who_share_one_name_only_share_nothing(encode):
    other = segments(encode(given="Amina", surname="Smith", postcode="CR0 6DL"))
    assert same(segments(encode()), other) == set()


def test_names_in_the_wrong_order_are_the_same_names(encode):
    assert ("given", "surname") in same(
        segments(encode()), segments(encode(given="Okafor", surname="Amina"))
    )


def test_day_and_month_in_the_wrong_order_are_the_same_date(encode):
    assert block(encode(born=date(2020, 3, 11))) == block(encode(born=date(2020, 11, 3)))


def test_under_another_date_of_birth_nothing_is_the_same(encode):
    other = encode(born=date(2020, 3, 15))
    assert block(other) != block(encode())
    assert same(segments(encode()), segments(other)) == set()


def test_under_another_secret_nothing_is_the_same(encode):
    other = encode(linkage=SecretKey("other", 1, b"M" * 32), nhs=NHS[0])
    mine = encode(nhs=NHS[0])
    assert other.nhs_token != mine.nhs_token
    assert {p.block_token for p in other.passes}.isdisjoint(p.block_token for p in mine.passes)
    assert same(segments(mine), segments(other)) == set()


def test_a_child_and_an_adult_of_the_same_identity_share_nothing(encode):
    child, adult = encode(nhs=NHS[0]), encode(nhs=NHS[0], role="adult")
    assert child.nhs_token != adult.nhs_token
    assert block(child) != block(adult)
    assert same(segments(child), segments(adult)) == set()


def test_segments_with_a_missing_field_are_missing_and_the_others_stay(encode):
    with_name, without = segments(encode()), segments(encode(given="BABY"))
    missing = {fields for fields, segment in without.items() if not segment}
    assert missing == {
        fields for fields in with_name if any(field.startswith("given") for field in fields)
    }
    assert same(with_name, without) == set(with_name) - missing


def test_a_failed_check_digit_is_never_encoded(encode):
    record = encode(nhs="9990000019")
    assert not record.HasField("nhs_token")
    assert 5 not in [item.pass_number for item in record.passes]


def test_the_weak_name_pass_is_issued_only_without_a_strong_one(encode):
    assert 2 not in [p.pass_number for p in encode(nhs=NHS[0]).passes]
    assert 2 in [p.pass_number for p in encode().passes]
    assert 2 in [p.pass_number for p in encode(nhs=NHS[0], born=None).passes]


words = st.sampled_from(["", "Amina", "Amina Rose", "de la Cruz", "O'Brien", "Li"])


@given(
    words,
    words,
    st.sampled_from([None, BORN, date(2021, 1, 1)]),
    st.sampled_from(["", "f"]),
    st.sampled_from(["", "SW9 8JJ"]),
    st.sampled_from(["", NHS[0]]),
)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_passes_of_a_batch_are_those_that_the_rule_for_one_subject_says(
    partnership, first, last, born, sex, postcode, nhs
):
    subject = partnership.subject(
        "t", "1", given=first, surname=last, born=born, sex=sex, postcode=postcode, nhs=nhs
    )
    profile = get_profile()
    [record] = Encoder(profile, LINKAGE).encode([subject])
    assert [made.pass_number for made in record.passes] == [
        p.number for p in profile.passes if carries_pass(subject, p)
    ]
