"""Database rights of a running service: rows only (PostgreSQL; extra `sql`).

The owner of the tables migrates them and grants rights. The service connects as another role. An
attacker who takes over the service can therefore not drop or change a table, or rewrite append-only
tables.
"""

from collections.abc import Collection
from typing import Any, Final

import sqlalchemy as sa
from childlink_core.errors import UserError

from childlink_bus.database import INSUFFICIENT_PRIVILEGE, MIGRATION_LOCK, sqlstate

_VERSION_TABLE: Final = sa.table("alembic_version")


def grant_to_service(
    engine: sa.Engine,
    metadata: sa.MetaData,
    role: str,
    append_only: Collection[sa.Table],
    password: str = "",
) -> None:
    """Grant `role` the right to read and write rows; for `append_only` tables, only to read and
    append.

    All other rights of the role on these tables are revoked. With a password, the role is created
    if it does not exist, and gets that password. Run this as the tables' owner. Raises UserError if
    the role does not exist, or would still have more rights (a superuser, or the owner).
    """
    if engine.dialect.name != "postgresql":
        raise UserError(
            "Only PostgreSQL has roles.", "Omit --service-role, or set a PostgreSQL database."
        )
    try:
        with engine.begin() as tx:
            tx.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            _make(tx, role, password)
            _grant(tx, metadata, role, append_only)
            _check(tx, metadata, role, append_only)
    except sa.exc.ProgrammingError as error:
        if sqlstate(error) != INSUFFICIENT_PRIVILEGE:
            raise
        raise UserError(
            "This database user may not make roles or grant rights on the tables.",
            "Connect as the tables' owner, and ask a database administrator to create the role:"
            " CREATE ROLE ... LOGIN.",
        ) from None


def _make(tx: sa.Connection, role: str, password: str) -> None:
    exists = tx.execute(
        sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}
    ).first()
    if not exists and not password:
        raise UserError(
            f"The database has no role {role!r}.", "Create it, or name a file with its password."
        )
    if password:
        # Encrypt here, because statements can appear in the server's log.
        connection: Any = tx.connection.driver_connection
        secret = connection.pgconn.encrypt_password(
            password.encode(), role.encode(), b"scram-sha-256"
        ).decode()
        verb = "ALTER" if exists else "CREATE"
        tx.exec_driver_sql(f"{verb} ROLE {_quoted(tx, role)} LOGIN PASSWORD '{secret}'")


def _grant(
    tx: sa.Connection, metadata: sa.MetaData, role: str, append_only: Collection[sa.Table]
) -> None:
    to, schema = _quoted(tx, role), _quoted(tx, _schema(tx))
    # PostgreSQL before version 15 lets every user create tables.
    tx.exec_driver_sql(f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {to}")
    tx.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO {to}")
    for table in (*metadata.sorted_tables, _VERSION_TABLE):
        rights = "SELECT, INSERT" if table in append_only else "SELECT, INSERT, UPDATE, DELETE"
        if table is _VERSION_TABLE:
            rights = "SELECT"
        tx.exec_driver_sql(f"REVOKE ALL ON {_quoted(tx, table.name)} FROM {to}")
        tx.exec_driver_sql(f"GRANT {rights} ON {_quoted(tx, table.name)} TO {to}")
    for table in metadata.sorted_tables:
        counted = table.autoincrement_column
        if counted is not None:
            named = sa.select(sa.func.pg_get_serial_sequence(table.name, counted.name))
            if sequence := tx.execute(named).scalar():
                tx.exec_driver_sql(f"REVOKE ALL ON SEQUENCE {sequence} FROM {to}")
                tx.exec_driver_sql(f"GRANT USAGE ON SEQUENCE {sequence} TO {to}")


def _check(
    tx: sa.Connection, metadata: sa.MetaData, role: str, append_only: Collection[sa.Table]
) -> None:
    """Raise UserError if the role has rights beyond rows.

    A role's rights come from itself, from roles that it is a member of, and from PUBLIC. This asks
    for the sum.
    """
    has_table, has_schema = sa.func.has_table_privilege, sa.func.has_schema_privilege
    too_much = [
        *(has_table(role, _quoted(tx, table.name), "TRUNCATE") for table in metadata.sorted_tables),
        *(has_table(role, _quoted(tx, table.name), "UPDATE, DELETE") for table in append_only),
        has_schema(role, _schema(tx), "CREATE"),
    ]
    if any(tx.execute(sa.select(*(item.label(f"c{n}") for n, item in enumerate(too_much)))).one()):
        raise UserError(
            f"The role {role!r} has other rights, with which it can change tables or rewrite"
            " append-only tables.",
            "Use a role that is not a superuser, does not own the tables, and is not a member of"
            " such a role.",
        )


def _schema(tx: sa.Connection) -> str:
    return str(tx.execute(sa.text("SELECT current_schema()")).scalar_one())


def _quoted(tx: sa.Connection, name: str) -> str:
    return tx.dialect.identifier_preparer.quote_identifier(name)
