"""A tamper-evident audit trail: the keyed hash of each entry covers the entry before it. No I/O.

An attacker who can write to the database but does not hold the service's key cannot change, remove
or move an entry undetected. To detect entries cut off at the end, note the number and hash of the
last entry, which `verify` returns. Two adapters store trails: `childlink_bus.audit` in a service's
own database, and the answering process of analytics in a file.
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
    """One recorded action."""

    number: int
    at_ms: int
    who: str
    action: str
    detail: Mapping[str, Any]
    digest: bytes


@dataclass(frozen=True)
class Head:
    """Number and hash of the last entry. Note it elsewhere to detect entries cut off later."""

    number: int
    digest: bytes


def next_row(last: Head, at_ms: int, who: str, action: str, detail: Mapping[str, str | int]) -> Row:
    """Build the row that follows `last`. `who` is cut to 128 characters."""
    return last.number + 1, at_ms, who[:128], action, json.dumps(detail, sort_keys=True)


def digest_of(key: bytes, previous: bytes, row: Row) -> bytes:
    """The 32-byte keyed hash of `row`, which follows the row with the hash `previous`."""
    return hashlib.blake2b(previous + json.dumps(row).encode(), key=key, digest_size=32).digest()


def verify(rows: Iterable[tuple[Row, bytes]], key: bytes, noted: Head | None = None) -> Head:
    """Check each row and its hash, and that the `noted` entry is still in the trail.

    Returns the last entry. Raises AuditBrokenError.
    """
    previous, number = NOTHING, 0
    seen_noted = noted is None or noted.number == 0
    for row, digest in rows:
        number += 1
        if row[0] != number or digest != digest_of(key, previous, row):
            raise AuditBrokenError(
                f"Entry {number} of the audit trail was changed or is missing.",
                "Keep the database as it is and treat this as an incident: the trail was changed,"
                " or"
                " the audit key is the wrong one.",
            )
        previous = digest
        seen_noted = seen_noted or (
            noted is not None and (row[0], digest) == (noted.number, noted.digest)
        )
    if not seen_noted:
        raise AuditBrokenError(
            "The audit trail does not contain the noted entry.",
            "Entries were removed from the end, or the database is older than the note.",
        )
    return Head(number, previous)
