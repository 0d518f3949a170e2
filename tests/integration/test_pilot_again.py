"""`childlink-local run` in a folder that already exists: run again, run with a new broker, and two
runs at once.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from childlink_local.lock import only_one

LOCAL = Path(sys.executable).parent / "childlink-local"
ROWS = """id,nhs,first,last,dob,when
1,9990000018,Amina,Okafor,2020-01-02,2022-05-01
2,,Oliver,Smith,2020-03-04,2022-05-01
"""
MAPPING = """
dataset = "asq3"
opt_out_exempt = "made-up people"
[columns]
row_id = "id"
child_id = "id"
child_nhs_number = "nhs"
child_given_name = "first"
child_surname = "last"
child_date_of_birth = "dob"
review_date = "when"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.csv").write_text(ROWS)
    (tmp_path / "m.toml").write_text(MAPPING)
    (tmp_path / "pilot.toml").write_text(
        '[[extract]]\npartner = "trust-a"\nfile = "a.csv"\nmapping = "m.toml"\n'
    )
    return tmp_path


def run(folder):
    command = [str(LOCAL), "run", str(folder / "pilot.toml")]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)


def test_a_pilot_runs_again_on_a_changed_extract_though_its_broker_is_a_new_one(folder):
    first = run(folder)
    assert first.returncode == 0, first.stderr
    (folder / "a.csv").write_text(
        ROWS.replace("2022-05-01", "2022-06-01") + "3,,Linh,Nguyen,2020-06-07,2022-06-01\n"
    )
    again = run(folder)
    assert again.returncode == 0, again.stderr
    assert "accepted          3" in again.stdout
    assert "3 subjects in" in again.stdout
    third = run(folder)
    assert third.returncode == 0, third.stderr
    assert "accepted          3" in third.stdout


def test_two_pilots_at_once_in_one_folder_are_one_too_many(folder):
    with only_one(folder / "work"):
        second = run(folder)
    assert second.returncode == 1
    assert "Another childlink-local process is using" in second.stderr
    assert "Traceback" not in second.stderr
    assert not (folder / "work" / "linker").exists(), "nothing was touched"
    assert run(folder).returncode == 0, "the folder is free again"
