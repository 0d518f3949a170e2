"""SIGKILL at any step while a release is built. Nothing is published, nothing is half finished, and
the next build equals an undisturbed one.
"""

import hashlib
import random
import subprocess
import sys
from pathlib import Path

import pytest
from childlink_analytics.releasing.release.workflow import ReleaseWorkflow
from childlink_analytics.settings import StoreSettings
from childlink_analytics.shared.purposes import Register
from childlink_analytics.shared.release_files import release_ids
from childlink_bus.database import migrate, open_database
from childlink_catalogue.catalogue import Catalogue, bundled

from tests.attacks.answers.world import partnership
from tests.unit.test_release_workflow import fill

# Build a release in a separate process. The process reports its steps and waits at one of them to
# be killed.
PROGRAM = """
import os, sys, time
from pathlib import Path
from childlink_analytics.releasing.release import workflow as lifecycle
from childlink_analytics.shared import release_files as releases
from tests.faults.test_killed_cut import desk_of

def at(place):
    if place == sys.argv[2]:
        print(place, flush=True)
        time.sleep(60)

def patched(owner, name, before="", after=""):
    real = getattr(owner, name)
    def call(*arguments, **options):
        at(before)
        done = real(*arguments, **options)
        at(after)
        return done
    setattr(owner, name, call)

patched(lifecycle, "open_counter", before="reading")
patched(lifecycle, "cut_release", before="counting", after="not remembered yet")
patched(releases.os, "fsync", before="half written")
patched(releases.Path, "rename", before="written and not there yet", after="there")
desk = desk_of(Path(sys.argv[1]))
print("begun", flush=True)
desk.cut("ada", "r1", "2024-12-31", lambda what: at("protecting"))
print("done", flush=True)
"""
# Two populations, so that a cut is short and still has several steps.
FEW = Catalogue(
    bundled(),
    {"questions.toml": ""}
    | {
        f"measures/{path.name}": ""
        for path in (bundled() / "measures").glob("*.toml")
        if path.stem not in ("linkage", "change")
    },
)
PLACES = [
    "reading",
    "counting",
    "protecting",
    "half written",
    "written and not there yet",
    "there",
    "not remembered yet",
]


def desk_of(folder: Path) -> ReleaseWorkflow:
    """The release workflow of a store in a folder."""
    settings = StoreSettings(
        directory=folder / "d.toml",
        drafts=folder / "drafts",
        releases=folder / "releases",
        schedule="quarterly",
    )
    engine = open_database(f"sqlite:///{folder / 'store.sqlite'}")
    return ReleaseWorkflow(engine, settings, b"rounding", b"audit", {}, Register(), FEW)


@pytest.fixture
def store(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'store.sqlite'}")
    migrate(engine, "childlink_analytics.releasing.store")
    fill(engine, partnership(1, 120))
    engine.dispose()
    return tmp_path


def start(folder, place="nowhere"):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), place],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )


def content(folder):
    """Hashes of a finished draft's files, without the time of creation."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (folder / "drafts" / "r1").iterdir()
        if path.name == "release.json"
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The result of an undisturbed build."""
    folder = tmp_path_factory.mktemp("calm")
    engine = open_database(f"sqlite:///{folder / 'store.sqlite'}")
    migrate(engine, "childlink_analytics.releasing.store")
    fill(engine, partnership(1, 120))
    engine.dispose()
    assert start(folder).communicate()[0] == "begun\ndone\n"
    return content(folder)


def nothing_is_there(folder):
    desk = desk_of(folder)
    assert desk.releases() == []
    assert release_ids(folder / "releases") == []
    assert desk.verify("an auditor") == []
    desk.engine.dispose()


def the_next_is_whole(folder, undisturbed):
    assert start(folder).communicate()[0] == "begun\ndone\n", "no manual step"
    assert content(folder) == undisturbed, "the same bytes"
    assert [path.name for path in (folder / "drafts").iterdir()] == ["r1"], (
        "and nothing is left over"
    )
    desk = desk_of(folder)
    assert [(item.release_id, item.number) for item in desk.releases()] == [("r1", 1)]
    assert desk.publish("bea", "r1").state == "published"
    desk.engine.dispose()


@pytest.mark.parametrize("place", PLACES)
def test_a_cut_that_is_killed_at_any_step_publishes_nothing_and_the_next_one_is_as_if_undisturbed(
    store, undisturbed, place
):
    killed = start(store, place)
    assert [killed.stdout.readline() for _ in range(2)] == ["begun\n", f"{place}\n"], (
        "it came so far"
    )
    killed.kill()
    killed.wait()
    nothing_is_there(store)
    the_next_is_whole(store, undisturbed)


def test_a_cut_that_is_killed_again_and_again_at_random_is_whole_in_the_end(store, undisturbed):
    moments = random.Random(11)
    for _ in range(5):
        killed = start(store)
        assert killed.stdout.readline() == "begun\n"
        try:
            killed.wait(moments.uniform(0, 0.4))
        except subprocess.TimeoutExpired:
            killed.kill()
            killed.wait()
        if desk_of(store).releases():
            break  # the build had already finished
        nothing_is_there(store)
    else:
        the_next_is_whole(store, undisturbed)
        return
    assert content(store) == undisturbed
