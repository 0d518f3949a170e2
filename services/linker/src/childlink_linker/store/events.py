"""Rows of the event log."""

import time

from childlink_linker.store.replay import Kind


def event(
    kind: Kind,
    subject_id: int | None,
    person_id: str | None,
    previous: str | None = None,
    family_id: str | None = None,
) -> dict[str, object]:
    """A row of the event log with the current time."""
    return {
        "at_ms": int(time.time() * 1000),
        "kind": kind,
        "subject_id": subject_id,
        "person_id": person_id,
        "previous_person_id": previous,
        "family_id": family_id,
    }
