"""Each migration goes down and up again with rows in every table. Data that the migration does not
concern stays unchanged, on both databases.
"""

import json
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from childlink_analytics import cli as analytics_cli
from childlink_bus.database import migrate, open_database
from childlink_linker import cli as linker_cli
from childlink_local.workspace import create_workspace
from click.testing import CliRunner

from tests.support.clocks import HUB, set_clock
from tests.support.people import NHS, LinkerUnderTest

LINKER, ANALYTICS = "childlink_linker.store", "childlink_analytics.releasing.store"
_RECORDS = frozenset({"record", "block_key", "token", "edge", "carer", "review_pair"})
_DEAD = frozenset({"dead_letter", "suspended_topic"})


@dataclass(frozen=True)
class Step:
    """What one step down and up loses: tables that are then empty, and columns that are back at
    their default.
    """

    tables: frozenset[str] = frozenset()
    columns: dict[tuple[str, str], object] = field(default_factory=dict)
    rewritten: frozenset[str] = frozenset()
    """Tables whose rows the step builds from others. They have a test of their own."""


# Describe every new migration here. A loss of data must be intended.
STEPS = {
    (LINKER, "0001"): None,
    (LINKER, "0002"): Step(_RECORDS),
    (LINKER, "0003"): Step(frozenset({"decision"})),
    (LINKER, "0004"): Step(_RECORDS),
    (LINKER, "0005"): Step(
        frozenset({"audit_entry"}),
        {("decision", "asks_second"): False, ("review_pair", "since_ms"): 0},
    ),
    (LINKER, "0006"): Step(frozenset({"own_check"})),
    (LINKER, "0007"): Step(rewritten=frozenset({"event"})),
    (LINKER, "0008"): Step(_DEAD),
    (LINKER, "0009"): Step(
        frozenset({"proposal", "proposed_change", "proposed_member", "proposed_edge"})
    ),
    (LINKER, "0010"): Step(rewritten=frozenset({"gone_version"})),
    (LINKER, "0011"): Step(_RECORDS),
    (LINKER, "0012"): Step(_RECORDS),
    (LINKER, "0013"): Step(frozenset({"encoding_profile"})),
    (ANALYTICS, "0001"): None,
    (ANALYTICS, "0002"): Step(),
    (ANALYTICS, "0003"): Step(frozenset({"progress"}), {("link", "parameter_version"): ""}),
    (ANALYTICS, "0004"): Step(_DEAD),
    (ANALYTICS, "0005"): Step(frozenset({"release", "release_cells", "audit_entry"})),
    (ANALYTICS, "0006"): Step(frozenset({"open_trace"})),
}


@pytest.fixture
def engine(database_url):
    engine = open_database(database_url)
    yield engine
    engine.dispose()


def revisions(package):
    """The package's revisions, oldest first."""
    scripts = ScriptDirectory.from_config(_config(package))
    return [script.revision for script in scripts.walk_revisions()][::-1]


def _config(package):
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", f"{package}:migrations")
    config.set_main_option("path_separator", "os")
    return config


def before(package, revision):
    known = ["base", *revisions(package)]
    return known[known.index(revision) - 1]


def reflected(engine):
    metadata = sa.MetaData()
    metadata.reflect(engine)
    return [table for table in metadata.sorted_tables if table.name != "alembic_version"]


def fill(engine):
    """Two rows in every table, with no column at its default."""
    with engine.begin() as tx:
        for table in reflected(engine):
            for number in (1, 2):
                numbered_by_database = [
                    c for c in table.c if "nextval" in str(getattr(c.server_default, "arg", ""))
                ]
                values = {
                    c.name: value_for(c.type, number)
                    for c in table.c
                    if c not in numbered_by_database
                }
                tx.execute(table.insert().values(values))


def value_for(kind, number):
    match kind:
        case sa.Boolean():
            return True
        case sa.LargeBinary():
            return bytes([number]) * 16
        case sa.Float():
            return number + 0.5
        case sa.Integer():
            return number
        case sa.String():
            return str(number)
    raise AssertionError(f"no made-up value of type {kind!r}")


def content(engine):
    """Every row of every table, as dictionaries in a fixed order."""
    with engine.connect() as tx:
        return {
            table.name: sorted(
                (dict(row._mapping) for row in tx.execute(sa.select(table))), key=repr
            )
            for table in reflected(engine)
        }


def without(rows, columns):
    return sorted(
        ({name: value for name, value in row.items() if name not in columns} for row in rows),
        key=repr,
    )


def test_every_migration_is_described_here():
    assert {
        (package, revision) for package in (LINKER, ANALYTICS) for revision in revisions(package)
    } == set(STEPS)


@pytest.mark.parametrize(("package", "revision"), [key for key, step in STEPS.items() if step])
def test_what_a_step_down_and_up_is_not_about_is_as_it_was(engine, package, revision):
    step = STEPS[package, revision]
    migrate(engine, package, revision)
    fill(engine)
    full = content(engine)
    assert all(len(rows) == 2 for rows in full.values())

    migrate(engine, package, before(package, revision))
    down = content(engine)
    for table in down.keys() & full.keys() - step.tables - step.rewritten:
        added = {column for name, column in step.columns if name == table}
        assert without(down[table], added) == without(full[table], added), table
        assert not any(column in row for row in down[table] for column in added)

    migrate(engine, package, revision)
    up = content(engine)
    assert up.keys() == full.keys()
    for table in full.keys() - step.rewritten:
        if table in step.tables:
            assert up[table] == [], table
            continue
        defaults = {
            column: value for (name, column), value in step.columns.items() if name == table
        }
        assert up[table] == sorted(({**row, **defaults} for row in full[table]), key=repr), table


