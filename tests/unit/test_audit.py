"""The audit trail shows who did what, and reveals every edit, deletion, reordering or
truncation.
"""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from childlink_core.audit import AuditBrokenError
from childlink_linker.cli import main
from childlink_linker.errors import ReviewError, UnknownIdentifierError
from childlink_linker.store import tables
from click.testing import CliRunner

from tests.support.people import NHS, LinkerUnderTest

ENTRY = tables.audit.entries


@pytest.fixture
def desk(linker, child):
    a, b = (
        child("trust-a", "1", nhs=NHS[0]),
        child("council-b", "1", nhs=NHS[1], postcode="SE24 0AA"),
    )
    linker.send("trust-a", a)
    linker.send("council-b", b)
    desk = linker.desk()
    [case] = desk.cases("n.steward")
    desk.show("n.steward", case.doubts[0].pair)
    desk.decide("n.steward", [(case.doubts[0].pair, "same")], "spoke to both")
    desk.explain("o.perator", linker.persons(a)[0])
    return desk


def test_every_look_and_every_decision_is_in_the_trail_with_who_and_what(desk):
    entries = desk.audit_trail()
    assert [(entry.who, entry.action) for entry in entries] == [
        ("n.steward", "review list"),
        ("n.steward", "review show"),
        ("n.steward", "review decide"),
        ("o.perator", "explain"),
    ]
    assert entries[2].detail["said"].endswith(" same")
    assert desk.verify_audit().number == 4


def test_what_failed_is_in_the_trail_too(desk):
    with pytest.raises(UnknownIdentifierError):
        desk.explain("o.perator", "nonsense")
    assert desk.audit_trail()[-1].action == "explain: failed"
    assert desk.verify_audit().number == 5


def test_nobody_looks_without_a_name(desk):
    with pytest.raises(ReviewError, match="name of the person"):
        desk.cases(" ")


@pytest.mark.parametrize(
    "tamper",
    [
        ENTRY.update().where(ENTRY.c.number == 2).values(who="somebody.else"),
        ENTRY.update()
        .where(ENTRY.c.number == 3)
        .values(detail=json.dumps({"said": "1-2 different", "second": 0})),
        ENTRY.delete().where(ENTRY.c.number == 2),
        ENTRY.delete().where(ENTRY.c.number == 1),
        sa.text("UPDATE audit_entry SET number = 9 - number WHERE number IN (2, 3)"),
        sa.text("UPDATE audit_entry SET at_ms = at_ms + 1 WHERE number = 4"),
    ],
    ids=[
        "another name",
        "another verdict",
        "one removed",
        "the first removed",
        "moved",
        "another time",
    ],
)
def test_an_entry_that_was_changed_removed_or_moved_is_found(desk, tamper):
    with desk.engine.begin() as tx:
        tx.execute(tamper)
    with pytest.raises(AuditBrokenError, match="Entry"):
        desk.verify_audit()


def test_entries_cut_off_at_the_end_are_found_by_whoever_noted_the_last(desk):
    noted = desk.verify_audit()
    with desk.engine.begin() as tx:
        tx.execute(ENTRY.delete().where(ENTRY.c.number >= 3))
    assert desk.verify_audit().number == 2
    with pytest.raises(AuditBrokenError, match="noted"):
        desk.verify_audit(noted)


def test_an_entry_written_by_somebody_without_the_key_is_found(desk):
    with desk.engine.begin() as tx:
        tables.audit.append(tx, b"another key".ljust(32), "n.steward", "review show")
    with pytest.raises(AuditBrokenError, match="Entry 5"):
        desk.verify_audit()


def test_a_steward_sees_a_bounded_number_of_pairs_a_day(linker, child):
    linker.send("trust-a", child("trust-a", "1", nhs=NHS[0]))
    linker.send("council-b", child("council-b", "1", nhs=NHS[1], postcode="SE24 0AA"))
    desk = linker.desk(views_a_day=2)
    [case] = desk.cases("n.steward")
    for _ in range(2):
        desk.show("n.steward", case.doubts[0].pair)
    with pytest.raises(ReviewError, match="limit"):
        desk.show("n.steward", case.doubts[0].pair)
    assert desk.show("b.other", case.doubts[0].pair)


def test_the_trail_works_on_postgresql_with_two_who_write_at_once(partnership, database_url):
    linker = LinkerUnderTest(partnership, database_url)
    desk = linker.desk()
    for n in range(5):
        desk.note("a", "look", n=n)
        desk.note("b", "look", n=n)
    assert desk.verify_audit().number == 10
    linker.close()


def test_the_command_says_that_the_trail_is_whole_and_finds_a_cut(tmp_path):
    run = CliRunner()
    settings = tmp_path / "linker.toml"
    settings.write_text(
        'directory = "directory.toml"\ndatabase = "sqlite:///%s"\n' % (tmp_path / "l.sqlite")
    )
    run.invoke(main, ["keys", "new", "--folder", str(tmp_path / "keys")])
    base = ["--settings", str(settings)]
    assert run.invoke(main, [*base, "quality"]).exit_code == 0
    said = run.invoke(main, [*base, "audit", "verify"]).output
    assert said.startswith("1 entries, none changed")
    assert "quality" in run.invoke(main, [*base, "audit", "show"]).output
    cut = run.invoke(main, [*base, "audit", "verify", "--noted", "2:" + "00" * 32])
    assert (cut.exit_code, "Traceback" in cut.output) == (1, False)


def test_two_who_look_at_once_are_both_in_the_trail(partnership, database_url):
    linker = LinkerUnderTest(partnership, database_url)
    desk = linker.desk()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: desk.cases(f"steward.{n % 4}"), range(80)))
    assert [entry.action for entry in desk.audit_trail()] == ["review list"] * 80
    assert desk.verify_audit().number == 80
    linker.close()
