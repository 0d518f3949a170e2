"""The store of analytics behaves the same on SQLite and on PostgreSQL."""

import pytest
import sqlalchemy as sa
from childlink_analytics.cli import main
from childlink_analytics.releasing.store import tables
from childlink_analytics.releasing.store.store import Store
from childlink_bus.database import migrate, open_database
from click.testing import CliRunner


@pytest.fixture
def engine(database_url):
    engine = open_database(database_url)
    migrate(engine, "childlink_analytics.releasing.store")
    yield engine
    engine.dispose()


def observation(row, child=b"c" * 16, **values):
    return {
        "partner": "trust-a",
        "row_reference": row.ljust(16, b"."),
        "dataset": "asq3",
        "month": "2022-01",
        "child_reference": child,
        "adult_reference": None,
        "attributes": "{}",
        **values,
    }


def link(version, person):
    return {
        "partner": "trust-a",
        "reference": b"c" * 16,
        "role": 1,
        "person": person,
        "family": None,
        "version": version,
    }


def months(tx):
    return [
        row.month
        for row in tx.execute(sa.select(tables.observation).order_by(tables.observation.c.month))
    ]


def test_a_row_sent_again_supersedes_the_old_one(engine):
    with engine.begin() as tx:
        Store(tx).put_observations([observation(b"1"), observation(b"2", month="2022-02")])
        Store(tx).put_observations([observation(b"1", month="2022-03")])
        assert months(tx) == ["2022-02", "2022-03"]


def test_only_a_newer_link_supersedes(engine):
    with engine.begin() as tx:
        for version, person in ((2, b"second"), (1, b"first"), (3, b"third")):
            Store(tx).put_links([link(version, person)])
        [row] = tx.execute(sa.select(tables.link)).all()
        assert (row.version, row.person) == (3, b"third")


def test_withdrawing_a_row_or_a_subject_forgets_what_is_about_it(engine):
    with engine.begin() as tx:
        rows = [
            observation(b"1"),
            observation(b"2", month="2022-02"),
            observation(b"3", b"d" * 16, month="2022-03"),
        ]
        Store(tx).put_observations(rows)
        Store(tx).withdraw("trust-a", [b"1".ljust(16, b".")])
        assert months(tx) == ["2022-02", "2022-03"]
        Store(tx).withdraw("trust-a", [b"c" * 16])
        assert months(tx) == ["2022-03"]
        Store(tx).withdraw("council-b", [b"d" * 16])
        assert months(tx) == ["2022-03"], "a partner can withdraw only its own rows"


def test_a_partner_is_behind_until_the_linker_has_read_what_its_rows_need(engine):
    with engine.begin() as tx:
        store = Store(tx)
        assert store.behind() == []
        store.note_progress("trust-a", "needed", 7, 3)
        assert store.behind() == ["trust-a"]
        store.note_progress("trust-a", "linked", 7, 2)
        store.note_progress("trust-a", "needed", 7, 1)
        assert store.behind() == ["trust-a"]
        store.note_progress("trust-a", "linked", 7, 3)
        assert store.behind() == []
        store.note_progress("trust-a", "needed", 8, 1)
        assert store.behind() == ["trust-a"], "a site that starts again has a greater epoch"


def test_everything_stored_is_read_for_a_cut(engine):
    with engine.begin() as tx:
        store = Store(tx)
        store.put_observations([observation(b"%d" % n) for n in range(10)])
        store.put_links([link(1, b"p" * 16)])
        assert sum(batch.num_rows for batch in store.observations()) == 10
        assert sum(batch.num_rows for batch in store.links()) == 1


def test_tables_are_what_the_migrations_make(engine):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with engine.connect() as tx:
        assert compare_metadata(MigrationContext.configure(tx), tables.metadata) == []


def test_status_says_whose_links_are_missing_and_what_is_suspended(tmp_path):
    settings = tmp_path / "analytics.toml"
    settings.write_text(
        f'directory = "directory.toml"\ndatabase = "sqlite:///{tmp_path / "a.sqlite"}"\n'
    )
    base = ["--settings", str(settings)]
    run = CliRunner()
    assert (
        run.invoke(main, [*base, "suspend", "links", "--why", "linker is compromised"]).exit_code
        == 0
    )
    engine = open_database(f"sqlite:///{tmp_path / 'a.sqlite'}")
    with engine.begin() as tx:
        Store(tx).note_progress("trust-a", "needed", 7, 3)
    engine.dispose()
    said = run.invoke(main, [*base, "status"]).output
    assert "trust-a: rows are here before their links" in said
    assert "links is suspended: linker is compromised" in said
    assert "links is read again" in run.invoke(main, [*base, "resume", "links"]).output
    assert "suspended" not in run.invoke(main, [*base, "status"]).output
