"""Sent data can be withdrawn by each party that may do so: the source, the site and the person.
With the real linker and analytics.
"""

import os
import sqlite3
from contextlib import closing

import pytest
from childlink_core.errors import UserError
from childlink_core.keys import SecretKey, write_key
from childlink_ingest import app
from childlink_ingest.eligibility.rules import objection_tokens
from childlink_ingest.errors import NotApprovedError, PermitError, TooManyRejectsError
from childlink_ingest.runs import withdraw
from childlink_ingest.runs.run import Limits
from childlink_ingest.spool import open_spool, runs
from childlink_local import pilot
from childlink_local.broker import mock_broker
from childlink_local.workspace import create_workspace

from tests.support.one_site import AMINA, EXEMPT, LINH, NUMBERS, OLIVER, Pilot


@pytest.fixture
def site(tmp_path):
    with mock_broker() as address:
        layout = create_workspace(tmp_path / "work", ["trust-a"], address)
        layout.linker.key_versions = (1, 2)
        with pilot.open_hub(layout) as hub:
            yield Pilot(tmp_path, layout, hub)


def permit(site, *numbers, age_days=0.0):
    path = site.folder / "permitted.dat"
    path.write_text("".join(f"{number},\n" for number in numbers))
    os.utime(path, (path.stat().st_mtime - age_days * 86_400,) * 2)
    site.settings.permitted_list = path


def test_a_withdrawn_person_is_forgotten_by_both_services_with_receipts_and_stays_away(site):
    site.run(AMINA, OLIVER, LINH)
    assert site.counts() == {"subjects": 6, "records": 6, "rows": 3, "with_adult": 3}
    report = site.take_back(
        lambda spool, s: withdraw.withdraw(spool, s, [("default", "child", "3")], ["9990000018"])
    )
    assert (report.withdrawn, report.withdrawn_proved) == (4, 4), (
        "two people, two halves, all receipted"
    )
    assert site.counts() == {"subjects": 4, "records": 4, "rows": 1, "with_adult": 1}
    again = site.run(AMINA, OLIVER, LINH)
    assert (again.permitted_out, again.held) == (2, [("withdrawn at the site", 2)])
    assert site.counts()["rows"] == 1


def test_who_is_withdrawn_by_number_before_being_sent_is_held_back_and_can_be_let_go(site):
    site.run(OLIVER)
    site.take_back(lambda spool, s: withdraw.withdraw(spool, s, [], ["9990000018"]))
    assert site.run(AMINA, OLIVER).held == [("withdrawn at the site", 1)]
    other_id = AMINA.replace("1,", "7,", 1)
    assert site.run(other_id, OLIVER).held == [("withdrawn at the site", 1)], "under any local id"
    with open_spool(site.settings.spool) as spool:
        assert withdraw.allow_again(spool, app.build_site(site.settings), [], ["9990000018"]) == 1
    assert site.run(AMINA, OLIVER).held == []


def test_a_withdrawal_can_be_undone_and_the_person_is_linked_anew(site):
    site.run(AMINA, OLIVER)
    site.take_back(lambda spool, s: withdraw.withdraw(spool, s, [("default", "child", "1")], []))
    with open_spool(site.settings.spool) as spool:
        assert (
            withdraw.allow_again(
                spool, app.build_site(site.settings), [("default", "child", "1")], []
            )
            == 1
        )
    site.run(AMINA, OLIVER)
    assert site.counts() == {"subjects": 4, "records": 4, "rows": 2, "with_adult": 2}


def test_a_withdrawn_mother_is_taken_off_her_childs_row_and_the_row_stays(site):
    site.run(AMINA, OLIVER)
    site.take_back(lambda spool, s: withdraw.withdraw(spool, s, [], ["9990000034"]))
    assert site.counts() == {"subjects": 3, "records": 3, "rows": 2, "with_adult": 1}
    again = site.run(AMINA, OLIVER)
    assert again.accepted == 2
    assert ("adult left out: withdrawn at the site", 1) in again.notes
    assert site.counts()["with_adult"] == 1


def test_what_a_snapshot_no_longer_holds_is_withdrawn_and_an_increment_withdraws_nothing(site):
    site.run(AMINA, OLIVER, LINH)
    site.run(OLIVER)
    assert site.counts()["rows"] == 3
    report = site.run(OLIVER, options=EXEMPT + 'delivers = "snapshot"')
    assert report.withdrawn == report.withdrawn_proved == 6, "two rows, and four people's encodings"
    assert site.counts() == {"subjects": 2, "records": 2, "rows": 1, "with_adult": 1}


