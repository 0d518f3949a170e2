"""Files as sites export them, in shapes that people reported in public. For each: what `map`
proposes, and what `check` says of it.

The shapes are those of nhsuk/manage-vaccinations-in-schools, SEED-platform/seed 608,
DFE-Digital/gias-query-tool PR 1, votingworks/arlo PR 525, data61/clkhash 125,
moj-analytical-services/splink 1266, Synthea, and of SQL Server and Excel. All people are made up.
"""

import csv
import io
import tomllib
from datetime import date, timedelta

import openpyxl
import pytest
from childlink_ingest import app
from childlink_ingest.cli import main
from childlink_ingest.mapping.apply import RowMapper
from childlink_ingest.model.rows import Row
from click.testing import CliRunner

GIVEN = ["Nia", "Saoirse", "Zofia", "Xiu", "Bao", "Kwame", "Inês", "Oliver", "Ayaan", "Siân"]
SURNAMES = ["Smith", "Kowalska", "Jones", "dos Santos", "Begum", "Okafor", "McDonald", "St John"]
POSTCODES = ["SW2 1RW", "SE5 8AF", "SE24 9PN", "SW9 8JJ", "SE1 7EH"]
EYFS = ["UPN", "Forename", "Surname", "DOB", "Gender", "Postcode", "Assessment Date", "GLD"]


def number(n):
    """A made-up NHS number, from the range that is never given to anybody (999)."""
    for base in range(n * 37, n * 37 + 37):
        digits = f"999{base:06}"
        check = 11 - sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            return digits + str(check % 11)
    raise AssertionError


def children(count=60):
    """Rows of EYFS, as lists."""
    return [
        [
            f"A2109999{n:05}",
            GIVEN[n % 10],
            SURNAMES[n % 8],
            (date(2018, 9, 1) + timedelta(days=5 * n)).strftime("%d/%m/%Y"),
            "FM"[n % 2],
            POSTCODES[n % 5],
            "28/06/2024",
            "YN"[n % 2],
        ]
        for n in range(count)
    ]


def as_csv(*rows, delimiter=","):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue()


class Site:
    """`map`, then `check`, in one folder."""

    def __init__(self, folder):
        self.folder, self.runner = folder, CliRunner()

    def command(self, *arguments):
        return self.runner.invoke(main, [*map(str, arguments)], catch_exceptions=False)

    def map(self, content, dataset="eyfs", name="x.csv"):
        """The columns that are proposed, everything that is proposed, and the questions."""
        extract = self.folder / name
        if content is not None:
            extract.write_bytes(content if isinstance(content, bytes) else content.encode())
        done = self.command("map", extract, "--dataset", dataset)
        assert done.exit_code in (0, 5), done.output
        proposed = tomllib.loads(done.stdout)
        return proposed["columns"], proposed, done.stderr

    def rows(self, mapping, name="x.csv"):
        """The canonical rows under a mapping, and the rejections."""
        file = self.folder / "m.toml"
        file.write_text(mapping)
        parsed = app.load_mapping(file)
        mapper = RowMapper(parsed, date(2026, 11, 30))
        with app.open_mapped(self.folder / name, parsed) as opened:
            found = [mapper(r.number, r.values) if not hasattr(r, "reason") else r for r in opened]
        self.left_out = opened.left_out
        good = [row for row in found if isinstance(row, Row)]
        return good, [row for row in found if not isinstance(row, Row)]

    def proposed_rows(self, name="x.csv", dataset="eyfs"):
        """The canonical rows under the proposed mapping."""
        done = self.command("map", self.folder / name, "--dataset", dataset)
        return self.rows(done.stdout, name)


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def test_an_export_whose_only_id_is_the_nhs_number_is_asked_about(site):
    rows = [
        ["20190317", number(n), "", GIVEN[n % 10], "SW2 1RW", "Female", "SMITH", "20210617", ""]
        for n in range(60)
    ]
    header = ["Date of birth", "NHS number", "Vaccination batch number", "First name", "Postcode"]
    header += ["Sex", "Surname", "Event date", "Team ID"]
    columns, _, asked = site.map(as_csv(header, *rows), "immunisation")
    assert "child_id" not in columns
    assert "'Team ID' was not used" in asked
    assert "If every row has one, 'NHS number' can be the id." in asked


