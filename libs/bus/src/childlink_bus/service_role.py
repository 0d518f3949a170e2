"""What a running service may do in its database: work with rows, and nothing else (PostgreSQL;
extra `sql`).

The owner of the tables migrates them and grants; the service connects as another role. Whoever gets
hold of the service can then neither drop nor change a table, nor rewrite what it only ever appends
to.
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
    """Let `role` read and write rows of the tables, of `append_only` ones only read and append;
    take what else it has there.

    With a password, the role is made if there is none, and has that password from now on. Called as
    the tables' owner. Raises UserError when the role does not exist, or could do more all the same
    (a superuser, the owner).
    """
    if engine.dialect.name != "postgresql":
        raise UserError(
            "Only PostgreSQL has roles.", "Leave --service-role away, or set a PostgreSQL database."
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
            "Connect as the tables' owner, and have the role made by whoever may: CREATE ROLE ..."
            " LOGIN.",
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
        # Encrypted here: statements can end up in the server's log.
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
    # Servers before 15 let everybody make tables.
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
    """What a role may do comes from itself, from roles that it is a member of, and from PUBLIC: ask
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
            f"The role {role!r} could change tables, or rewrite what may only be appended to,"
            " whatever is granted.",
            "Use one that is no superuser, does not own the tables and is a member of no role that"
            " does.",
        )


def _schema(tx: sa.Connection) -> str:
    return str(tx.execute(sa.text("SELECT current_schema()")).scalar_one())


def _quoted(tx: sa.Connection, name: str) -> str:
    return tx.dialect.identifier_preparer.quote_identifier(name)
