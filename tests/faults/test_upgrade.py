"""A hub is upgraded under traffic. An older release reads half of the batches and today's release
the rest, on the same databases and streams.
"""

import subprocess
import tarfile
import time
from io import BytesIO

import pytest
from childlink_local.workspace import create_workspace

from tests.bench.bench_load import payloads
from tests.support import real
from tests.support.hub import hub_for
from tests.support.traffic import Traffic, partners, seal_rows

# The last commit before releases had drafts. Its analytics tables are one revision older than
# today's.
OLDER = "7211374"
PARTNERS = partners(4)
ROWS = 2400

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
def members(tmp_path_factory):
    """A folder with members' keys, and what the members send."""
    if why := real.fetch_jars():
        real.unavailable("Kafka", why)
    folder = tmp_path_factory.mktemp("members")
    return folder, seal_rows(
        create_workspace(folder, PARTNERS, "", mock=False), payloads(ROWS, len(PARTNERS), 100)
    )


def settle(traffic, seconds=150):
    deadline = time.monotonic() + seconds
    while traffic.unanswered:
        assert time.monotonic() < deadline, f"{traffic.unanswered} rows have no receipt"
        traffic.receive(0.2)


def test_a_hub_upgraded_in_the_middle_of_traffic_loses_nothing_and_gives_the_identifiers_of_todays_alone(  # noqa: E501
    members, older_code, postgres_server
):
    folder, sealed = members
    with hub_for(folder, postgres_server, "today", PARTNERS) as today:
        traffic = Traffic(today.layout, sealed)
        traffic.send(2 * ROWS)
        settle(traffic)
        traffic.close()
        today.wait_for_links(time.monotonic() + 60)
        alone, there = today.partition(), today.counts()
        newest = today.revision("analytics")
        today.stop()
    assert there["record"] == there["observation"] == ROWS

    with hub_for(folder, postgres_server, "upgraded", PARTNERS, older_code) as hub:
        traffic = Traffic(hub.layout, sealed)
        # Batches that the older release did not reach before it was stopped are on the broker for
        # today's.
        traffic.send(ROWS)
        # Both services run: one that still starts has not learnt yet to stop gracefully.
        while not all(traffic.account.rows().values()):
            traffic.receive(0.2)
        hub.stop()
        assert hub.revision("analytics") < newest, "the older release did run"
        hub.code = None
        for service in hub.services:
            hub.start(service)
        traffic.send(ROWS)
        settle(traffic)
        traffic.close()
        hub.wait_for_links(time.monotonic() + 60)
        assert hub.revision("analytics") == newest
        assert traffic.account.rows() == {"encodings": ROWS, "observations": ROWS}
        assert traffic.account.refused == 0
        assert hub.counts() == there
        assert hub.partition() == alone
        assert hub.linked_people() == len(alone["person"])
        hub.stop()