def test_a_row_of_instructions_is_skipped_and_a_dose_number_is_no_vaccination(site):
    header = ["NHS_NUMBER", "PERSON_FORENAME", "PERSON_SURNAME", "PERSON_DOB", "PERSON_POSTCODE"]
    header += ["DATE_OF_VACCINATION", "PROGRAMME", "DOSE_SEQUENCE", "LOCAL_PATIENT_ID"]
    says = ["Required", "Required", "Required. Must use YYYYMMDD", *["Optional"] * 8]
    rows = [
        [number(n), GIVEN[n % 10], "Smith", "20190317", "SW2 1RW", "20210617", "MMR", "1", f"P{n}"]
        for n in range(60)
    ]
    columns, proposed, asked = site.map(as_csv(header, says, *rows), "immunisation")
    assert proposed["skip_rows"] == 1
    assert "looks like instructions" in asked
    assert "mmr1" not in columns
    assert "mmr1: is it 'DOSE_SEQUENCE'?" in asked
    good, rejected = site.proposed_rows(dataset="immunisation")
    assert (len(good), rejected) == (60, [])


def test_titles_above_the_header_totals_below_and_whole_names(site):
    header = ["Patient ID", "NHS Number", "Full Name", "Date of Birth", "Gender", "Postcode"]
    header += ["Date Recorded", "MMR 1"]
    rows = [
        [
            f"RX{n:05}",
            number(n),
            f"{SURNAMES[n % 8].upper()}, {GIVEN[n % 10]}",
            f"{1 + n % 28:02}-Mar-2019",
            "F",
            "SW2 1RW",
            "17-Jun-2021",
            "Yes",
        ]
        for n in range(60)
    ]
    text = "Practice Name: Example Surgery\nReport run on 03-Nov-2026 08:12\n\n"
    text += as_csv(header, *rows) + 'Total patients,60\n"*** End of report ***"\n'
    columns, proposed, asked = site.map(text, "immunisation")
    assert proposed["header_row"] == "find"
    assert columns["child_surname"]["split"] == {"at": ",", "part": 1}
    assert "2 rows have few values, such as totals" in asked
    good, rejected = site.proposed_rows(dataset="immunisation")
    assert (len(good), rejected) == (60, [])
    assert good[3].child.surname == "dos santos"
    assert good[3].child.given_name == "xiu"
    assert site.left_out.total() == 2


def test_empty_headers_at_the_end_are_ignored(site):
    site.map(as_csv([*EYFS, "", "", ""], *([*row, "", "", ""] for row in children())))
    good, rejected = site.proposed_rows()
    assert (len(good), rejected) == (60, [])


def test_a_header_that_repeats_is_chosen_by_position(site):
    header = ["UPN", "Name", "Name", "DOB", "Gender", "Postcode", "Assessment Date", "GLD"]
    columns, proposed, _ = site.map(as_csv(header, *children()))
    assert "child_given_name" not in columns
    assert {"Name", "Name (2)"} <= set(proposed["ignore"])
    text = site.command("map", site.folder / "x.csv", "--dataset", "eyfs").stdout
    text = text.replace('"Name", "Name (2)"', "")
    text += "child_given_name = { position = 2 }\nchild_surname = { position = 3 }\n"
    good, _ = site.rows(text)
    assert (good[0].child.given_name, good[0].child.surname) == ("nia", "smith")


def test_utf_16_with_tabs(site):
    site.map(as_csv(EYFS, *children(), delimiter="\t").encode("utf-16"))
    assert len(site.proposed_rows()[0]) == 60


@pytest.mark.parametrize("content", ["", as_csv(EYFS)])
def test_a_file_with_nothing_in_it_says_so(site, content):
    (site.folder / "x.csv").write_text(content)
    done = site.command("map", site.folder / "x.csv", "--dataset", "eyfs")
    assert done.exit_code == 1
    assert "is empty" in done.output or "has a header but no rows" in done.output


def test_null_texts_times_of_sql_server_and_weeks_with_days(site):
    header = ["BabyID", "BabyNHSNumber", "BabyForename", "BabySurname", "BabyDOB", "BabySex"]
    header += ["BabyPostcode", "BirthWeight", "GestationWeeks", "ValidTo"]
    rows = [
        [
            f"RX{n:05}",
            number(n) if n % 4 else "NULL",
            GIVEN[n % 10] if n % 4 else "NULL",
            "Smith",
            f"2019-03-{1 + n % 28:02} 00:00:00.0000000",
            "2",
            "SW2 1RW",
            "3200" if n % 3 else "NULL",
            "39+4",
            "NULL",
        ]
        for n in range(60)
    ]
    _, proposed, _ = site.map(as_csv(header, *rows), "maternity")
    assert proposed["null"] == ["NULL"]
    good, rejected = site.proposed_rows(dataset="maternity")
    assert (len(good), rejected) == (60, [])
    assert good[0].child.given_name == ""
    assert good[1].child.date_of_birth == date(2019, 3, 2)
    assert good[1].attributes["gestation"] == 39


