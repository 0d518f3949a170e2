"""A local id that different people share would merge them into one person. `check` and `run` stop
and say where to look.
"""

import csv
import random
from dataclasses import replace
from datetime import date, timedelta

import pytest
from childlink_ingest.cli import main
from childlink_ingest.eligibility import contradictions
from childlink_ingest.eligibility.contradictions import Claims, IdentityCheck, claims_of
from childlink_ingest.errors import ContradictingIdsError
from childlink_ingest.model.rows import Identity, Row
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.support.one_site import one_site

GIVEN = [
    "Nia",
    "Saoirse",
    "Zofia",
    "Oliver",
    "Linh",
    "Omar",
    "Ayaan",
    "Grace",
    "Ivy",
    "Noah",
    "Musa",
    "Ella",
]
SURNAMES = [
    "Smith",
    "Kowalska",
    "Okafor",
    "Khan",
    "Nguyen",
    "Haile",
    "Ortiz",
    "Baptiste",
    "Ward",
    "Yilmaz",
]
MAPPING = """
dataset = "eyfs"
{options}
[columns]
row_id = "Row"
child_id = "UPN"
child_nhs_number = "NHS"
child_given_name = "Forename"
child_surname = "Surname"
child_date_of_birth = "DOB"
child_postcode = "Postcode"
assessed_date = "Assessed"
"""


def children(count, seed=7):
    """Different children, each with their own id, names and date of birth."""
    rng = random.Random(seed)
    return [
        {
            "Row": n,
            "UPN": f"A{2109999 + n}",
            "NHS": "",
            "Forename": rng.choice(GIVEN),
            "Surname": rng.choice(SURNAMES),
            "DOB": date(2018, 9, 1) + timedelta(days=rng.randrange(365)),
            "Postcode": "SW9 8JJ",
            "Assessed": "2024-06-28",
        }
        for n in range(1, count + 1)
    ]


@pytest.fixture
def check(tmp_path):
    """Runs `check` on rows."""

    def run(rows, options=""):
        extract, mapping = tmp_path / "x.csv", tmp_path / "m.toml"
        with extract.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        mapping.write_text(MAPPING.format(options=options))
        return CliRunner().invoke(main, ["check", str(extract), "--mapping", str(mapping)])

    return run


def test_a_placeholder_as_the_id_of_ten_children_stops_check(check):
    rows = children(60)
    for row in rows[::6]:
        row["UPN"] = "TBC"
    done = check(rows)
    assert done.exit_code == 1
    assert "child ids of the form AAA in UPN (10 rows from line 2 on" in done.output
    assert "TBC" not in done.output.partition("what to do")[0], "shapes, never values"


def test_numbers_that_a_spreadsheet_shortened_stop_check(check):
    rows = children(60)
    for row in rows[3:57]:
        row["UPN"] = "9.99E+09"
    assert "of the form 9.99A+99 in UPN (54 rows" in check(rows).output


def test_a_count_of_babies_as_the_id_stops_check(check):
    rows = children(300)
    for n, row in enumerate(rows):
        row["UPN"] = "2" if n % 40 == 0 else "1"
    assert "2 ids stand for different people" in check(rows).output


def test_two_children_under_one_id_are_enough(check):
    rows = children(60)
    rows[0] |= {"Forename": "Nia", "Surname": "Smith", "DOB": date(2018, 9, 2)}
    rows[1] |= {
        "Forename": "Omar",
        "Surname": "Khan",
        "DOB": date(2019, 5, 21),
        "UPN": rows[0]["UPN"],
    }
    assert check(rows).exit_code == 1


def test_an_id_that_the_mapping_lists_as_a_placeholder_counts_as_none(check):
    rows = children(60)
    for row in rows[::6]:
        row["UPN"] = "tbc "
    done = check(rows, 'placeholder_ids = ["TBC"]')
    assert done.exit_code == 3
    assert "50 good, 10 rejected" in done.output
    assert "is one of the mapping's placeholder_ids: 10 rows" in done.output


def test_nothing_is_sent_and_nothing_is_kept_of_such_a_run(tmp_path):
    with one_site(tmp_path) as site:
        mum = "M1,9990000034,Grace,Okafor,1990-05-01"
        rows = [
            f"1,9990000018,Amina,Okafor,2020-01-02,{mum},2022-05-01,",
            (
                f"2,9990000026,Oliver,Khan,2020-03-04,{mum.replace('Grace,Okafor,1990-05-01', 'Ruth,Khan,1988-11-30')},2022-05-01,"  # noqa: E501
            ),
        ]
        with pytest.raises(ContradictingIdsError, match="adult ids of the form A9 in mum"):
            site.run(rows[0], rows[1].replace("9990000034", "9990000042"))
        assert site.counts() == {"subjects": 0, "records": 0, "rows": 0, "with_adult": 0}
        assert site.run(*rows[:1]).accepted == 1, "the refused run does not block the next one"


