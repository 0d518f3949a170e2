"""A site's own duplicates and contradictions, from its own records alone."""

import csv

import pytest
from childlink_ingest.cli import main
from click.testing import CliRunner

HEADER = "id,child,nhs,given,surname,dob,sex,postcode,mother,mother_dob"
MAPPING = """
dataset = "children"
[columns]
row_id = "id"
child_id = "child"
child_nhs_number = "nhs"
child_given_name = "given"
child_surname = "surname"
child_date_of_birth = "dob"
child_sex = "sex"
child_postcode = "postcode"
adult_id = "mother"
adult_date_of_birth = "mother_dob"
adult_relation = { constant = "mother" }
"""
AMINA = "1,c1,9990000018,Amina,Okafor,2019-03-17,F,SW9 8JJ,m1,1990-01-01"


@pytest.fixture
def found(tmp_path):
    """What is found in an extract: the lines of the list."""

    def run(*lines):
        (tmp_path / "m.toml").write_text(MAPPING)
        (tmp_path / "x.csv").write_text("\n".join([HEADER, *lines]) + "\n")
        output = tmp_path / "list.csv"
        done = CliRunner().invoke(
            main,
            [
                *("worklist", str(tmp_path / "x.csv"), "--mapping", str(tmp_path / "m.toml")),
                *("--output", str(output)),
            ],
        )
        assert done.exit_code == 0, done.output
        assert "Okafor" not in done.output + output.read_text()
        with output.open() as file:
            return [(row["what"], row["ids"], row["lines"]) for row in csv.DictReader(file)]

    return run


@pytest.mark.parametrize(
    ("second", "what"),
    [
        (
            "2,c2,9990000018,Bao,Begum,2018-01-01,M,SE5 8AF,m2,1990-01-01",
            "one NHS number, several ids",
        ),
        (
            "2,c2,,Amina,Okafor,2019-03-17,F,SE5 8AF,m2,1990-01-01",
            "same names and date of birth, several ids",
        ),
        (
            "2,c2,,Amina,Okafour,2019-03-17,F,SW9 8JJ,m1,1990-01-01",
            "similar names, same date of birth and postcode, several ids",
        ),
    ],
)
def test_two_ids_that_may_be_one_child_are_listed_once(found, second, what):
    assert found(AMINA, second) == [(what, "c1 c2", "2 3")]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("2019-03-17", "2019-03-18", "one id, several dates of birth"),
        ("9990000018", "9990000026", "one id, several NHS numbers"),
        (",F,", ",M,", "one id, both sexes"),
    ],
)
def test_one_id_that_contradicts_itself_is_listed(found, old, new, what):
    second = AMINA.replace("1,c1", "2,c1", 1).replace(old, new)
    assert found(AMINA, second) == [(what, "c1", "2 3")]


def test_a_mother_who_is_too_young_is_listed(found):
    assert found(AMINA.replace("1990-01-01", "2012-01-01")) == [
        ("the mother's age at the birth is not plausible", "c1", "2")
    ]


def test_twins_and_brothers_are_no_duplicates(found):
    twin = "2,c2,9990000026,Zainab,Okafor,2019-03-17,F,SW9 8JJ,m1,1990-01-01"
    brother = "3,c3,9990000034,Yusuf,Okafor,2021-03-17,M,SW9 8JJ,m1,1990-01-01"
    assert found(AMINA, twin, brother) == []


def test_the_command_needs_no_hub_no_keys_and_no_broker(found, monkeypatch):
    """So nothing that another partner sent can have an effect on it."""
    monkeypatch.setenv("CHILDLINK_INGEST_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    assert found(AMINA) == []
