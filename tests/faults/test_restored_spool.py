"""A site's spool is restored from a backup. Since the backup, the site used sequence numbers that
the spool does not know. No data may be lost silently, and a withdrawn person may not be sent again
without a human decision.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from childlink_core import reasons
from childlink_ingest import app
from childlink_ingest.errors import PastLostError
from childlink_ingest.runs import after_restore, withdraw
from childlink_ingest.spool import open_spool
from childlink_local import pilot
from childlink_local.broker import mock_broker
from childlink_local.workspace import create_workspace

from tests.support.one_site import AMINA, EXEMPT, HEADER, LINH, MAPPING, OLIVER, Pilot
from tests.support.settings_file import write_settings

INGEST = Path(sys.executable).parent / "childlink-ingest"


class Site(Pilot):
    """A site with a backup that can be restored."""

    def back_up(self):
        shutil.copy(self.settings.spool, self.folder / "backup.sqlite")

    def put_back(self):
        for file in self.settings.spool.parent.glob("spool.sqlite*"):
            file.unlink()
        shutil.copy(self.folder / "backup.sqlite", self.settings.spool)

    def stage(self, *rows):
        """An approved run into the spool, without sending."""
        (self.folder / "e.csv").write_text("\n".join([HEADER, *rows]) + "\n")
        with open_spool(self.settings.spool) as spool:
            return app.run_extract(
                self.settings, spool, self.folder / "e.csv", self.folder / "m.toml"
            )

    def exchange(self):
        with open_spool(self.settings.spool) as spool:
            pilot.exchange(self.settings, spool, self.hub)

    def report(self, run_id):
        with open_spool(self.settings.spool) as spool:
            return spool.report(run_id)

    def send_only(self):
        """Put the queued batches on the broker; the hub reads nothing."""
        with (
            open_spool(self.settings.spool) as spool,
            app.connect(self.settings, spool) as connection,
        ):
            connection.exchange.catch_up(connection.subscriber)
            connection.exchange.send()

    def lost_past(self):
        with open_spool(self.settings.spool) as spool:
            return spool.lost_past()

    def go_on(self):
        """The effect of `after-restore --withdrawals-repeated`."""
        with open_spool(self.settings.spool) as spool:
            run_id = after_restore.repeat_withdrawals(spool, app.build_site(self.settings))
            spool.confirm_past()
            pilot.exchange(self.settings, spool, self.hub)
            return spool.report(run_id) if run_id else None

    def months(self):
        with sa.create_engine(self.layout.store.database).connect() as tx:
            return sorted(tx.execute(sa.text("SELECT month FROM observation")).scalars())

    def dead_letters(self):
        with sa.create_engine(self.layout.linker.database).connect() as tx:
            return tx.execute(sa.text("SELECT count(*) FROM dead_letter")).scalar()

    def __call__(self, *arguments):
        command = [str(INGEST), "--settings", str(self.file), *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=90, cwd=self.folder
        )
        assert "Traceback" not in done.stderr
        return done


@pytest.fixture
def site(tmp_path):
    with mock_broker() as address:
        layout = create_workspace(tmp_path / "work", ["trust-a"], address)
        with pilot.open_hub(layout) as hub:
            site = Site(tmp_path, layout, hub)
            site.file = write_settings(site.settings, tmp_path / "ingest.toml")
            yield site


def test_rows_under_numbers_that_were_used_before_the_restore_are_never_called_accepted(site):
    site.run(AMINA)
    site.back_up()
    site.run(AMINA, OLIVER)
    site.put_back()
    run_id = site.stage(AMINA, LINH)
    site.exchange()
    report = site.report(run_id)
    assert (report.accepted, report.refused, report.waiting) == (
        0,
        2,
        0,
    ), "Linh was never sent, and the hub may have newer data about Amina"
    assert report.refusals == [(reasons.RESTORED, 2)]
    assert site.counts()["rows"] == 2, (
        "Amina and Oliver; Linh is missing, and no receipt says that she is stored"
    )
    assert site.dead_letters() == 0, "it was noticed before anything was sent"


def test_a_restored_site_goes_on_in_a_new_epoch_and_what_its_spool_forgot_goes_out_anew(site):
    site.run(AMINA)
    site.back_up()
    changed = AMINA.replace("2022-05-01", "2022-07-01")
    site.run(changed, OLIVER)
    site.put_back()
    site.stage(AMINA, OLIVER, LINH)
    site.exchange()
    with pytest.raises(PastLostError, match="withdrawals-repeated"):
        site.run(AMINA, OLIVER, LINH)
    site.go_on()
    report = site.run(AMINA, OLIVER, LINH)
    assert (report.accepted, report.refused, report.waiting) == (3, 0, 0)
    assert site.counts() == {"subjects": 6, "records": 6, "rows": 3, "with_adult": 3}
    assert site.months() == ["2022-05"] * 3, (
        "rows that looked unchanged to the old spool replaced what was sent after the backup"
    )
    again = site.run(AMINA, OLIVER, LINH)
    assert (again.accepted, again.refused) == (3, 0)


def test_a_receipt_for_what_the_lost_past_sent_under_a_number_does_not_answer_for_what_is_sent_under_it_now(  # noqa: E501
    site,
):
    site.run(AMINA)
    site.back_up()
    site.stage(AMINA, OLIVER)
    site.send_only()
    site.put_back()
    run_id = site.stage(AMINA, LINH)
    site.send_only()
    assert site.lost_past() is None, (
        "no receipt has shown it yet: both batches are on the broker under one number"
    )
    site.exchange()
    report = site.report(run_id)
    assert (report.accepted, report.refused) == (0, 2)
    assert site.lost_past() is not None
    site.go_on()
    assert site.run(AMINA, OLIVER, LINH).accepted == 3
    assert site.counts()["rows"] == 3


def test_a_replay_that_the_services_report_is_enough_when_the_receipts_are_gone(site):
    site.run(AMINA)
    site.back_up()
    site.run(AMINA, OLIVER)
    site.put_back()
    with open_spool(site.settings.spool) as spool, spool.transaction():
        # As if the receipts were older than the broker's retention.
        spool.move_inbox("receipts.trust-a", end_of(site, "receipts.trust-a"))
    run_id = site.stage(AMINA, LINH)
    site.exchange()
    assert (site.report(run_id).accepted, site.report(run_id).refused) == (0, 2)
    assert site.lost_past() is not None


def end_of(site, topic):
    from childlink_bus.kafka import connect
    from kafka import KafkaConsumer, TopicPartition

    consumer = connect(KafkaConsumer, site.settings)
    try:
        return consumer.end_offsets([TopicPartition(topic, 0)])[TopicPartition(topic, 0)]
    finally:
        consumer.close()


def test_a_withdrawal_that_was_given_up_is_sent_again_and_one_of_the_lost_past_can_be_repeated_by_local_id(  # noqa: E501
    site,
):
    site.run(AMINA, OLIVER)
    site.back_up()
    site.run(AMINA, OLIVER, LINH)
    site.put_back()
    with open_spool(site.settings.spool) as spool:
        # Before the spool has noticed: Oliver's withdrawal is sealed under a used number.
        run_id, found = withdraw.withdraw(
            spool, app.build_site(site.settings), [("default", "child", "2")], []
        )
        pilot.exchange(site.settings, spool, site.hub)
        assert found == 1
        assert spool.report(run_id).withdrawn_proved == 0
    assert site.counts()["rows"] == 3
    # The restored spool does not know Linh at all, but she may have been sent.
    report = site.take_back(
        lambda spool, s: withdraw.withdraw(spool, s, [("default", "child", "3")], [])
    )
    assert (report.withdrawn, report.withdrawn_proved) == (2, 2)
    repeated = site.go_on()
    assert (repeated.withdrawn, repeated.withdrawn_proved) == (2, 2), "Oliver's encoding and row"
    assert site.counts()["rows"] == 1
    again = site.run(AMINA, OLIVER, LINH)
    assert (again.accepted, again.permitted_out) == (1, 2)
    assert site.counts()["rows"] == 1


def test_a_spool_that_was_made_anew_waits_for_somebody_who_remembers_the_withdrawals(site):
    site.run(AMINA, OLIVER)
    site.take_back(lambda spool, s: withdraw.withdraw(spool, s, [("default", "child", "2")], []))
    for file in site.settings.spool.parent.glob("spool.sqlite*"):
        file.unlink()
    with open_spool(site.settings.spool) as spool:
        app.catch_up(site.settings, spool)
    with pytest.raises(PastLostError, match="has no record of any run"):
        site.run(AMINA, OLIVER)
    assert site.counts()["rows"] == 1, "Oliver was not sent again without a decision"


def test_the_commands_notice_a_restored_spool_before_a_number_is_taken_and_say_what_to_do(site):
    site.run(AMINA)
    site.back_up()
    site.run(AMINA, OLIVER)
    site.put_back()
    (site.folder / "e.csv").write_text("\n".join([HEADER, AMINA, OLIVER, LINH]) + "\n")
    run = ("run", "e.csv", "--mapping", "m.toml", "--wait", "0")
    refused = site(*run)
    assert refused.returncode == 1
    assert "after-restore --withdrawals-repeated" in refused.stderr
    with open_spool(site.settings.spool) as spool:
        assert len(spool.runs()) == 1, "nothing was staged"
    status = site("status")
    assert status.returncode == 3
    assert "no extract may be run" in status.stdout
    assert "FIX  spool" in site("doctor").stdout
    watched = site.folder / "drop"
    (watched / "inbox").mkdir(parents=True)
    (site.folder / "mappings").mkdir()
    mapping = site.folder / "mappings" / "m.toml"
    mapping.write_text('files = "e*.csv"\n' + MAPPING.format(options=EXEMPT))
    shutil.copy(site.folder / "e.csv", watched / "inbox" / "e.csv")
    watch = site("watch", watched, "--mappings", site.folder / "mappings", "--once")
    assert "after-restore" in watch.stderr
    assert (watched / "inbox" / "e.csv").exists(), "the extract stays in its place"
    asked = site("after-restore", "--wait", "0")
    assert asked.returncode == 3
    assert "runs wait" in asked.stdout
    assert site(*run).returncode == 1
    told = site("after-restore", "--withdrawals-repeated", "--wait", "0")
    assert told.returncode == 0, told.stderr
    assert site(*run).returncode == 4, "all batches wait for their receipts"
    assert site("status").returncode == 4
    site.exchange()
    assert site.counts()["rows"] == 3
    assert "does not know" not in site("after-restore").stderr


def test_an_undisturbed_spool_has_nothing_to_see_to(site):
    site.run(AMINA)
    done = site("after-restore")
    assert done.returncode == 0
    assert "This spool knows every batch that the receipts name" in done.stdout
