"""What a mapping file can say, key by key, and what it answers to mistakes."""

import json
import tomllib
from datetime import date

import pytest
from childlink_core.profiles import get_profile
from childlink_ingest import app
from childlink_ingest.cli import main
from childlink_ingest.errors import ExtractError, MappingError
from childlink_ingest.mapping import language
from childlink_ingest.mapping.apply import RowMapper
from childlink_ingest.mapping.approvals import what
from childlink_ingest.mapping.parse import parse_mapping
from childlink_ingest.model.rows import Row
from click.testing import CliRunner

BASE = """
dataset = "attendance"
{keys}
[columns]
row_id = "id"
child_id = "child"
child_given_name = "given"
child_surname = "surname"
child_date_of_birth = "dob"
session_date = "when"
service = {{ constant = "baby_steps" }}
{columns}
"""
HEADER = "id,child,given,surname,dob,when"


@pytest.fixture
def rows(tmp_path):
    """The canonical rows of an extract under a mapping. Its columns replace those of the base."""

    def read(lines, keys="", header=HEADER, **columns):
        text = BASE.format(keys=keys, columns="")
        for name, value in columns.items():
            kept = [line for line in text.splitlines() if not line.startswith(f"{name} =")]
            text = "\n".join([*kept, f"{name} = {value}"])
        file, extract = tmp_path / "m.toml", tmp_path / "x.csv"
        file.write_text(text)
        extract.write_text("\n".join([header, *lines]) + "\n")
        mapping = app.load_mapping(file)
        mapper = RowMapper(mapping, date(2026, 11, 30))
        with app.open_mapped(extract, mapping) as opened:
            found = [r if hasattr(r, "reason") else mapper(r.number, r.values) for r in opened]
        read.left_out = dict(opened.left_out)
        return found

    return read


NIA = "1,c1,Nia,Smith,2019-03-17,2021-06-17"


def test_only_rows_that_fulfil_every_condition_are_taken_and_the_others_are_counted(rows):
    keys = """where = [
      { column = "child", filled = true },
      { column = "given", none_of = ["Cancelled"] },
      { column = "surname", matching = "^S" },
      { column = "id", one_of = ["1", "2", "3", "4"] },
    ]"""
    lines = [
        NIA,
        "2,,Nia,Smith,2019-03-17,2021-06-17",
        "3,c1,Cancelled,Smith,,",
        "4,c1,Nia,Jones,,",
        "5,c1,Nia,Smith,,",
    ]
    assert [row.row_id for row in rows(lines, keys)] == ["1"]
    assert rows.left_out == {"by the mapping's `where`": 4}


def test_of_a_history_the_newest_row_is_taken(rows):
    lines = [
        "1,c1,Nia,Smith,2019-03-17,2021-06-17",
        "2,c1,Nia,Jones,2019-03-17,2022-01-02",
        "3,c1,Nia,Brown,2019-03-17,",
        "4,c2,Bao,Begum,2019-03-17,2020-01-01",
    ]
    found = rows(lines, 'newest = { by = "child", order = "when" }')
    assert [row.row_id for row in found] == ["2", "4"]
    assert sum(rows.left_out.values()) == 2


def test_dates_of_a_history_are_compared_as_dates(rows):
    lines = [
        "1,c1,Nia,Smith,2019-03-17,09/01/2022",
        "2,c1,Nia,Jones,2019-03-17,17/06/2021",
    ]
    found = rows(lines, 'newest = { by = ["child", "given"], order = "when" }')
    assert [row.row_id for row in found] == ["1"]


LONG_HEADER = "child,given,surname,dob,vaccine,given_on"
PIVOT = """dataset = "immunisation"
pivot = { by = "child", name = "vaccine" }
opt_out_exempt = "made-up people"
[columns]
row_id = "child"
child_id = "child"
child_given_name = "given"
child_surname = "surname"
child_date_of_birth = "dob"
recorded_date = { column = "given_on", of_row = "MMR*1" }
mmr1 = { column = "given_on", of_row = "MMR*1", codes = { "*" = true, "" = false } }
six_in_one = { column = "given_on", of_row = ["6in1", "DTaP*"], codes = { "*" = true } }
"""


