"""A preview explains every field of a mapping, to whom it goes, and shows made-up examples."""

import pytest
from childlink_core.profiles import get_profile
from childlink_ingest.mapping.parse import parse_mapping
from childlink_ingest.reporting.preview import column_rules, examples

MAPPING = parse_mapping(
    """
dataset = "attendance"
opt_out_exempt = "made-up people"
ids = "visit"
[columns]
row_id = "id"
child_id = "child"
child_nhs_number = "nhs"
child_nhs_number_status = "status"
child_given_name = "given"
child_known_as = "known as"
child_surname = "surname"
child_date_of_birth = { column = "dob", format = "%d/%m/%Y" }
child_date_approximate = { column = "guess", codes = { Y = true, N = false } }
adult_id = "adult"
adult_given_name = "adult given"
adult_surname = "adult surname"
adult_relation = { column = "relation", codes = { Mum = "mother" } }
session_date = { column = "session", format = "%d/%m/%Y" }
service = "service"
""",
    "test",
)


@pytest.fixture
def rules():
    return {rule.canonical: rule for rule in column_rules(MAPPING, get_profile())}


def test_every_field_of_the_mapping_has_a_rule(rules):
    assert set(rules) >= set(MAPPING.columns)
    assert "hashed" in rules["child_known_as"].rule
    for mark in ("child_date_approximate", "child_nhs_number_status"):
        assert rules[mark].rule.startswith("sent as it is")


@pytest.mark.parametrize("field", ["child_nhs_number", "child_date_of_birth", "child_given_name"])
def test_a_field_of_the_child_that_helps_to_find_its_parents_says_so(rules, field):
    of_parents = [
        item.name
        for item in get_profile().passes
        if any(name.startswith("child_") for name in item.salt)
    ]
    assert of_parents
    assert any(name in rules[field].rule for name in of_parents)


def test_examples_show_the_name_that_a_person_uses():
    shown = examples(MAPPING, get_profile())
    assert shown
    assert all("child known as" in dict(example["inside"]) for example in shown)


def test_examples_show_the_marks_that_the_linker_can_read():
    first, *others = [
        [words for title, words in example["linker"] if title == "child mark"]
        for example in examples(MAPPING, get_profile())
    ]
    assert first == [
        "the date of birth is a guess",
        "the NHS number was not traced",
        "one person may have several ids",
    ]
    assert all(shown == ["one person may have several ids"] for shown in others)


def test_examples_show_no_mark_that_the_mapping_cannot_set():
    plain = parse_mapping(
        """
dataset = "attendance"
opt_out_exempt = "made-up people"
[columns]
row_id = "id"
child_id = "child"
child_nhs_number = "nhs"
child_surname = "surname"
child_date_of_birth = { column = "dob", format = "%d/%m/%Y" }
session_date = { column = "session", format = "%d/%m/%Y" }
service = "service"
""",
        "test",
    )
    for example in examples(plain, get_profile()):
        assert "child mark" not in dict(example["linker"])