def test_a_row_of_a_snapshot_that_is_rejected_this_time_is_not_taken_for_gone(site):
    snapshot = EXEMPT + 'delivers = "snapshot"'
    site.run(AMINA, OLIVER, options=snapshot)
    report = site.run(AMINA, OLIVER.replace("2020-03-04", "2020-13-04"), options=snapshot)
    assert (report.rejected, report.withdrawn) == (1, 0)
    assert site.counts()["rows"] == 2


def test_a_row_of_a_snapshot_that_is_rejected_for_longer_than_runs_are_kept_loses_nobody(
    site, monkeypatch
):
    monkeypatch.setattr(runs, "_RUNS_KEPT", 1)
    snapshot = EXEMPT + 'delivers = "snapshot"'
    site.run(AMINA, OLIVER, LINH, options=snapshot)
    broken = AMINA.replace("2020-01-02", "2020-99-99")
    for _ in range(3):
        report = site.run(broken, OLIVER, LINH, options=snapshot, limits=Limits(1.0, 1.0))
        assert (report.rejected, report.withdrawn) == (1, 0)
    assert site.counts() == {"subjects": 6, "records": 6, "rows": 3, "with_adult": 3}


def test_a_row_that_repeats_an_id_says_nothing_of_the_person_either(site):
    site.run(AMINA, OLIVER)
    said = AMINA.replace("Amina,Okafor,2020-01-02", "Zainab,Smith,2019-05-05")
    report = site.run(AMINA, said, OLIVER, limits=Limits(1.0, 1.0))
    assert report.rejected == 1
    with open_spool(site.settings.spool) as spool:
        assert spool.sent_by(report.run_id) == [], "nothing of her has changed"


def test_whoever_looks_at_the_spool_does_not_wait_for_a_run_that_is_being_staged(site):
    site.run(AMINA)
    with closing(sqlite3.connect(site.settings.spool)) as staging:
        staging.execute("BEGIN IMMEDIATE")
        with open_spool(site.settings.spool) as spool:
            assert spool.runs() == [1]


def test_a_snapshot_that_would_withdraw_too_much_sends_nothing(site):
    site.run(AMINA, OLIVER, LINH, options=EXEMPT + 'delivers = "snapshot"')
    with pytest.raises(TooManyRejectsError, match="2 of the 3 sent rows"):
        site.run(OLIVER, options=EXEMPT + 'delivers = "snapshot"', limits=Limits(1.0, 0.2))
    assert site.counts()["rows"] == 3


def test_a_row_that_the_source_declares_deleted_is_withdrawn_with_the_people_who_have_no_other(
    site,
):
    site.run(AMINA, OLIVER)
    report = site.run(AMINA + "D", OLIVER)
    assert (report.deleted, report.accepted, report.withdrawn) == (1, 1, 2)
    assert site.counts()["rows"] == 1


def test_a_bad_run_is_retracted_whole(site):
    site.run(AMINA)
    bad = site.run(AMINA.replace("Amina", "Other"), OLIVER, LINH)
    report = site.take_back(lambda spool, s: withdraw.retract(spool, s, bad.run_id))
    assert report.withdrawn == report.withdrawn_proved > 0
    site.run(AMINA)
    assert site.counts() == {"subjects": 2, "records": 2, "rows": 1, "with_adult": 1}


def test_without_a_list_of_permitted_numbers_patient_information_is_not_sent(site):
    with pytest.raises(PermitError, match="none is set"):
        site.run(AMINA, options="")
    permit(site, *NUMBERS, age_days=8)
    with pytest.raises(PermitError, match=r"8\.0 days old; at most 7"):
        site.run(AMINA, options="")
    assert site.counts() == {"subjects": 0, "records": 0, "rows": 0, "with_adult": 0}


def test_a_child_who_opts_out_later_is_withdrawn_at_the_next_run(site):
    permit(site, *NUMBERS)
    site.run(AMINA, OLIVER, LINH, options="")
    permit(site, *NUMBERS[1:])
    report = site.run(AMINA, OLIVER, LINH, options="")
    assert (report.permitted_out, report.held) == (1, [("national data opt-out", 1)])
    assert site.counts() == {"subjects": 5, "records": 5, "rows": 2, "with_adult": 2}, (
        "her mother did not opt out"
    )


