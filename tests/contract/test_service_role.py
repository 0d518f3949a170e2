"""The linker's database role: it can do all of a linker's work, but can neither change a table nor
rewrite append-only data.
"""

import os
from datetime import date

import pytest
import sqlalchemy as sa
from childlink_core.errors import UserError
from childlink_linker import app
from childlink_linker.cli import main
from childlink_linker.settings import LinkerSettings
from childlink_linker.store import tables
from click.testing import CliRunner

from tests.support.people import NHS, LinkerUnderTest
from tests.support.proposing import LENIENT, approve, propose_ordinary

pytestmark = pytest.mark.real


@pytest.fixture
def owner(postgres_url, tmp_path):
    """Runs `migrate-store` as the owner of the tables."""
    settings = tmp_path / "linker.toml"
    settings.write_text(f'directory = "none"\ndatabase = "{postgres_url}"\n')

    def migrate(*arguments, code=0):
        done = CliRunner().invoke(main, ["--settings", str(settings), "migrate-store", *arguments])
        assert done.exit_code == code, done.output
        return done.output

    return migrate


@pytest.fixture
def role(postgres_server, postgres_url):
    """A name for a role of this test, which does not exist yet."""
    name = f"service_{os.urandom(4).hex()}"
    yield name
    admin = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as tx:
        tx.exec_driver_sql(f"DROP OWNED BY {name}")
        tx.exec_driver_sql(f"DROP ROLE {name}")
    admin.dispose()


@pytest.fixture
def password(tmp_path):
    """A file with the role's password."""
    file = tmp_path / "service-password"
    file.write_text("correct horse battery staple\n")
    return str(file)


@pytest.fixture
def as_service(postgres_url, role):
    """The address of the database for the service."""
    return sa.make_url(postgres_url).set(username=role).render_as_string(hide_password=False)


def test_under_its_role_a_linker_does_all_of_its_work(
    owner, role, password, as_service, partnership, child
):
    owner("--service-role", role, "--service-password-file", password)
    linker = LinkerUnderTest(partnership, as_service)
    a, b = (
        child("trust-a", "1", nhs=NHS[0]),
        child("council-b", "1", nhs=NHS[1], postcode="SE24 0AA"),
    )
    linker.send("trust-a", a)
    others = [
        child("council-b", str(n), surname=chr(64 + n) * 5, born=date(2010 + n, 1, 1))
        for n in range(2, 12)
    ]
    linker.send("council-b", b, *others)
    linker.put("trust-a", b"rubbish")
    linker.run()
    desk = linker.desk()
    [case] = desk.cases("n.steward")
    desk.show("n.steward", case.doubts[0].pair)
    desk.ask_partner("n.steward", case.doubts[0].pair, larger=True)
    desk.decide("n.steward", [(case.doubts[0].pair, "same")], "spoke to both")
    desk.undo("n.steward", desk.decisions("n.steward")[0].decision_id)
    approve(linker, propose_ordinary(linker, LENIENT))
    assert len(set(linker.persons(a, b))) == 1
    linker.send("council-b", withdrawn=[b.link_reference])
    assert linker.persons(b) == [None]
    desk.explain("o.perator", linker.persons(a)[0])
    assert desk.check_store("o.perator")[0] == 11
    with linker.engine.begin() as tx:
        tables.stream_state.suspend(tx, "encodings.trust-a", "a test")
        assert tables.stream_state.resume(tx, "encodings.trust-a")
        assert linker.processor.republish(tx, "links", linker.processor.handler.all_links(tx))
    assert desk.verify_audit().number == 8
    linker.close()


@pytest.mark.parametrize(
    "forbidden",
    [
        "UPDATE audit_entry SET who = 'somebody.else'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "UPDATE event SET person_id = NULL",
        "DELETE FROM event",
        "SELECT setval('event_event_id_seq', 1)",
        "UPDATE alembic_version SET version_num = '0001'",
        "TRUNCATE record",
        "DROP TABLE record",
        "ALTER TABLE record ADD COLUMN name text",
        "CREATE INDEX ON record (digest)",
        "CREATE TABLE another (a int)",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        (
            "CREATE TRIGGER t AFTER INSERT ON audit_entry EXECUTE FUNCTION"
            " suppress_redundant_updates_trigger()"
        ),
        "CREATE ROLE another SUPERUSER",
    ],
)
def test_its_role_can_do_no_more(owner, role, password, as_service, forbidden):
    owner("--service-role", role, "--service-password-file", password)
    engine = sa.create_engine(as_service)
    with (
        engine.connect() as tx,
        pytest.raises(sa.exc.ProgrammingError, match=r"permission denied|must be owner"),
    ):
        tx.exec_driver_sql(forbidden)
    engine.dispose()