def test_day_numbers_of_excel_are_dates(site):
    start = date(1899, 12, 30)
    rows = children()
    for row in rows:
        day = date(*map(int, reversed(row[3].split("/"))))
        row[3], row[6] = str((day - start).days), "45471"
    columns, _, _ = site.map(as_csv(EYFS, *rows))
    assert columns["child_date_of_birth"]["format"] == "excel"
    good, _ = site.proposed_rows()
    assert good[0].child.date_of_birth == date(2018, 9, 1)
    assert good[0].attributes["assessed_date"] == "2024-06"


def test_a_default_date_of_birth_counts_as_missing_and_is_counted(site):
    rows = children()
    for row in rows[::10]:
        row[3] = "01/01/1900"
    site.map(as_csv(EYFS, *rows))
    good, _ = site.proposed_rows()
    assert good[0].child.date_of_birth is None
    assert "child_date_of_birth is a default date of the source" in good[0].notes[0]


def test_a_default_date_of_what_happened_rejects_the_row(site):
    rows = children()
    rows[5][6] = rows[5][3] = "01/01/1900"
    site.map(as_csv(EYFS, *rows))
    good, [rejected] = site.proposed_rows()
    assert len(good) == 59
    assert rejected.reason == "is a date that the source writes where it knows none"


def test_an_assessment_before_the_birth_rejects_the_row(site):
    rows = children()
    rows[5][6] = "28/06/2014"
    site.map(as_csv(EYFS, *rows))
    good, [rejected] = site.proposed_rows()
    assert len(good) == 59
    assert rejected.reason == "is before the child's birth"


def test_one_stray_quote_costs_its_row_with_the_right_line(site):
    lines = as_csv(EYFS, *children()).splitlines()
    lines[6] = lines[6].replace("Kwame", '"Billy" Bob')
    lines[20] = lines[20].replace(",", ',"', 1)
    (site.folder / "x.csv").write_text("\r\n".join(lines[:10]) + "\n" + "\n".join(lines[10:]))
    good, rejected = site.proposed_rows()
    assert len(good) == 58
    assert [item.row_number for item in rejected] == [7, 21]


def test_names_of_everybody(site):
    names = [
        ("Олена", "Шевченко", "olena", "shevchenko"),
        ("नेहा", "खान", "neha", "khan"),
        ("Zoë", "O`Brien", "zoe", "obrien"),
        ("Mary–Jane", "Smith‑Jones", "mary jane", "smith jones"),
        ("Anna (Annie)", "Jones (nee Smith)", "anna", "jones"),
        ("**DO NOT USE**", "ZZTEST", "", ""),
        ("Baby Girl", "Smith", "", "smith"),
        ("Unborn", "Smith", "", "smith"),
    ]
    rows = children()
    for row, (given, surname, *_) in zip(rows, names, strict=False):
        row[1], row[2] = given, surname
    site.map(as_csv(EYFS, *rows))
    good, _ = site.proposed_rows()
    for row, (*_, given, surname) in zip(good, names, strict=False):
        assert (row.child.given_name, row.child.surname) == (given, surname)
    assert good[4].child.known_as == "annie"


def test_synthea_is_asked_one_question(site):
    header = ["Id", "BIRTHDATE", "DEATHDATE", "SSN", "FIRST", "LAST", "GENDER", "ZIP"]
    rows = [
        [f"{n:08}-a", f"2019-{1 + n % 12:02}-17", "", "999-12-3456", "Nia1", "Smith2", "F", "02108"]
        for n in range(60)
    ]
    columns, _, asked = site.map(as_csv(header, *rows))
    assert columns["child_id"] == "Id"
    assert "recognised: Synthea" not in asked, "it is no list of children here"
    assert asked.count("to decide") == 1


