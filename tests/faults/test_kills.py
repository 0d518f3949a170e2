"""SIGKILL of the linker and analytics, ten times at random, under traffic on a real broker and real
databases. People, families and the release are the same as in an undisturbed run; no record is lost
or doubled. Sending the same extracts again changes nothing.
"""

import os
import random

import pytest

KILLS = 10
CHILDREN = int(os.environ.get("CHILDLINK_TEST_KILL_CHILDREN", "1500"))

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def calm(deploy):
    """An undisturbed run with one linker, and its reports."""
    calm = deploy("calm")
    reports = calm.send_everything()
    calm.stop()
    assert all(r.accepted + r.rejected + r.permitted_out == r.rows_read for r in reports)
    return calm, [(r.extract, r.rows_read, r.accepted) for r in reports], calm.cut()


@pytest.mark.parametrize("linkers", [1, 2, 4])
def test_ten_kills_change_nothing_however_many_linkers_share_the_database(deploy, calm, linkers):
    undisturbed, reports, release = calm
    shaken = deploy(f"shaken{linkers}", linkers)
    shaken_reports = shaken.send_everything(random.Random(linkers), kills=KILLS)
    assert shaken.kills >= KILLS
    assert [(r.extract, r.rows_read, r.accepted) for r in shaken_reports] == reports
    assert shaken.counts() == undisturbed.counts(), "no record lost or doubled"
    assert shaken.partition() == undisturbed.partition()
    assert shaken.cut() == release

    if linkers == 1:
        before = shaken.counts()
        again = shaken.send_everything()
        assert all(r.accepted + r.rejected + r.permitted_out == r.rows_read for r in again)
        assert shaken.counts() == before
        assert shaken.partition() == undisturbed.partition()
    shaken.stop()
