"""Clocks at a partner or at the hub that are wrong by a day, fast or slow. The result is the same
as with correct clocks: order comes from sequence numbers, and versions of links never fall.
"""

import pytest
from childlink.wire.v1 import link_pb2
from childlink_core import envelope, topics

from tests.support.clocks import HUB, PARTNER, set_clock
from tests.support.one_site import journey
from tests.support.people import NHS

DAY = 86_400.0


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    """The result with correct clocks."""
    return journey(tmp_path_factory.mktemp("right") / "site")


@pytest.mark.parametrize("ahead_s", [-DAY, DAY])
@pytest.mark.parametrize("where", [PARTNER, HUB])
def test_a_wrong_clock_changes_nothing(tmp_path, right, monkeypatch, where, ahead_s):
    set_clock(monkeypatch, where, ahead_s)
    assert journey(tmp_path / "site") == right


def versions(linker):
    """Versions of the links, in the order in which they were sent."""
    found = []
    for message in linker.broker.topics[topics.LINKS]:
        header, batch = envelope.verify(
            message, topics.LINKS, topics.ANALYTICS, linker.partnership.directory
        )
        payload = envelope.open_batch(
            header, batch, (linker.partnership.opening[topics.ANALYTICS],)
        )
        found += [link.version for link in link_pb2.LinkBatch.FromString(payload).links]
    return found


def test_a_child_that_comes_back_after_the_hubs_clock_was_set_back_has_a_newer_link(
    linker, child, monkeypatch
):
    amina = child("trust-a", "1", nhs=NHS[0])
    with monkeypatch.context() as ahead:
        set_clock(ahead, HUB, 3600.0)
        linker.send("trust-a", amina)
        linker.send("trust-a", withdrawn=[amina.link_reference])
    linker.send("trust-a", amina)
    assert versions(linker) == sorted(set(versions(linker))), (
        "otherwise analytics would keep the withdrawal"
    )