def test_who_opts_out_and_is_in_no_row_of_an_increment_is_withdrawn_when_the_checked_list_is_given(
    site,
):
    permit(site, *NUMBERS)
    site.run(AMINA, OLIVER, options="")
    checked = site.folder / "checked.dat"
    checked.write_text("".join(f"{number},\n" for number in NUMBERS))
    site.settings.checked_list = checked
    permit(site, *NUMBERS[1:])
    site.run(OLIVER, options="")
    assert site.counts()["rows"] == 1


def test_a_mother_who_opted_out_is_left_out_and_her_child_is_sent(site):
    permit(site, "9990000018", "9990000026", "9990000042")
    report = site.run(AMINA, OLIVER, options="")
    assert report.accepted == 2
    assert ("adult left out: national data opt-out", 1) in report.notes
    assert site.counts() == {"subjects": 3, "records": 3, "rows": 2, "with_adult": 1}


def test_nothing_is_sent_under_a_mapping_that_nobody_approved_or_that_changed_since(site):
    with pytest.raises(NotApprovedError, match=r"m\.toml is not approved"):
        site.run(AMINA, approved=False)
    site.run(AMINA)
    with pytest.raises(NotApprovedError, match=r"The mapping of m\.toml changed since A\. Shah"):
        site.run(AMINA, options=EXEMPT + 'id_space = "other"', approved=False)


def test_too_many_rejected_rows_stop_the_run_before_anything_is_sent(site):
    with pytest.raises(TooManyRejectsError, match="1 of 2 rows would be rejected"):
        site.run(AMINA, OLIVER.replace("2020-03-04", "nonsense"), limits=Limits(0.1))
    assert site.counts()["rows"] == 0


def test_two_processes_send_the_same_as_one(site, monkeypatch):
    monkeypatch.setattr("childlink_ingest.runs.run.ROWS_AT_A_TIME", 2)
    rows = [
        AMINA,
        OLIVER,
        LINH,
        *(f"{n},,Kid,Number{n},2020-01-02,,,,,,2022-05-01," for n in range(10, 30)),
    ]
    site.run(*rows)
    before = site.counts()
    site.settings.workers = 2
    report = site.run(*rows)
    with open_spool(site.settings.spool) as spool:
        assert spool.count_batches("queued", "sent") == 0
        assert not spool.sent_by(report.run_id), "not one byte differs from what one process made"
    assert site.counts() == before


def test_while_the_secret_is_rotated_both_versions_stand_side_by_side_and_the_old_one_goes(site):
    site.run(AMINA, OLIVER)
    key = site.folder / "linkage-2.key"
    second = SecretKey.generate("partnership", 2)
    write_key(key, second)
    directory = site.settings.directory
    directory.write_text(directory.read_text() + f'"2" = "{second.check_value}"\n')
    site.settings.linkage_key_next = key
    site.run(AMINA, OLIVER)
    assert site.counts() == {"subjects": 4, "records": 8, "rows": 2, "with_adult": 2}
    site.settings.linkage_key, site.settings.linkage_key_next = key, None
    report = site.run(AMINA)
    assert site.counts() == {"subjects": 4, "records": 4, "rows": 2, "with_adult": 2}
    assert report.withdrawn == report.withdrawn_proved == 4


def test_a_secret_that_is_not_the_partnerships_is_refused_before_anything_is_sent(site):
    key = site.folder / "wrong.key"
    write_key(key, SecretKey.generate("partnership", 1))
    site.settings.linkage_key = key
    with pytest.raises(UserError, match="check value"):
        site.run(AMINA)
    assert site.counts()["rows"] == 0


def test_who_objects_is_held_back_and_withdrawn_by_local_id_by_number_and_by_the_partnerships_list(
    site,
):
    site.run(AMINA, OLIVER, LINH)
    site.settings.objections = site.folder / "objections.csv"
    site.settings.objections.write_text("nhs_number,role,local_id\n9990000018,,\n,child,3\n")
    report = site.run(AMINA, OLIVER, LINH)
    assert report.held == [("objection", 2)]
    assert site.counts()["rows"] == 1
    site.settings.partnership_objections = site.folder / "tokens"
    said = objection_tokens(app.objection_keys(site.settings), "9990000026")
    site.settings.partnership_objections.write_text("\n".join(said))
    report = site.run(AMINA, OLIVER, LINH)
    assert report.held == [("objection", 3)]
    assert site.counts()["rows"] == 0
