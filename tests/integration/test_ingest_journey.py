"""A new user's steps with an unknown extract, and a custodian's steps with the linkage secret: the
commands, as they are typed.
"""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path

import pytest
from childlink_catalogue.catalogue import get_dataset
from childlink_ingest.errors import ExtractError
from childlink_ingest.geography.derive import AreaSets
from childlink_ingest.geography.lookup import build_lookup, open_lookup
from childlink_ingest.mapping.parse import parse_mapping
from childlink_ingest.proposing.propose import propose
from childlink_ingest.readers import open_extract
from childlink_ingest.readers.sniff import sniff
from childlink_local.broker import mock_broker
from childlink_local.synth import synthesise
from childlink_local.workspace import create_workspace

INGEST = Path(sys.executable).parent / "childlink-ingest"


def command(*arguments, cwd, settings=None, **options):
    environment = {
        **os.environ,
        **({"CHILDLINK_INGEST_SETTINGS": str(settings)} if settings else {}),
    }
    done = subprocess.run(
        [str(INGEST), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
        cwd=cwd,
        env=environment,
        **options,
    )
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    return done


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made-up")
    synthesise(folder, seed=5, children=150)
    return folder


def settings_file(folder, address):
    layout = create_workspace(folder / "work", ["trust-a"], address)
    values = layout.ingest["trust-a"].model_dump(
        mode="json", exclude_none=True, exclude_defaults=True
    )
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    path = folder / "ingest.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


EXTRACTS = [
    ("st-anns-trust", "maternity"),
    ("community-health", "asq3"),
    ("community-health", "six_week_review"),
    ("gp-federation", "immunisation"),
    ("borough-council", "eyfs"),
    ("borough-council", "ncmp"),
    ("early-years-charity", "attendance"),
    ("early-years-charity", "questionnaire"),
]


@pytest.mark.parametrize(("partner", "dataset"), EXTRACTS)
def test_a_proposed_mapping_finds_what_a_person_would_map(made_up, partner, dataset):
    extract = made_up / partner / f"{dataset}.csv"
    by_hand = parse_mapping(extract.with_suffix(".toml").read_text(), "by hand")
    source = sniff(extract)
    with open_extract(extract, source) as opened:
        rows = [record.values for record in opened]
        header = opened.header
    proposal = propose(
        header,
        rows,
        get_dataset(dataset),
        {"delimiter": source.delimiter, "encoding": source.encoding},
    )
    proposed = tomllib.loads(proposal.text)["columns"]
    right, wrong = [], []
    for name, column in by_hand.columns.items():
        found = proposed.get(name)
        columns = [found] if isinstance(found, str) else (found or {}).get("column", [])
        columns = [columns] if isinstance(columns, str) else columns
        same = list(column.columns) == columns
        same &= not column.formats or parse_ok(column.formats[0], found)
        (right if same else wrong).append(name)
    assert len(right) >= 0.8 * len(by_hand.columns), f"not found: {wrong}\n{proposal.text}"
    for needed in (f"{get_dataset(dataset).subjects[0]}_id", get_dataset(dataset).event):
        assert needed in right, proposal.text


def parse_ok(form, found):
    return isinstance(found, dict) and found.get("format") == form


def test_a_newcomer_maps_checks_previews_approves_and_runs_an_unknown_extract(tmp_path, made_up):
    extract = made_up / "borough-council" / "eyfs.csv"
    with mock_broker() as address:
        settings = settings_file(tmp_path, address)
        mapped = command("map", extract, "--dataset", "eyfs", "--output", "eyfs.toml", cwd=tmp_path)
        assert mapped.returncode == 0, mapped.stderr
        assert (
            "already exists"
            in command(
                "map", extract, "--dataset", "eyfs", "--output", "eyfs.toml", cwd=tmp_path
            ).stderr
        )
        checked = command("check", extract, "--mapping", "eyfs.toml", cwd=tmp_path)
        assert checked.returncode in (0, 3), checked.stdout + checked.stderr
        page = command(
            "preview",
            extract,
            "--mapping",
            "eyfs.toml",
            "--html",
            "p.html",
            cwd=tmp_path,
            settings=settings,
        )
        assert page.returncode == 0, page.stderr
        html = (tmp_path / "p.html").read_text()
        real = [line.split(";") for line in extract.read_text().splitlines()[1:]]
        assert not [row for row in real if len(row[3]) > 4 and row[3] in html], (
            "the page holds synthetic people only"
        )
        assert "dropped: stays here" in html or "every column" in html.lower()
        refused = command(
            "run", extract, "--mapping", "eyfs.toml", "--wait", "1", cwd=tmp_path, settings=settings
        )
        assert refused.returncode == 1
        assert "eyfs.toml is not approved" in refused.stderr
        assert (
            command(
                "approve", "eyfs.toml", "--by", "A. Shah", cwd=tmp_path, settings=settings
            ).returncode
            == 0
        )
        ran = command(
            "run", extract, "--mapping", "eyfs.toml", "--wait", "1", cwd=tmp_path, settings=settings
        )
        assert ran.returncode in (3, 4), ran.stderr
        status = command("status", "--html", "s.html", cwd=tmp_path, settings=settings)
        assert status.returncode == 4, "some batches wait for a receipt"
        assert "eyfs.csv" in (tmp_path / "s.html").read_text()
        strict = command(
            "run",
            extract,
            "--mapping",
            "eyfs.toml",
            "--wait",
            "1",
            "--strict",
            cwd=tmp_path,
            settings=settings,
        )
        assert strict.returncode in (1, 4)


def test_the_linkage_secret_reaches_one_site_sealed_and_a_wrong_check_value_stops_it(tmp_path):
    site, laptop = tmp_path / "site", tmp_path / "laptop"
    site.mkdir()
    laptop.mkdir()
    assert command("keys", "new", "trust-a", cwd=site).returncode == 0
    assert command("keys", "new", "trust-b", "--folder", "other", cwd=site).returncode == 0
    (laptop / "directory.toml").write_text(command("keys", "show", cwd=site).stdout)
    made = command("keys", "new-linkage", "--output", "linkage.key", cwd=laptop)
    value = made.stdout.split("check value ")[1].split()[0]
    issue = (
        "keys",
        "issue-linkage",
        "trust-a",
        "--linkage",
        "linkage.key",
        "--directory",
        "directory.toml",
        "--output",
        "a.json",
    )
    assert command(*issue, cwd=laptop).returncode == 0
    sealed = laptop / "a.json"
    secret = json.loads((laptop / "linkage.key").read_text())["secret"]
    assert secret not in sealed.read_text()
    wrong = command("keys", "open-linkage", sealed, "--check-value", "00000000", cwd=site)
    assert wrong.returncode == 1
    assert "not the one you gave" in wrong.stderr
    assert not (site / "keys" / "linkage.key").exists()
    other = command(
        "keys", "open-linkage", sealed, "--check-value", value, "--folder", "other", cwd=site
    )
    assert other.returncode == 1
    assert "cannot open it" in other.stderr
    opened = command("keys", "open-linkage", sealed, "--check-value", value, cwd=site)
    assert opened.returncode == 0, opened.stderr
    assert json.loads((site / "keys" / "linkage.key").read_text())["secret"] == secret
    assert (site / "keys" / "linkage.key").stat().st_mode & 0o777 == 0o600
    assert secret not in opened.stdout + opened.stderr + made.stdout


def test_a_reference_key_comes_back_from_its_backup_and_doctor_knows_whose_it_is(tmp_path):
    with mock_broker() as address:
        settings = settings_file(tmp_path, address)
        (tmp_path / "pass").write_text("a passphrase of some length\n")
        key = tmp_path / "work" / "trust-a" / "keys" / "reference.key"
        before = key.read_bytes()
        examined = command("doctor", cwd=tmp_path, settings=settings)
        assert examined.returncode == 1
        assert "FIX  backup of the reference key" in examined.stdout
        assert "ok   keys and directory" in examined.stdout
        made = command(
            "keys",
            "backup",
            "--key",
            key,
            "--output",
            "b.json",
            "--passphrase-file",
            "pass",
            cwd=tmp_path,
        )
        assert made.returncode == 0, made.stderr
        settings.write_text(settings.read_text() + 'reference_key_backup = "b.json"\n')
        assert (
            "ok   backup of the reference key"
            in command("doctor", cwd=tmp_path, settings=settings).stdout
        )
        key.unlink()
        restored = command(
            "keys", "restore", "b.json", "--output", key, "--passphrase-file", "pass", cwd=tmp_path
        )
        assert restored.returncode == 0, restored.stderr
        assert json.loads(key.read_text()) == json.loads(before)
        (tmp_path / "pass").write_text("another passphrase\n")
        refused = command(
            "keys",
            "restore",
            "b.json",
            "--output",
            "x.key",
            "--passphrase-file",
            "pass",
            cwd=tmp_path,
        )
        assert "passphrase is wrong" in refused.stderr


def test_watch_takes_complete_files_once_moves_them_and_stops_when_told(tmp_path, made_up):
    source = made_up / "borough-council"
    with mock_broker() as address:
        settings = settings_file(tmp_path, address)
        mappings, folder = tmp_path / "mappings", tmp_path / "drop"
        mappings.mkdir()
        (folder / "inbox").mkdir(parents=True)
        mapping = mappings / "eyfs.toml"
        mapping.write_text('files = "eyfs*.csv"\n' + (source / "eyfs.toml").read_text())
        for step in (
            ["preview", source / "eyfs.csv", "--mapping", mapping],
            ["approve", mapping, "--by", "A. Shah"],
        ):
            assert command(*step, cwd=tmp_path, settings=settings).returncode == 0
        (folder / "inbox" / "eyfs-2026.csv").write_bytes((source / "eyfs.csv").read_bytes())
        (folder / "inbox" / "unknown.csv").write_text("a,b\n1,2\n")
        (folder / "inbox" / "growing.csv.part").write_text("a,b\n")
        port = 19_417
        settings.write_text(settings.read_text() + f"metrics_port = {port}\n")
        watcher = subprocess.Popen(
            [str(INGEST), "watch", str(folder), "--mappings", str(mappings), "--settle", "1"],
            cwd=tmp_path,
            env={**os.environ, "CHILDLINK_INGEST_SETTINGS": str(settings)},
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until and not (
                list(folder.glob("done/*")) and list(folder.glob("failed/*"))
            ):
                time.sleep(0.3)
            page = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10).read().decode()
            metrics = (
                urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10)
                .read()
                .decode()
            )
        finally:
            watcher.send_signal(signal.SIGTERM)
            errors = watcher.communicate(timeout=60)[1]
        assert watcher.returncode == 0, errors
        assert "Traceback" not in errors
        assert "everything is safe in the spool" in errors
        assert [p.name.split("-", 3)[-1] for p in folder.glob("done/*")] == ["eyfs-2026.csv"]
        [why] = folder.glob("failed/*unknown.csv.why.txt")
        assert "No mapping" in why.read_text()
        assert [p.name for p in (folder / "inbox").iterdir()] == ["growing.csv.part"]
        assert "eyfs-2026.csv" in page
        assert 'childlink_ingest_rows_total{dataset="eyfs",outcome="staged"}' in metrics


