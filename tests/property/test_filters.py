"""Bloom filters of two names: a fixed number of elements, whatever the names; nothing in common
under different salts; common bits where names are alike; and all of it survives the linker's own
permutation.
"""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core import reasons
from childlink_core.errors import UserError
from childlink_core.profiles import get_profile, parse_profile, profile_for
from childlink_ingest.model.rows import Identity
from childlink_ingest.pseudonymise.encoder import Encoder
from childlink_ingest.pseudonymise.filters import bigrams_of
from childlink_ingest.pseudonymise.split import Subject
from childlink_linker.linking.intake import TokenHasher, hashed_again, problem_of_record
from childlink_linker.matching.encodings import from_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.attacks.population import DOB, secret

PROFILE = get_profile()
FILTER = PROFILE.by_number[DOB].filters[0]
BORN = date(2020, 3, 14)
NAMES = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=24)


def subject(given_name, surname, born=BORN):
    who = Identity("1", "", given_name, surname, born, "male", "SE240AA")
    return Subject("child", who, b"r" * 16, b"a" * 16, b"f" * 4)


def encodings(*subjects, key=1):
    """The pass of the date of birth, of each subject."""
    records = Encoder(PROFILE, secret(key)).encode(subjects)
    return [next(p for p in record.passes if p.pass_number == DOB) for record in records]


def common(one, other):
    a, b = (int.from_bytes(item.bloom_filters, "little") for item in (one, other))
    return (a & b).bit_count()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=12))
def test_every_filter_has_as_many_elements_however_long_the_names_are(names):
    for item in encodings(*(subject(*pair) for pair in names)):
        bits = int.from_bytes(item.bloom_filters, "little").bit_count()
        # Two elements may set one bit.
        assert FILTER.elements - 6 <= bits <= FILTER.elements
        assert len(item.bloom_filters) == FILTER.bits // 8


def test_the_number_of_bits_does_not_tell_the_length_of_the_names():
    short, long = (
        np.mean(
            [
                int.from_bytes(
                    encodings(subject(*pair), key=key)[0].bloom_filters, "little"
                ).bit_count()
                for key in range(150)
            ]
        )
        for pair in (("al", "li"), ("maximiliana", "featherstonehaugh"))
    )
    assert abs(short - long) < 0.25


@settings(max_examples=60, deadline=None)
@given(NAMES, NAMES)
def test_the_order_of_the_names_makes_no_difference(one, other):
    straight, swapped = encodings(subject(one, other), subject(other, one))
    assert straight.bloom_filters == swapped.bloom_filters


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(NAMES, NAMES), min_size=2, max_size=30))
def test_a_filter_does_not_depend_on_the_records_beside_it(names):
    together = encodings(*(subject(*pair) for pair in names))
    alone = [encodings(subject(*pair))[0] for pair in names]
    assert [item.bloom_filters for item in together] == [item.bloom_filters for item in alone]
    assert [item.filter for item in together] == [item.filter for item in alone]


def test_filters_of_one_person_under_two_dates_or_two_secrets_look_like_those_of_strangers():
    shared = []
    for number in range(200):
        born = date(2019, 1 + number % 12, 1 + number % 28)
        one, other = encodings(
            subject("sharlene", "campbell"), subject("sharlene", "campbell", born)
        )
        shared.append(common(one, other))
        [again] = encodings(subject("sharlene", "campbell"), key=100 + number)
        shared.append(common(one, again))
    by_chance = FILTER.elements**2 / FILTER.bits
    assert abs(np.mean(shared) - by_chance) < 0.25


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        (("sharlene", "campbell"), ("sharlane", "campbel"), 5.0, 12.0),
        (("jack", "rees"), ("jadk", "rees"), 2.5, 8.0),
        (("amina", "okafor smith"), ("amina", "smith okafor"), 5.0, 24.0),
        (("thomas", "glass"), ("bailey", "glass"), 0.0, 1.5),
        (("thomas", "glass"), ("oliver", "brown"), 0.0, 1.5),
    ],
)
def test_slips_in_either_or_both_names_leave_bits_in_common_and_one_shared_name_does_not(
    one, other, least, most
):
    shared = [common(*encodings(subject(*one), subject(*other), key=key)) for key in range(60)]
    assert least <= np.mean(shared) <= most


def test_the_linker_moves_the_bits_and_keeps_what_two_filters_have_in_common():
    people = [subject(f"name{n % 7}", f"family{n % 5}") for n in range(40)]
    records = Encoder(PROFILE, secret(1)).encode(people)
    sent = [next(p for p in record.passes if p.pass_number == DOB) for record in records]
    stored = from_rows(hashed_again(records, 1, PROFILE, TokenHasher(b"t" * 32)), PROFILE)
    filters = stored.passes[DOB].filters
    for a in range(40):
        assert filters[a].tobytes() != sent[a].bloom_filters
        for b in range(40):
            assert int(np.bitwise_count(filters[a] & filters[b]).sum()) == common(sent[a], sent[b])


