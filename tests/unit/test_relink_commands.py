"""`relink` and `proposals`, run as commands."""

import subprocess
import sys
from datetime import date

import pytest
from childlink_bus.memory import MemoryBroker
from childlink_core import commands, topics
from childlink_core.audit import Entry
from childlink_linker import app, cli
from childlink_linker.errors import ExportError
from childlink_linker.review import exports
from click.testing import CliRunner

from tests.support.linker_on_disk import linker_on_disk
from tests.support.people import NHS
from tests.support.proposing import LENIENT


@pytest.fixture
def typed(tmp_path, partnership, child, monkeypatch):
    """Runs a command. The store holds one doubtful pair, which lenient parameters would settle."""
    broker = MemoryBroker()
    monkeypatch.setattr(app, "KafkaPublisher", lambda _settings: broker.publisher())
    settings, linker = linker_on_disk(tmp_path, partnership)
    linker.send(
        "trust-a",
        child("trust-a", "1", nhs=NHS[0]),
        child("trust-a", "2", given="Zoe", born=date(2015, 1, 1)),
    )
    linker.send("council-b", child("council-b", "1", nhs=NHS[1], postcode="SE24 0AA"))
    linker.close()
    (tmp_path / "lenient.toml").write_text(LENIENT)

    def run(*arguments, code=0, by="somebody"):
        monkeypatch.setattr(commands, "account", lambda: by)
        done = CliRunner().invoke(cli.main, ["--settings", str(settings), *map(str, arguments)])
        assert done.exit_code == code, done.output
        return done.output

    run.broker, run.lenient = broker, tmp_path / "lenient.toml"
    return run


def test_what_relink_proposes_is_listed_shown_and_approved_and_the_links_are_sent(typed):
    assert "There are no proposals yet." in typed("proposals", "list")
    made = typed("relink", typed.lenient, "--propose")
    assert (
        "ordinary, lenient, 3 records: 1 changes (1 identifiers merged, 0 split off); waiting"
        in made
    )
    assert made in typed("proposals", "list")
    assert "-> 1 person" in typed("proposals", "show", 1)
    assert typed.broker.topics[topics.LINKS] == []
    assert "1 changes made, 0 skipped" in typed("proposals", "approve", 1, "--by", "N. Steward")
    assert len(typed.broker.topics[topics.LINKS]) == 1
    assert "approved by N. Steward" in typed("proposals", "list")
    assert "No proposal 1 is waiting." in typed(
        "proposals", "approve", 1, "--by", "N. Steward", code=1
    )


def test_without_parameters_those_of_the_settings_are_proposed_on_and_nothing_changes(typed):
    assert "0 changes" in typed("relink", "--propose")
    assert "Nothing would change." in typed("proposals", "show", 1)
    assert "rejected" in typed("proposals", "reject", 1, "--by", "A. Chief")
    assert "rejected by A. Chief" in typed("proposals", "list")


def test_missed_links_are_estimated_by_partner_and_written_as_csv(typed, tmp_path):
    said = typed("missed", "--csv", tmp_path / "missed.csv")
    assert "council-b, child: not known, no number is at another partner too; 1 people" in said
    [head, *rows] = (tmp_path / "missed.csv").read_text().splitlines()
    assert head.startswith("partner,role,people,numbered,tested,missed,wrong,share")
    assert rows == ["council-b,child,1,1.0,0,0,0,,,", "trust-a,child,2,0.5,0,0,0,,,"]
    assert "cannot be written" in typed("missed", "--csv", tmp_path / "no" / "a.csv", code=1)
    assert '"tested": 0' in typed("missed", "--json")


def test_relink_at_once_needs_parameters_and_no_options_of_sparks(typed):
    assert "PARAMETERS" in typed("relink", code=2)
    assert "--engine spark" in typed(
        "relink", typed.lenient, "--from", typed.lenient.parent, code=2
    )
    assert "1 identifiers merged" in typed("relink", typed.lenient)


def test_where_spark_is_not_installed_the_error_says_how_to_install_it(typed, monkeypatch):
    for module in (
        "childlink_linker.relinking.spark_engine",
        "childlink_linker.relinking.spark_tasks",
        "childlink_linker.store.sealed_export",
    ):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "pyspark", None)
    said = typed("relink", "--engine", "spark", code=1)
    assert "needs PySpark" in said
    assert "pip install 'childlink-linker[spark]'" in said
    assert "Traceback" not in said
    monkeypatch.delitem(sys.modules, "childlink_linker.store.sealed_export")
    typed("ask-export", "--why", "for Spark", by="another")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "needs PyArrow" in typed("relink", "--export", typed.lenient.parent / "export", code=1)


def test_an_export_is_written_without_spark(typed, tmp_path):
    typed("ask-export", "--why", "for Spark", by="another")
    assert "3 records exported" in typed("relink", "--export", tmp_path / "export")
    assert (tmp_path / "export" / "records.parquet").stat().st_size > 900


def test_an_export_needs_somebody_else_who_asked_for_it_within_a_day_and_is_one(typed, tmp_path):
    assert "no unused request" in typed("relink", "--export", tmp_path / "e", code=1)
    assert "needs a reason" in typed("ask-export", "--why", " ", code=1)
    typed("ask-export", "--why", "for Spark")
    assert "another person must make it" in typed("relink", "--export", tmp_path / "e", code=1)
    assert not (tmp_path / "e").exists()
    assert "3 records exported" in typed("relink", "--export", tmp_path / "e", by="another")
    assert "no unused request" in typed("relink", "--export", tmp_path / "f", by="another", code=1)
    trail = typed("audit", "show")
    assert trail.count("export asked") == 1
    assert trail.count("export: failed") == 3


def test_an_asking_is_good_for_a_day():
    asked = Entry(1, 1_000, "a", exports.ASKED, {}, b"")
    exports.check_asked([asked], "b", 1_000 + 24 * 3_600_000)
    with pytest.raises(ExportError):
        exports.check_asked([asked], "b", 1_001 + 24 * 3_600_000)


def test_the_linker_does_not_load_spark_or_pyarrow_unless_it_is_told_to():
    code = "import sys, childlink_linker.cli; print({'pyspark', 'pyarrow'} & set(sys.modules))"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        == "set()\n"
    )


def test_an_estimate_becomes_a_proposal_in_one_step_and_its_parameters_a_file(typed, tmp_path):
    made = typed("relink", "--propose", "--estimated", "made-up-2026-12")
    assert "child records, pairs of two sources       in use    estimated" in made
    assert "ordinary, made-up-2026-12, 3 records: 0 changes" in made
    output = tmp_path / "new.toml"
    assert "written" in typed("proposals", "parameters", 1, "--output", output)
    assert 'version = "made-up-2026-12"' in output.read_text()
    assert "no proposal 7" in typed("proposals", "parameters", 7, "--output", output, code=1)


@pytest.mark.parametrize("arguments", [(), ("--propose", "--engine", "spark")])
def test_an_estimate_is_only_proposed(typed, arguments):
    assert "--estimated needs --propose" in typed("relink", "--estimated", "x", *arguments, code=2)
