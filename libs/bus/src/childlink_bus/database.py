"""Opens a service's database and brings its tables up to date (extra `sql`)."""

from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from childlink_core.errors import UserError

_MIGRATION_LOCK: Final = 0x636C_0003


def open_database(url: str, password_file: Path | None = None) -> sa.Engine:
    """Connect. The password comes from a file, never from the URL. Raises UserError when the database does not answer."""
    try:
        address = sa.make_url(url)
        if address.password:
            raise UserError("The database URL holds a password.", "Put it into a file and set database_password_file.")
        if password_file is not None:
            address = address.set(password=password_file.read_text(encoding="utf-8").strip())
        engine = sa.create_engine(address, pool_pre_ping=True)
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
            f"The database does not answer ({type(error).__name__}).", "Check the URL and that it runs."
        ) from None
    return engine


def migrate(engine: sa.Engine, package: str, revision: str = "head") -> None:
    """Bring the tables to a revision of `package`'s migrations (up; or down, for a revision that is older)."""
    config = Config()
    config.set_main_option("script_location", f"{package}:migrations")
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            # Several processes may start at once on one database.
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        config.attributes["connection"] = connection
        if revision == "base":
            command.downgrade(config, "base")
        else:
            command.upgrade(config, revision)


def _tune_sqlite(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -65536", "busy_timeout = 10000"):
        connection.execute(f"PRAGMA {pragma}")
