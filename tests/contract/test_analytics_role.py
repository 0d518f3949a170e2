"""The database role of analytics: it can store data and build releases, but can neither change a
table nor rewrite the audit trail.
"""

import os

import pytest
import sqlalchemy as sa
from childlink_analytics.cli import main
from childlink_analytics.releasing import app
from childlink_analytics.releasing.store import tables
from childlink_analytics.settings import StoreSettings
from childlink_core.keys import SecretKey, write_key
from click.testing import CliRunner

pytestmark = pytest.mark.real


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


def test_under_its_role_analytics_cuts_and_publishes_and_can_do_no_more(
    postgres_url, role, tmp_path
):
    (tmp_path / "password").write_text("correct horse battery staple\n")
    (tmp_path / "owner.toml").write_text(f'directory = "none"\ndatabase = "{postgres_url}"\n')
    arguments = ["--service-role", role, "--service-password-file", str(tmp_path / "password")]
    done = CliRunner().invoke(
        main, ["--settings", str(tmp_path / "owner.toml"), "migrate-store", *arguments]
    )
    assert done.exit_code == 0, done.output
    write_key(tmp_path / "release.key", SecretKey.generate("analytics"))
    address = sa.make_url(postgres_url).set(username=role).render_as_string(hide_password=False)
    settings = StoreSettings(
        directory=tmp_path / "none",
        database=address,
        database_password_file=tmp_path / "password",
        release_key=tmp_path / "release.key",
        drafts=tmp_path / "drafts",
        releases=tmp_path / "releases",
    )
    desk = app.build_desk(settings)
    desk.cut("ann", "r", "2024-03-31")
    assert desk.publish("ben", "r").state == "published"
    assert desk.verify_audit().number == 2
    for statement in (
        "UPDATE audit_entry SET who = 'nobody'",
        "DELETE FROM audit_entry",
        "DROP TABLE observation",
        "ALTER TABLE link ADD x int",
        "CREATE TABLE mine (x int)",
    ):
        with (
            desk.engine.connect() as tx,
            pytest.raises(sa.exc.ProgrammingError, match=r"permission denied|must be owner"),
        ):
            tx.exec_driver_sql(statement)
    with desk.engine.begin() as tx:
        tx.execute(tables.observation.delete())
    desk.engine.dispose()
