"""CSV, a spreadsheet, Parquet and a database give the same rows. A source that cannot be read gives
the reason.
"""

import sqlite3
import subprocess
import sys

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from childlink_ingest.errors import ExtractError
from childlink_ingest.model.rows import Rejection
from childlink_ingest.readers import Source, open_extract
from childlink_ingest.readers.sniff import sniff

COLUMNS = ["id", "name", "born", "weight"]
ROWS = [["1", "O'Neill, Zoë", "2020-01-02", "3200"], ["2", "", "2019-12-31", ""]]


def read(path, source=None):
    with open_extract(path, source or Source()) as extract:
        return extract.header, [list(r.values.values()) for r in extract]


def write_xlsx(path, rows):
    book = openpyxl.Workbook()
    book.active.title = "Export"
    for row in rows:
        book.active.append(row)
    book.save(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_csv_file_in_any_encoding_with_any_delimiter(tmp_path, encoding, delimiter):
    quoted = [[f'"{value}"' for value in row] for row in ROWS]
    path = tmp_path / "e.csv"
    text = "\r\n".join(delimiter.join(row) for row in [COLUMNS, *quoted]) + "\r\n"
    path.write_bytes(text.encode(encoding))
    assert read(path, Source("utf-8" if encoding == "utf-8-sig" else encoding, delimiter)) == (
        COLUMNS,
        ROWS,
    )


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8", ","), ("cp1252", ";"), ("utf-16", "\t"), ("utf-8", "|")]
)
def test_how_a_file_is_written_is_found_out(tmp_path, encoding, delimiter):
    path = tmp_path / "e.csv"
    lines = [
        delimiter.join(COLUMNS),
        *(delimiter.join([str(n), "Zoë", "2020-01-02", "3200"]) for n in range(50)),
    ]
    path.write_bytes("\n".join(lines).encode(encoding))
    found = sniff(path)
    assert (found.encoding, found.delimiter) == (encoding, delimiter)


def test_a_newline_inside_quotes_is_part_of_the_value_and_lines_are_counted_right(tmp_path):
    path = tmp_path / "e.csv"
    path.write_text('id,name\n1,"two\nlines"\n2,x,y\n')
    with open_extract(path, Source()) as extract:
        first, second = list(extract)
    assert first.values["name"] == "two\nlines"
    assert isinstance(second, Rejection)
    assert second.row_number == 4


def test_a_spreadsheet(tmp_path):
    path = tmp_path / "e.xlsx"
    write_xlsx(path, [COLUMNS, *ROWS])
    header, rows = read(path, Source(sheet="Export"))
    assert header == COLUMNS
    assert rows == ROWS
    with pytest.raises(ExtractError, match=r"no sheet 'Other'.*Its sheets are: Export"):
        read(path, Source(sheet="Other"))


def test_a_header_that_is_not_on_the_first_line(tmp_path):
    path = tmp_path / "e.xlsx"
    write_xlsx(path, [["Report of births", "", "", ""], COLUMNS, *ROWS])
    assert read(path, Source(header_row=2)) == (COLUMNS, ROWS)


def test_a_parquet_file_with_typed_columns(tmp_path):
    import datetime

    table = pa.table(
        {
            "id": [1, 2],
            "name": [r[1] or None for r in ROWS],
            "weight": [3200.0, None],
            "born": [datetime.date(2020, 1, 2), datetime.date(2019, 12, 31)],
        }
    )
    pq.write_table(table.select(COLUMNS), tmp_path / "e.parquet")
    assert read(tmp_path / "e.parquet") == (COLUMNS, ROWS)


@pytest.fixture
def database(tmp_path):
    with sqlite3.connect(tmp_path / "db.sqlite") as db:
        db.execute("CREATE TABLE birth (id, name, born, weight)")
        db.executemany(
            "INSERT INTO birth VALUES (?, ?, ?, ?)",
            [(1, ROWS[0][1], "2020-01-02", 3200), (2, None, "2019-12-31", None)],
        )
    (tmp_path / "url").write_text(f"sqlite:///{tmp_path / 'db.sqlite'}\n")
    return tmp_path


