"""An audit trail in a service's own database (extra `sql`).

`childlink_core.audit` explains how it shows tampering.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, Final

import sqlalchemy as sa
from childlink_core.audit import NOTHING, Entry, Head, digest_of, next_row, verify

_APPENDING: Final = 0x636C_0004


class Audit:
    """The table `audit_entry` (added to a service's own metadata) and its operations."""

    def __init__(self, metadata: sa.MetaData) -> None:
        self.entries = sa.Table(
            "audit_entry",
            metadata,
            sa.Column(
                "number",
                sa.BigInteger().with_variant(sa.Integer, "sqlite"),
                primary_key=True,
                autoincrement=False,
            ),
            sa.Column("at_ms", sa.BigInteger, nullable=False),
            sa.Column("who", sa.String(128), nullable=False),
            sa.Column("action", sa.String(64), nullable=False),
            sa.Column("detail", sa.Text, nullable=False, comment="JSON"),
            sa.Column("digest", sa.LargeBinary(32), nullable=False),
        )

    def append(
        self, tx: sa.Connection, key: bytes, who: str, action: str, **detail: str | int
    ) -> None:
        """Append an entry, in the same transaction as the action itself."""
        # One at a time: two appends after the same entry would break the chain.
        if tx.dialect.name == "postgresql":
            # Not LOCK TABLE: it needs the right to change entries, which the service does not
            # otherwise need.
            tx.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _APPENDING})
        else:
            # SQLite locks at the first write of a transaction, even if the write matches no row.
            tx.execute(self.entries.delete().where(sa.false()))
        last = self.head(tx)
        row = next_row(last, int(time.time() * 1000), who, action, detail)
        values = dict(zip(("number", "at_ms", "who", "action", "detail"), row, strict=True))
        tx.execute(self.entries.insert().values(**values, digest=digest_of(key, last.digest, row)))

    def head(self, tx: sa.Connection) -> Head:
        """The last entry; number 0 if there is none."""
        c = self.entries.c
        row = tx.execute(sa.select(c.number, c.digest).order_by(c.number.desc()).limit(1)).first()
        return Head(row.number, row.digest) if row else Head(0, NOTHING)

    def read(self, tx: sa.Connection, after: int = 0) -> Iterator[Entry]:
        """Yield the entries after number `after`, in order."""
        rows = tx.execute(
            sa.select(self.entries)
            .where(self.entries.c.number > after)
            .order_by(self.entries.c.number)
        )
        for row in rows:
            yield Entry(
                row.number, row.at_ms, row.who, row.action, json.loads(row.detail), row.digest
            )

    def verify(self, tx: sa.Connection, key: bytes, noted: Head | None = None) -> Head:
        """Check every entry, and that the `noted` entry is still there.

        Returns the last entry. Raises AuditBrokenError.
        """
        rows = tx.execute(sa.select(self.entries).order_by(self.entries.c.number))
        return verify(
            (((r.number, r.at_ms, r.who, r.action, r.detail), r.digest) for r in rows), key, noted
        )

    def count(self, tx: sa.Connection, who: str, action: str, since_ms: int) -> int:
        """How often `who` did `action` since a time."""
        c = self.entries.c
        wanted = (c.who == who, c.action == action, c.at_ms >= since_ms)
        return tx.execute(sa.select(sa.func.count()).where(*wanted)).scalar_one()


class Audited:
    """What a service that keeps an audit trail can do with it. Give it `engine` and `audit_key`."""

    audit: ClassVar[Audit]
    engine: sa.Engine
    audit_key: bytes

    def audit_trail(self, after: int = 0) -> list[Entry]:
        """The entries of the audit trail."""
        with self.engine.connect() as tx:
            return list(self.audit.read(tx, after))

    def verify_audit(self, noted: Head | None = None) -> Head:
        """Check the audit trail. Raises AuditBrokenError."""
        with self.engine.connect() as tx:
            return self.audit.verify(tx, self.audit_key, noted)

    @contextmanager
    def audited(self, who: str, action: str, **detail: str | int) -> Iterator[sa.Connection]:
        """A transaction that includes the entry of what is done in it. A failure is recorded as
        well, in a transaction of its own.
        """
        try:
            with self.engine.begin() as tx:
                self.audit.append(tx, self.audit_key, who, action, **detail)
                yield tx
        except Exception as error:
            with self.engine.begin() as tx:
                said = {**detail, "why": type(error).__name__}
                self.audit.append(tx, self.audit_key, who, f"{action}: failed", **said)
            raise
