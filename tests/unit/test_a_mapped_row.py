"""What a mapping makes of one row of an extract."""

from datetime import date

import pytest
from childlink_ingest.mapping.apply import RowMapper
from childlink_ingest.mapping.parse import parse_mapping

MAPPING = """
dataset = "children"
[columns]
row_id = "id"
child_id = "id"
child_nhs_number = "nhs"
child_nhs_number_status = "status"
child_given_name = "given"
child_surname = "surname"
child_date_of_birth = "dob"
"""
ROW = {
    "id": "1",
    "nhs": "9990000018",
    "status": "01",
    "given": "Amina",
    "surname": "Okafor",
    "dob": "2020-03-14",
}


def mapped(mapping=MAPPING, **values):
    return RowMapper(parse_mapping(mapping, "test"), date(2026, 11, 30))(1, ROW | values)


@pytest.mark.parametrize(
    ("status", "untraced"),
    [
        ("01", False),
        ("02", True),
        ("7", True),
        ("Present but not traced", True),
        ("", False),
    ],
)
def test_the_status_says_whether_the_number_was_traced(status, untraced):
    assert mapped(status=status).child.number_untraced is untraced


def test_an_unknown_status_is_noted_and_says_nothing():
    row = mapped(status="perhaps")
    assert not row.child.number_untraced
    assert row.notes == ("child_nhs_number_status is an unknown code and counts as missing",)


QUESTIONNAIRE = """
dataset = "questionnaire"
[columns]
row_id = "id"
adult_id = "id"
adult_nhs_number = "nhs"
completed_date = "dob"
service = { constant = "making_it_real" }
timepoint = { constant = "pre" }
instrument = "status"
score = "given"
"""


@pytest.mark.parametrize(
    ("instrument", "score", "problem"),
    [
        ("core10", "40", ""),
        ("core10", "41", "is outside 0 to 40, the scale of CORE-10 (psychological distress)"),
        ("prfq_interest", "0", "is outside 1 to 7"),
        ("hle_index", "57", ""),
        ("hle_index", "58", "is outside 0 to 57"),
    ],
)
def test_a_score_that_is_not_on_its_instruments_scale_is_rejected(instrument, score, problem):
    row = mapped(QUESTIONNAIRE, status=instrument, given=score)
    assert (problem in row.reason) if problem else row.attributes["score"] == float(score)
