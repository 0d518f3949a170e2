"""An audit trail that shows tampering: each entry's keyed hash covers the entry before it (extra `sql`).

Whoever can write to the database but has not the service's key can neither change, remove nor move an entry unseen. Entries cut off at
the end are seen by whoever noted the last entry's number and hash, which `verify` returns.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from childlink_core.errors import UserError

_NOTHING = bytes(32)
_APPENDING: Final = 0x636C_0004


class AuditBrokenError(UserError):
    """The trail was changed after it was written."""


@dataclass(frozen=True)
class Entry:
    """Somebody did something."""

    number: int
    at_ms: int
    who: str
    action: str
    detail: Mapping[str, Any]
    digest: bytes


@dataclass(frozen=True)
class Head:
    """The last entry: note it elsewhere, and entries cut off after it will be missed."""

    number: int
    digest: bytes


class Audit:
    """The table (added to a service's own metadata) and what is done with it."""

    def __init__(self, metadata: sa.MetaData) -> None:
        self.entries = sa.Table(
            "audit_entry", metadata,
            sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
            sa.Column("at_ms", sa.BigInteger, nullable=False),
            sa.Column("who", sa.String(128), nullable=False),
            sa.Column("action", sa.String(64), nullable=False),
            sa.Column("detail", sa.Text, nullable=False, comment="JSON"),
            sa.Column("digest", sa.LargeBinary(32), nullable=False),
        )  # fmt: skip

    def append(self, tx: sa.Connection, key: bytes, who: str, action: str, **detail: str | int) -> None:
        """Write down, within the transaction of what is done, that it was done."""
        # One at a time: two that continued after the same entry would break the chain.
        if tx.dialect.name == "postgresql":
            # Not LOCK TABLE: that takes a right to change entries, which a service has no other need of.
            tx.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _APPENDING})
        else:
            # SQLite locks with the first write of a transaction, whether it finds a row or not.
            tx.execute(self.entries.delete().where(sa.false()))
        last = self.head(tx)
        entry = (last.number + 1, int(time.time() * 1000), who[:128], action, json.dumps(detail, sort_keys=True))
        names = ("number", "at_ms", "who", "action", "detail")
        tx.execute(
            self.entries.insert().values(
                **dict(zip(names, entry, strict=True)), digest=_digest(key, last.digest, entry)
            )
        )

    def head(self, tx: sa.Connection) -> Head:
        """The last entry; number 0 when there is none."""
        c = self.entries.c
        row = tx.execute(sa.select(c.number, c.digest).order_by(c.number.desc()).limit(1)).first()
        return Head(row.number, row.digest) if row else Head(0, _NOTHING)

    def read(self, tx: sa.Connection, after: int = 0) -> Iterator[Entry]:
        """Entries in order."""
        rows = tx.execute(sa.select(self.entries).where(self.entries.c.number > after).order_by(self.entries.c.number))
        for row in rows:
            yield Entry(row.number, row.at_ms, row.who, row.action, json.loads(row.detail), row.digest)

    def verify(self, tx: sa.Connection, key: bytes, noted: Head | None = None) -> Head:
        """Check every entry, and that the one noted earlier is still there. Returns the last. Raises AuditBrokenError."""
        previous, number = _NOTHING, 0
        seen_noted = noted is None or noted.number == 0
        for row in tx.execute(sa.select(self.entries).order_by(self.entries.c.number)):
            number += 1
            entry = (row.number, row.at_ms, row.who, row.action, row.detail)
            if row.number != number or row.digest != _digest(key, previous, entry):
                raise AuditBrokenError(
                    f"Entry {number} of the audit trail is not as it was written, or missing.",
                    "Keep the database as it is and treat this as an incident: somebody wrote to the trail, or the key is another.",
                )
            previous = row.digest
            seen_noted = seen_noted or (noted is not None and (row.number, row.digest) == (noted.number, noted.digest))
        if not seen_noted:
            raise AuditBrokenError(
                "The audit trail does not hold the entry that was noted.",
                "Entries were cut off at its end, or the database is older than the note.",
            )
        return Head(number, previous)

    def count(self, tx: sa.Connection, who: str, action: str, since_ms: int) -> int:
        """How often somebody did something lately."""
        c = self.entries.c
        wanted = (c.who == who, c.action == action, c.at_ms >= since_ms)
        return tx.execute(sa.select(sa.func.count()).where(*wanted)).scalar_one()


def _digest(key: bytes, previous: bytes, entry: tuple[int, int, str, str, str]) -> bytes:
    return hashlib.blake2b(previous + json.dumps(entry).encode(), key=key, digest_size=32).digest()
