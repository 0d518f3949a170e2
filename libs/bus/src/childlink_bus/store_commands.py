"""The commands that every service with a store has: its tables and its suspended topics (extra
`sql`).

What they need is imported when they run, so that help texts do not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

if TYPE_CHECKING:
    import sqlalchemy as sa

    from childlink_bus.stream_state import StreamState


class StoreSettings(Protocol):
    """What the settings of a service with a store say of it."""

    database: str
    database_password_file: Path | None


@dataclass(frozen=True)
class Tables:
    """A service's tables, and how they come about."""

    package: str
    """Whose migrations make them."""
    metadata: sa.MetaData
    append_only: Collection[sa.Table]
    stream_state: StreamState


def add_store_commands(
    group: click.Group,
    tables_of: Callable[[], Tables],
    load: Callable[[Path | None], StoreSettings],
) -> None:
    """Add `suspend`, `resume` and `migrate-store`, for the store that a settings file names."""

    def open_as_owner(settings_file: Path | None) -> sa.Engine:
        from childlink_bus.database import open_database

        settings = load(settings_file)
        return open_database(settings.database, settings.database_password_file)

    def open_store(settings_file: Path | None) -> sa.Engine:
        from childlink_bus.database import migrate

        engine = open_as_owner(settings_file)
        migrate(engine, tables_of().package)
        return engine

    @group.command()
    @click.argument("topic")
    @click.option("--why", required=True, help="For those who come after you.")
    @click.pass_obj
    def suspend(settings_file: Path | None, topic: str, why: str) -> None:
        """Read nothing more from TOPIC until it is resumed: a partner that sends rubbish, or may be
        compromised. Nothing is lost.
        """
        with open_store(settings_file).begin() as tx:
            tables_of().stream_state.suspend(tx, topic, why)
        click.echo(
            f"{topic} is suspended; `status` shows it, `resume` reads on from where it was left"
        )

    @group.command()
    @click.argument("topic")
    @click.pass_obj
    def resume(settings_file: Path | None, topic: str) -> None:
        """Read TOPIC again, from where it was left. Its dead letters are forgiven."""
        with open_store(settings_file).begin() as tx:
            was = tables_of().stream_state.resume(tx, topic)
        click.echo(f"{topic} is read again" if was else f"{topic} was not suspended")

    @group.command()
    @click.option(
        "--revision", default="head", show_default=True, help="'head', 'base' or a revision."
    )
    @click.option(
        "--service-role",
        metavar="NAME",
        help="Database role that the service connects as: may work with rows, no more.",
    )
    @click.option(
        "--service-password-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="File with that role's password: the role is made if there is none.",
    )
    @click.pass_obj
    def migrate_store(
        settings_file: Path | None,
        revision: str,
        service_role: str | None,
        service_password_file: Path | None,
    ) -> None:
        """Bring the database's tables to a revision, as their owner. With --service-role, let that
        role use them, but neither change them nor rewrite what is only ever appended to.
        """
        if service_role and revision != "head":
            raise click.UsageError("--service-role is for tables that are up to date")
        if service_password_file and not service_role:
            raise click.UsageError("--service-password-file is for --service-role")
        from childlink_bus.database import migrate
        from childlink_bus.service_role import grant_to_service

        engine, tables = open_as_owner(settings_file), tables_of()
        migrate(engine, tables.package, revision)
        click.echo(f"tables are at {revision}")
        if service_role:
            password = (
                service_password_file.read_text(encoding="utf-8").strip()
                if service_password_file
                else ""
            )
            grant_to_service(engine, tables.metadata, service_role, tables.append_only, password)
            click.echo(f"{service_role} may use them, and no more")
