"""An audit trail that shows tampering: each entry's keyed hash covers the entry before it. Rule: no
I/O.

Who can write to the database but has not the service's key can neither change, remove nor move an
entry unseen. Entries cut off at the end are seen by those who noted the last entry's number and
hash, which `verify` returns. Two adapters keep trails: `childlink_bus.audit` in a service's own
database, and analytics' answering process in a file.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from childlink_core.errors import UserError

NOTHING: Final = bytes(32)
Row = tuple[int, int, str, str, str]
"""Number, time in milliseconds, who, what was done, detail as JSON."""


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


def next_row(last: Head, at_ms: int, who: str, action: str, detail: Mapping[str, str | int]) -> Row:
    """The row that follows the last one."""
    return last.number + 1, at_ms, who[:128], action, json.dumps(detail, sort_keys=True)


def digest_of(key: bytes, previous: bytes, row: Row) -> bytes:
    """What a row's hash is, 32 bytes, after the row whose hash is `previous`."""
    return hashlib.blake2b(previous + json.dumps(row).encode(), key=key, digest_size=32).digest()


def verify(rows: Iterable[tuple[Row, bytes]], key: bytes, noted: Head | None = None) -> Head:
    """Check every row and its hash, and that the one noted earlier is still there. Returns the
    last. Raises AuditBrokenError.
    """
    previous, number = NOTHING, 0
    seen_noted = noted is None or noted.number == 0
    for row, digest in rows:
        number += 1
        if row[0] != number or digest != digest_of(key, previous, row):
            raise AuditBrokenError(
                f"Entry {number} of the audit trail is not as it was written, or missing.",
                "Keep the database as it is and treat this as an incident: the trail was written"
                " to, or the key is another.",
            )
        previous = digest
        seen_noted = seen_noted or (
            noted is not None and (row[0], digest) == (noted.number, noted.digest)
        )
    if not seen_noted:
        raise AuditBrokenError(
            "The audit trail does not hold the entry that was noted.",
            "Entries were cut off at its end, or the database is older than the note.",
        )
    return Head(number, previous)