def test_febrl_has_numbers_of_houses_and_of_nobody(site):
    header = ["rec_id", " given_name", " surname", " street_number", " postcode"]
    header += [" date_of_birth", " soc_sec_id"]
    rows = [
        [
            f"rec-{n}-org",
            f" {GIVEN[n % 10]}",
            " smith",
            " 8",
            " 4223",
            f" 201903{1 + n % 28:02}",
            " 5304218",
        ]
        for n in range(60)
    ]
    columns, _, asked = site.map(as_csv(header, *rows), "children")
    assert "recognised: FEBRL data set" in asked
    assert columns["child_id"] == "rec_id"
    header[0] = "rec_no"
    columns, _, asked = site.map(as_csv(header, *rows), "children")
    assert columns["child_id"] == "rec_no"
    assert "'rec_no' may be the id of a row" in asked
    assert not {"street_number", "soc_sec_id"} & set(map(str, columns.values()))


@pytest.mark.parametrize("placeholder", ["TBA", "1234567890"])
def test_an_id_that_many_children_share_is_refused_before_anything_is_sent(site, placeholder):
    rows = children()
    for row in rows[::4]:
        row[0] = placeholder
    (site.folder / "x.csv").write_text(
        as_csv(["Row", *EYFS], *([n, *r] for n, r in enumerate(rows)))
    )
    mapping = 'dataset = "eyfs"\n[columns]\nrow_id = "Row"\nchild_id = "UPN"\n'
    mapping += 'child_given_name = "Forename"\nchild_surname = "Surname"\n'
    mapping += 'child_date_of_birth = "DOB"\nchild_sex = "Gender"\nchild_postcode = "Postcode"\n'
    mapping += 'assessed_date = "Assessment Date"\ngood_level_of_development = "GLD"\n'
    (site.folder / "m.toml").write_text(mapping)
    done = site.command("check", site.folder / "x.csv", "--mapping", site.folder / "m.toml")
    assert done.exit_code == 1
    assert "UPN" in done.output
    assert placeholder not in done.output
    declared = f'placeholder_ids = ["{placeholder}"]\n' + mapping
    good, rejected = site.rows(declared)
    assert (len(good), len(rejected)) == (45, 15)


def test_a_spreadsheet_with_dates_as_dates_and_as_texts(site):
    book = openpyxl.Workbook()
    book.active.append([*EYFS, ""])
    for n, row in enumerate(children()):
        if n % 3:
            row[3] = date(*map(int, reversed(row[3].split("/"))))
        book.active.append(row)
    book.save(site.folder / "x.xlsx")
    columns, _, _ = site.map(None, name="x.xlsx")
    assert columns["child_date_of_birth"]["format"] == ["%Y-%m-%d", "%d/%m/%Y"]
    assert len(site.proposed_rows("x.xlsx")[0]) == 60


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.csv", b"PK\x03\x04xxxx[Content_Types].xml", "is a spreadsheet, not a text file"),
        ("x.xls", b"<html><table><tr><td>UPN</td></tr></table></html>", "is a web page"),
        ("x.csv", b"<html><table><tr><td>UPN</td></tr></table></html>", "is a web page"),
        ("x.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 600, "has a password"),
    ],
)
def test_a_file_under_another_files_name_says_what_it_is(site, name, content, words):
    (site.folder / name).write_bytes(content)
    done = site.command("map", site.folder / name, "--dataset", "eyfs")
    assert done.exit_code == 1
    assert words in done.output
    assert "what to do" in done.output


def test_a_bad_optional_value_costs_the_value_and_not_the_child(site):
    rows = children()
    rows[0][7] = "Absent"
    mapping = 'dataset = "eyfs"\n[columns]\nrow_id = "UPN"\nchild_id = "UPN"\n'
    mapping += 'child_surname = "Surname"\nassessed_date = "Assessment Date"\n'
    mapping += 'good_level_of_development = "GLD"\n'
    mapping = mapping.replace(
        "[columns]", 'ignore = ["Forename", "DOB", "Gender", "Postcode"]\n[columns]'
    )
    (site.folder / "x.csv").write_text(as_csv(EYFS, *rows))
    good, rejected = site.rows(mapping)
    assert (len(good), rejected) == (60, [])
    assert "good_level_of_development" not in good[0].attributes