@pytest.fixture
def pivoted(tmp_path):
    """The canonical rows of a file with a row for each vaccine."""

    def read(*lines):
        (tmp_path / "m.toml").write_text(PIVOT)
        (tmp_path / "x.csv").write_text("\n".join([LONG_HEADER, *lines]) + "\n")
        mapping = app.load_mapping(tmp_path / "m.toml")
        mapper = RowMapper(mapping, date(2026, 11, 30))
        with app.open_mapped(tmp_path / "x.csv", mapping) as opened:
            found = [mapper(record.number, record.values) for record in opened]
        read.left_out = dict(opened.left_out)
        return found

    return read


def test_rows_of_one_child_become_one_row_wherever_they_stand(pivoted):
    found = pivoted(
        "c1,Nia,Smith,2019-03-17,MMR dose 1,2020-04-01",
        "c2,Bao,Begum,2019-05-01,6in1,2019-08-01",
        "c1,Nia,Smith,2019-03-17,DTaP/IPV,2019-06-01",
        "c2,Bao,Begum,2019-05-01,mmr 1,2020-06-01",
        "c1,Nia,Smith,2019-03-17,Rotavirus,2019-06-01",
    )
    assert [(row.row_id, row.attributes) for row in found] == [
        ("c1", {"recorded_date": "2020-04", "mmr1": True, "six_in_one": True}),
        ("c2", {"recorded_date": "2020-06", "mmr1": True, "six_in_one": True}),
    ]
    assert pivoted.left_out == {
        "by the mapping's `pivot`: they became part of another row": 2,
        "by the mapping's `pivot`: no column takes a value from a row of this name": 1,
    }


def test_a_second_value_of_one_name_is_counted_and_the_first_stays(pivoted):
    found = pivoted(
        "c1,Nia,Smith,2019-03-17,MMR 1,2020-04-01",
        "c1,Nia,Smith,2019-03-17,MMR 1,2020-04-01",
        "c1,Nia,Smith,2019-03-17,MMR 1,2021-09-09",
    )
    assert [row.attributes["recorded_date"] for row in found] == ["2020-04"]
    assert pivoted.left_out == {
        "by the mapping's `pivot`: they became part of another row": 1,
        "by the mapping's `pivot`: an earlier row of this name has another value": 1,
    }


def test_rows_without_an_id_are_never_joined_by_a_pivot(pivoted):
    found = pivoted(
        ",Nia,Smith,2019-03-17,MMR 1,2020-04-01", ",Bao,Begum,2019-05-01,MMR 1,2020-06-01"
    )
    assert [row.column for row in found] == ["child", "child"]
    assert pivoted.left_out == {}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('pivot = { by = "child", name = "vaccine" }', "", "belong together"),
        ('column = "given_on", of_row = "MMR*1", codes', 'column = "given_on", codes', ""),
        ("pivot = {", 'newest = { by = "child", order = "dob" }\npivot = {', "together"),
    ],
)
def test_a_pivot_that_says_half_is_refused(old, new, words):
    text = PIVOT.replace(old, new)
    if not words:
        assert parse_mapping(text, "m.toml").columns["mmr1"].columns == ("given_on",)
        return
    with pytest.raises(MappingError, match=words):
        parse_mapping(text, "m.toml")


