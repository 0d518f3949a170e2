"""The rules of ingest handle any content of a cell. They never raise, and a rejection never
contains a value.
"""

from datetime import date

from childlink_ingest.mapping.apply import RowMapper
from childlink_ingest.mapping.parse import parse_mapping
from childlink_ingest.model.rows import Rejection, Row
from childlink_ingest.standardise import normalise
from hypothesis import given
from hypothesis import strategies as st

MAPPING = parse_mapping(
    """
dataset = "asq3"
opt_out_exempt = "made-up people"
[columns]
row_id = "id"
child_id = "child"
child_nhs_number = "nhs"
child_given_name = "given"
child_surname = "surname"
child_date_of_birth = { column = "dob", format = "%d/%m/%Y" }
child_postcode = "postcode"
review_date = "date"
communication = { column = "comm", codes = { Y = true, N = false } }
imd_quintile = "imd"
""",
    "test",
)
COLUMNS = ["id", "child", "nhs", "given", "surname", "dob", "postcode", "date", "comm", "imd"]
cells = st.text(max_size=30) | st.sampled_from(
    ["", "01/02/2020", "2022-05-01", "Y", "3", "9434765919", "SW9 8JJ", "BABY"]
)


@given(st.text(max_size=60))
def test_normalisers_never_raise_and_are_idempotent(text):
    for rule in (normalise.given_name, normalise.surname, normalise.nhs_number, normalise.postcode):
        once = rule(text)
        assert rule(once) == once
    assert normalise.sex(text) in ("", "f", "m")
    assert normalise.birth_order(text) in (None, 1, 2, 3, 4)


@given(st.integers(0, 10**9 - 1), st.integers(1, 9), st.integers(0, 9))
def test_an_nhs_number_with_one_wrong_digit_is_missing(body, offset, position):
    digits = f"{body:09d}"
    check = (11 - sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=True)) % 11) % 11
    if check == 10 or len(set(digits + str(check))) == 1:
        return
    number = digits + str(check)
    assert normalise.nhs_number(number) == number
    wrong = number[:position] + str((int(number[position]) + offset) % 10) + number[position + 1 :]
    assert normalise.nhs_number(wrong) == ""


@given(st.fixed_dictionaries(dict.fromkeys(COLUMNS, cells)))
def test_any_record_becomes_a_row_or_a_rejection_that_repeats_no_value(record):
    result = RowMapper(MAPPING, date(2026, 1, 1))(7, record)
    assert isinstance(result, Row | Rejection)
    if isinstance(result, Rejection):
        assert result.row_number == 7
        assert result.column in COLUMNS
        for value in (record["given"], record["surname"], record["nhs"]):
            assert len(value) < 8 or value not in result.reason + result.remedy