def test_the_linkers_key_and_the_token_decide_where_bits_go():
    people = [subject("sharlene", "campbell"), subject("sharlene", "campbell", date(2021, 5, 6))]
    rows = {}
    for key in (b"t" * 32, b"u" * 32):
        records = Encoder(PROFILE, secret(1)).encode(people)
        rows[key] = from_rows(hashed_again(records, 1, PROFILE, TokenHasher(key)), PROFILE)
    one, other = (item.passes[DOB].filters for item in rows.values())
    assert (one[0] != other[0]).any()
    assert (one[0] != one[1]).any()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda item: setattr(item, "bloom_filters", item.bloom_filters[:-1]),
        lambda item: setattr(item, "bloom_filters", b"\xff" * len(item.bloom_filters)),
        lambda item: setattr(item, "bloom_filters", bytes(len(item.bloom_filters))),
        lambda item: setattr(item, "bloom_filters", b"\x01" + bytes(len(item.bloom_filters) - 1)),
        lambda item: setattr(item, "filter", item.filter[:-4] + bytes(4)),
        lambda item: setattr(item, "filter", item.filter + bytes(4)),
    ],
    ids=[
        "too short",
        "all bits",
        "no bits",
        "one bit",
        "a key missing",
        "too many keys",
    ],
)
def test_a_filter_that_no_encoder_makes_is_refused(spoil):
    [record] = Encoder(PROFILE, secret(1)).encode([subject("sharlene", "campbell")])
    assert problem_of_record(with_capsule(record), PROFILE) == ""
    spoil(next(p for p in record.passes if p.pass_number == DOB))
    assert problem_of_record(with_capsule(record), PROFILE) == reasons.BAD_FILTER


def with_capsule(record):
    found = wire.EncodedRecord.FromString(record.SerializeToString())
    found.capsule = b"sealed"
    return found


def test_a_record_whose_filters_are_not_there_is_taken_as_one_without():
    """As protobuf has it: a field that an older program does not know is not there."""
    [record] = Encoder(PROFILE, secret(1)).encode([subject("sharlene", "campbell")])
    next(p for p in record.passes if p.pass_number == DOB).bloom_filters = b""
    assert problem_of_record(with_capsule(record), PROFILE) == ""
    stored = from_rows(hashed_again([record], 1, PROFILE, TokenHasher(b"t" * 32)), PROFILE)
    assert not stored.passes[DOB].filters.any()


def test_a_record_without_a_given_name_has_no_filter_and_is_accepted():
    [item] = encodings(subject("", "campbell"))
    assert item.bloom_filters == bytes(FILTER.bits // 8)
    assert item.filter[-4 * FILTER.keys :] == bytes(4 * FILTER.keys)
    [record] = Encoder(PROFILE, secret(1)).encode([subject("", "campbell")])
    assert problem_of_record(with_capsule(record), PROFILE) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("bits = 1024", "bits = 1000"),
        ("elements = 24", "elements = 500"),
        ("keys = 8", "keys = 30"),
    ],
)
def test_a_profile_with_a_filter_that_cannot_be_made_is_refused(old, new):
    from importlib.resources import files

    text = (files("childlink_core.profiles") / f"{PROFILE.id}.toml").read_text()
    assert old in text
    with pytest.raises(UserError):
        parse_profile(text.replace(old, new))


def test_a_record_with_an_nhs_number_has_no_filter():
    """It is found by its number, and a filter would tell the holder of the linkage secret all."""
    one = subject("sharlene", "campbell")
    [item] = encodings(replace(one, identity=replace(one.identity, nhs_number="9434765919")))
    assert item.bloom_filters == bytes(FILTER.bits // 8)
    [without] = encodings(one)
    size = 4 * FILTER.keys
    assert item.filter[:-size] == without.filter[:-size]


@pytest.mark.parametrize(
    ("births", "profile"), [(1, "cl-2026e"), (10, "cl-2026e"), (11, "cl-2026e-dense")]
)
def test_the_custodian_is_told_the_profile_for_the_births_a_day(births, profile):
    assert profile_for(births).id == profile


def test_no_profile_is_issued_where_none_was_measured():
    with pytest.raises(UserError, match="No encoding profile"):
        profile_for(100)


def test_bigrams_mark_both_ends():
    assert bigrams_of("al") == ["_a", "al", "l_"]
