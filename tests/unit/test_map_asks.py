"""`map` on a terminal asks about what is uncertain, and goes on where it was stopped. Without a
terminal the questions stand in the mapping.
"""

import os
import pty
import select
import signal
import subprocess
import sys
import time
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest
from childlink_ingest.cli import main
from childlink_ingest.proposing.evidence import evidence
from click.testing import CliRunner

INGEST = Path(sys.executable).parent / "childlink-ingest"
LINES = [
    "Line,Who,Kept,Last name,Born on,Outcome",
    *(
        f"{n},K{n:03},Nia{'abcdefghij'[n % 10]},Smith,2019-03-{1 + n % 28:02},{'YN'[n % 2]}"
        for n in range(1, 61)
    ),
]


class Terminal:
    """A command on a terminal: what it shows, and answers to it."""

    def __init__(self, folder, *arguments):
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            # A shell's background job ignores Ctrl-C, and so do its children.
            ["env", "--default-signal=INT", str(INGEST), *map(str, arguments)],
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "COLUMNS": "120"},
        )
        os.close(theirs)
        self.shown = ""

    def read(self, until, seconds=60.0):
        """Read until a text is shown."""
        end = time.monotonic() + seconds
        seen = ""
        while until not in seen and time.monotonic() < end:
            if select.select([self.ours], [], [], 0.2)[0]:
                try:
                    seen += os.read(self.ours, 4096).decode()
                except OSError:
                    break
        self.shown += seen
        assert until in seen, self.shown
        return seen

    def answer(self, text):
        """Type a line."""
        os.write(self.ours, f"{text}\n".encode())

    def stop(self):
        """As Ctrl-C does, pressed again while nothing happens: Python misses one that comes between
        the question and the wait for an answer.
        """
        for _ in range(30):
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                return self.process.wait(2)
        raise AssertionError("it does not stop")


@pytest.fixture
def extract(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("\n".join(LINES) + "\n")
    return path


def test_a_conversation_is_stopped_and_resumed_and_writes_the_mapping(extract, tmp_path):
    arguments = ("map", extract, "--dataset", "children", "--output", "m.toml")
    terminal = Terminal(tmp_path, *arguments)
    asked = terminal.read("or the header itself")
    assert "row_id: the row's own id in the source" in asked
    assert "100% filled, 100% different" in asked
    assert "K001" not in asked, "shapes, no values"
    terminal.answer("Outcome")
    assert "'Outcome' cannot be row_id" in terminal.read("or the header itself")
    terminal.answer("Who")
    asked = terminal.read("or the header itself")
    assert "child_id" in asked
    terminal.stop()
    assert not (tmp_path / "m.toml").exists()
    terminal = Terminal(tmp_path, *arguments)
    assert "Going on with 1 answers" in terminal.read("or the header itself")
    terminal.answer("Who")
    for wanted, answer in (
        ("child_nhs_number", "0"),
        ("child_given_name", "Kept"),
        ("child_sex", ""),
        ("child_postcode", ""),
    ):
        assert wanted in terminal.read("or the header itself"), terminal.shown
        terminal.answer(answer)
    shown = terminal.read("m.toml written")
    assert "niab smith, born 2019-03-02" in shown
    assert terminal.process.wait(10) == 0
    columns = tomllib.loads((tmp_path / "m.toml").read_text())["columns"]
    assert (columns["child_id"], columns["child_given_name"]) == ("Who", "Kept")
    assert not (tmp_path / "m.answers").exists()


def test_without_a_terminal_the_questions_stand_in_the_mapping(extract, tmp_path):
    output = tmp_path / "m.toml"
    done = CliRunner().invoke(
        main, ["map", str(extract), "--dataset", "children", "--output", str(output)]
    )
    assert done.exit_code == 5
    assert "# to decide: child_id" in output.read_text()
    assert tomllib.loads(output.read_text())["dataset"] == "children"


def test_a_mapping_without_questions_ends_with_0(tmp_path):
    lines = ["UPN,Forename,Surname,DOB,Gender,Postcode"]
    lines += [f"A{n:05},Nia,Smith,2019-03-{1 + n % 28:02},F,SW9 8JJ" for n in range(60)]
    (tmp_path / "x.csv").write_text("\n".join(lines) + "\n")
    done = CliRunner().invoke(main, ["map", str(tmp_path / "x.csv"), "--dataset", "children"])
    assert "to decide" not in done.stdout
    assert done.exit_code == 0


def test_evidence_shows_no_value():
    said = evidence(["Okafor", "Smith", "", "SW9 8JJ"])
    assert "Okafor" not in said
    assert "75% filled" in said