def test_the_answer_of_a_read_only_query(database):
    (database / "q.sql").write_text("SELECT id, name, born, weight FROM birth ORDER BY id;\n")
    assert read(database / "q.sql", Source(url_file=database / "url")) == (COLUMNS, ROWS)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("DELETE FROM birth", "not one SELECT"),
        ("SELECT 1; DROP TABLE birth", "not one SELECT"),
        ("WITH x AS (SELECT 1) DELETE FROM birth", "failed"),
        ("SELECT nothing FROM nowhere", "failed"),
    ],
)
def test_a_query_that_would_write_or_fails_is_refused_and_changes_nothing(database, query, words):
    (database / "q.sql").write_text(query)
    with pytest.raises(ExtractError, match=words):
        read(database / "q.sql", Source(url_file=database / "url"))
    with sqlite3.connect(database / "db.sqlite") as db:
        assert db.execute("SELECT count(*) FROM birth").fetchone() == (2,)


def test_a_databases_password_is_in_no_error(tmp_path):
    (tmp_path / "q.sql").write_text("SELECT 1")
    (tmp_path / "url").write_text("postgresql+psycopg://reader:hunter2@127.0.0.1:1/x\n")
    with pytest.raises(ExtractError) as refused:
        read(tmp_path / "q.sql", Source(url_file=tmp_path / "url"))
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("e.csv", b"\x1f\x8b\x08\x00rest", "gzip archive"),
        ("e.csv", b"PK\x03\x04rest", "zip archive"),
        ("e.xlsx", b"not a workbook", "not a spreadsheet"),
        ("e.parquet", b"not parquet", "cannot be read as Parquet"),
        ("e.csv", b"", "is empty"),
        ("e.csv", b"\n\n\n", "is empty"),
    ],
)
def test_a_file_that_is_something_else_says_so(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ExtractError, match=words):
        read(tmp_path / name)


def test_a_spreadsheet_that_unpacks_to_gigabytes_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr("childlink_ingest.readers.excel._LARGEST_UNPACKED", 10_000)
    write_xlsx(tmp_path / "bomb.xlsx", [COLUMNS, *ROWS * 500])
    with pytest.raises(ExtractError, match="unpacks to"):
        read(tmp_path / "bomb.xlsx")


def test_a_file_that_is_still_being_written_is_not_sent(tmp_path):
    path = tmp_path / "e.csv"
    path.write_text("id,name\n1,x\n")
    with (
        pytest.raises(ExtractError, match="changed while it was read"),
        open_extract(path, Source()) as extract,
    ):
        list(extract)
        with path.open("a") as file:
            file.write("2,y\n")


def test_ingest_alone_imports_no_reader_of_an_extra_and_nothing_slow():
    extras = ("sqlalchemy", "pyarrow", "python_calamine", "grpc", "duckdb", "pydantic")
    program = f"import sys, childlink_ingest.cli; print([m for m in {extras} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.real
def test_a_query_on_postgresql_is_read_only_and_streams(tmp_path, postgres_url):
    engine = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as db:
        db.exec_driver_sql("CREATE TABLE birth (id int, born date)")
        db.exec_driver_sql(
            "INSERT INTO birth SELECT n, date '2020-03-14' FROM generate_series(1, 20000) n"
        )
        db.exec_driver_sql(
            "CREATE FUNCTION forge() RETURNS int LANGUAGE sql AS 'DELETE FROM birth; SELECT 1'"
        )
    (tmp_path / "url").write_text(postgres_url)
    source = Source(url_file=tmp_path / "url")
    (tmp_path / "q.sql").write_text("SELECT id, born FROM birth ORDER BY id")
    header, rows = read(tmp_path / "q.sql", source)
    assert header == ["id", "born"]
    assert len(rows) == 20_000
    assert rows[0] == ["1", "2020-03-14"]
    (tmp_path / "q.sql").write_text("SELECT forge()")
    with pytest.raises(ExtractError):
        read(tmp_path / "q.sql", source)
    with engine.connect() as db:
        assert db.exec_driver_sql("SELECT count(*) FROM birth").scalar() == 20_000
    engine.dispose()
