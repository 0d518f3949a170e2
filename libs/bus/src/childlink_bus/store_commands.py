"""Commands of every service with a store: migrate tables, suspend and resume topics (extra `sql`).

The commands import what they need when they run, so that help texts are fast.
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
    """The store settings of a service."""

    database: str
    database_password_file: Path | None


@dataclass(frozen=True)
class Tables:
    """A service's tables, and the package that creates them."""

    package: str
    """The package with the migrations."""
    metadata: sa.MetaData
    append_only: Collection[sa.Table]
    stream_state: StreamState


def add_store_commands(
    group: click.Group,
    tables_of: Callable[[], Tables],
    load: Callable[[Path | None], StoreSettings],
) -> None:
    """Add the commands `suspend`, `resume` and `migrate-store`."""

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
    @click.option("--why", required=True, help="The reason, for other operators.")
    @click.pass_obj
    def suspend(settings_file: Path | None, topic: str, why: str) -> None:
        """Stop reading TOPIC until you resume it.

        Use this if a partner sends invalid data or may be compromised. No message is lost.
        """
        with open_store(settings_file).begin() as tx:
            tables_of().stream_state.suspend(tx, topic, why)
        click.echo(
            f"{topic} is suspended. `status` shows it; `resume` continues where reading stopped."
        )

    @group.command()
    @click.argument("topic")
    @click.pass_obj
    def resume(settings_file: Path | None, topic: str) -> None:
        """Read TOPIC again from where reading stopped. This resets its count of refused
        messages.
        """
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
        help="Database role of the service. It gets the right to use rows, and no other right.",
    )
    @click.option(
        "--service-password-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="File with that role's password. The role is created if it does not exist.",
    )
    @click.pass_obj
    def migrate_store(
        settings_file: Path | None,
        revision: str,
        service_role: str | None,
        service_password_file: Path | None,
    ) -> None:
        """Migrate the database's tables to a revision. Run this as the tables' owner.

        With --service-role, that role may then use the tables, but not change them or rewrite
        append-only tables.
        """
        if service_role and revision != "head":
            raise click.UsageError("use --service-role only with --revision head")
        if service_password_file and not service_role:
            raise click.UsageError("use --service-password-file only with --service-role")
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
            click.echo(f"{service_role} may use the rows, and nothing else")
