"""`childlink-ingest` as a site's IT staff run it: good rows are sent, bad rows are reported, and no
command ends in a traceback.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
from childlink_catalogue.catalogue import bundled
from childlink_core.commands import os_user
from childlink_ingest.cli import main
from childlink_local.broker import mock_broker
from childlink_local.workspace import create_workspace
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from tests.support.http import door

INGEST = Path(sys.executable).parent / "childlink-ingest"
HEADER = "id,nhs,first,last,dob,when,comm\n"
GOOD = "1,9434765919,Amina,Okafor,02/01/2020,01/05/2022,Y\n"
MAPPING = """
dataset = "asq3"
opt_out_exempt = "made-up people"
[columns]
row_id = "id"
child_id = "id"
child_nhs_number = "nhs"
child_given_name = "first"
child_surname = "last"
child_date_of_birth = { column = "dob", format = "%d/%m/%Y" }
review_date = { column = "when", format = "%d/%m/%Y" }
communication = "comm"
"""


class Site:
    def __init__(self, folder, address):
        self.folder = folder
        layout = create_workspace(folder, ["trust-a"], address)
        settings = layout.ingest["trust-a"].model_dump(mode="json", exclude_none=True)
        self.environment = {
            f"CHILDLINK_INGEST_{name.upper()}": (
                value if isinstance(value, str) else json.dumps(value)
            )
            for name, value in settings.items()
        }
        (folder / "m.toml").write_text(MAPPING)
        self.write(HEADER + GOOD, "sample.csv")
        self.approve("sample.csv", "m.toml")

    def approve(self, extract, mapping):
        for step in (
            ["preview", extract, "--mapping", mapping, "--html", "preview.html"],
            ["approve", mapping, "--by", "A. Shah, IG lead"],
        ):
            done = self.quickly(*step)
            assert done.returncode == 0, done.stderr
            (self.folder / "preview.html").unlink(missing_ok=True)

    def write(self, content, name="extract.csv"):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def __call__(self, *arguments, **environment):
        done = subprocess.run(
            [str(INGEST), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, **self.environment, **environment},
            cwd=self.folder,
        )
        assert "Traceback" not in done.stderr + done.stdout, done.stderr
        return done

    def check(self, content, **options):
        return self.quickly(
            "check", self.write(content), "--mapping", options.get("mapping", "m.toml")
        )

    def quickly(self, *arguments):
        """As a call, but in this process, which starts no Python. Returns what a call returns."""
        with (
            contextlib.chdir(self.folder),
            mock.patch("childlink_core.commands.configure_logs"),
            mock.patch("childlink_core.commands.relax_garbage_collection"),
        ):
            done = CliRunner().invoke(
                main, [*map(str, arguments)], env=self.environment, catch_exceptions=False
            )
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def address():
    with mock_broker() as address:
        yield address


@pytest.fixture
def site(tmp_path, address):
    return Site(tmp_path, address)


def test_a_mapping_is_approved_only_as_it_was_previewed_and_with_the_account_s_name(site):
    never = site.folder / "never.toml"
    never.write_text(MAPPING)
    refused = site.quickly("approve", "never.toml", "--by", "A. Shah, IG lead")
    assert refused.returncode == 1
    assert "was not previewed" in refused.stderr
    assert "childlink-ingest preview EXTRACT --mapping never.toml" in refused.stderr

    assert site.quickly("preview", "sample.csv", "--mapping", "never.toml").returncode == 0
    never.write_text(MAPPING.replace("IG", "") + 'child_sex = { constant = "F" }\n')
    refused = site.quickly("approve", "never.toml", "--by", "A. Shah, IG lead")
    assert refused.returncode == 1
    assert "changed since its preview" in refused.stderr

    assert site.quickly("preview", "sample.csv", "--mapping", "never.toml").returncode == 0
    approved = site.quickly("approve", "never.toml", "--by", "A. Shah, IG lead")
    assert approved.returncode == 0
    assert "as previewed with sample.csv" in approved.stdout
    register = json.loads(Path(site.environment["CHILDLINK_INGEST_APPROVALS"]).read_text())
    assert register[-1]["by"] == "A. Shah, IG lead"
    assert register[-1]["account"] == os_user()


def test_a_preview_that_shows_no_row_is_no_preview(site):
    site.write(HEADER, "empty.csv")
    (site.folder / "other.toml").write_text(MAPPING + "# other\n")
    site.quickly("preview", "empty.csv", "--mapping", "other.toml")
    assert site.quickly("approve", "other.toml", "--by", "A. Shah").returncode == 1


def test_an_approval_needs_a_name_where_the_account_is_nobody_s(site, monkeypatch):
    monkeypatch.setattr("childlink_ingest.cli.common._FIRST_PERSON", 2**32)
    refused = site.quickly("approve", "m.toml")
    assert refused.returncode == 1
    assert 'Name the approver: --by "Name, role"' in refused.stderr


def test_approvals_of_older_versions_still_count_and_a_damaged_register_is_an_error(site):
    path = Path(site.environment["CHILDLINK_INGEST_APPROVALS"])
    register = json.loads(path.read_text())
    del register[-1]["account"]
    path.write_text(json.dumps(register))
    site.write(HEADER + GOOD)
    assert (
        "is not approved"
        not in site("run", "extract.csv", "--mapping", "m.toml", "--wait", "0").stderr
    )
    path.write_text('[{"file": "m.toml"}]')
    refused = site("run", "extract.csv", "--mapping", "m.toml", "--wait", "0")
    assert refused.returncode == 1
    assert "is damaged" in refused.stderr


def test_a_site_sends_nothing_that_a_new_catalogue_adds_before_it_approves_that(site, monkeypatch):
    folder = site.folder / "catalogue"
    shutil.copytree(bundled(), folder)
    monkeypatch.setitem(site.environment, "CHILDLINK_CATALOGUE", str(folder))
    site.write(HEADER + GOOD)
    run = ("run", "extract.csv", "--mapping", "m.toml", "--wait", "0")
    assert "is not approved" not in site(*run).stderr
    contract = folder / "datasets" / "asq3.toml"
    text = re.sub(
        r"version = (\d+)", lambda found: f"version = {int(found[1]) + 1}", contract.read_text()
    )
    contract.write_text(
        text + '\n[[field]]\nname = "hearing"\ntitle = "Hearing was checked"\ntype = "flag"\n'
    )
    refused = site(*run)
    assert refused.returncode == 1
    assert "The dataset of m.toml changed since A. Shah, IG lead approved it" in refused.stderr
    site.approve("sample.csv", "m.toml")
    assert "changed since" not in site(*run).stderr


def test_check_profiles_a_good_extract_and_shows_no_identifier(site):
    done = site.check(HEADER + GOOD)
    assert done.returncode == 0
    assert "1 rows read, 1 good, 0 rejected" in done.stdout
    assert "Okafor" not in done.stdout + done.stderr
    assert "9434765919" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["is empty"]),
        (HEADER, ["has a header but no rows"]),
        (HEADER.replace("comm", "commu") + GOOD, ["line 1", "no column comm"]),
        (
            HEADER.replace("comm", "comm,extra") + GOOD,
            ["line 1", "extra is not in the mapping", "ignore"],
        ),
        (
            HEADER.replace("comm", "comm,comm") + GOOD,
            ["comm (2) is not in the mapping", "A header that repeats"],
        ),
        (
            HEADER.encode()
            + GOOD.encode()
            + "2,,José,X,02/01/2020,01/05/2022,Y\n".encode("cp1252"),
            ["line 3 is not utf-8", "cp1252"],
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_whole_with_line_and_remedy(site, content, words):
    done = site.check(content)
    assert done.returncode == 1
    assert "what to do:" in done.stderr
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize(
    "row",
    ['1,"x' + "y" * 200_000, '2,"open quote,Amina', '2,,"Billy" Bob,B,02/01/2020,01/05/2022,Y'],
    ids=["long", "open", "within"],
)
def test_a_stray_quote_costs_the_row_in_which_it_stands(site, row):
    more = "3,,Zoe,Adeyemi,03/01/2020,01/05/2022,N\n"
    done = site.check(HEADER + GOOD + row + "\n" + more)
    assert done.returncode == 3
    assert "3 rows read, 2 good, 1 rejected" in done.stdout
    assert "(row) has a quote that is not closed, or stands inside a value: 1 rows (line 3)" in (
        done.stdout
    )


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("2,,A,B,30/02/2020,01/05/2022,Y", "dob", "is not a date"),
        ("2,,A,B,01/01/0202,01/05/2022,Y", "dob", "is before 1900"),
        ("2,,A,B,01/01/2999,01/05/2022,Y", "dob", "is in the future"),
        ("2,,A,B,2020-01-01,01/05/2022,Y", "dob", "is not a date in %d/%m/%Y"),
        ("2,,A,B,01/01/2020,,Y", "when", "is empty"),
        (",,A,B,01/01/2020,01/05/2022,Y", "id", "is empty"),
        ("1,,Other,Child,01/01/2020,01/05/2022,Y", "id", "repeats the row id of an earlier row"),
        ("2,,A,,,01/05/2022,Y", "child_...", "has too few identifiers to link the person"),
        ("2,,A,B,01/01/2020", "(row)", "has 5 fields where the header has 7"),
        ("2,,A\0,B,01/01/2020,01/05/2022,Y", "(row)", "contains a NUL byte"),
        ("2,,=cmd(),B,01/01/2020,01/05/2022,Y", "first", "contains a spreadsheet formula"),
        (
            "2,," + "x" * 1_000_000 + ",B,01/01/2020,01/05/2022,Y",
            "first",
            "is longer than 10,000 characters",
        ),
    ],
)
def test_a_bad_row_is_rejected_with_line_column_and_reason_and_the_others_are_good(
    site, row, column, reason
):
    done = site.check(HEADER + GOOD + row + "\n")
    assert done.returncode == 3, "partial"
    assert "1 good, 1 rejected" in done.stdout
    assert f"column {column} {reason}" in done.stdout
    assert "(line 3)" in done.stdout


def test_a_bad_optional_value_costs_that_value_and_not_the_child(site):
    done = site.check(HEADER + GOOD + "2,,Kofi,Mensah,01/01/2020,01/05/2022,perhaps\n")
    assert done.returncode == 0
    assert "2 good, 0 rejected" in done.stdout
    assert "communication is not a flag and its value counts as missing" in done.stdout


def test_a_column_of_bad_optional_values_stops_the_run(site):
    """As when the mapping lists the wrong codes."""
    rows = "".join(f"{n},,Kofi,Mensah,01/01/202{n % 3},01/05/2022,perhaps\n" for n in range(2, 9))
    extract = site.write(HEADER + GOOD + rows)
    done = site("run", extract, "--mapping", "m.toml", "--max-rejects", "0.1")
    assert done.returncode == 1
    assert "communication is not a flag" in done.stderr
    assert "Nothing was sent" in done.stderr


def test_odd_but_honest_names_pass(site):
    rows = "2,,محمد,ابن,01/01/2020,01/05/2022,Y\n3,,👶 Zoë,O'Neill,01/01/2020,01/05/2022,N\n"
    assert (
        "3 good, 0 rejected" in site.check(b"\xef\xbb\xbf" + (HEADER + GOOD + rows).encode()).stdout
    )


def test_preview_shows_both_halves_and_what_becomes_of_each_field(site):
    done = site("preview", site.write(HEADER + GOOD), "--mapping", "m.toml")
    assert done.returncode == 0
    for words in (
        "keyed hash",
        "salt of pass dob",
        "segments of pass dob",
        "date to month",
        "row reference",
        "2022-05",
    ):
        assert words in done.stdout


def test_run_without_a_hub_keeps_everything_and_says_that_it_waits(site):
    extract = site.write(HEADER + GOOD + "2,,A,B,30/02/2020,01/05/2022,Y\n")
    done = site("run", extract, "--mapping", "m.toml", "--wait", "1")
    assert done.returncode == 3
    status = json.loads(site("status", "--json", "--rejects", "rejects.csv").stdout)
    [run] = status["runs"]
    assert (run["rows_read"], run["rejected"], run["waiting"]) == (2, 1, 1)
    assert status["unanswered_batches"] == 2
    assert "dob" in (site.folder / "rejects.csv").read_text()
    again = site("run", extract, "--mapping", "m.toml", "--wait", "1")
    assert again.returncode == 3
    assert json.loads(site("status", "--json").stdout)["unanswered_batches"] == 2, (
        "unchanged rows are not sent again"
    )


def test_run_without_a_broker_loses_nothing_and_goes_on_later(site, address):
    extract = site.write(HEADER + GOOD)
    done = site(
        "run",
        extract,
        "--mapping",
        "m.toml",
        "--wait",
        "1",
        CHILDLINK_INGEST_BOOTSTRAP_SERVERS="127.0.0.1:1",
    )
    assert done.returncode == 4, "safe in the spool, and not sent"
    assert "Kafka cannot be reached" in done.stderr
    assert json.loads(site("status", "--json").stdout)["queued_batches"] == 2
    assert site("send", "--wait", "1").returncode == 4
    assert json.loads(site("status", "--json").stdout)["queued_batches"] == 0


@pytest.mark.parametrize("broker", ["mock", "127.0.0.1:1"])
def test_a_site_pushes_its_metrics_after_a_run_also_when_the_broker_cannot_be_reached(
    site, address, broker
):
    extract = site.write(HEADER + GOOD)
    servers = address if broker == "mock" else broker
    with door() as (gateway, came):
        site(
            "run",
            extract,
            "--mapping",
            "m.toml",
            "--wait",
            "1",
            CHILDLINK_INGEST_PUSH_GATEWAY=gateway,
            CHILDLINK_INGEST_BOOTSTRAP_SERVERS=servers,
        )
    [(path, body)] = came
    samples = {
        s.name: s.value
        for family in text_string_to_metric_families(body.decode())
        for s in family.samples
    }
    assert path == "/metrics/job/childlink-ingest/instance/trust-a"
    assert samples["childlink_ingest_rows_total"] in (0, 1)
    assert samples["childlink_ingest_oldest_waiting_seconds"] > 0, "the run has no receipts"


def test_a_push_gateway_that_does_not_answer_fails_no_run(site):
    extract = site.write(HEADER + GOOD)
    done = site(
        "run",
        extract,
        "--mapping",
        "m.toml",
        "--wait",
        "1",
        CHILDLINK_INGEST_PUSH_GATEWAY="http://127.0.0.1:1",
    )
    assert done.returncode == 4
    assert "The push gateway did not accept the metrics" in done.stderr


def test_settings_that_are_missing_or_wrong_are_named(site, tmp_path):
    done = subprocess.run(
        [str(INGEST), "status"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 1
    assert "partner" in done.stderr
    assert "CHILDLINK_INGEST_" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mapping_with_an_unknown_column_lists_what_there_is(site):
    (site.folder / "bad.toml").write_text(MAPPING + 'shoe_size = "id"\n')
    done = site.check(HEADER + GOOD, mapping="bad.toml")
    assert done.returncode == 1
    assert "dataset asq3 does not have shoe_size" in done.stderr
    assert "review_date" in done.stderr


def test_a_full_disk_stops_the_run_and_loses_nothing(site, tmp_path):
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=200k", "none", "/mnt"], check=False
        ).returncode
    ):
        pytest.skip("needs a small file system of its own")
    try:
        extract = site.write(HEADER + "".join(GOOD.replace("1,", f"{n},", 1) for n in range(3000)))
        done = site(
            "run",
            extract,
            "--mapping",
            "m.toml",
            "--wait",
            "1",
            CHILDLINK_INGEST_SPOOL="/mnt/spool.sqlite",
        )
        assert done.returncode == 1
        assert "full" in done.stderr
        assert "No run was sent in part" in done.stderr
    finally:
        subprocess.run(["umount", "/mnt"], check=False)


@pytest.mark.parametrize(
    "wrong",
    [
        "ignore = 5",
        "ignore = [5]",
        'ignore = "x"',
        'id_space = ["x"]',
        'encoding = "hex"',
        'encoding = "utf-16"',
        'delimiter = "\\n"',
        'delimiter = ";;"',
    ],
)
def test_a_mapping_with_a_wrong_setting_is_refused_by_name(site, wrong):
    (site.folder / "bad.toml").write_text(MAPPING.replace("[columns]", f"{wrong}\n[columns]"))
    done = site.check(HEADER + GOOD, mapping="bad.toml")
    assert done.returncode == 1
    assert "what to do" in done.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        'codes = "YN"',
        'codes = ["Y"]',
        "format = 5",
        'format = "%q"',
        'format = "%d/%m"',
        "codes = { Y = [1] }",
    ],
)
def test_a_mapping_with_a_wrong_column_is_refused_by_name(site, wrong):
    line = 'review_date = { column = "when", format = "%d/%m/%Y" }'
    (site.folder / "bad.toml").write_text(
        MAPPING.replace(line, 'review_date = { column = "when", ' + wrong + " }")
    )
    done = site.check(HEADER + GOOD, mapping="bad.toml")
    assert done.returncode == 1
    assert "columns.review_date has an unknown form" in done.stderr


def test_failing_runs_leave_no_identifier_in_any_file_or_message(site):
    names = [b"Okafor", b"9434765919", b"02/01/2020", b"Amina", b"SECRETNAME", b"31/02/2020"]
    bad = HEADER + GOOD + "2,9434765918,SECRETNAME,Okafor,31/02/2020,01/05/2022,Y\n"
    extract = site.write(bad)
    said = []
    for arguments, environment in [
        (("run", extract, "--mapping", "m.toml", "--wait", "0", "--strict"), {}),
        (
            ("run", extract, "--mapping", "m.toml", "--wait", "0"),
            {"CHILDLINK_INGEST_BOOTSTRAP_SERVERS": "127.0.0.1:1"},
        ),
        (
            (
                "run",
                site.write(HEADER + 'x,"Okafor', "broken.csv"),
                "--mapping",
                "m.toml",
                "--wait",
                "0",
            ),
            {},
        ),
        (
            ("run", extract, "--mapping", "m.toml", "--wait", "0"),
            {"CHILDLINK_INGEST_PERMITTED_LIST": "no.dat"},
        ),
        (("check", extract, "--mapping", "m.toml"), {}),
        (("status", "--html", "s.html", "--rejects", "r.csv"), {}),
    ]:
        done = site(*arguments, **environment)
        assert done.returncode != 0 or arguments[0] == "status"
        said.append((done.stdout + done.stderr).encode())
    inputs = {"extract.csv", "broken.csv", "sample.csv"}
    written = [
        path for path in site.folder.rglob("*") if path.is_file() and path.name not in inputs
    ]
    assert {"s.html", "r.csv"} <= {path.name for path in written}
    assert list(site.folder.rglob("spool.sqlite*"))
    for content in [*said, *(path.read_bytes() for path in written)]:
        assert not [name for name in names if name in content]
