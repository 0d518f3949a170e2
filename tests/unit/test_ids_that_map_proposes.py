"""`map` never proposes a column as an id if it is empty, if it repeats where a child has one row,
or if rows with one id have different dates of birth.
"""

import tomllib
from datetime import date, timedelta

from childlink_catalogue.catalogue import get_dataset
from childlink_ingest.proposing.propose import propose

NUMBERS = ("9990000018", "9990000026", "9990000034", "9990000042")


def rows(count, **columns):
    """Rows of births with these further columns. Each column is a function of the row number."""
    return [
        {
            "Forename": ("Nia", "Omar", "Linh")[n % 3],
            "Surname": ("Smith", "Khan", "Nguyen")[n % 3],
            "DOB": (date(2019, 1, 1) + timedelta(days=n)).strftime("%d/%m/%Y"),
            **{name: make(n) for name, make in columns.items()},
        }
        for n in range(count)
    ]


def proposed(found, dataset="maternity"):
    proposal = propose(list(found[0]), found, get_dataset(dataset), {})
    return tomllib.loads(proposal.text)["columns"], proposal.questions


def test_a_count_of_babies_is_no_id():
    columns, questions = proposed(rows(300, Number_Of_Babies=lambda n: "2" if n % 40 == 0 else "1"))
    assert "child_id" not in columns
    assert any(
        "'Number_Of_Babies' was not used: it repeats (2 values in 300 rows)" in q for q in questions
    )
    assert any("child_id" in q and "required" in q for q in questions)


def test_an_empty_column_is_no_id():
    columns, questions = proposed(rows(60, Team_ID=lambda n: ""))
    assert "child_id" not in columns
    assert any(
        "'Team_ID' was not used: it has a value in only 0 of 60 rows" in q for q in questions
    )


def test_a_number_of_which_a_spreadsheet_made_one_is_no_id():
    columns, _ = proposed(rows(60, NHS_Number=lambda n: NUMBERS[n] if n < 4 else "9.99E+09"))
    assert "child_id" not in columns


def test_a_column_under_which_birthdays_differ_is_no_id_in_a_register_of_visits():
    columns, questions = proposed(rows(90, Clinic_ID=lambda n: f"C{n % 9}"), "attendance")
    assert "child_id" not in columns
    assert any("9 of its 9 values have more than one date of birth" in q for q in questions)


def test_the_next_best_column_is_taken_instead():
    found = rows(60, Patient_ID=lambda n: "", Hospital_No=lambda n: f"H{n:05}")
    assert proposed(found)[0]["child_id"] == "Hospital_No"


def test_an_id_that_repeats_over_the_visits_of_a_child_is_one():
    found = rows(90, Child_ID=lambda n: f"C{n % 30}")
    for n, row in enumerate(found):
        row |= {key: found[n % 30][key] for key in ("Forename", "Surname", "DOB")}
    assert proposed(found, "attendance")[0]["child_id"] == "Child_ID"


def test_the_name_that_a_child_uses_is_recognised_beside_the_registered_one():
    found = rows(60, Known_As=lambda n: ("Ni", "Omi", "Lin")[n % 3], Ref=lambda n: f"R{n}")
    columns, _ = proposed(found)
    assert columns["child_known_as"] == "Known_As"
    assert columns["child_given_name"] == "Forename"


def test_a_preferred_language_is_no_name():
    found = rows(60, Preferred_Language=lambda _n: "English", Ref=lambda n: f"R{n}")
    assert "child_known_as" not in proposed(found)[0]


def test_the_status_of_a_number_is_recognised_beside_the_number():
    found = rows(
        60,
        NHS_NUMBER=lambda n: NUMBERS[n % 4],
        NHS_NUMBER_STATUS_INDICATOR_CODE=lambda n: ("01", "02", "04")[n % 3],
        Ref=lambda n: f"R{n}",
    )
    columns, _ = proposed(found)
    assert columns["child_nhs_number"] == "NHS_NUMBER"
    assert columns["child_nhs_number_status"] == "NHS_NUMBER_STATUS_INDICATOR_CODE"


def test_the_status_of_a_referral_is_none_of_a_number():
    found = rows(60, Referral_Status=lambda n: ("01", "02")[n % 2], Ref=lambda n: f"R{n}")
    assert "child_nhs_number_status" not in proposed(found)[0]


def test_a_column_called_after_the_person_is_the_id_and_not_the_number_of_the_form():
    """A reviewer's file: `map` took the number of the screening, without a question."""
    found = [
        {
            "Screen No": f"SP{n}",
            "Client": f"X{3000 + n}",
            "Forename": "Nia",
            "Surname": "Smith",
            "DOB": f"{1 + n % 28:02}/03/2019",
        }
        for n in range(60)
    ]
    proposal = propose(list(found[0]), found, get_dataset("children"), {})
    assert 'child_id = "Client"' in proposal.text
    assert 'row_id = "Screen No"' in proposal.text


def test_of_two_numbers_that_could_be_the_person_s_a_question_names_both():
    found = [
        {
            "Screen No": f"SP{n}",
            "Case no": f"X{3000 + n}",
            "Forename": "Nia",
            "Surname": "Smith",
            "DOB": f"{1 + n % 28:02}/03/2019",
        }
        for n in range(60)
    ]
    proposal = propose(list(found[0]), found, get_dataset("children"), {})
    [question] = [item for item in proposal.questions if item.startswith("child_id: is it")]
    assert "'Screen No'" in question
    assert "'Case no'" in question