def test_with_tables_of_another_version_the_service_does_not_start_and_says_what_to_do(
    owner, role, password, as_service
):
    owner("--service-role", role, "--service-password-file", password)
    settings = LinkerSettings(directory="none", database=as_service)
    app.open_store(settings).dispose()
    owner("--revision", "0008")
    with pytest.raises(UserError, match="not up to date") as refused:
        app.open_store(settings)
    assert "migrate-store --service-role" in refused.value.render()
    owner("--service-role", role)
    app.open_store(settings).dispose()


def test_rights_that_the_role_had_before_are_taken(owner, role, password, as_service, postgres_url):
    owner("--service-role", role, "--service-password-file", password)
    admin = sa.create_engine(postgres_url)
    with admin.begin() as tx:
        tx.exec_driver_sql(f"GRANT ALL ON event, audit_entry, record TO {role}")
        tx.exec_driver_sql(f"GRANT CREATE ON SCHEMA public TO {role}")
    owner("--service-role", role)
    with admin.connect() as tx:
        kept = tx.execute(
            sa.text(
                "SELECT table_name, string_agg(privilege_type, ' ' ORDER BY privilege_type) FROM"
                " information_schema.table_privileges WHERE grantee = :role GROUP BY table_name"
            ),
            {"role": role},
        ).all()
        assert not tx.execute(
            sa.text("SELECT has_schema_privilege(:role, 'public', 'CREATE')"), {"role": role}
        ).scalar()
    admin.dispose()
    rights = dict(map(tuple, kept))
    assert rights.pop("alembic_version") == "SELECT"
    assert rights.pop("audit_entry") == rights.pop("event") == "INSERT SELECT"
    assert set(rights.values()) == {"DELETE INSERT SELECT UPDATE"}
    assert len(rights) == len(tables.metadata.tables) - 2


def test_the_password_goes_to_the_server_encrypted(owner, role, password, postgres_url):
    owner("--service-role", role, "--service-password-file", password)
    admin = sa.create_engine(postgres_url)
    with admin.connect() as tx:
        kept = tx.execute(
            sa.text("SELECT rolpassword FROM pg_authid WHERE rolname = :role"), {"role": role}
        ).scalar()
    admin.dispose()
    assert kept.startswith("SCRAM-SHA-256$")


def test_a_role_that_could_do_more_whatever_is_granted_is_refused(
    owner, role, password, postgres_url
):
    owner("--service-role", role, "--service-password-file", password)
    admin = sa.create_engine(postgres_url)
    with admin.begin() as tx:
        tx.exec_driver_sql(f"GRANT {admin.url.username} TO {role}")
    admin.dispose()
    assert "can change tables" in owner("--service-role", role, code=1)
    assert "can change tables" in owner("--service-role", admin.url.username, code=1)


def test_an_owner_with_no_other_right_grants_but_cannot_make_the_role_and_says_so(
    role, password, postgres_url, tmp_path
):
    database = sa.make_url(postgres_url).database
    admin, plain = (
        sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT"),
        f"owner_{os.urandom(4).hex()}",
    )
    with admin.connect() as tx:
        for statement in (
            f"CREATE ROLE {plain} LOGIN",
            f"ALTER DATABASE {database} OWNER TO {plain}",
        ):
            tx.exec_driver_sql(statement)
        url = admin.url.set(username=plain).render_as_string(hide_password=False)
        (tmp_path / "plain.toml").write_text(f'directory = "none"\ndatabase = "{url}"\n')
        asked = [
            "--settings",
            str(tmp_path / "plain.toml"),
            "migrate-store",
            "--service-role",
            role,
        ]
        refused = CliRunner().invoke(main, [*asked, "--service-password-file", password])
        assert (refused.exit_code, "may not make roles" in refused.output) == (1, True)
        tx.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        assert CliRunner().invoke(main, asked).exit_code == 0
        granted = sa.text("SELECT has_table_privilege(:role, 'record', 'DELETE')")
        assert tx.execute(granted, {"role": role}).scalar()
        for statement in (
            f"REASSIGN OWNED BY {plain} TO CURRENT_USER",
            f"DROP OWNED BY {plain}",
            f"DROP ROLE {plain}",
        ):
            tx.exec_driver_sql(statement)
    admin.dispose()


def test_a_role_that_is_not_there_is_refused(owner):
    assert "no role 'nobody_here'" in owner("--service-role", "nobody_here", code=1)


def test_sqlite_has_no_roles(tmp_path):
    settings = tmp_path / "linker.toml"
    settings.write_text(f'directory = "none"\ndatabase = "sqlite:///{tmp_path / "l.sqlite"}"\n')
    done = CliRunner().invoke(
        main, ["--settings", str(settings), "migrate-store", "--service-role", "x"]
    )
    assert (done.exit_code, "Only PostgreSQL" in done.output) == (1, True)
