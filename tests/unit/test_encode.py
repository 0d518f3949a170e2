"""Salted passes: what may be compared can be, what may not be looks unrelated, and what is missing sets nothing."""

from datetime import date

import numpy as np
import pytest
from childlink_core.keys import SecretKey
from childlink_core.profiles import get_profile
from childlink_ingest.encode import Encoder

from tests.support.people import LINKAGE, NHS

BORN = date(2020, 3, 14)


@pytest.fixture
def encode(partnership):
    def make(linkage=LINKAGE, **who):
        defaults = {"given": "Amina", "surname": "Okafor", "born": BORN, "sex": "f", "postcode": "SW9 8JJ"}
        return Encoder(get_profile(), linkage).encode([partnership.subject("trust-a", "1", **{**defaults, **who})])[0]

    return make


def dob(record):
    [item] = [item for item in record.passes if item.pass_number == 1]
    return item


def dice(a, b):
    x, y = (np.unpackbits(np.frombuffer(item.filter, np.uint8)) for item in (a, b))
    return 2 * int((x & y).sum()) / int(x.sum() + y.sum())


def test_the_same_person_is_encoded_the_same_anywhere(encode):
    assert encode().passes == encode().passes


def test_a_typo_moves_a_filter_little_and_another_name_much(encode):
    assert dice(dob(encode()), dob(encode(surname="Okafour"))) > 0.85
    assert dice(dob(encode()), dob(encode(given="Oliver", surname="Smith", sex="m", postcode="CR0 6DL"))) < 0.4


def test_names_in_the_wrong_order_still_look_alike(encode):
    assert dice(dob(encode()), dob(encode(given="Okafor", surname="Amina"))) > 0.7


def test_under_another_date_of_birth_the_same_names_look_unrelated(encode):
    other = dob(encode(born=date(2020, 3, 15)))
    assert other.block_token != dob(encode()).block_token
    assert dice(dob(encode()), other) < 0.4


def test_under_another_secret_nothing_is_the_same(encode):
    other = encode(linkage=SecretKey("other", 1, b"M" * 32), nhs=NHS[0])
    mine = encode(nhs=NHS[0])
    assert other.nhs_token != mine.nhs_token
    assert {p.block_token for p in other.passes}.isdisjoint(p.block_token for p in mine.passes)


def test_a_child_and_an_adult_of_the_same_identity_share_no_token(encode):
    child, adult = encode(nhs=NHS[0]), encode(nhs=NHS[0], role="adult")
    assert child.nhs_token != adult.nhs_token
    assert dob(child).block_token != dob(adult).block_token


def test_a_missing_field_sets_no_bits_and_is_said_to_be_missing(encode):
    without = dob(encode(given="BABY"))
    assert without.present == 0b1110
    ones = int.from_bytes(without.filter, "little")
    assert ones & int.from_bytes(dob(encode()).filter, "little") == ones


def test_a_failed_check_digit_is_never_encoded(encode):
    assert not encode(nhs="9990000019").HasField("nhs_token")


def test_the_weak_name_pass_is_issued_only_without_a_strong_one(encode):
    assert 2 not in [p.pass_number for p in encode(nhs=NHS[0]).passes]
    assert 2 in [p.pass_number for p in encode().passes]


def test_filters_are_about_a_fifth_full(encode):
    ones = int.from_bytes(dob(encode(given="Amina Rose", surname="Okafor-Smith")).filter, "little").bit_count()
    assert 0.1 < ones / get_profile().filter_bits < 0.35
