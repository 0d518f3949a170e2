"""The linker behaves the same on SQLite and on PostgreSQL, and its migrations go up and down with
data.
"""

from datetime import date

import numpy as np
import sqlalchemy as sa
from childlink_bus.database import migrate
from childlink_core.profiles import get_profile
from childlink_linker.matching.blocking import pairs_of
from childlink_linker.matching.parameters import load_parameters
from childlink_linker.records import LARGEST_BLOCK
from childlink_linker.relinking.missed import missed_links
from childlink_linker.store import tables
from childlink_linker.store.snapshot import one_moment
from childlink_linker.store.store import Store

from tests.support.people import NHS, VAULT, LinkerUnderTest


def test_linking_merging_and_withdrawing_work_on_either_database(partnership, database_url):
    linker = LinkerUnderTest(partnership, database_url)
    a = partnership.subject(
        "trust-a", "1", nhs=NHS[0], given="Amina", surname="Okafor", born=date(2020, 1, 1)
    )
    mother = partnership.subject(
        "council-b", "m", "adult", given="Grace", surname="Okafor", born=date(1990, 1, 1)
    )
    b = partnership.subject(
        "council-b",
        "1",
        given="Amina",
        surname="Okafor",
        born=date(2020, 1, 1),
        carer=(mother, "mother"),
    )
    linker.send("trust-a", a)
    linker.send("council-b", mother, b)
    assert len(set(linker.persons(a, b))) == 1
    assert len(set(linker.families(a, b, mother))) == 1
    linker.send("council-b", withdrawn=[b.link_reference])
    assert linker.persons(b) == [None]
    assert linker.families(a) != linker.families(mother)
    linker.close()


def test_missed_links_are_measured_in_one_moment_of_either_database(partnership, database_url):
    linker = LinkerUnderTest(partnership, database_url)
    who = {"nhs": NHS[0], "surname": "Okafor", "born": date(2020, 1, 1)}
    linker.send("trust-a", partnership.subject("trust-a", "1", given="Amina", **who))
    linker.send("council-b", partnership.subject("council-b", "1", given="Zofia", **who))
    with one_moment(linker.engine) as tx:
        found = missed_links(Store(tx, VAULT), get_profile(), load_parameters())
    assert [(item.partner, item.tested, item.missed) for item in found] == [
        ("council-b", 1, 1),
        ("trust-a", 1, 1),
    ]
    linker.close()


def test_migrations_go_down_and_up_again(database_url, partnership):
    linker = LinkerUnderTest(partnership, database_url)
    linker.send("trust-a", partnership.subject("trust-a", "1", nhs=NHS[0]))
    migrate(linker.engine, "childlink_linker.store", "base")
    left = set(sa.inspect(linker.engine).get_table_names())
    assert left <= {"alembic_version"}
    migrate(linker.engine, "childlink_linker.store")
    assert set(sa.inspect(linker.engine).get_table_names()) >= set(tables.metadata.tables)
    linker.close()


def test_tables_go_back_to_an_older_revision_and_forth(database_url, partnership):
    linker = LinkerUnderTest(partnership, database_url)
    migrate(linker.engine, "childlink_linker.store", "0008")
    assert "proposal" not in sa.inspect(linker.engine).get_table_names()
    migrate(linker.engine, "childlink_linker.store", "0009")
    assert "proposal" in sa.inspect(linker.engine).get_table_names()
    linker.close()


def test_tables_are_what_the_migrations_make(database_url, partnership):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    linker = LinkerUnderTest(partnership, database_url)
    with linker.engine.connect() as tx:
        assert compare_metadata(MigrationContext.configure(tx), tables.metadata) == []
    linker.close()


def test_a_key_that_everybody_has_is_no_key_and_is_not_read_to_its_end(partnership, database_url):
    """A placeholder date puts a million records in one block."""
    linker = LinkerUnderTest(partnership, database_url)
    placeholder, rare = 7, 8
    with linker.engine.begin() as tx:
        store = Store(tx, VAULT)
        records = np.arange(1, 3 * LARGEST_BLOCK)
        store.insert_keys(np.full(len(records), placeholder), records)
        store.insert_keys(np.array([rare, rare]), np.array([5, 6]))
        found, holders = store.holders(np.array([placeholder, rare]))
    assert len(holders) == LARGEST_BLOCK + 1 + 2
    assert pairs_of(found, holders).tolist() == [[5, 6]]
    linker.close()
