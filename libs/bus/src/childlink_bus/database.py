"""Opens a service's database and migrates its tables (extra `sql`)."""

from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from childlink_core.errors import UserError

MIGRATION_LOCK: Final = 0x636C_0003
INSUFFICIENT_PRIVILEGE: Final = "42501"
# Both sides give up an unreachable peer after 20 s (a network partition, or a power failure).
# Otherwise the service would wait a quarter of an hour for an answer, and the server would keep a
# dead service's locks for two hours. Parameters in the URL take precedence.
_GIVE_UP: Final[dict[str, str | int]] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 20_000,
    "options": (
        "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=2 -c"
        " tcp_user_timeout=20000"
    ),
}
# With `allow` or `prefer`, an attacker chooses whether the connection is encrypted.
_CLEAR: Final = ("disable", "require", "verify-ca", "verify-full")


def open_database(url: str, password_file: Path | None = None) -> sa.Engine:
    """Connect. The password comes from a file, never from the URL.

    Raises UserError if the URL holds a password, or names another machine without saying whether
    the connection is encrypted; if the file cannot be read, or the database does not answer.
    """
    try:
        address = sa.make_url(url)
        if address.password:
            raise UserError(
                "The database URL contains a password.",
                "Put it into a file and set database_password_file.",
            )
        if _is_elsewhere(address) and address.query.get("sslmode") not in _CLEAR:
            raise UserError(
                "The database is on another machine, and the URL does not say whether the"
                " connection is encrypted.",
                "Add ?sslmode=verify-full&sslrootcert=FILE to the URL, with the certificate of the"
                " authority that signed the database's. To do without, write ?sslmode=disable.",
            )
        if password_file is not None:
            address = address.set(password=password_file.read_text(encoding="utf-8").strip())
        given_up = address.get_backend_name() == "postgresql"
        options = {
            name: value
            for name, value in _GIVE_UP.items()
            if given_up and name not in address.query
        }
        engine = sa.create_engine(address, pool_pre_ping=True, connect_args=options)
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _tune_sqlite)
        with engine.connect():
            pass
    except OSError as error:
        raise UserError(
            f"{password_file} cannot be read ({error.strerror}).", "Correct database_password_file."
        ) from None
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        raise UserError(
            f"The database does not answer ({type(error).__name__}).",
            "Check the URL, and check that the database runs.",
        ) from None
    return engine


def _is_elsewhere(address: sa.URL) -> bool:
    """Whether a PostgreSQL server may be on another machine: neither a socket nor loopback."""
    if address.get_backend_name() != "postgresql":
        return False
    if "service" in address.query:
        # A file says where it is.
        return True
    named = [address.host or ""]
    for key in ("host", "hostaddr"):
        value = address.query.get(key, ())
        named += [value] if isinstance(value, str) else value
    hosts = [host for item in named for host in item.split(",") if host]
    return not all(map(_is_here, hosts))


def _is_here(host: str) -> bool:
    if host.startswith("/") or host.partition(":")[0] == "localhost":
        return True
    for text in (host, host.partition(":")[0], host.strip("[]"), host[1:].partition("]")[0]):
        with suppress(ValueError):
            return ip_address(text).is_loopback
    return False


def migrate(engine: sa.Engine, package: str, revision: str = "head") -> None:
    """Migrate the tables up or down to a revision of `package`'s migrations.

    It needs no right to change tables if they are already at the revision. Raises UserError if that
    right is needed and missing, or if the tables are at a revision that this release does not know.
    """
    config = Config()
    config.set_main_option("script_location", f"{package}:migrations")
    config.set_main_option("path_separator", "os")
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                # Several processes may start on one database at the same time.
                connection.execute(
                    sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK}
                )
            config.attributes["connection"] = connection
            _refuse_what_is_newer(config, connection)
            if revision == "base" or _is_behind(revision, config, connection):
                command.downgrade(config, revision)
            else:
                command.upgrade(config, revision)
    except sa.exc.ProgrammingError as error:
        if sqlstate(error) != INSUFFICIENT_PRIVILEGE:
            raise
        raise UserError(
            "The tables are not up to date, and this database user may not change them.",
            "Run migrate-store --service-role NAME as the tables' owner, with this user's name.",
        ) from None


def _is_behind(revision: str, config: Config, connection: sa.Connection) -> bool:
    """Whether the tables are at a later revision."""
    now = MigrationContext.configure(connection).get_current_revision()
    passed = ScriptDirectory.from_config(config).iterate_revisions(now, "base") if now else ()
    return revision in {script.revision for script in passed} - {now}


def _refuse_what_is_newer(config: Config, connection: sa.Connection) -> None:
    """Raise UserError if the tables are at a revision that this release does not know.

    The release could not interpret their content.
    """
    now = MigrationContext.configure(connection).get_current_revision()
    try:
        ScriptDirectory.from_config(config).get_revision(now or "base")
    except CommandError:
        raise UserError(
            f"The tables are at revision {now}, which this release does not know. A later"
            " release migrated them.",
            "Run that release. To return to this one, first use the later release to run"
            " `migrate-store --revision` as its release notes say.",
        ) from None


def sqlstate(error: sa.exc.DBAPIError) -> str:
    """The database's own error code; empty if it has none."""
    return str(getattr(error.orig, "sqlstate", "") or "")


def _tune_sqlite(connection: Any, _record: Any) -> None:
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "cache_size = -65536",
        "busy_timeout = 10000",
    ):
        connection.execute(f"PRAGMA {pragma}")
