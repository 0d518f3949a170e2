"""A watched folder. A mapping that cannot be used stops its own extracts, and nothing else."""

from datetime import datetime
from types import SimpleNamespace

import pytest
from childlink_ingest import watch
from childlink_ingest.watch import Watcher

NOW = datetime(2026, 11, 30, 2, 0)
BIRTHS = 'files = "births*.csv"\ndataset = "maternity"\n[columns]\nrow_id = "id"\n'
BROKEN = 'files = "school*.csv"\ntitle = "no dataset"\n'


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "inbox").mkdir()
    (tmp_path / "mappings").mkdir()
    return tmp_path


@pytest.fixture
def watcher(folder):
    ran = []
    watching = Watcher(
        folder, folder / "mappings", lambda extract, _mapping: ran.append(extract.name) or 1, 0.0
    )
    watching.ran = ran
    return watching


@pytest.fixture(autouse=True)
def valid(monkeypatch):
    """A mapping of births is valid, whatever else it lacks."""
    real = watch.load_mapping

    def load(file):
        if "maternity" not in file.read_text():
            return real(file)
        sheet = file.stem if "sheet" in file.stem else ""
        return SimpleNamespace(
            files="births*.csv", schedule="", source=SimpleNamespace(sheet=sheet)
        )

    monkeypatch.setattr(watch, "load_mapping", load)


def put(folder, *names):
    for name in names:
        (folder / "inbox" / name).write_text("id\n1\n")


def waiting(folder):
    return sorted(path.name for path in (folder / "inbox").iterdir())


def test_the_extracts_of_a_broken_mapping_wait_and_the_others_run(folder, watcher):
    (folder / "mappings" / "births.toml").write_text(BIRTHS)
    (folder / "mappings" / "school.toml").write_text(BROKEN)
    put(folder, "births-1.csv", "school-1.csv")
    watcher.step(NOW)
    assert watcher.ran == ["births-1.csv"]
    assert waiting(folder) == ["school-1.csv"]
    [problem] = watcher.problems
    assert problem.startswith("school.toml: ")
    assert "needs `dataset`" in problem


def test_once_the_mapping_is_corrected_what_matches_no_mapping_is_put_away(folder, watcher):
    (folder / "mappings" / "births.toml").write_text(BIRTHS)
    (folder / "mappings" / "school.toml").write_text(BROKEN)
    put(folder, "school-1.csv")
    watcher.step(NOW)
    (folder / "mappings" / "school.toml").unlink()
    watcher.step(NOW)
    assert watcher.problems == []
    assert waiting(folder) == []
    [why] = folder.glob("failed/*.why.txt")
    assert "No mapping" in why.read_text()


def test_a_folder_without_mappings_keeps_every_extract_and_says_why(folder, watcher):
    put(folder, "births-1.csv")
    assert watcher.step(NOW) == 0
    assert waiting(folder) == ["births-1.csv"]
    assert "names its files" in watcher.problems[0]


def test_a_workbook_is_run_with_the_mapping_of_each_sheet(folder, watcher):
    for name in ("sheet-1.toml", "sheet-2.toml"):
        (folder / "mappings" / name).write_text(BIRTHS)
    put(folder, "births-1.csv")
    watcher.step(NOW)
    assert watcher.ran == ["births-1.csv", "births-1.csv"]
    assert waiting(folder) == []
    assert len(list(folder.glob("done/*births-1.csv"))) == 1


def test_a_sheet_that_fails_is_named_and_the_others_are_sent(folder, watcher):
    def run(extract, mapping):
        if mapping.name == "sheet-1.toml":
            raise watch.MappingError("The sheet is empty.", "Fill it.")
        return watcher.ran.append(mapping.name) or 1

    watcher.run = run
    for name in ("sheet-1.toml", "sheet-2.toml"):
        (folder / "mappings" / name).write_text(BIRTHS)
    put(folder, "births-1.csv")
    watcher.step(NOW)
    assert watcher.ran == ["sheet-2.toml"]
    [why] = folder.glob("failed/*.why.txt")
    assert why.read_text().startswith("sheet-1.toml: error: The sheet is empty.")


def test_two_mappings_of_one_sheet_are_one_too_many(folder, watcher):
    for name in ("a.toml", "b.toml"):
        (folder / "mappings" / name).write_text(BIRTHS)
    put(folder, "births-1.csv")
    watcher.step(NOW)
    assert watcher.ran == []
    [why] = folder.glob("failed/*.why.txt")
    assert "more than one for the same sheet" in why.read_text()
