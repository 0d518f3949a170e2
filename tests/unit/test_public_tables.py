"""Figures that stand beside the linked ones: read from CSV files, with their totals, or refused
with the line and what to write.
"""

import shutil
from datetime import date

import pytest
from childlink_analytics.releasing.app import read_tables
from childlink_analytics.releasing.counting.public_tables import parse_table
from childlink_catalogue.catalogue import Catalogue, bundled
from childlink_catalogue.errors import CatalogueError
from childlink_catalogue.versions import changes

DECLARED = Catalogue(bundled())
UNTIL = date(2024, 12, 31)
TABLES = DECLARED.tables(UNTIL)


def test_totals_are_the_sums_and_what_is_not_given_is_nothing():
    found = parse_table(
        "financial_year,workstream,value\n2022/23,services,200\n2022/23,sites,50\n2023/24,services,70\n",
        TABLES["spending"],
        "spending.csv",
    )
    assert found[()] == 320
    assert found[(("workstream", "services"),)] == 270
    assert found[(("financial_year", "2023/24"), ("workstream", "sites"))] == 0
    assert found[(("financial_year", "2022/23"),)] == 250


def test_a_total_that_is_given_stands_even_if_its_parts_are_not():
    found = parse_table(
        "workstream,value\nservices,200\n,1000\n", TABLES["spending"], "spending.csv"
    )
    assert (found[()], found[(("workstream", "services"),)]) == (1000, 200)


def test_places_within_places_are_not_added_up():
    with pytest.raises(CatalogueError, match="may overlap"):
        parse_table("place,value\narea,3\nborough,17\n", TABLES["young_children"], "x.csv")
    found = parse_table("place,value\narea,3\nborough,17\n,17\n", TABLES["young_children"], "x.csv")
    assert found[()] == 17


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("workstream;value\nservices;1\n", "is not that of spending"),
        ("colour,value\nred,1\n", "is not that of spending"),
        ("workstream,value\nservces,1\n", "line 2: workstream has no category 'servces'"),
        ("workstream,value\nservices,-1\n", "line 2: '-1' is no value"),
        ("workstream,value\nservices,12.5\n", "line 2: '12.5' is no value"),
        ("workstream,value\nservices,1\nservices,2\n", "line 3: this group is given twice"),
        ("", "is not that of spending"),
    ],
)
def test_a_file_with_a_mistake_is_refused_with_the_line(text, says):
    with pytest.raises(CatalogueError, match=says):
        parse_table(text, TABLES["spending"], "spending.csv")


def test_a_table_without_a_file_has_no_values_and_a_file_without_a_table_is_refused(tmp_path):
    assert {len(values) for _, values in read_tables(None, DECLARED, UNTIL).values()} == {0}
    (tmp_path / "media.csv").write_text("channel,value\nweb,1088\n")
    found = read_tables(tmp_path, DECLARED, UNTIL)
    assert found["media"][1][()] == 1088
    assert found["spending"][1] == {}
    (tmp_path / "medja.csv").write_text("channel,value\nweb,1088\n")
    with pytest.raises(CatalogueError, match="declares no table medja"):
        read_tables(tmp_path, DECLARED, UNTIL)
    with pytest.raises(CatalogueError, match="is no folder"):
        read_tables(tmp_path / "nowhere", DECLARED, UNTIL)


def test_a_table_and_a_measure_cannot_have_one_name():
    twice = Catalogue(
        bundled(),
        {
            "tables/more.toml": (
                '[[table]]\nid = "reach_children"\ntitle = "x"\ndescription = "x"\nunit = "x"\n'
                'source = "x"\ncubes = [["workstream"]]\n'
            )
        },
    )
    with pytest.raises(CatalogueError, match="declared twice"):
        twice.tables(UNTIL)


def test_a_new_version_of_a_catalogue_says_which_tables_came_went_and_changed(tmp_path):
    for name in ("old", "new"):
        shutil.copytree(bundled(), tmp_path / name)
    about, beside = (tmp_path / "new" / name for name in ("catalogue.toml", "tables/beside.toml"))
    about.write_text(about.read_text().replace("version = 1", "version = 2"))
    text = beside.read_text().replace('id = "media"', 'id = "channels"')
    beside.write_text(text.replace("What the programme spent.", "What was spent."))
    found = [
        item.what for item in changes(Catalogue(tmp_path / "old"), Catalogue(tmp_path / "new"))
    ]
    assert "table media was removed" in found
    assert "table channels was added" in found
    assert any(what.startswith("table spending changed") for what in found)