def row(number, person_id, *, given="", surname="", born=None, nhs="", adult=False):
    who = Identity(person_id, nhs, given, surname, born)
    return Row(number, str(number), None if adult else who, who if adult else None, None, {})


def contradictions_in(*rows):
    found = IdentityCheck()
    found.add(claims_of(rows))
    return found.contradictions()


@pytest.mark.parametrize(
    ("why", "changed"),
    [
        ("a corrected date of birth", {"born": date(2019, 7, 30)}),
        ("a corrected number", {"nhs": "9990000026"}),
        ("a new surname", {"surname": "khan"}),
        ("both names changed", {"given": "mary", "surname": "khan"}),
        ("a number that came later", {"nhs": ""}),
        (
            "day and month exchanged, and another surname",
            {"born": date(2019, 4, 3), "surname": "khan", "nhs": ""},
        ),
        ("nothing but the id", {"given": "", "surname": "", "born": None, "nhs": ""}),
    ],
)
def test_one_person_may_say_more_than_one_thing(why, changed):
    said = {"given": "amina", "surname": "okafor", "born": date(2019, 3, 4), "nhs": "9990000018"}
    assert contradictions_in(row(1, "1", **said), row(2, "1", **said | changed)) == [], why


def test_a_due_date_and_the_birthday_that_came_later_are_one_child():
    """A case system keeps the id of a child who was referred before birth."""
    born = row(2, "R1", given="amina", surname="okafor", born=date(2020, 3, 14), nhs="9990000018")
    expected = row(1, "R1", born=date(2020, 4, 2))
    unborn = replace(expected, child=replace(expected.child, date_approximate=True))
    assert contradictions_in(unborn, born) == []


def test_twins_under_one_id_are_two_children():
    twin = {"surname": "okafor", "born": date(2019, 3, 4)}
    [found] = contradictions_in(
        row(1, "F7", given="amina", nhs="9990000018", **twin),
        row(2, "F7", given="zainab", nhs="9990000026", **twin),
    )
    assert (found.why, found.numbers, found.births) == ("different people", 2, 1)


def test_mothers_under_one_placeholder_are_told_by_their_names_alone():
    mothers = [
        row(n, "0", given=g, surname=s, adult=True)
        for n, (g, s) in enumerate(zip(GIVEN, SURNAMES, strict=False))
    ]
    [found] = contradictions_in(*mothers)
    assert (found.role, found.why, found.rows) == ("adult", "different people", 10)


def test_a_mistyped_row_among_many_visits_stops_nothing():
    visit = {"given": "amina", "surname": "okafor", "born": date(2019, 3, 4)}
    visits = [row(n, "1", **visit) for n in range(12)]
    assert (
        contradictions_in(*visits, row(13, "1", given="ola", surname="ward", born=date(2017, 8, 9)))
        == []
    )


def test_an_id_of_far_more_rows_than_any_other_is_a_placeholder():
    rows = [row(n, f"C{n // 2}") for n in range(100)] + [row(100 + n, "N/K") for n in range(30)]
    [found] = contradictions_in(*rows)
    assert (found.shape, found.why, found.rows) == ("A/A", "too many rows", 30)


def test_a_small_charity_with_six_families_has_no_placeholder():
    assert contradictions_in(*(row(n, f"C{n % 6}", given=GIVEN[n % 6]) for n in range(600))) == []


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3), st.sampled_from(["", "amina", "omar", "linh"]), st.integers(0, 4)
        ),
        max_size=30,
    )
)
def test_what_is_found_depends_on_no_chunks_and_no_order(said):
    rows = [
        row(
            n,
            str(who),
            given=name,
            born=date(2019, 1, 1) + timedelta(days=400 * day) if day else None,
        )
        for n, (who, name, day) in enumerate(said)
    ]
    whole = contradictions_in(*rows)
    parts = IdentityCheck()
    for at in range(0, len(rows), 3):
        parts.add(claims_of(rows[at : at + 3]))
    assert parts.contradictions() == whole
    assert {(c.shape, c.rows) for c in contradictions_in(*reversed(rows))} == {
        (c.shape, c.rows) for c in whole
    }


def test_memory_is_bounded_by_what_is_said_and_not_by_rows(monkeypatch):
    monkeypatch.setattr(contradictions, "_COMPACT_ABOVE", 50)
    check = IdentityCheck()
    for n in range(100):
        check.add(claims_of([row(n, f"C{n % 5}", given=GIVEN[n % 5])]))
    assert sum(len(part) for part in check._parts) <= 55
    assert check.contradictions() == []
    assert IdentityCheck().contradictions() == []
    check.add(Claims())