def test_a_value_in_any_of_several_columns_is_found_by_codes_over_the_joined_columns(rows):
    """One of ten columns of a vaccination system holds the code of the vaccine."""
    mmr = (
        '{ column = ["V1", "V2", "V3"], extract = "(?:^|[|])(MMR1)(?:[|]|$)", codes = { "MMR1" ='
        ' "baby_steps", "" = "community_engagement" } }'
    )
    found = rows(
        [f"{NIA},HIB,MMR1,", "2,c2,Bao,Begum,2019-03-17,2021-06-17,MMR11,,6in1"],
        "",
        HEADER + ",V1,V2,V3",
        service=mmr,
    )
    assert [row.attributes["service"] for row in found] == ["baby_steps", "community_engagement"]


def test_a_constant_may_depend_on_whether_another_column_is_filled(rows):
    found = rows(
        [f"{NIA},m1", "2,c2,Bao,Begum,2019-03-17,2021-06-17,"],
        "",
        HEADER + ",mother",
        adult_id='"mother"',
        adult_relation='{ column = "mother", codes = { "*" = "mother" } }',
    )
    assert [row.relation for row in found] == ["mother", None]


def test_a_number_is_turned_into_the_contract_s_unit(tmp_path):
    text = """
dataset = "maternity"
opt_out_exempt = "made-up people"
[columns]
row_id = "id"
child_id = "id"
birth_date = "born"
birth_weight = { column = "kg", times = 1000 }
"""
    mapper = RowMapper(parse_mapping(text, "m.toml"), date(2026, 11, 30))
    row = mapper(1, {"id": "1", "born": "2020-01-01", "kg": "3.4249"})
    assert row.attributes["birth_weight"] == 3425
    row = mapper(2, {"id": "2", "born": "2020-01-01", "kg": "inf"})
    assert "birth_weight" not in row.attributes
    assert any("birth_weight" in note for note in row.notes)
    with pytest.raises(MappingError, match="has `times`, but is no number"):
        parse_mapping(text.replace('"born"', '{ column = "born", times = 2 }'), "m.toml")


def test_one_row_becomes_a_row_for_each_visit(rows):
    found = rows(
        [f"{NIA},2021-07-01,", "2,c2,Bao,Begum,2019-03-17,2021-06-17,,"],
        'each = [{ session_date = "when" }, { session_date = "second" }, { session_date ='
        ' "third" }]',
        HEADER + ",second,third",
    )
    assert [(row.row_id, row.attributes["session_date"]) for row in found] == [
        ("1|0", "2021-06"),
        ("1|1", "2021-07"),
        ("2|0", "2021-06"),
    ]


def test_a_row_of_which_no_visit_took_place_is_counted(rows):
    assert rows(["1,c1,Nia,Smith,2019-03-17,"], 'each = [{ session_date = "when" }]') == []
    assert sum(rows.left_out.values()) == 1


@pytest.mark.parametrize(
    ("value", "text", "found"),
    [
        ('{ column = ["given", "surname"], join = " " }', "Nia,Mae", "nia mae"),
        ('{ first_of = ["given", "surname"] }', ",Mae", "mae"),
        ('{ constant = "Zoe" }', "Nia,Mae", "zoe"),
        ("{ position = 3 }", "Nia,Mae", "nia"),
        ('{ any_of = ["Forename", "given"] }', "Nia,Mae", "nia"),
        ('{ matching = "^giv" }', "Nia,Mae", "nia"),
        ('{ column = "given", split = { at = ";", part = -1 } }', "Smith; Nia,Mae", "nia"),
        (
            '{ column = "given", split = { at = "last space", part = 1 } }',
            "Nia Mae Li,",
            "nia mae",
        ),
        ("{ column = \"given\", extract = '^(\\w+)-' }", "Nia-77,Mae", "nia"),
        ("{ column = \"given\", extract = '^(\\d+)-' }", "Nia-77,Mae", ""),
        ('{ column = "given", null = ["nobody"] }', "nobody,Mae", ""),
        ('{ column = "given", codes = { "N*" = "Nia" }, default = "Bao" }', "NIAA,Mae", "nia"),
        ('{ column = "given", codes = { "N*" = "Nia" }, default = "Bao" }', "X,Mae", "bao"),
    ],
)
def test_where_a_value_comes_from_and_how_it_is_cut(rows, value, text, found):
    [row] = rows([f"1,c1,{text},2019-03-17,2021-06-17"], 'ignore = ["*"]', child_given_name=value)
    assert row.child.given_name == found


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ('["%d/%m/%Y", "excel"]', "17/03/2019"),
        ('["%d/%m/%Y", "excel"]', "43541"),
        ('"%d/%m/%Y"', "17/03/2019 09:30"),
        ('"%Y-%m-%d"', "2019-03-17T00:00:00.000Z"),
        ('"%d.%m.%y"', "17.03.19"),
    ],
)
def test_dates_in_several_forms(rows, form, text):
    [row] = rows(
        [f"1,c1,Nia,Smith,{text},2021-06-17"],
        child_date_of_birth=f'{{ column = "dob", format = {form} }}',
    )
    assert row.child.date_of_birth == date(2019, 3, 17)


