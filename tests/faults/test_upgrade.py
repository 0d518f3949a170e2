"""A hub is upgraded on the same databases and streams. The older release reads encodings of the
profile that it knew. Today's release forgets them, and every partner sends its rows again under
today's profile.
"""

import os
import pickle
import subprocess
import sys
import tarfile
import time
from io import BytesIO

import pytest
from childlink_core.profiles import DEFAULT_PROFILE
from childlink_linker.matching.parameters import DEFAULT_PARAMETERS
from childlink_local.workspace import create_workspace

from tests.bench.bench_load import payloads
from tests.support import real
from tests.support.hub import hub_for
from tests.support.traffic import Traffic, partners, seal_rows

# The last commit with profile cl-2026c. Its linker's tables are one revision older than today's.
OLDER = "7eff729"
PAYLOADS = """
import pickle, sys
from tests.bench.bench_load import payloads
pickle.dump(payloads(*map(int, sys.argv[1:])), sys.stdout.buffer)
"""
PARTNERS = partners(4)
ROWS, BEFORE, SIZE = 2400, 1200, 100

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def older_code(tmp_path_factory):
    """The source of the older release. It runs in today's environment."""
    archive = subprocess.run(
        ["git", "archive", OLDER], cwd=real.ROOT, capture_output=True, check=False
    )
    if archive.returncode:
        pytest.skip(f"commit {OLDER} is not here: a shallow clone, or no clone at all")
    folder = tmp_path_factory.mktemp("older")
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def members(tmp_path_factory, older_code):
    """A folder with members' keys; what the members send today; and what the older release sent,
    followed by everything under today's profile.
    """
    if why := real.fetch_jars():
        real.unavailable("Kafka", why)
    folder = tmp_path_factory.mktemp("members")
    layout = create_workspace(folder, PARTNERS, "", mock=False)
    today = payloads(ROWS, len(PARTNERS), SIZE)
    before = older_payloads(older_code)[: BEFORE // SIZE]
    return folder, seal_rows(layout, today), seal_rows(layout, [*before, *today])


def older_payloads(code):
    """The same rows, encoded by the older release under its profile."""
    sources = [
        *(str(path) for path in code.glob("*/*/src")),
        str(code / "proto" / "gen"),
        str(code),
    ]
    done = subprocess.run(
        [sys.executable, "-c", PAYLOADS, *map(str, (ROWS, len(PARTNERS), SIZE))],
        cwd=code,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sources)},
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    return pickle.loads(done.stdout)  # noqa: S301 - our own code wrote it


def settle(traffic, seconds=150):
    deadline = time.monotonic() + seconds
    while traffic.unanswered:
        assert time.monotonic() < deadline, f"{traffic.unanswered} rows have no receipt"
        traffic.receive(0.2)


def test_a_hub_upgraded_to_another_profile_keeps_identifiers_and_links_as_todays_alone(
    members, older_code, postgres_server
):
    folder, sealed, with_older = members
    with hub_for(folder, postgres_server, "today", PARTNERS) as today:
        traffic = Traffic(today.layout, sealed)
        traffic.send(2 * ROWS)
        settle(traffic)
        traffic.close()
        today.wait_for_links(time.monotonic() + 60)
        alone, there = today.partition(), today.counts()
        newest = today.revision("linker")
        today.stop()
    assert there["record"] == there["observation"] == ROWS

    older = {"profile": "cl-2026c", "parameters": "prior-2026c"}
    newer = {"profile": DEFAULT_PROFILE, "parameters": DEFAULT_PARAMETERS}
    with hub_for(folder, postgres_server, "upgraded", PARTNERS, older_code, older) as hub:
        traffic = Traffic(hub.layout, with_older)
        traffic.send(2 * BEFORE)
        settle(traffic)
        hub.wait_for_links(time.monotonic() + 60)
        assert hub.revision("linker") < newest, "the older release did run"
        given = hub.person_of()
        hub.stop()
        hub.code = None
        hub.configure(newer)
        for service in hub.services:
            hub.start(service)
        traffic.send(2 * ROWS)
        settle(traffic)
        traffic.close()
        hub.wait_for_links(time.monotonic() + 60)
        assert hub.revision("linker") == newest
        assert traffic.account.refused == 0
        assert hub.counts() == there
        assert hub.partition() == alone
        names = hub.person_of()
        moved = {given[subject] for subject in given if names[subject] != given[subject]}
        assert not moved & set(names.values()), "an identifier moves only where it is merged away"
        assert len(moved) < 0.02 * len(set(given.values()))
        assert hub.linked_people() == len(alone["person"])
        hub.stop()