def test_areas_are_looked_up_from_the_files_as_published(tmp_path):
    (tmp_path / "onspd.csv").write_text(
        '"pcd","pcds","osward","oslaua","lsoa21"\n"SW9 8JJ","SW9'
        ' 8JJ","E05000416","E09000022","E01003012"\n"SE240AA","SE24'
        ' 0AA","E05000417","E09000022","E01003013"\n"CR0 6DL","CR0'
        ' 6DL","E05000150","E09000008","E01003014"\n'
    )
    (tmp_path / "imd.csv").write_text(
        "LSOA code (2021),LSOA name (2021),Index of Multiple Deprivation (IMD) Rank,"
        "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)\n"
        "E01003012,Lambeth 1A,100,1\nE01003013,Lambeth 1B,9000,4\n"
    )
    lookup = tmp_path / "areas.sqlite"
    assert build_lookup(tmp_path / "onspd.csv", tmp_path / "imd.csv", lookup, lambda _n: None) == (
        3,
        2,
    )
    sets = AreaSets(frozenset({"E05000416"}), frozenset({"E09000022"}))
    with open_lookup(lookup) as areas:
        derived = {
            code: [
                areas.derive(kind, code, sets)
                for kind in ("lsoa", "ward", "imd_decile", "imd_quintile", "residence")
            ]
            for code in ("SW98JJ", "SE240AA", "CR06DL", "ZY11AA", "")
        }
    assert derived == {
        "SW98JJ": ["E01003012", "E05000416", 1, 1, "area"],
        "SE240AA": ["E01003013", "E05000417", 4, 2, "borough"],
        "CR06DL": ["E01003014", "E05000150", None, None, "outside"],
        "ZY11AA": [None] * 5,
        "": [None] * 5,
    }
    with pytest.raises(ExtractError, match="has no column such as"):
        build_lookup(
            tmp_path / "imd.csv", tmp_path / "imd.csv", tmp_path / "x.sqlite", lambda _n: None
        )
    assert not (tmp_path / "x.sqlite").exists()