def test_short_rows_are_filled_up_only_if_the_mapping_says_so(rows):
    short = "1,c1,Nia,Smith,2019-03-17,2021-06-17"
    [rejected] = rows([short], 'ignore = ["note"]', HEADER + ",note")
    assert rejected.reason == "has 6 fields where the header has 7"
    [row] = rows([short], 'ignore = ["note"]\nshort_rows = "pad"', HEADER + ",note")
    assert isinstance(row, Row)


def test_encoding_and_delimiter_are_found_by_content(rows, tmp_path):
    rows([NIA])
    file = tmp_path / "m.toml"
    file.write_text('encoding = "auto"\ndelimiter = "auto"\n' + file.read_text())
    (tmp_path / "x.csv").write_bytes(
        "\n".join([HEADER, NIA.replace("Nia", "Zoë")]).replace(",", "\t").encode("cp1252")
    )
    mapping = app.load_mapping(file)
    with app.open_mapped(tmp_path / "x.csv", mapping) as opened:
        [record] = list(opened)
    assert record.values["given"] == "Zoë"


def test_columns_that_are_not_used_may_hold_anything(rows):
    [row] = rows([f"{NIA},=cmd()"], 'ignore = ["note"]', HEADER + ",note")
    assert isinstance(row, Row)
    [rejected] = rows([NIA.replace("Nia", "=cmd()")])
    assert rejected.reason == "contains a spreadsheet formula"


def test_a_lookup_file_codes_values_and_an_approval_covers_it(rows, tmp_path):
    (tmp_path / "venues.csv").write_text("from,to\nHub,baby_steps\nThe Old Library,pairs\n")
    columns = {"service": '{ column = "venue", lookup = "venues.csv" }'}
    [row] = rows([f"{NIA},The Old Library"], "", HEADER + ",venue", **columns)
    assert row.attributes["service"] == "pairs"

    def approved():
        file = tmp_path / "m.toml"
        return what(file, app.load_mapping(file), get_profile())

    before = approved()
    (tmp_path / "venues.csv").write_text("from,to\nHub,baby_steps\nThe Old Library,baby_steps\n")
    assert approved().mapping != before.mapping