@pytest.mark.parametrize(
    ("postcode", "sex", "found", "noted"),
    [
        ("se5 8af", "Boy", ("SE58AF", "m"), []),
        ("SE58AF.", "Boy", ("SE58AF", "m"), ["repaired"]),
        ("se5-8af", "I", ("SE58AF", ""), ["repaired"]),
        ("SE5 8AF\u200b", "Not Specified", ("SE58AF", ""), ["repaired"]),
        ("SE5 8A", "Spaniel", ("", ""), ["missing", "missing"]),
    ],
)
def test_identity_is_repaired_where_that_is_certain_and_else_listed_as_lost(
    site, postcode, sex, found, noted
):
    rows = children()
    rows[0][5], rows[0][4] = postcode, sex
    (site.folder / "x.csv").write_text(as_csv(EYFS, *rows))
    good, _ = site.rows(
        'dataset = "eyfs"\nignore = ["GLD"]\n[columns]\nrow_id = "UPN"\nchild_id = "UPN"\n'
        'child_given_name = "Forename"\nchild_surname = "Surname"\nchild_date_of_birth = "DOB"\n'
        'child_sex = "Gender"\nchild_postcode = "Postcode"\nassessed_date = "Assessment Date"\n'
    )
    assert (good[0].child.postcode, good[0].child.sex) == found
    assert [note.split()[-1] for note in good[0].notes] == noted
    done = site.command("check", site.folder / "x.csv", "--mapping", site.folder / "m.toml")
    assert ("Repaired:" in done.output) == ("repaired" in noted)


def test_a_word_that_many_headers_have_makes_no_match(site):
    """From a maternity system: the code of a place was within the range of a birth weight."""
    header = ["BabyId", "BirthLocation_CD", "BirthWeightGrams", "Baby_DOB", "OrderByNumber"]
    rows = [
        [f"B{n}", f"{300 + n}", f"{3000 + n}.00", f"2019-03-{1 + n % 28:02}", n] for n in range(60)
    ]
    columns, _, _ = site.map(as_csv(header, *rows), "maternity")
    assert columns["birth_weight"] == "BirthWeightGrams"
    assert "child_birth_order" not in columns


def test_a_decimal_point_behind_a_whole_number_is_read(site):
    header = ["BabyId", "BirthWeightGrams", "Baby_DOB", "Surname"]
    rows = [[f"B{n}", "3200.00", "2019-03-17", "Li"] for n in range(30)]
    site.map(as_csv(header, *rows), "maternity")
    good, _ = site.proposed_rows(dataset="maternity")
    assert good[0].attributes["birth_weight"] == 3200


def test_a_number_that_counts_the_rows_is_asked_about_as_a_row_id(site):
    rows = [[n + 1, *row] for n, row in enumerate(children())]
    for row in rows[::7]:
        row[1] = rows[1][1]
    _, _, asked = site.map(as_csv(["Row", *EYFS], *rows), "children")
    assert "'Row' counts the rows" in asked


def test_dates_are_no_row_ids(site):
    header = ["Vorname", "Nachname", "Geburtsdatum", "Geschlecht"]
    rows = [[r[1], r[2], r[3].replace("/", "."), "wm"[n % 2]] for n, r in enumerate(children())]
    columns, _, _ = site.map(as_csv(header, *rows, delimiter=";").encode("cp1252"), "children")
    assert "row_id" not in columns
    assert columns["child_given_name"] == "Vorname"
    assert columns["child_date_of_birth"]["format"] == "%d.%m.%Y"


def test_adults_without_an_id_are_asked_about_and_never_dropped_in_silence(site):
    header = [*EYFS, "Mother forename", "Mother surname"]
    rows = [[*row, "Grace", row[2]] for row in children()]
    columns, _, asked = site.map(as_csv(header, *rows), "children")
    assert not {name for name in columns if name.startswith("adult_")}
    assert "adult_id: no column names the adults" in asked
    text = site.command("map", site.folder / "x.csv", "--dataset", "children").stdout
    (site.folder / "m.toml").write_text(text + 'adult_surname = "Mother surname"\n')
    done = site.command("mapping", "check", site.folder / "m.toml")
    assert done.exit_code == 1
    assert "but not adult_id. No adult would be read." in done.output


def test_a_mapping_by_which_nobody_can_be_linked_says_so(site):
    (site.folder / "x.csv").write_text("id,first\n1,Nia\n")
    (site.folder / "m.toml").write_text(
        'dataset = "children"\n[columns]\nrow_id = "id"\nchild_id = "id"\n'
        'child_given_name = "first"\n'
    )
    done = site.command("mapping", "check", site.folder / "m.toml", site.folder / "x.csv")
    assert "No one can be linked by it" in done.output
