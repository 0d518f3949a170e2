"""A store that was restored from a backup, and a broker that was lost: later messages count as new,
and no batch waits forever.
"""

import json
import shutil

import pytest
import sqlalchemy as sa
from childlink.wire.v1 import link_pb2
from childlink_bus.ports import Message
from childlink_core import envelope, topics
from childlink_ingest import app as ingest
from childlink_ingest.cli import main as ingest_cli
from childlink_ingest.delivery.exchange import Exchange
from childlink_ingest.spool import open_spool
from childlink_linker.app import Linker
from childlink_linker.store import tables
from childlink_local import pilot
from childlink_local.broker import mock_broker
from childlink_local.workspace import create_workspace
from click.testing import CliRunner

from tests.support import one_site
from tests.support.clocks import HUB, set_clock
from tests.support.people import NHS, open_linker

RECEIPTS = topics.receipts("trust-a")


def links(linker):
    """Every link on the broker: epoch of its batch, and version."""
    found = []
    for message in linker.broker.topics[topics.LINKS]:
        header, batch = envelope.verify(
            message, topics.LINKS, topics.ANALYTICS, linker.partnership.directory
        )
        payload = envelope.open_batch(
            header, batch, (linker.partnership.opening[topics.ANALYTICS],)
        )
        found += [
            (header.epoch, link.version) for link in link_pb2.LinkBatch.FromString(payload).links
        ]
    return found


def app_of(linker):
    return Linker(None, linker.engine, linker.processor.handler, linker.processor, linker.metrics)


@pytest.fixture
def restored(linker, partnership, child, tmp_path):
    """A linker on a dump that is older than the broker's content."""
    linker.send("trust-a", child("trust-a", "1", nhs=NHS[0]))
    (tmp_path / "back").mkdir()
    with linker.engine.connect() as tx:
        tx.exec_driver_sql(f"VACUUM INTO '{tmp_path / 'dump.sqlite'}'")
    linker.send("trust-a", child("trust-a", "2", nhs=NHS[1], given="Zoe"))
    linker.send("trust-a", withdrawn=[child("trust-a", "1", nhs=NHS[0]).link_reference])
    shutil.copy(tmp_path / "dump.sqlite", tmp_path / "back" / "linker.sqlite")
    back = open_linker(partnership, tmp_path / "back")
    back.broker.topics.update(linker.broker.topics)
    yield back
    back.close()


def test_a_restored_linker_reads_on_and_what_it_sends_supersedes_what_the_lost_one_sent(
    linker, restored, child
):
    lost = links(linker)
    assert app_of(restored).restored() == 1
    restored.run()
    assert restored.partition() == linker.partition(), (
        "a person withdrawn after the dump is withdrawn again"
    )
    anew = links(restored)[len(lost) :]
    assert anew
    assert min(anew) > max(lost)
    assert min(version for _, version in anew) > max(version for _, version in lost)


def test_whom_only_the_lost_store_knew_has_a_newer_link_though_the_clock_is_set_back_once_the_restore_is_done(  # noqa: E501
    linker, restored, monkeypatch
):
    lost = links(linker)
    with monkeypatch.context() as ahead:
        set_clock(ahead, HUB, 3600.0)
        app_of(restored).restored()
        sent_again = len(links(restored))
    restored.run()
    anew = links(restored)[sent_again:]
    assert anew, "the second child is read again"
    assert min(version for _, version in anew) > max(version for _, version in lost) + 3_000_000


def test_a_partner_takes_a_restored_linkers_receipts_for_new_ones(
    linker, restored, partnership, child, tmp_path
):
    with open_spool(tmp_path / "spool.sqlite") as spool:
        exchange = Exchange(
            "trust-a", spool, partnership.directory, partnership.opening["trust-a"], None
        )
        for message in restored.broker.topics[RECEIPTS]:
            exchange._read(Message(RECEIPTS, 0, message))
        before = spool._db.execute("SELECT epoch, sequence FROM receipt_stream").fetchone()
        seen = len(restored.broker.topics[RECEIPTS])
        app_of(restored).restored()
        restored.send("trust-a", child("trust-a", "3", nhs=NHS[2], given="Bo"))
        for message in restored.broker.topics[RECEIPTS][seen:]:
            exchange._read(Message(RECEIPTS, 0, message))
        assert (
            spool._db.execute("SELECT epoch, sequence FROM receipt_stream").fetchone()[0]
            > before[0]
        )
        assert not spool.incidents()


def test_with_a_new_broker_topics_are_read_from_their_start(linker, partnership, child):
    for n in range(3):
        linker.send("trust-a", child("trust-a", f"{n}", nhs=NHS[n], given="Zoe"))
    linker.broker.topics.clear()
    # At least as long as the old log, so that its length does not show that it is another log.
    for n in range(3, 7):
        linker.put(
            "trust-a",
            partnership.message("trust-a", [child("trust-a", f"{n}", nhs=NHS[n], given="Bo")]),
        )
    linker.run()
    assert len(linker.partition()) == 3, "it goes on at offset 3, after a gap"
    app_of(linker).restored(new_broker=True)
    linker.run()
    assert len(linker.partition()) == 7
    with linker.engine.connect() as tx:
        assert tx.execute(sa.select(tables.stream_state.offsets.c.next_offset)).scalars().all() == [
            4
        ]


def test_what_was_sent_and_never_answered_is_sent_again_when_somebody_says_so(tmp_path):
    with mock_broker() as address:
        layout = create_workspace(tmp_path / "work", ["trust-a"], address)
        settings = layout.ingest["trust-a"]
        with pilot.open_hub(layout) as hub, open_spool(settings.spool) as spool:
            site = one_site.Pilot(tmp_path, layout, hub)
            site.run(one_site.AMINA)
            (tmp_path / "e.csv").write_text("\n".join([one_site.HEADER, one_site.OLIVER]) + "\n")
            ingest.run_extract(settings, spool, tmp_path / "e.csv", tmp_path / "m.toml")
            with ingest.connect(settings, spool) as connection:
                exchange = connection.exchange
                exchange.send()
                while hub.step():
                    pass
                # The receipts were on a broker that is lost.
                lost = []
                while len(lost) < 2:
                    lost += connection.subscriber.poll(5)
                spool.move_inbox(lost[-1].topic, lost[-1].offset + 1)
            assert not exchange.settled()
            before = site.counts()
            file = tmp_path / "ingest.toml"
            values = settings.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
            file.write_text(
                "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())
            )
            done = CliRunner().invoke(ingest_cli, ["--settings", str(file), "send", "--wait", "0"])
            assert "2 batches are not answered yet" in done.output
            assert not hub.step(), (
                "and nothing is sent: the hub does not know that anything is missing"
            )
            CliRunner().invoke(
                ingest_cli, ["--settings", str(file), "send", "--wait", "0", "--again"]
            )
            pilot.exchange(settings, spool, hub)
            assert exchange.settled()
            assert not spool.incidents()
            assert site.counts() == before, "and changed nothing"
