"""The whole journey in one process, from your own files to answers: `childlink-local run` and
`demo`, as a user runs them.
"""

import csv
import json
import subprocess
import sys
from pathlib import Path

import childlink_catalogue
import childlink_core
import pytest
from childlink_analytics.errors import ReleaseError
from childlink_analytics.releasing import app
from childlink_analytics.releasing.store.store import Store
from childlink_analytics.shared import disclosure
from childlink_client import ClientError
from childlink_linker.matching.parameters import DEFAULT_PARAMETERS
from childlink_local import pilot
from childlink_local.broker import mock_broker
from childlink_local.demo import ask_five, find_extracts, own_settings, write_reports
from childlink_local.score import read_people, score
from childlink_local.synth import synthesise
from childlink_local.workspace import create_workspace

BIN = Path(sys.executable).parent


def command(*arguments, **options):
    return subprocess.run(
        [str(a) for a in arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        **options,
    )


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A partnership of 400 reached children, run once, and everything that the run left."""
    folder = tmp_path_factory.mktemp("pilot")
    synthesise(folder / "data", seed=3, children=400)
    extracts = find_extracts(folder / "data")
    with mock_broker() as address:
        own = own_settings(folder / "data", folder / "areas.sqlite", extracts)
        layout = create_workspace(folder, sorted({e.partner for e in extracts}), address, own=own)
        with pilot.open_hub(layout) as hub:
            first = pilot.send(layout, hub, extracts)
            pilot.write_links(layout, hub, extracts, folder / "links.csv")
            sent_before = layout.folder.stat().st_mtime
            second = pilot.send(layout, hub, extracts)
            pilot.write_links(layout, hub, extracts, folder / "again.csv")
    cut = pilot.cut(layout, "r1", "2024-12-31")
    return folder, layout, first, second, cut, sent_before


def elsewhere(store, folder, name):
    """The settings of another store, with the same keys."""
    places = {
        "drafts": folder / "drafts",
        "releases": folder / "releases",
        "database": f"sqlite:///{folder / name}.sqlite",
    }
    return store.model_copy(update=places)


def cut_anew(layout, folder, release_id):
    """Build a release from a copy of the store that never had one."""
    import sqlite3

    with (
        sqlite3.connect(layout.store.database.removeprefix("sqlite:///")) as source,
        sqlite3.connect(folder / "copy.sqlite") as copy,
    ):
        source.backup(copy)
        copy.execute("DELETE FROM release")
        copy.execute("DELETE FROM release_cells")
    desk = app.build_desk(elsewhere(layout.store, folder, "copy"))
    try:
        return desk.cut("a person", release_id, "2024-12-31")
    finally:
        desk.engine.dispose()


def test_every_row_is_accounted_for(ran):
    _, _, first, _, _, _ = ran
    assert len(first) == 8
    for report in first:
        assert (
            report.rows_read
            == report.accepted + report.rejected + report.refused + report.permitted_out
        )
        assert report.accepted > 0.95 * report.rows_read
        assert report.waiting == 0
    needs_list = {report.dataset: report.permitted_out for report in first}
    assert needs_list["immunisation"] > 0, "someone opted out"
    assert needs_list["attendance"] == needs_list["eyfs"] == 0, (
        "the opt-out is for patient information only"
    )


def test_a_release_says_which_parameters_linked_it_and_is_not_cut_while_links_are_missing(
    ran, tmp_path
):
    _, layout, _, _, cut, _ = ran
    manifest = json.loads((cut.path / "manifest.json").read_text())
    assert (manifest["parameter_version"], manifest["behind"]) == (DEFAULT_PARAMETERS, [])
    late = elsewhere(layout.store, tmp_path, "late")
    engine = app.open_store(late)
    with engine.begin() as tx:
        Store(tx).note_progress("gp-federation", "needed", 1, 9)
    engine.dispose()
    desk = app.build_desk(late)
    with pytest.raises(ReleaseError, match="gp-federation"):
        desk.cut("a person", "r2", "2024-12-31")
    assert desk.releases() == []
    desk.engine.dispose()
    assert not list(tmp_path.glob("**/r2*"))


def test_linkage_is_good_even_on_few_people(ran):
    folder, *_ = ran
    for item in score(folder / "links.csv", folder / "data" / "truth.csv"):
        assert item.precision > 0.99
        assert item.recall > 0.93


def test_a_second_run_of_the_same_extracts_changes_nothing(ran):
    folder, _, first, second, _, _ = ran
    assert [(r.extract, r.accepted) for r in second] == [(r.extract, r.accepted) for r in first]
    # Evaluation identifiers are numbered again in a fixed order, so equal files mean an equal
    # partition.
    assert (folder / "links.csv").read_bytes() == (folder / "again.csv").read_bytes()


def test_no_identifier_is_in_any_file_that_a_run_leaves(ran):
    folder, layout, *_ = ran
    identifiers = set()
    for path in (folder / "data").glob("*/*.csv"):
        text = path.read_bytes().decode(
            "cp1252" if path.parent.name == "borough-council" else "utf-8"
        )
        delimiter = ";" if path.parent.name == "borough-council" else ","
        for row in csv.DictReader(text.splitlines(), delimiter=delimiter):
            for column, value in row.items():
                digits = value.replace(" ", "")
                if len(digits) == 10 and digits.isdigit():
                    identifiers |= {value.encode(), digits.encode()}
                elif (
                    "name" in column.lower() and len(value) > 5
                ):  # five random bytes out of ten million too often match a name
                    identifiers |= {value.encode(), value.lower().encode(), value.upper().encode()}
                elif (
                    any(word in column.lower() for word in ("dob", "born", "birth"))
                    and len(value) > 9
                ):
                    identifiers.add(value.encode())
                elif "postcode" in column.lower() or column == "PC":
                    identifiers |= {value.encode(), value.upper().replace(" ", "").encode()}
    identifiers.discard(b"")
    # A surname may be a word of a code or a measure's title ("White"), which are sent in the clear
    # whoever the people are.
    packages = (Path(childlink_core.__file__).parent, Path(childlink_catalogue.__file__).parent)
    ours = [path for package in packages for path in package.glob("**/*.toml")]
    vocabulary = b"".join(path.read_bytes() for path in ours)
    words = {i for i in identifiers if i in vocabulary}
    assert len(ours) > 5
    assert len(words) < 20
    identifiers -= words
    assert len(identifiers) > 3_000
    left = [
        p
        for p in layout.folder.rglob("*")
        if p.is_file() and "data" not in p.relative_to(folder).parts
    ]
    # The look-up is built from two public files and holds every postcode of the area.
    left.remove(folder / "areas.sqlite")
    assert len(left) > 20
    for path in left:
        content = path.read_bytes()
        found = [i for i in identifiers if i in content]
        assert not found, f"{path.name} holds {len(found)} identifiers"


def test_the_linkers_store_and_analytics_store_share_no_reference(ran):
    import sqlalchemy as sa

    _, layout, *_ = ran

    def blobs(url):
        engine = sa.create_engine(url)
        values = set()
        with engine.connect() as tx:
            for table in sa.inspect(engine).get_table_names():
                if not table.startswith(("inbox", "outbox", "alembic")):
                    for row in tx.exec_driver_sql(f"SELECT * FROM {table}"):
                        values |= {bytes(v) for v in row if isinstance(v, bytes) and len(v) == 16}
        engine.dispose()
        return values

    linker, analytics = blobs(layout.linker.database), blobs(layout.store.database)
    assert len(linker) > 1000
    assert len(analytics) > 1000
    assert not linker & analytics


def test_the_release_passed_its_own_attack_and_holds_no_row(ran):
    _, _, _, _, cut, _ = ran
    manifest = json.loads((cut.path / "manifest.json").read_text())
    assert manifest["attack_failures"] == 0
    content = json.loads((cut.path / "release.json").read_text())
    for item in content["measures"]:
        hidden = disclosure.HIDDEN if item["policy"] == disclosure.SUPPRESSED else 0
        assert all(count % 5 == 0 or count == hidden for _, count in item["cells"])


def test_the_same_store_and_key_give_the_same_bytes(ran, tmp_path):
    _, layout, _, _, cut, _ = ran
    again = cut_anew(layout, tmp_path, "r1")
    published = layout.store.releases / "r1" / "release.json"
    assert (again.path / "release.json").read_bytes() == published.read_bytes()
    assert again.content_sha256 == cut.content_sha256


def test_questions_are_answered_and_wrong_ones_are_helped(ran, tmp_path, capsys):
    _, layout, *_ = ran
    with pilot.answering(layout) as client:
        assert [r.id for r in client.releases()] == ["r1"]
        assert client.describe()["attack_failures"] == 0
        reach = client.ask("reach_children", by=["residence"])
        assert sum(cell.count or 0 for cell in reach.cells) == pytest.approx(400, abs=30)
        assert client.ask("reach_children").cells[0].count % 5 == 0
        with pytest.raises(ClientError, match="reach_children"):
            client.ask("reach_childen")
        with pytest.raises(ClientError, match="residence"):
            client.ask("reach_children", by=["residense"])
        with pytest.raises(ClientError, match="area"):
            client.ask("reach_children", where={"residence": "areas"})
        with pytest.raises(ClientError, match="together"):
            client.ask("reach_children", by=["residence", "sex", "imd_quintile"])
        with pytest.raises(ClientError, match="r1"):
            client.ask("reach_children", release="r9")
        engaged = client.compare("asq3_by_family_engaged")
        assert [note for note in engaged.notes if note.startswith("Rows of attendance: ")]
        ask_five(client, tmp_path)
        write_reports(client, tmp_path)
    assert len(list(tmp_path.glob("*.png"))) >= 4
    assert "<h1>Annual report 20" in (tmp_path / "annual-report.html").read_text()
    evaluation = (tmp_path / "evaluation-report.html").read_text()
    assert "<h1>Evaluation: headline results</h1>" in evaluation
    assert "All five domains, by deprivation" in evaluation
    assert "What this release does not publish" not in evaluation
    assert (
        "<h1>Quarterly report: Baby Steps, "
        in (tmp_path / "quarterly-report-baby_steps.html").read_text()
    )
    assert "odds ratio" in capsys.readouterr().out


def test_first_language_and_feeding_at_six_weeks_are_answered_and_often_not_recorded(ran):
    _, layout, *_ = ran
    with pilot.answering(layout) as client:
        spoken = {
            cell.categories[0]: cell for cell in client.ask("reach_children", by=["language"]).cells
        }
        fed = {
            cell.categories[0]: cell for cell in client.ask("breastfeeding", by=["breastfed"]).cells
        }
    assert set(spoken) == {"english", "other", "not_recorded"}
    assert all(cell.count > 20 for cell in spoken.values())
    assert fed["breastfed"].count > fed["not_breastfed"].count > fed["not_recorded"].count > 10


def test_answers_leave_as_csv_parquet_pandas_json_and_charts(ran, tmp_path):
    import pyarrow.parquet as pq

    _, layout, *_ = ran
    with pilot.answering(layout) as client:
        answer = client.ask("reach_children", by=["ethnicity", "imd_quintile"])
    frame = answer.to_pandas()
    assert len(frame) == 36
    assert frame["count"].isna().any(), "a withheld count is missing, not zero"
    answer.save_parquet(tmp_path / "a.parquet")
    assert pq.read_table(tmp_path / "a.parquet").num_rows == 36
    assert answer.to_csv().count("\n") == 37
    assert json.loads(answer.to_json())["measure"] == "reach_children"
    answer.save_chart(tmp_path / "a.svg")
    assert "<svg" in (tmp_path / "a.svg").read_text()
    with pytest.raises(ClientError, match=r"\.png or \.svg"):
        answer.save_chart(tmp_path / "a.doc")


def test_a_damaged_release_is_not_served(ran, tmp_path):
    import shutil

    _, layout, *_ = ran
    shutil.copytree(layout.serving.releases, tmp_path / "releases")
    body = tmp_path / "releases" / "r1" / "release.json"
    body.write_text(body.read_text().replace("5", "6", 1))
    damaged = type(layout)(
        layout.folder,
        layout.ingest,
        layout.linker,
        layout.store,
        layout.serving.model_copy(update={"releases": tmp_path / "releases"}),
    )
    with pilot.answering(damaged) as client:
        assert client.releases() == []
        with pytest.raises(ClientError, match="no release yet"):
            client.ask("reach_children")


def test_the_command_runs_a_pilot_on_own_files_and_scores_it(tmp_path):
    (tmp_path / "a.csv").write_text(
        "id,nhs,first,last,dob,when\n1,9990000018,Amina,Okafor,2020-01-02,2022-05-01\n2,,Oliver,Smith,2020-03-04,2022-05-01\n"
        "3,,Bad,Date,2020-02-30,2022-05-01\n"
    )
    (tmp_path / "b.csv").write_text(
        "id,nhs,first,last,dob,when\nX,9990000018,Aminah,Okafor,2020-01-02,2022-06-01\n"
    )
    (tmp_path / "m.toml").write_text(
        'dataset = "asq3"\nopt_out_exempt = "made-up people"\n[columns]\nrow_id = "id"\nchild_id ='
        ' "id"\nchild_nhs_number = "nhs"\nchild_given_name = "first"\nchild_surname ='
        ' "last"\nchild_date_of_birth = "dob"\nreview_date = "when"\n'
    )
    (tmp_path / "truth.csv").write_text(
        "partner,local_id,role,person\ntrust-a,1,child,P1\ntrust-a,2,child,P2\ncouncil-b,X,child,P1\n"
    )
    (tmp_path / "pilot.toml").write_text(
        'truth = "truth.csv"\nrelease = "p1"\n'
        '[[extract]]\npartner = "trust-a"\nfile = "a.csv"\nmapping = "m.toml"\n'
        '[[extract]]\npartner = "council-b"\nfile = "b.csv"\nmapping = "m.toml"\n'
    )
    done = command(BIN / "childlink-local", "run", tmp_path / "pilot.toml")
    assert done.returncode == 3, done.stderr
    assert "rejected: dob: is not a date" in done.stdout
    assert "precision 1.0000, recall 1.0000" in done.stdout
    links = list(csv.DictReader((tmp_path / "work" / "links.csv").open()))
    assert len(links) == 3
    again = command(BIN / "childlink-local", "run", tmp_path / "pilot.toml")
    assert again.returncode == 1
    assert "Release p1 exists already" in again.stderr
    assert "Traceback" not in again.stderr


def test_a_truth_that_cannot_be_read_is_told_before_anything_is_sent(tmp_path):
    (tmp_path / "pilot.toml").write_text(
        'truth = "truth.csv"\n[[extract]]\npartner = "a"\nfile = "a.csv"\nmapping = "m.toml"\n'
    )
    for text, says in (
        (None, "cannot be read"),
        ("partner;local_id\n1;2\n", "does not have the columns of a truth file"),
    ):
        if text:
            (tmp_path / "truth.csv").write_text(text)
        done = command(BIN / "childlink-local", "run", tmp_path / "pilot.toml")
        assert (done.returncode, says in done.stderr, "Traceback" in done.stderr) == (
            1,
            True,
            False,
        ), done.stderr
        assert not (tmp_path / "work").exists()
    (tmp_path / "truth.csv").write_text(
        "partner,local_id,role,person\ntrust-a,1,child,P1\n", encoding="utf-8-sig"
    )
    assert read_people(tmp_path / "truth.csv") == {("trust-a", "1", "child"): "P1"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ('release = "../../../x"', "cannot be the name of a release"),
        ('release = ".hid"', "cannot be the name of a release"),
        ("release = 5", "release is not a text"),
        ("releese = 5", "releese is not known"),
        ("folder = 5", "folder is not a text"),
        ('release = "r"\ndata_until = "yesterday"', "is not a date"),
    ],
)
def test_a_wrong_pilot_file_is_refused_by_name_and_writes_nothing_outside(tmp_path, wrong, words):
    (tmp_path / "a.csv").write_text("id,nhs,when\n1,9990000018,2022-05-01\n")
    (tmp_path / "m.toml").write_text(
        'dataset = "asq3"\nopt_out_exempt = "made-up people"\n[columns]\nrow_id = "id"\nchild_id ='
        ' "id"\nchild_nhs_number = "nhs"\nreview_date = "when"\n'
    )
    extract = '[[extract]]\npartner = "trust-a"\nfile = "a.csv"\nmapping = "m.toml"\n'
    (tmp_path / "pilot.toml").write_text(f"{wrong}\n{extract}")
    done = command(BIN / "childlink-local", "run", tmp_path / "pilot.toml")
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert {p.name for p in tmp_path.iterdir()} <= {"a.csv", "m.toml", "pilot.toml", "work"}


def test_a_partner_can_join_a_pilot_later_and_no_partner_may_be_called_like_a_service(tmp_path):
    from childlink_core.errors import UserError

    first = create_workspace(tmp_path, ["trust-a"], "localhost:1")
    secret = first.ingest["trust-a"].linkage_key.read_bytes()
    second = create_workspace(tmp_path, ["trust-a", "council-b"], "localhost:1")
    assert json.loads(second.ingest["council-b"].linkage_key.read_text()) == json.loads(secret)
    assert first.ingest["trust-a"].linkage_key.read_bytes() == secret
    assert tmp_path.stat().st_mode & 0o077 == 0
    with pytest.raises(UserError, match="linker"):
        create_workspace(tmp_path / "x", ["linker"], "localhost:1")
    assert not (tmp_path / "x").exists()