def test_compatibility_mode_writes_what_clkhash_writes_and_verifies_itself(tmp_path):
    golden = Path(__file__).parents[1] / "golden"
    vectors = json.loads((golden / "clkhash_vectors.json").read_text())
    (tmp_path / "people.csv").write_text(
        "given,surname,dob,postcode\n" + "".join(",".join(p) + "\n" for p in vectors["people"])
    )
    (tmp_path / "secret").write_text("golden secret\n")
    made = command(
        "clk",
        "people.csv",
        golden / "clkhash_schema.json",
        "--secret-file",
        "secret",
        "--output",
        "o.json",
        cwd=tmp_path,
    )
    assert made.returncode == 0, made.stderr
    import base64

    assert [
        base64.b64decode(c).hex() for c in json.loads((tmp_path / "o.json").read_text())["clks"]
    ] == vectors["filters"]
    verified = command(
        "verify-encoding",
        "people.csv",
        golden / "clkhash_schema.json",
        "--secret-file",
        "secret",
        cwd=tmp_path,
    )
    assert "all identical to clkhash's" in verified.stdout
    (tmp_path / "people.csv").write_text("given,surname,dob,postcode\na,b,2020-02-31,SW9 8JJ\n")
    refused = command(
        "clk",
        "people.csv",
        golden / "clkhash_schema.json",
        "--secret-file",
        "secret",
        "--output",
        "o.json",
        cwd=tmp_path,
    )
    assert "Line 2: dob is not a date" in refused.stderr