@pytest.mark.parametrize("name", ["../venues.csv", "/etc/passwd", "missing.csv"])
def test_a_lookup_file_stands_beside_the_mapping(rows, name):
    with pytest.raises(MappingError, match="look-up file"):
        rows([NIA], service=f'{{ column = "when", lookup = "{name}" }}')


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"child_surname": '{ any_of = ["a", "b"] }'}, "has 0 of the columns a, b"),
        ({"child_surname": '{ any_of = ["given", "surname"] }'}, "has 2 of the columns"),
        ({"child_surname": '{ matching = "n" }'}, "columns match 'n'"),
        ({"child_surname": "{ position = 40 }"}, "there is no column 40"),
        ({"child_surname": '{ matching = "(" }'}, "is not a regular expression"),
        ({"child_surname": '{ column = "surname", extract = "x" }'}, "has no group"),
        ({"child_surname": '{ column = "surname", default = "x" }'}, "has a `default` but no"),
        ({"child_surname": '{ column = "surname", split = { at = ",", part = 0 } }'}, "part 0"),
        ({"child_surname": '{ column = "surname", constant = "x" }'}, "exactly one of column"),
        ({"child_surname": '{ colum = "surname" }'}, "columns.child_surname has an unknown form"),
        ({"child_surname": "5"}, "columns.child_surname has an unknown form"),
        ({"child_surname": "{ position = 3 }"}, "in two ways"),
    ],
)
def test_a_mistake_in_a_column_names_it(rows, columns, words):
    with pytest.raises(MappingError) as error:
        rows([NIA], 'ignore = ["*"]', **columns)
    assert words in str(error.value)
    assert error.value.remedy


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("header_row = 0", "header_row"),
        ('header_row = "top"', "header_row"),
        ('short_rows = "cut"', "short_rows"),
        ("min_filled = { child_postcode = 0.5 }", "child_postcode, which is not mapped"),
        ('where = [{ column = "x", filed = true }]', "where"),
        ('newest = { by = "child" }', "newest"),
        ('each = [{ sesion_date = "when" }]', "does not have sesion_date"),
    ],
)
def test_a_mistake_in_a_key_names_it(rows, keys, words):
    with pytest.raises(MappingError, match=words):
        rows([NIA], keys)


def test_a_header_that_cannot_be_found_names_what_was_looked_for(rows):
    with pytest.raises(ExtractError, match="none of the first 100 lines is a header with child"):
        rows([NIA], 'header_row = "find"', "a,b,c,d,e,f")


def test_a_column_that_is_emptier_than_allowed_stops_the_extract(rows, tmp_path):
    rows(
        [f"{NIA},", "2,c2,,Begum,2019-03-17,2021-06-17,9990000018"],
        "min_filled = { child_given_name = 0.9 }",
        HEADER + ",nhs",
        child_nhs_number='"nhs"',
    )
    done = CliRunner().invoke(
        main, ["check", str(tmp_path / "x.csv"), "--mapping", str(tmp_path / "m.toml")]
    )
    assert done.exit_code == 1
    assert "child_given_name has a usable value in 1 of 2 rows (50.0%)" in done.output


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(example, id=f"{model.__name__}.{name} {number}")
        for _, model in language.PARTS
        for name, info in model.model_fields.items()
        for number, example in enumerate(info.examples or [])
    ],
)
def test_every_example_of_the_reference_is_toml(example):
    assert tomllib.loads(f"x = {example}")


def test_every_key_is_described():
    for title, model in language.PARTS:
        for name, info in model.model_fields.items():
            assert info.description, (title, name)


def test_the_schema_and_the_keys_are_printed_and_a_mapping_is_checked(rows, tmp_path):
    run = CliRunner().invoke
    schema = json.loads(run(main, ["mapping", "schema"]).stdout)
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"dataset", "columns"}
    assert "header_row" in run(main, ["mapping", "keys"]).stdout
    rows([NIA])
    checked = run(main, ["mapping", "check", str(tmp_path / "m.toml"), str(tmp_path / "x.csv")])
    assert "It fits x.csv, which has 6 columns." in checked.stdout
    (tmp_path / "x.csv").write_text("id\n1\n")
    checked = run(main, ["mapping", "check", str(tmp_path / "m.toml"), str(tmp_path / "x.csv")])
    assert checked.exit_code == 1
    assert "there is no column child" in checked.output


def test_what_was_a_mapping_before_still_is_one():
    text = 'dataset = "asq3"\n[columns]\nrow_id = "a"\nchild_id = "a"\nreview_date = "b"\n'
    mapping = parse_mapping(text, "m.toml")
    assert mapping.source.header_row == 1
    assert mapping.columns["row_id"].columns == ("a",)