@pytest.mark.parametrize("package", [LINKER, ANALYTICS])
def test_the_first_step_down_leaves_nothing_and_up_again_makes_every_table_anew(engine, package):
    migrate(engine, package)
    fill(engine)
    names = content(engine).keys()
    migrate(engine, package, "base")
    assert content(engine) == {}
    migrate(engine, package)
    assert content(engine) == {name: [] for name in names}


def test_what_became_of_subjects_stays_and_families_begin_again_from_the_tables(engine):
    migrate(engine, LINKER, "0007")
    fill(engine)
    with engine.begin() as tx:
        tx.execute(
            sa.text(
                "INSERT INTO event (at_ms, kind, person_id, family_id) VALUES (5, 'family', '1',"
                " '2')"
            )
        )
    of_subjects = [row for row in content(engine)["event"] if row["subject_id"] is not None]
    migrate(engine, LINKER, "0006")
    migrate(engine, LINKER, "0007")
    events = content(engine)["event"]
    assert without(
        [row for row in events if row["subject_id"] is not None], {"family_id"}
    ) == without(of_subjects, {"family_id"})
    begun = sorted(
        (row["kind"], row["person_id"], row["family_id"])
        for row in events
        if row["subject_id"] is None
    )
    assert begun == [
        ("anchored", "1", "1"),
        ("anchored", "2", "2"),
        ("family", "1", "1"),
        ("family", "2", "2"),
    ]


def test_whoever_was_gone_before_versions_were_remembered_comes_back_with_a_greater_one(
    database_url, partnership, monkeypatch
):
    amina = partnership.subject("trust-a", "1", nhs=NHS[0], given="Amina", surname="Okafor")
    linker = LinkerUnderTest(partnership, database_url)
    with monkeypatch.context() as ahead:
        set_clock(ahead, HUB, 3600.0)
        linker.send("trust-a", amina)
        with linker.engine.connect() as tx:
            version = tx.execute(sa.text("SELECT link_version FROM subject")).scalar()
        linker.send("trust-a", withdrawn=[amina.link_reference])
    migrate(linker.engine, LINKER, "0009")
    migrate(linker.engine, LINKER)
    linker.send("trust-a", amina)
    with linker.engine.connect() as tx:
        assert tx.execute(sa.text("SELECT link_version FROM subject")).scalar() > version + 1
    linker.close()


@pytest.mark.parametrize("revision", revisions(LINKER))
def test_a_linker_that_was_taken_back_a_release_gives_the_same_identifiers_to_whoever_is_sent_again(
    database_url, partnership, revision
):
    mother = partnership.subject(
        "trust-a", "M", "adult", nhs=NHS[2], given="Grace", surname="Okafor"
    )
    people = [
        mother,
        partnership.subject(
            "trust-a", "1", nhs=NHS[0], given="Amina", surname="Okafor", carer=(mother, "mother")
        ),
        partnership.subject("council-b", "9", nhs=NHS[0], given="Amina", surname="Okafor"),
        partnership.subject("council-b", "8", nhs=NHS[1], given="Oliver", surname="Khan"),
    ]
    linker = LinkerUnderTest(partnership, database_url)
    linker.send("trust-a", *people[:2])
    linker.send("council-b", *people[2:])
    persons, families = linker.persons(*people), linker.families(*people)
    assert persons[1] == persons[2] != persons[3]
    migrate(linker.engine, LINKER, revision)
    migrate(linker.engine, LINKER)
    linker.send("trust-a", *people[:2])
    linker.send("council-b", *people[2:])
    assert linker.persons(*people) == persons
    assert linker.families(*people) == families
    assert linker.desk().check_store("operator") == (
        4,
        2,
    ), "the event log and the tables agree"
    linker.close()


def stores(tmp_path):
    layout = create_workspace(tmp_path, ["trust-a"], "127.0.0.1:1")
    return {
        LINKER: (linker_cli.main, "CHILDLINK_LINKER_", layout.linker),
        ANALYTICS: (analytics_cli.main, "CHILDLINK_ANALYTICS_", layout.store),
    }


def status(tmp_path, package, database_url):
    """The output of `status` for a service whose store is at this address."""
    main, prefix, settings = stores(tmp_path)[package]
    values = {
        **settings.model_dump(mode="json", exclude_none=True, exclude_defaults=True),
        "database": database_url,
    }
    environment = {
        f"{prefix}{k.upper()}": v if isinstance(v, str) else json.dumps(v)
        for k, v in values.items()
    }
    return CliRunner().invoke(main, ["status"], env=environment)


@pytest.mark.parametrize(("package", "revision"), STEPS)
def test_a_service_that_finds_tables_of_an_older_release_brings_them_up_to_date(
    engine, database_url, tmp_path, package, revision
):
    migrate(engine, package, revision)
    with engine.begin() as tx:
        tx.execute(sa.text("INSERT INTO outbox_message (topic, message) VALUES ('links', 'kept')"))
    found = status(tmp_path, package, database_url)
    assert found.exit_code == 0, found.output
    with engine.connect() as tx:
        assert (
            tx.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
            == revisions(package)[-1]
        )
        assert tx.execute(sa.text("SELECT count(*) FROM outbox_message")).scalar() == 1


@pytest.mark.parametrize("package", [LINKER, ANALYTICS])
def test_a_service_that_finds_tables_of_a_later_release_says_so_and_leaves_them_alone(
    engine, database_url, tmp_path, package
):
    migrate(engine, package)
    fill(engine)
    kept = content(engine)
    with engine.begin() as tx:
        tx.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    found = status(tmp_path, package, database_url)
    assert found.exit_code == 1
    assert "revision 9999" in found.output
    assert "A later release" in found.output
    assert "Traceback" not in found.output
    assert content(engine) == kept
