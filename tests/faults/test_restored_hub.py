"""The hub is restored from a backup, and its broker is new. Batches that it acknowledged after the
backup exist nowhere but at the sites, which deleted their bytes. No row may stay lost, and a person
who was withdrawn after the backup may not stay in the restored stores.
"""

import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from childlink_analytics.releasing.store import tables as store_tables
from childlink_core import reasons
from childlink_ingest.runs import withdraw
from childlink_ingest.spool import open_spool
from childlink_local import pilot
from childlink_local.broker import mock_broker
from childlink_local.workspace import create_workspace

from tests.support.one_site import AMINA, LINH, OLIVER, Pilot
from tests.support.settings_file import write_settings

INGEST = Path(sys.executable).parent / "childlink-ingest"
BACKED_UP = ("linker/linker.sqlite", "analytics/analytics.sqlite")


@contextmanager
def hub(folder, *, restored=False):
    """A hub on a new broker, with the stores that are in the folder."""
    with mock_broker() as address:
        layout = create_workspace(folder / "work", ["trust-a"], address)
        with pilot.open_hub(layout) as running:
            if restored:
                running.linker.restored(new_broker=True)
                with sa.create_engine(layout.store.database).begin() as tx:
                    store_tables.stream_state.restored(tx, new_broker=True)
        with pilot.open_hub(layout) as running:
            yield Pilot(folder, layout, running)


def copy(of, to):
    with closing(sqlite3.connect(of)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)


@pytest.fixture
def lost(tmp_path):
    """A site whose hub acknowledged Linh and Amina's withdrawal after its backup, and lost both."""
    work = tmp_path / "work"
    with hub(tmp_path) as site:
        site.run(AMINA, OLIVER)
    for name in BACKED_UP:
        copy(work / name, work / f"{name}.backup")
    with hub(tmp_path, restored=True) as site:
        assert site.run(AMINA, OLIVER, LINH).accepted == 3
        gone = site.take_back(
            lambda spool, s: withdraw.withdraw(spool, s, [("default", "child", "1")], [])
        )
        assert gone.withdrawn == gone.withdrawn_proved
        before = site.counts()
    for name in BACKED_UP:
        copy(work / f"{name}.backup", work / name)
    with hub(tmp_path, restored=True) as site:
        assert site.counts() != before, "the backup has Amina and not Linh"
        site.before = before
        yield site


def test_a_gap_that_the_site_cannot_fill_makes_it_send_rows_and_withdrawals_again(lost):
    moved = OLIVER.replace("2022-05-01", "2022-07-01")
    report = lost.run(moved, LINH)
    assert (report.accepted, report.waiting) == (0, 0)
    assert report.refusals == [(reasons.HUB_RESTORED, 2)], "the report says so, and what to do"
    report = lost.run(moved, LINH)
    assert (report.accepted, report.refused, report.waiting) == (2, 0, 0)
    assert lost.counts() == lost.before
    with open_spool(lost.settings.spool) as spool:
        assert spool.lost_past() is None, "the spool knows everything, so runs need not wait"


def test_the_hubs_word_is_enough_when_no_row_has_changed(lost):
    unchanged = lost.run(OLIVER, LINH)
    assert (unchanged.accepted, unchanged.refused) == (2, 0), "the spool cannot know"
    file = write_settings(lost.settings, lost.folder / "ingest.toml")
    told = ingest(file, lost, "after-restore", "--hub-restored", "--wait", "0")
    assert "run every feed again" in told.stdout
    assert lost.run(OLIVER, LINH).accepted == 2
    assert lost.counts() == lost.before


def ingest(file, site, *arguments):
    command = [str(INGEST), "--settings", str(file), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=90, cwd=site.folder
    )
    assert "Traceback" not in done.stderr
    return done
