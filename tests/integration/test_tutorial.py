"""Runs the tutorials unchanged: every fenced block of a page, in order, in one shell with its own
home folder.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "tutorials"


def blocks_of(page):
    """The commands of a page. Every block of it is one that is run."""
    text = (PAGES / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert text.count("```") == 2 * len(blocks)
    return blocks


def run(blocks, home):
    """Exit code and output of the blocks. Processes that the shell started end with it."""
    script = "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n" + "".join(
        blocks
    )
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("CHILDLINK_")
    }
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env={**environment, "HOME": str(home), "PATH": path},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=200,
    )
    return done.returncode, done.stdout


@pytest.mark.slow
def test_every_command_of_the_tutorial_works_and_shows_what_the_page_says(tmp_path):
    code, output = run(blocks_of("laptop.md"), tmp_path)
    assert code == 0, output
    assert "180 rows read, 180 good, 0 rejected" in output
    assert "left out: 1 rows (by the mapping's `where`)" in output
    assert "child: precision 1.0000, recall 0.9" in output
    assert "national data opt-out" in output
    found = dict(re.findall(r"^[\w-]+,(\w*C10219|\w*C1021),child,(\w+),", output, re.MULTILINE))
    assert len(found) == 5
    assert found["C10219"] == found["HC10219"] == found["MC10219"], "one boy at all three"
    assert found["C1021"] != found["MC1021"], "the one that is missed"
    assert "Black or Black British" in output
    assert "group too small" in output
    assert "report.html written" in output
    assert not (tmp_path / "childlink-tutorial").exists()


@pytest.mark.slow
def test_another_partnership_is_set_up_by_files_alone(tmp_path):
    code, output = run(blocks_of("another-partnership.md"), tmp_path)
    assert code == 0, output
    assert "Harbour Families: version 1" in output
    assert "of anyone of the family. never: under 1" in output
    assert "wrong/exposures.toml, line 5: visited, since must be at least 1" in output
    assert "version 1 is signed by data-manager and governance-lead" in output
    assert "school_start     v1  Check at the start of school" in output
    assert "Reading boat" in output
    assert re.search(r"Three or more +│ +\d+ │ +\d+\.\d%", output), output
    assert "instrument home_index: its scale changed" in output
    assert "refused, as it should be" in output
    assert not (tmp_path / "harbour-tutorial").exists()


def test_a_command_that_fails_fails_the_page(tmp_path):
    code, output = run(["childlink-ingest no-such-command\n", "echo never\n"], tmp_path)
    assert code != 0
    assert "never" not in output
