"""The whole command, as a process that may be killed."""

import subprocess
import time
from pathlib import Path
from sys import executable

import pytest
from childlink_linker.relinking import proposals
from childlink_linker.store import tables

from tests.support.linker_on_disk import linker_on_disk
from tests.support.people import NHS
from tests.support.proposing import LENIENT


@pytest.fixture
def command(tmp_path, partnership, child):
    """The start of the command line, and the database of its store."""
    settings, linker = linker_on_disk(tmp_path, partnership)
    linker.send("trust-a", child("trust-a", "1", nhs=NHS[0]))
    linker.send("council-b", child("council-b", "1", nhs=NHS[1], postcode="SE24 0AA"))
    (tmp_path / "lenient.toml").write_text(LENIENT)
    words = [str(Path(executable).parent / "childlink-linker"), "--settings", str(settings)]
    yield words, linker.engine
    linker.close()


def listed(database):
    with database.connect() as tx:
        return proposals.proposals(tx)


def test_spark_proposes_from_the_store_and_from_an_export_and_a_killed_run_leaves_nothing(
    command, tmp_path
):
    words, database = command
    relink = [
        *words,
        "relink",
        str(tmp_path / "lenient.toml"),
        "--engine",
        "spark",
        "--master",
        "local[1]",
    ]
    # Another account: the command as a module, which then says whose it is.
    asked = (
        "import sys; from childlink_core import commands; commands.account = lambda: 'another';"
        " from childlink_linker.cli import main; main(sys.argv[1:])"
    )
    subprocess.run(
        [executable, "-c", asked, *words[1:], "ask-export", "--why", "to let Spark read it"],
        check=True,
    )
    subprocess.run([*words, "relink", "--export", str(tmp_path / "export")], check=True)
    killed = subprocess.Popen([*relink, "--from", str(tmp_path / "export")], stderr=subprocess.PIPE)
    assert killed.stderr
    # Spark has printed its first output: it is working.
    assert killed.stderr.readline()
    time.sleep(4)
    killed.kill()
    killed.wait()
    killed.stderr.close()
    assert listed(database) == []
    with database.connect() as tx:
        assert tx.execute(tables.proposed_edge.select()).all() == []
    for source in ([], ["--from", str(tmp_path / "export")]):
        done = subprocess.run([*relink, *source], check=True, capture_output=True, text=True)
        assert (
            "spark, lenient, 2 records: 1 changes (1 identifiers merged, 0 split off); waiting"
            in done.stdout
        )
    first, second = listed(database)
    assert (first.merges, first.records) == (second.merges, second.records) == (1, 2)
    assert list(tmp_path.glob("childlink-export-*")) == []


def test_a_master_that_is_none_is_an_error_without_a_traceback(command):
    words, _ = command
    done = subprocess.run(
        [*words, "relink", "--engine", "spark", "--master", "nowhere"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "error: Spark does not start" in done.stderr
    assert "Traceback" not in done.stderr
